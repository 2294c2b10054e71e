"""Fetch a published dataset: every mirror in turn, the content verified, a file there whole or not at all.

Each missing file has a thread of its own, which only ever writes to a part file of its own name and renames that when
its content is verified. The thread that called hears of everything through one queue, so that progress is told, notes
are written and Ctrl-C arrives in one place. Between processes there is no lock: whoever finishes first sweeps away the
parts of all others, and who then finds its part gone finds the verified file in place.
"""

import os
import queue
import re
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, Literal

from mnist_bp.data.download import cache
from mnist_bp.data.download.verify import Unusable, VerifiedFile, WrongContent, take_file
from mnist_bp.data.formats import EXPECTED, candidates, recognize
from mnist_bp.data.names import Notice, Progress
from mnist_bp.data.registry import PublishedDataset, PublishedFile
from mnist_bp.data.zip_member import Stored
from mnist_bp.environment import is_on
from mnist_bp.errors import DataUnavailable, InputError
from mnist_bp.shell import program
from mnist_bp.storage.atomic import atomic_write, new_folder, remove_parts

__all__ = ["Outcome", "download"]

ALL_SILENT_SECONDS = 18
"""How long all mirrors together may take to begin an answer, so that a machine without a network soon knows."""

DEAD_SECONDS = 3600
"""A part file that was last written so long ago belongs to no download that goes on."""

GRACE_SECONDS = 1
"""How long a download that has been interrupted waits for its threads to clean up after themselves."""

Take = Callable[[VerifiedFile, threading.Event], str]
Source = tuple[str, Take]
"""Where a file may be had: its name for people, and what lets an intake have it and says the SHA-256."""


@dataclass(frozen=True)
class Outcome:
    """What became of one file: there already, or fetched; from where, and with which content."""

    file: str
    state: Literal["intact", "fetched"]
    path: Path
    source: str
    sha256: str


@dataclass(frozen=True)
class _Piece:
    """What a thread tells on its way: so many bytes of this file are there."""

    file: PublishedFile
    done: int


@dataclass(frozen=True)
class _End:
    """What a thread tells at last: where the file came from and its sum, or what went wrong."""

    file: PublishedFile
    source: str = ""
    sha256: str = ""
    error: Exception | None = None


def download(
    dataset: PublishedDataset,
    folder: Path,
    *,
    mirrors: Sequence[str] = (),
    imported: Sequence[Path] = (),
    force: bool = False,
    verify: bool = False,
    progress: Progress | None = None,
    notice: Notice | None = None,
) -> list[Outcome]:
    """Get the files of ``dataset`` that are not intact in ``folder``; keep them decompressed.

    Parameters
    ----------
    dataset
        What to fetch.
    folder
        Where to; created, if it is missing, when the first byte has come.
    mirrors
        Base URLs to try before MNIST_BP_MIRROR and the dataset's own; ``{dataset}`` in one stands for its name.
    imported
        Folders or files, plain or .gz, to take the dataset from instead of any mirror.
    force
        Fetch the intact ones too.
    verify
        Hash what is there, rather than trust what was noted of it.
    progress
        Told of every piece.
    notice
        Told, for people, of a file that was not intact.

    Returns
    -------
    outcomes
        Of each file, in the dataset's order.

    Raises
    ------
    DataUnavailable
        If nobody gave a file, or the folder cannot be written; names the file, the sources and the reasons.
    InputError
        If ``imported`` holds no file of a dataset.
    """
    try:
        _refuse_what_cannot_be_a_folder(folder)
        remove_parts(folder, older_than=DEAD_SECONDS)
        there = [cache.verify(folder, file, thorough=verify) for file in dataset.files]
        for found in there:
            _put_away(found, notice)
        missing = [file for file, found in zip(dataset.files, there, strict=True) if force or found.state != "intact"]
        with new_folder(folder):
            fetched = _fetch_all(missing, folder, _sources(dataset, mirrors, imported), progress) if missing else {}
        remove_parts(folder)
    except OSError as error:
        reason = error.strerror or error
        raise DataUnavailable(f"cannot write to {folder} ({reason}): choose another folder with --data-dir") from error
    return [
        fetched.get(file.name) or Outcome(file.name, "intact", found.path or folder / file.name, "", found.sha256 or "")
        for file, found in zip(dataset.files, there, strict=True)
    ]


def _refuse_what_cannot_be_a_folder(folder: Path) -> None:
    """OSError, before anything is downloaded, for a path that leads through a file or that no system takes."""
    with suppress(FileNotFoundError):
        os.scandir(folder).close()


def _put_away(found: cache.FileState, notice: Notice | None) -> None:
    """Let no damaged file stay under its name, whether or not there will be another."""
    if found.state == "damaged" and found.path is not None:
        aside = cache.quarantine(found.path)
        if notice is not None:
            notice(f"{found.reason}; set aside as {aside.name}")


def _sources(
    dataset: PublishedDataset, mirrors: Sequence[str], imported: Sequence[Path]
) -> Callable[[PublishedFile], list[Source]]:
    """How to find out where each file may be had."""
    if imported:
        return _local_sources(dataset, imported)
    if is_on("MNIST_BP_OFFLINE"):
        raise DataUnavailable(
            f"{dataset.name} is not complete here, and MNIST_BP_OFFLINE forbids the network; "
            f"from a folder that has the files: {program()} download {dataset.name} --from FOLDER"
        )
    from mnist_bp.data.download import http  # here, because requests takes long to import

    urls = _urls(dataset, mirrors)
    patience = min(http.ANSWER_SECONDS, ALL_SILENT_SECONDS / len(urls))

    def of(url: str) -> Take:
        return lambda intake, stop: http.fetch_file(f"{url}{intake.file.name}.gz", intake, stop, patience=patience)

    return lambda _file: [(url, of(url)) for url in urls]


