"""Run folders (config.toml, run.json, history.jsonl, checkpoint.npz, model.npz), and the name of the latest run."""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import tomli_w

from mnist_bp import __version__
from mnist_bp.errors import InputError, StorageError
from mnist_bp.network import Network
from mnist_bp.shell import program_command
from mnist_bp.storage.atomic import (
    atomic_write,
    make_folder,
    numbered_folder,
    remove_parts,
    storing,
    sync_folder,
    write_text,
)
from mnist_bp.storage.regular_file import read_whole
from mnist_bp.training.config_file import LIMIT, read_config
from mnist_bp.training.history import MOST_BYTES, History, read_epochs
from mnist_bp.training.notation import format_sizes
from mnist_bp.training.run_files import CHECKPOINT, CONFIG, HISTORY, LATEST, MODEL, RECORD, RUNS
from mnist_bp.training.run_paths import find_run, holds_runs
from mnist_bp.training.run_record import read_record, write_record

__all__ = ["RunFolder", "refuse_a_run"]

MINUTE = 60
"""Age in seconds above which a temporary file is no longer being written."""

LONGEST_NAME = 100
"""Largest number of characters of the time and the sizes in a folder's name, which may be followed by the run's name.
Systems allow at most 255, but a network may have many layers."""


class RunFolder:
    """Folder of a run. The config is written first, history and checkpoint after each epoch, the model at the end.

    Use ``create`` or ``reopen`` to get one. Call ``claim`` before writing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._history: History | None = None

    @classmethod
    def create(
        cls,
        folder: Path | None,
        sizes: tuple[int, ...],
        options: Mapping[str, Any],
        *,
        name: str | None = None,
        dataset: str | None = None,
    ) -> "RunFolder":
        """Create the folder of a new run, and claim it.

        Parameters
        ----------
        folder
            Folder, which must not contain a run. Default: ``runs/<time>-<sizes>``, or ``runs/<time>-<sizes>-<name>``.
        sizes
            Layer sizes of the network.
        options
            Complete config, by option name.
        name, dataset
            Name that the user gave to the run, and name of its dataset, for the record of the run.

        Raises
        ------
        InputError
            If ``folder`` contains a run or is a file, if another training is starting there, or if an option cannot be
            stored in a config.
        StorageError
            If the folder cannot be written.
        """
        config = _config(options)
        with storing(folder or RUNS):
            run = cls(_new_folder(sizes, name) if folder is None else _given_folder(folder))
        run.claim()
        try:
            refuse_a_run(run.folder)  # another training may have started and ended since the first check
            with storing(run.config):
                write_text(run.config, config)
            with storing(run.folder / RECORD):
                start = {"name": name, "started": time.time(), "sizes": sizes, "dataset": dataset}
                write_record(run.folder, {"version": __version__, **start, "end": None})
        except BaseException:
            run.close()
            raise
        sync_folder(run.folder)
        sync_folder(run.folder.parent)
        return run

    @classmethod
    def reopen(cls, folder: Path) -> "RunFolder":
        """Return the run in ``folder`` to resume it. Raise InputError if there is no run that can be resumed.

        A run whose first epoch has not finished has no checkpoint; it restarts from the beginning. The folder of
        several runs has no checkpoint either.
        """
        folder = find_run(folder)
        is_whole = (folder / CHECKPOINT).is_file() or holds_runs(folder)
        if not is_whole and _lines(folder / HISTORY) > 1:
            raise InputError(f"cannot resume {folder}: {HISTORY} has several epochs, but {CHECKPOINT} is missing")
        return cls(folder)

    @property
    def config(self) -> Path:
        """Path of the config."""
        return self.folder / CONFIG

    @property
    def checkpoint(self) -> Path:
        """Path of the checkpoint."""
        return self.folder / CHECKPOINT

    @property
    def model(self) -> Path:
        """Path of the model file."""
        return self.folder / MODEL

    @property
    def name(self) -> str | None:
        """Name that the user gave to the run, or None."""
        return self._record().get("name")

    def _record(self) -> dict[str, Any]:
        """Return the record of the run. A damaged one counts as missing, and is written anew."""
        with suppress(InputError):
            return read_record(self.folder)
        return {}

    @property
    def warnings(self) -> list[str]:
        """Warnings about missing features of the file system. They are known after ``claim``."""
        return [] if self._history is None else self._history.warnings

    def claim(self) -> History:
        """Open the history, and lock the folder against other trainings until ``close`` or the end of this process.

        Raises
        ------
        InputError
            If another training is writing to the folder.
        StorageError
            If the history cannot be written.
        """
        if self._history is None or not self._history.is_open:
            with self.writing(HISTORY):
                self._history = History(self.folder / HISTORY)
        return self._history

    def close(self) -> None:
        """Flush the history to the disk, and release the lock."""
        if self._history is not None:
            with self.writing(HISTORY):
                self._history.close()

    def record(self, epoch: Mapping[str, Any]) -> None:
        """Append an epoch's record to the history."""
        history = self.claim()
        with self.writing(HISTORY):
            history.append(epoch)

    def flush_history(self) -> None:
        """Flush the history to the disk, before a checkpoint of its last epoch takes its place there."""
        history = self.claim()
        with self.writing(HISTORY):
            history.flush()

    def read_history(self) -> list[dict[str, Any]]:
        """Return the records of all epochs so far. Raise InputError if the history is invalid."""
        return read_epochs(self.folder / HISTORY)

    def training_seconds(self) -> float | None:
        """Return the duration of the training of all epochs so far, or None if the history is invalid."""
        with suppress(InputError, KeyError):
            return float(sum(epoch["seconds"] for epoch in self.read_history()))
        return None

    def read_config(self) -> dict[str, Any]:
        """Return the config of the run so far."""
        return read_config(self.config)

    def resume(self, epochs: int, options: Mapping[str, Any]) -> None:
        """Prepare to resume after ``epochs`` epochs. Later records, which a killed training left, are removed."""
        history = self.claim()
        with self.writing(HISTORY):
            remove_parts(self.folder)
            history.keep(epochs)
        with self.writing(CONFIG):
            write_text(self.config, _config(options))
        self.record_end(None)
        sync_folder(self.folder)

    def record_end(self, end: Mapping[str, Any] | None) -> None:
        """Record how the training ended, or, with None, that it has not ended."""
        with self.writing(RECORD):
            write_record(self.folder, {"version": __version__, **self._record(), "end": end})

    @contextmanager
    def writing(self, name: str = CHECKPOINT) -> Iterator[None]:
        """Turn an OSError of the block, which writes this file, into a StorageError that says how to resume."""
        try:
            with storing(self.folder / name):
                yield
        except StorageError as error:
            if not self.config.is_file():  # the folder is gone
                raise
            raise StorageError(
                f"{error}; once it can be written, resume with {program_command('train', '--resume', self.folder)}"
            ) from error

    def save(self, network: Network, meta: Mapping[str, Any]) -> None:
        """Save the model, and make this the latest run."""
        with self.writing(MODEL):
            network.save(self.model, meta)
        sync_folder(self.folder)
        self.make_latest()

    def make_latest(self) -> None:
        """Make this the latest run, unless ``runs`` cannot be written."""
        with suppress(OSError):
            self._write_latest()

    def _write_latest(self) -> None:
        RUNS.mkdir(exist_ok=True)
        remove_parts(RUNS, older_than=MINUTE)
        is_inside = self.folder.parent == RUNS
        with atomic_write(LATEST) as file:
            file.write(os.fsencode(self.folder.name if is_inside else self.folder.resolve()))
        sync_folder(RUNS)


