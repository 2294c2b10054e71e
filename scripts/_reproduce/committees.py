"""Committees of recipes: their members are trained with several seeds each, and their outputs are averaged.

The results are in ``committees.json`` beside the recipes, one object for each committee.
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean
from typing import Self

from _shared.tables import counted

from _reproduce.recipes import Recipe
from _reproduce.runs import DATASET, INTERRUPTED, Failed, Run, error
from mnist_bp.errors import InputError
from mnist_bp.storage.atomic import write_text

FILE = "committees.json"
EVALUATE = (sys.executable, "-m", "mnist_bp", "evaluate")


@dataclass(frozen=True)
class Committee:
    """Results of a committee.

    Attributes
    ----------
    recipes
        Digests of the settings by name of the recipe.
    seeds
        Number of seeds of each recipe, from 0.
    errors, error
        Test errors of the members and of the committee in %.
    seconds
        Duration of all trainings, one after the other.
    machine
        Description of the machines of the trainings.
    """

    recipes: Mapping[str, str]
    seeds: int
    errors: Sequence[float]
    error: float
    seconds: float
    machine: str

    @classmethod
    def of(cls, runs: Sequence[Run], seeds: int, data_dir: Path | None) -> Self:
        """Evaluate finished runs as a committee, in a separate process.

        Raises
        ------
        Failed
            If the evaluation fails.
        """
        kept = [state for run in runs if (state := run.kept()) is not None]
        source = ["--dataset", DATASET, *(["--data-dir", str(data_dir)] if data_dir else [])]
        command = [*EVALUATE, *(str(run.folder) for run in runs), *source, "--no-confusion", "--json"]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", check=False)
        if done.returncode in INTERRUPTED:
            raise KeyboardInterrupt
        if done.returncode:
            raise Failed(f"evaluate: exit code {done.returncode}: {done.stderr.strip() or 'no message'}")
        record = json.loads(done.stdout)
        return cls(
            {run.recipe.name: run.recipe.digest for run in runs},
            seeds,
            [error(member["accuracy"]) for member in record["members"]],
            error(record["accuracy"]),
            sum(state["seconds"] for state in kept),
            ", and ".join(dict.fromkeys(state["machine"] for state in kept)),
        )

    @property
    def key(self) -> tuple[tuple[str, ...], int]:
        """Members: the names of the recipes, and the number of seeds."""
        return tuple(sorted(self.recipes)), self.seeds

    @property
    def mean(self) -> float:
        """Mean error of the members in %."""
        return mean(self.errors)

    @property
    def text(self) -> str:
        """Results in one line."""
        members = counted(len(self.errors), "network")
        return f"committee of {members}: {self.error:.2f} %, mean of the members {self.mean:.2f} %"

    def is_outdated(self, known: Mapping[str, Recipe]) -> bool:
        """Return True if the settings of a member have changed since the measurement, or if it is no recipe now."""
        return any(name not in known or known[name].digest != digest for name, digest in self.recipes.items())


def read(configs: Path) -> list[Committee]:
    """Return the measured committees, the one with the highest error first.

    Raises
    ------
    InputError
        If the file is invalid.
    """
    path = configs / FILE
    if not path.exists():
        return []
    try:
        found = [Committee(**each) for each in json.loads(path.read_text(encoding="utf-8"))]
    except (ValueError, TypeError) as failure:
        raise InputError(f"{path} is not valid: {failure}; remove it, and measure the committees again") from failure
    return sorted(found, key=lambda committee: (-committee.error, committee.key))


def keep(configs: Path, measured: Committee) -> None:
    """Write the results of a committee, in place of older ones."""
    _write(configs / FILE, [*(each for each in read(configs) if each.key != measured.key), measured])


def _write(path: Path, committees: Iterable[Committee]) -> None:
    records = [asdict(each) for each in sorted(committees, key=lambda committee: committee.key)]
    write_text(path, json.dumps(records, indent=1) + "\n")