def _local_sources(dataset: PublishedDataset, places: Sequence[Path]) -> Callable[[PublishedFile], list[Source]]:
    found = {
        file.name: [stored for place in places for stored in candidates(place, dataset.name, file.name)]
        for file in dataset.files
    }
    if not any(found.values()):
        held = " and ".join(f"{place} holds {recognize(place).holds}" for place in places if place.is_dir())
        raise InputError(f"{held or 'no file has the name of one'}. Expected for {dataset.name}: {EXPECTED}")
    return lambda file: [(str(stored), _local(stored)) for stored in found[file.name]]


def _urls(dataset: PublishedDataset, mirrors: Sequence[str]) -> list[str]:
    """The mirrors in the order to try: those given, those of the environment, those that everybody has."""
    given = [*mirrors, *re.split(r"[\s,]+", os.environ.get("MNIST_BP_MIRROR", ""))]
    own = [url.replace("{dataset}", dataset.name).rstrip("/") + "/" for url in given if url]
    return list(dict.fromkeys([*own, *dataset.mirrors]))


def _local(file: Stored) -> Take:
    return lambda intake, _stop: take_file(file, intake)


def _fetch_all(
    files: Sequence[PublishedFile],
    folder: Path,
    sources: Callable[[PublishedFile], list[Source]],
    progress: Progress | None,
) -> dict[str, Outcome]:
    """Fetch the files at the same time; raise the first failure when all have ended one way or the other."""
    events: queue.SimpleQueue[_Piece | _End] = queue.SimpleQueue()
    stop = threading.Event()
    workers = [
        threading.Thread(target=_work, args=(file, folder, sources(file), events.put, stop), daemon=True)
        for file in files
    ]
    ends: dict[str, _End] = {}
    try:
        for worker in workers:
            worker.start()
        while len(ends) < len(files):
            event = _next(events)
            if isinstance(event, _End):
                ends[event.file.name] = event
                if event.error is None:
                    cache.mark_verified(folder / event.file.name, event.sha256)
            if progress is not None and not (isinstance(event, _End) and event.error):
                progress(event.file.name, event.done if isinstance(event, _Piece) else event.file.size, event.file.size)
    finally:
        stop.set()
        until = time.monotonic() + GRACE_SECONDS
        for worker in workers:
            worker.join(max(0.0, until - time.monotonic()))
    _raise_failure([ends[file.name] for file in files])
    return {name: Outcome(name, "fetched", folder / name, end.source, end.sha256) for name, end in ends.items()}


def _next(events: "queue.SimpleQueue[_Piece | _End]") -> _Piece | _End:
    """Wait for an event; on Windows, Ctrl-C is heard only between two waits."""
    while True:
        try:
            return events.get(timeout=1)
        except queue.Empty:
            continue


def _raise_failure(ends: Sequence[_End]) -> None:
    """Raise what went wrong first in the files' order, a full disk before an unusable mirror."""
    failed = [end for end in ends if end.error is not None]
    for end in failed:
        if end.error is not None and not isinstance(end.error, Unusable):
            raise end.error
    if failed:
        others = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
        raise DataUnavailable(
            f"cannot get {failed[0].file.name}{others} ({failed[0].error}); "
            f"{program()} download takes files from elsewhere with --mirror or --from; --dataset synthetic needs none"
        )


def _work(
    file: PublishedFile,
    folder: Path,
    sources: list[Source],
    tell: Callable[[_Piece | _End], None],
    stop: threading.Event,
) -> None:
    """One thread: fetch one file, and tell how it ended."""
    try:
        source, sha256 = _fetch(file, folder, sources, lambda done: tell(_Piece(file, done)), stop)
        tell(_End(file, source, sha256))
    except Exception as error:  # noqa: BLE001 - whatever it is, the thread that called has to know
        tell(_End(file, error=error))


def _target(path: Path, opened: ExitStack) -> BinaryIO:
    """Create a file and its folder, now that there is something to write into it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return opened.enter_context(atomic_write(path))


def _fetch(
    file: PublishedFile, folder: Path, sources: list[Source], told: Callable[[int], None], stop: threading.Event
) -> tuple[str, str]:
    """Fetch one file from the first source that gives it intact; say which, and its SHA-256.

    Who gave something else than the file is asked once more when all others have failed: a login page of the network's
    own or a damaged copy on the way may be gone by then.
    """
    reasons: dict[str, str] = {}
    turns = list(sources)
    for turn, (name, take) in enumerate(turns):
        try:
            with ExitStack() as opened:
                return name, take(VerifiedFile(file, partial(_target, folder / file.name, opened), told), stop)
        except Unusable as reason:
            reasons[name] = str(reason)
            if isinstance(reason, WrongContent) and turn < len(sources):
                turns.append((name, take))
        except FileNotFoundError:  # another process has swept our part away: the file is there
            found = cache.verify(folder, file)
            if found.sha256 is None:
                raise
            return "another process", found.sha256
    raise Unusable("; ".join(f"{name}: {reason}" for name, reason in reasons.items()) or "no file of that name there")