def _new_folder(sizes: tuple[int, ...], given: str | None) -> Path:
    """Create ``runs/<time>-<sizes>-<given>``, with a number appended if another run started in the same second."""
    name = f"{time.strftime('%Y%m%d-%H%M%S')}-{format_sizes(sizes)}"[:LONGEST_NAME]
    name += f"-{given}" if given else ""
    return numbered_folder(RUNS, name)


def _given_folder(folder: Path) -> Path:
    refuse_a_run(folder)
    make_folder(folder)
    return folder


def refuse_a_run(folder: Path) -> None:
    """Raise InputError if ``folder`` contains a run, or is a file.

    An empty history alone, left by a run that was killed at its start, does not count as a run.
    """
    if folder.is_file():
        raise InputError(f"{folder} is a file: --output requires a folder")
    held = [name for name in (CONFIG, HISTORY, CHECKPOINT, MODEL, RECORD) if (folder / name).exists()]
    if held and (held != [HISTORY] or _lines(folder / HISTORY)):
        remedy = "remove it first, or continue it with --resume" if CONFIG in held else "or remove it first"
        raise InputError(f"{folder} already contains a run ({', '.join(held)}): choose another --output, {remedy}")


def _lines(path: Path) -> int:
    """Return the number of lines of a file, 0 if there is no file."""
    return len(read_whole(path, MOST_BYTES).splitlines()) if path.is_file() else 0


def _config(options: Mapping[str, Any]) -> str:
    try:
        config = tomli_w.dumps(options)
        size = len(config.encode())
    except UnicodeEncodeError as error:  # TOML is UTF-8, but a folder's name may contain any bytes
        raise InputError("the name of --data-dir is not UTF-8, so it cannot be stored in a config") from error
    if size > LIMIT:
        raise InputError(f"--hidden has too many layers: the config of a run holds at most {LIMIT:,} bytes")
    return config
