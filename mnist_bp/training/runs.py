"""The folder of a run: config.toml, history.jsonl, checkpoint.npz and model.npz; and which run was the latest."""

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import tomli_w

from mnist_bp.core.network import Network
from mnist_bp.errors import InputError, StorageError
from mnist_bp.files import atomic_write, remove_parts, write_text
from mnist_bp.training.recipe import format_sizes

__all__ = ["Run", "find_model"]

RUNS = Path("runs")
"""Where runs go that are given no folder, and where the file ``latest`` names the run that was saved last."""

LATEST = RUNS / "latest"
CONFIG, HISTORY, CHECKPOINT, MODEL = "config.toml", "history.jsonl", "checkpoint.npz", "model.npz"


class Run:
    """A run's folder: the config from the start, history and checkpoint as it goes, the model at the end.

    ``folder`` is where; see ``create`` and ``reopen``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def create(cls, folder: Path | None, sizes: tuple[int, ...], options: Mapping[str, Any]) -> "Run":
        """Begin a run.

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
            If ``folder`` holds a run already, is a file, or if an option cannot be written down.
        StorageError
            If the disk does not take it.
        """
        config = _config(options)
        with _storing(folder or RUNS):
            run = cls(_new_folder(sizes) if folder is None else _given_folder(folder))
            write_text(run.config, config)
            (run.folder / HISTORY).touch()
        return run

    @classmethod
    def reopen(cls, folder: Path) -> "Run":
        """Find the run that ``folder`` holds, to go on with it; InputError if it holds none that can go on."""
        if not (folder / CONFIG).is_file() or not (folder / HISTORY).is_file():
            raise InputError(f"{folder} holds no run: there is no {CONFIG} or no {HISTORY}")
        if not (folder / CHECKPOINT).is_file():
            raise InputError(
                f"no epoch of {folder} has ended, so there is nothing to go on from: begin anew, "
                f"with train --config {folder / CONFIG} and another --output"
            )
        return cls(folder)

    @property
    def config(self) -> Path:
        """The path of its config."""
        return self.folder / CONFIG

    @property
    def checkpoint(self) -> Path:
        """The path of what a training needs to go on."""
        return self.folder / CHECKPOINT

    @property
    def model(self) -> Path:
        """The path of its model file."""
        return self.folder / MODEL

    def record(self, epoch: Mapping[str, Any]) -> None:
        """Add an epoch's record to the history, on disk at once."""
        with _storing(self.folder), (self.folder / HISTORY).open("a", encoding="utf-8") as history:
            history.write(json.dumps(epoch) + "\n")

    def go_on(self, epochs: int, options: Mapping[str, Any]) -> None:
        """Go on after so many epochs; an epoch that a killed training wrote down, but did not keep, is forgotten."""
        history = self.folder / HISTORY
        with _storing(self.folder):
            remove_parts(self.folder)
            lines = history.read_bytes().splitlines(keepends=True)
            with atomic_write(history) as file:
                file.write(b"".join(lines[:epochs]))
            write_text(self.config, _config(options))

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """A block that writes into the folder; StorageError if the disk does not take it."""
        with _storing(self.folder):
            yield

    def save(self, network: Network, meta: Mapping[str, Any]) -> None:
        """Save the model, and make this the latest run."""
        with _storing(self.folder):
            network.save(self.model, meta)
        with suppress(OSError):  # a convenience: where runs/ cannot be written, the run lies in a folder of its own
            self._make_latest()

    def _make_latest(self) -> None:
        RUNS.mkdir(exist_ok=True)
        is_inside = self.folder.parent == RUNS
        with atomic_write(LATEST) as file:
            file.write(os.fsencode(self.folder.name if is_inside else self.folder.resolve()))


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
        target = RUNS / os.fsdecode(LATEST.read_bytes())
    path = target / MODEL if target.is_dir() else target
    if not path.is_file():
        raise InputError(f"there is no model at {path}: name the folder of a run, or a model.npz")
    return path


def _new_folder(sizes: tuple[int, ...]) -> Path:
    """Make ``runs/<time>-<sizes>``, with a number behind it if another run began in the same second."""
    name = f"{time.strftime('%Y%m%d-%H%M%S')}-{format_sizes(sizes)}"
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
    if folder.is_file():
        raise InputError(f"{folder} is a file: --output names a folder")
    held = [name for name in (CONFIG, HISTORY, CHECKPOINT, MODEL) if (folder / name).exists()]
    if held:
        raise InputError(
            f"{folder} already holds a run ({', '.join(held)}): choose another --output, or remove it first"
        )
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _config(options: Mapping[str, Any]) -> str:
    try:
        config = tomli_w.dumps(options)
        config.encode()
    except UnicodeEncodeError as error:  # TOML is UTF-8; a folder's name may be any bytes
        raise InputError("the name of --data-dir is not UTF-8, so no config can hold it") from error
    return config


@contextmanager
def _storing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(f"cannot write {error.filename or path}: {error.strerror or error}") from error
