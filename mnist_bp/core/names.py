"""What can be chosen, by name; apart from the code that does it, so that naming it needs no numpy."""

from collections.abc import Iterable
from typing import Literal, TypeVar

from mnist_bp.errors import InputError

__all__ = [
    "MOMENTUM",
    "ActivationName",
    "CostName",
    "DtypeName",
    "OptimizerName",
    "OutputActivationName",
    "checked_name",
]

ActivationName = Literal["sigmoid", "tanh", "relu", "leaky-relu"]
OutputActivationName = Literal[ActivationName, "softmax"]
CostName = Literal["squared-error", "cross-entropy"]
OptimizerName = Literal["sgd", "momentum", "nesterov", "adam"]
DtypeName = Literal["float32", "float64"]

MOMENTUM = 0.9
"""μ of the optimizers momentum and nesterov: each gradient goes on to move the parameters, ten times as far in all."""

Name = TypeVar("Name", bound=str)


def checked_name(what: str, name: Name, known: Iterable[Name]) -> Name:
    """``name``, if it is one of those that are known; else InputError."""
    if name not in known:
        raise InputError(f"unknown {what} {name!r}; known: {', '.join(known)}")
    return name
