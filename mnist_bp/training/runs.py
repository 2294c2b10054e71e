"""The folder of a run: config.toml, history.jsonl and model.npz; and which run was the latest."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import tomli_w

from mnist_bp.core.network import Network
from mnist_bp.errors import InputError, StorageError
from mnist_bp.files import write_text

__all__ = ["Run", "find_model"]

RUNS = Path("runs")
"""Where runs go that are given no folder, and where the file ``latest`` names the run that was saved last."""

LATEST = RUNS / "latest"
CONFIG, HISTORY, MODEL = "config.toml", "history.jsonl", "model.npz"


class Run:
    """A run's folder: the config from the start, the history as it grows, the model at the end.

    Parameters
    ----------
    folder
        Where; it must not hold a run already. None: ``runs/<time>-<sizes>``.
    sizes
        Of the network, for that name.
    options
        The complete config, option names and values.

    Raises
    ------
    InputError
        If ``folder`` holds a run already.
    StorageError
        If the disk does not take it.
    """

    def __init__(self, folder: Path | None, sizes: tuple[int, ...], options: Mapping[str, Any]) -> None:
        with _storing(folder or RUNS):
            self.folder = _new_folder(sizes) if folder is None else _given_folder(folder)
            write_text(self.folder / CONFIG, tomli_w.dumps(options))
            self._history = (self.folder / HISTORY).open("w", encoding="utf-8")

    @property
    def model(self) -> Path:
        """The path of its model file."""
        return self.folder / MODEL

    def record(self, epoch: Mapping[str, Any]) -> None:
        """Add an epoch's record to the history, on disk at once."""
        with _storing(self.folder):
            self._history.write(json.dumps(epoch) + "\n")
            self._history.flush()

    def save(self, network: Network, meta: Mapping[str, Any]) -> None:
        """Save the model, end the history, and make this the latest run."""
        with _storing(self.folder):
            self._history.close()
            network.save(self.model, meta)
        with _storing(LATEST):
            RUNS.mkdir(exist_ok=True)
            is_inside = self.folder.parent == RUNS
            write_text(LATEST, self.folder.name if is_inside else str(self.folder.resolve()))


def find_model(target: Path | None) -> Path:
    """The model file of a run's folder, or the file itself; without a target, that of the latest run.

    Raises
    ------
    InputError
        If there is none.
    """
    if target is None:
        if not LATEST.is_file():
            raise InputError(
                f"there is no run in {RUNS.resolve()} yet: mnist-bp train makes one; or name a RUN or a MODEL"
            )
        target = RUNS / LATEST.read_text(encoding="utf-8")
    path = target / MODEL if target.is_dir() else target
    if not path.is_file():
        raise InputError(f"there is no model at {path}: name the folder of a run, or a model.npz")
    return path


def _new_folder(sizes: tuple[int, ...]) -> Path:
    """Make ``runs/<time>-<sizes>``, with a number behind it if another run began in the same second."""
    name = "-".join([time.strftime("%Y%m%d-%H%M%S"), *map(str, sizes)])
    RUNS.mkdir(exist_ok=True)
    for number in count(1):
        folder = RUNS / (name if number == 1 else f"{name}.{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
    raise AssertionError  # count() does not end


def _given_folder(folder: Path) -> Path:
    held = [name for name in (CONFIG, HISTORY, MODEL) if (folder / name).exists()]
    if held:
        raise InputError(
            f"{folder} already holds a run ({', '.join(held)}): choose another --output, or remove it first"
        )
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def _storing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(f"cannot write {error.filename or path}: {error.strerror or error}") from error
