"""A recipe of the table: a file of options whose opening comment tells what it has to reach, and what it has reached.

The comment is the record. A line each, behind ``# ``: ``Literature:``, ``Bar:``, and, written by ``scripts/reproduce``,
``Measured:`` and ``Machine:``. Its first line says what the network is, and what is special.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Self

from _shared.tables import number

from mnist_bp.cli.config import read_config
from mnist_bp.cli.declared import with_options
from mnist_bp.cli.train import train
from mnist_bp.errors import InputError
from mnist_bp.storage.atomic import write_text
from mnist_bp.training.notation import format_sizes, parse_hidden

PIXELS, CLASSES = 784, 10
DIGEST = 8
"""Hexadecimal digits of the settings' SHA-256 that a file keeps."""

_FIELD = re.compile(r"# (Literature|Bar|Measured|Machine): *(.*\S)")
_BAR = re.compile(r"(?:≤ *)?(\d+(?:\.\d+)?) *%")
_MEASURED = re.compile(
    r".* % \(seeds? [\d-]+: (?P<errors>\d+\.\d+(?:, \d+\.\d+)*)\), "
    r"(?P<minutes>[\d.,]+) min a seed; settings (?P<digest>[0-9a-f]+)"
)


@dataclass(frozen=True)
class Measurement:
    """What came of a recipe.

    ``errors`` are the test errors in % after the last epoch, of seed 0, 1, 2, …; ``minutes`` those of a seed in the
    mean, as text; ``digest`` is of the settings that were trained, ``machine`` what they were trained on.
    """

    errors: tuple[float, ...]
    minutes: str
    digest: str
    machine: str

    @classmethod
    def of(cls, errors: Sequence[float], seconds: Sequence[float], digest: str, machine: str) -> Self:
        """Make one of the figures of each seed."""
        return cls(tuple(errors), number(mean(seconds) / 60), digest, machine)

    @classmethod
    def from_lines(cls, measured: str, machine: str) -> Self | None:
        """Read what ``line`` wrote; None of anything else."""
        match = _MEASURED.fullmatch(measured)
        if match is None:
            return None
        errors = tuple(map(float, match["errors"].split(", ")))
        return cls(errors, match["minutes"], match["digest"], machine)

    @property
    def mean(self) -> float:
        """Of the errors; they have two decimals, so nothing behind the sixth is more than rounding."""
        return round(mean(self.errors), 6)

    @property
    def spread(self) -> str:
        """Mean ± sample standard deviation; of a single seed, only itself."""
        deviation = f" ± {stdev(self.errors):.2f}" if len(self.errors) > 1 else ""
        return f"{self.mean:.2f}{deviation}"

    @property
    def line(self) -> str:
        """What stands behind ``Measured:``."""
        last = len(self.errors) - 1
        seeds, errors = f"seeds 0-{last}" if last else "seed 0", ", ".join(f"{error:.2f}" for error in self.errors)
        return f"{self.spread} % ({seeds}: {errors}), {self.minutes} min a seed; settings {self.digest}"


@dataclass(frozen=True)
class Recipe:
    """A recipe that belongs into the table.

    ``text`` is the whole file as it was read, maybe long before it is trained; ``sha256`` is that of its settings: a
    comment may change without a new training. ``bar`` is the highest mean error, in %. ``measured`` is what the file
    tells, be it of these settings or of earlier ones.
    """

    path: Path
    text: str
    sizes: str
    special: str
    literature: str
    bar: float
    sha256: str
    measured: Measurement | None

    @property
    def name(self) -> str:
        """As it is called on the command line."""
        return self.path.stem

    @property
    def digest(self) -> str:
        """The beginning of ``sha256``."""
        return self.sha256[:DIGEST]

    @property
    def is_outdated(self) -> bool:
        """Whether the settings have changed since they were measured."""
        return self.measured is not None and self.measured.digest != self.digest

    @property
    def meets_its_bar(self) -> bool:
        """Whether what the file tells is of these settings, and low enough."""
        return self.measured is not None and not self.is_outdated and self.measured.mean <= self.bar


def read_all(folder: Path) -> dict[str, Recipe]:
    """Find the table's recipes in ``folder``, by name, the highest bar first.

    Raises
    ------
    InputError
        If one of them is not what a recipe has to be.
    """
    found = [recipe for path in folder.glob("*.toml") if (recipe := read(path)) is not None]
    return {recipe.name: recipe for recipe in sorted(found, key=lambda recipe: (-recipe.bar, recipe.name))}


def read(path: Path) -> Recipe | None:
    """Read a recipe; None if its opening comment has no line ``Literature:``, so that it is none of the table's.

    Raises
    ------
    InputError
        If ``train --config`` would not read it, or if it lacks what the table tells of each: its bar, its ``hidden``.
    """
    settings = read_config(path, with_options(train))
    text = path.read_text(encoding="utf-8-sig")
    title, *comment = _opening(text)
    fields = {match[1]: match[2] for line in comment if (match := _FIELD.fullmatch(line))}
    if "Literature" not in fields:
        return None
    bar = _BAR.match(fields.get("Bar", ""))
    if bar is None:
        raise InputError(f"{path}: expected a line '# Bar: 0.60 %' in the comment at its beginning")
    if "hidden" not in settings:
        raise InputError(f"{path}: expected the key hidden: the table tells the network of each recipe")
    sizes = format_sizes((PIXELS, *parse_hidden(settings["hidden"]), CLASSES))
    return Recipe(
        path,
        text,
        sizes,
        title.lstrip("# ").removeprefix(sizes).lstrip(",: "),
        fields["Literature"],
        float(bar[1]),
        _sum(settings),
        Measurement.from_lines(fields.get("Measured", ""), fields.get("Machine", "")),
    )


def _sum(settings: Mapping[str, object]) -> str:
    """Return the SHA-256 of what decides the result; the table's dataset is MNIST, whether or not a recipe names it."""
    deciding = {name: value for name, value in settings.items() if name != "dataset"}
    return hashlib.sha256(json.dumps(deciding, sort_keys=True, default=str).encode()).hexdigest()


def keep_measurement(recipe: Recipe, measured: Measurement) -> None:
    """Write it into the recipe's file: in place of the one that stands there, or below the bar."""
    text = recipe.path.read_text(encoding="utf-8-sig")
    opening = _opening(text)
    lines = []
    for line in opening:
        field = _FIELD.fullmatch(line)
        if field is None or field[1] not in {"Measured", "Machine"}:
            lines.append(line)
        if field is not None and field[1] == "Bar":
            lines += [f"# Measured: {measured.line}", f"# Machine: {measured.machine}"]
    write_text(recipe.path, "\n".join([*lines, *text.split("\n")[len(opening) :]]))


def _opening(text: str) -> list[str]:
    """The lines of the comment at the beginning; one line at least, if an empty one."""
    lines = text.split("\n")
    end = next((i for i, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return lines[:end] or lines[:1]
