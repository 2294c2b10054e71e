"""Packages that this one declares, and whether they are installed."""

import re
from collections.abc import Mapping
from importlib import metadata
from typing import NamedTuple

__all__ = ["Packages", "declared_packages"]

NAME = "mnist-bp"

REQUIREMENT = re.compile(r"(?P<name>[\w.-]+)\s*(?:\[(?P<extras>[^]]*)\])?")
"""Beginning of a requirement, such as ``mnist-bp[plot]``."""

EXTRA = re.compile(r"""extra\s*==\s*["'](?P<extra>[\w.-]+)["']""")


class Packages(NamedTuple):
    """Versions by package, None if it is not installed: of the dependencies, and of the packages of each extra."""

    dependencies: Mapping[str, str | None]
    extras: Mapping[str, Mapping[str, str | None]]


def declared_packages() -> Packages | None:
    """Return the declared packages, or None if Python runs the source of a package that is not installed."""
    try:
        about = metadata.metadata(NAME)
    except metadata.PackageNotFoundError:
        return None
    names: dict[str, dict[str, str]] = {extra: {} for extra in ("", *(about.get_all("Provides-Extra") or ()))}
    for text in about.get_all("Requires-Dist") or ():
        found, extra = REQUIREMENT.match(text), EXTRA.search(text)
        if found:
            names[extra["extra"] if extra else ""][found["name"]] = found["extras"] or ""
    versions = {extra: {name: _version(name) for name in _expanded(extra, names)} for extra in names}
    return Packages(versions.pop(""), versions)


def _expanded(extra: str, names: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return the packages of an extra. An extra that this package requires of itself stands for its packages."""
    inner = [each.strip() for each in names[extra].get(NAME, "").split(",") if each]
    return [
        *(package for each in inner for package in _expanded(each, names)),
        *(package for package in names[extra] if package != NAME),
    ]


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
