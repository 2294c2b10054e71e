"""What can be chosen, by name; apart from the code that does it, so that naming it needs no numpy."""

from collections.abc import Iterable
from typing import TypeVar

from mnist_bp.errors import InputError

__all__ = [
    "ActivationName",
    "CostName",
    "DtypeName",
    "OptimizerName",
    "OutputActivationName",
    "checked_name",
]

ActivationName = str
OutputActivationName = str
CostName = str
OptimizerName = str
DtypeName = str
"""Names of entries of the registries in ``choices``."""

Name = TypeVar("Name", bound=str)


def checked_name(what: str, name: Name, known: Iterable[Name]) -> Name:
    """``name``, if it is one of those that are known; else InputError."""
    if name not in known:
        raise InputError(f"unknown {what} {name!r}; known: {', '.join(known)}")
    return name
