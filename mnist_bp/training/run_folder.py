"""The folder of a run: config.toml, history.jsonl, checkpoint.npz and model.npz; and which run was the latest."""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import tomli_w

from mnist_bp.errors import InputError, StorageError
from mnist_bp.network import Network
from mnist_bp.shell import program_command
from mnist_bp.storage.atomic import atomic_write, remove_parts, storing, sync_folder, write_text
from mnist_bp.training.history import History, read_epochs
from mnist_bp.training.notation import format_sizes
from mnist_bp.training.run_paths import CHECKPOINT, CONFIG, HISTORY, LATEST, MODEL, RUNS, find_run, holds_runs

__all__ = ["RunFolder", "refuse_a_run"]

MINUTE = 60
"""Seconds after which nobody writes that file any more."""

LONGEST_NAME = 100
"""Characters of a folder's name: no system allows more than 255, and a network may have any number of layers."""


class RunFolder:
    """A run's folder: the config from the start, history and checkpoint as it goes, the model at the end.

    ``folder`` is where; see ``create`` and ``reopen``. Who writes has ``claim``-ed it before.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._history: History | None = None

    @classmethod
    def create(cls, folder: Path | None, sizes: tuple[int, ...], options: Mapping[str, Any]) -> "RunFolder":
        """Begin a run, and claim it.

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
            If ``folder`` holds a run already, is a file, if another training begins there right now, or if an option
            cannot be written down.
        StorageError
            If the disk does not take it.
        """
        config = _config(options)
        with storing(folder or RUNS):
            run = cls(_new_folder(sizes) if folder is None else _given_folder(folder))
        run.claim()
        try:
            refuse_a_run(run.folder)  # that another training began since we looked, and has let go of
            with storing(run.config):
                write_text(run.config, config)
        except BaseException:
            run.close()
            raise
        sync_folder(run.folder)
        sync_folder(run.folder.parent)
        return run

    @classmethod
    def reopen(cls, folder: Path) -> "RunFolder":
        """Find the run that ``folder`` names, to resume it; InputError if there is none that can be resumed.

        One whose first epoch has not ended has no checkpoint: it goes on from the beginning. A folder of several runs
        has none of its own.
        """
        folder = find_run(folder)
        is_whole = (folder / CHECKPOINT).is_file() or holds_runs(folder)
        if not is_whole and _lines(folder / HISTORY) > 1:
            raise InputError(f"{folder} cannot go on: {HISTORY} tells of several epochs, and there is no {CHECKPOINT}")
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

    @property
    def warnings(self) -> list[str]:
        """Lines for people about what the file system of the folder lacks; the run has to be claimed."""
        return [] if self._history is None else self._history.warnings

    def claim(self) -> History:
        """Let no other training write here until ``close``, or until this process ends, however it does.

        Raises
        ------
        InputError
            If another training writes here now.
        StorageError
            If the disk does not take the history, which is open from now on.
        """
        if self._history is None or not self._history.is_open:
            with self.writing(HISTORY):
                self._history = History(self.folder / HISTORY)
        return self._history

    def close(self) -> None:
        """Have the history on disk, and let others write here."""
        if self._history is not None:
            with self.writing(HISTORY):
                self._history.close()

    def record(self, epoch: Mapping[str, Any]) -> None:
        """Add an epoch's record to the history."""
        history = self.claim()
        with self.writing(HISTORY):
            history.append(epoch)

    def read_history(self) -> list[dict[str, Any]]:
        """The records of all epochs so far; InputError if something else has come into the history."""
        return read_epochs(self.folder / HISTORY)

    def resume(self, epochs: int, options: Mapping[str, Any]) -> None:
        """Go on after so many epochs; an epoch that a killed training wrote down, but did not keep, is forgotten."""
        history = self.claim()
        with self.writing(HISTORY):
            remove_parts(self.folder)
            history.keep(epochs)
        with self.writing(CONFIG):
            write_text(self.config, _config(options))
        sync_folder(self.folder)

    @contextmanager
    def writing(self, name: str = CHECKPOINT) -> Iterator[None]:
        """A block that writes this file of the folder; StorageError if the disk does not take it."""
        try:
            with storing(self.folder / name):
                yield
        except StorageError as error:
            if not self.config.is_file():  # the folder is gone
                raise
            raise StorageError(
                f"{error}; when it can be written again, go on with {program_command('train', '--resume', self.folder)}"
            ) from error

    def save(self, network: Network, meta: Mapping[str, Any]) -> None:
        """Save the model, and make this the latest run."""
        with self.writing(MODEL):
            network.save(self.model, meta)
        sync_folder(self.folder)
        with suppress(OSError):  # a convenience: where runs/ cannot be written, the run lies in a folder of its own
            self._make_latest()

    def _make_latest(self) -> None:
        RUNS.mkdir(exist_ok=True)
        remove_parts(RUNS, older_than=MINUTE)
        is_inside = self.folder.parent == RUNS
        with atomic_write(LATEST) as file:
            file.write(os.fsencode(self.folder.name if is_inside else self.folder.resolve()))
        sync_folder(RUNS)


def _new_folder(sizes: tuple[int, ...]) -> Path:
    """Make ``runs/<time>-<sizes>``, with a number behind it if another run began in the same second."""
    name = f"{time.strftime('%Y%m%d-%H%M%S')}-{format_sizes(sizes)}"[:LONGEST_NAME]
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
    refuse_a_run(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def refuse_a_run(folder: Path) -> None:
    """InputError if ``folder`` holds a run, or is a file; a run that was killed as it began is none.

    All that such a one has left is an empty history.
    """
    if folder.is_file():
        raise InputError(f"{folder} is a file: --output names a folder")
    held = [name for name in (CONFIG, HISTORY, CHECKPOINT, MODEL) if (folder / name).exists()]
    if held and (held != [HISTORY] or _lines(folder / HISTORY)):
        hint = "; --resume goes on with it" if CONFIG in held else ""
        raise InputError(
            f"{folder} already holds a run ({', '.join(held)}): choose another --output, or remove it first{hint}"
        )


def _lines(path: Path) -> int:
    """How many lines a file has; none, if there is no file."""
    return len(path.read_bytes().splitlines()) if path.is_file() else 0


def _config(options: Mapping[str, Any]) -> str:
    try:
        config = tomli_w.dumps(options)
        config.encode()
    except UnicodeEncodeError as error:  # TOML is UTF-8; a folder's name may be any bytes
        raise InputError("the name of --data-dir is not UTF-8, so no config can hold it") from error
    return config
