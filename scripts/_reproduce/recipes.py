"""Recipes of the table: config files whose first comment contains the bar and the results.

The comment has lines that begin with ``Literature:``, ``Bar:``, ``Measured:`` and ``Machine:``, after ``# ``. The last
two are written by ``scripts/reproduce``. The first line of the comment describes the network.
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
"""Number of hexadecimal digits of the settings' SHA-256 digest in a file."""

_FIELD = re.compile(r"# (Literature|Bar|Measured|Machine): *(.*\S)")
_BAR = re.compile(r"(?:≤ *)?(\d+(?:\.\d+)?) *%")
_MEASURED = re.compile(
    r".* % \(seeds? [\d-]+: (?P<errors>\d+\.\d+(?:, \d+\.\d+)*)\), "
    r"(?P<minutes>[\d.,]+(?: and [\d.,]+)*) min a seed; settings (?P<digest>[0-9a-f]+)"
)


@dataclass(frozen=True)
class Measurement:
    """Results of a recipe.

    ``errors`` are the test errors in % after the last epoch for seeds 0, 1, 2, …. ``minutes`` is the mean duration of a
    seed, as text: one mean for each machine and kernel. ``digest`` is the digest of the settings, and ``machine``
    describes the machines.
    """

    errors: tuple[float, ...]
    minutes: str
    digest: str
    machine: str

    @classmethod
    def of(cls, errors: Sequence[float], seconds: Sequence[float], digest: str, machines: Sequence[str]) -> Self:
        """Return the results from the values of each seed."""
        each = {
            machine: [s for s, used in zip(seconds, machines, strict=True) if used == machine] for machine in machines
        }
        minutes = " and ".join(number(mean(several) / 60) for several in each.values())
        return cls(tuple(errors), minutes, digest, ", and ".join(each))

    @classmethod
    def from_lines(cls, measured: str, machine: str) -> Self | None:
        """Parse a line that ``line`` wrote. Return None for anything else."""
        match = _MEASURED.fullmatch(measured)
        if match is None:
            return None
        errors = tuple(map(float, match["errors"].split(", ")))
        return cls(errors, match["minutes"], match["digest"], machine)

    @property
    def mean(self) -> float:
        """Mean of the errors. It is rounded to six decimals, because the errors have two decimals."""
        return round(mean(self.errors), 6)

    @property
    def spread(self) -> str:
        """Mean ± sample standard deviation, or only the error of a single seed."""
        deviation = f" ± {stdev(self.errors):.2f}" if len(self.errors) > 1 else ""
        return f"{self.mean:.2f}{deviation}"

    @property
    def line(self) -> str:
        """Text after ``Measured:``."""
        last = len(self.errors) - 1
        seeds, errors = f"seeds 0-{last}" if last else "seed 0", ", ".join(f"{error:.2f}" for error in self.errors)
        return f"{self.spread} % ({seeds}: {errors}), {self.minutes} min a seed; settings {self.digest}"


@dataclass(frozen=True)
class Recipe:
    """A recipe of the table.

    ``text`` is the whole file as it was read, perhaps long before the training. ``sha256`` is the digest of its
    settings, so that a comment may change without a new training. ``bar`` is the largest mean error in %. ``measured``
    holds the results in the file, of these settings or of earlier ones.
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
        """Name on the command line."""
        return self.path.stem

    @property
    def digest(self) -> str:
        """First digits of ``sha256``."""
        return self.sha256[:DIGEST]

    @property
    def is_outdated(self) -> bool:
        """True if the settings have changed since the measurement."""
        return self.measured is not None and self.measured.digest != self.digest

    @property
    def meets_its_bar(self) -> bool:
        """True if the results are of these settings, and the mean error is at most the bar."""
        return self.measured is not None and not self.is_outdated and self.measured.mean <= self.bar


def read_all(folder: Path) -> dict[str, Recipe]:
    """Return the table's recipes in ``folder`` by name, the highest bar first.

    Raises
    ------
    InputError
        If a recipe is invalid.
    """
    found = [recipe for path in folder.glob("*.toml") if (recipe := read(path)) is not None]
    return {recipe.name: recipe for recipe in sorted(found, key=lambda recipe: (-recipe.bar, recipe.name))}


def read(path: Path) -> Recipe | None:
    """Read a recipe. Return None if its first comment has no line ``Literature:``, so that it is not in the table.

    Raises
    ------
    InputError
        If ``train --config`` would reject it, or if its bar or its ``hidden`` is missing.
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
        raise InputError(f"{path}: expected the key hidden, because the table shows the network of each recipe")
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
    """Return the SHA-256 digest of the settings, without the dataset, which is always MNIST."""
    deciding = {name: value for name, value in settings.items() if name != "dataset"}
    return hashlib.sha256(json.dumps(deciding, sort_keys=True, default=str).encode()).hexdigest()


def keep_measurement(recipe: Recipe, measured: Measurement) -> None:
    """Write the results to the recipe's file, in place of older ones, or below the bar."""
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
    """Return the lines of the comment at the beginning, or the first line if there is no comment."""
    lines = text.split("\n")
    end = next((i for i, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return lines[:end] or lines[:1]
