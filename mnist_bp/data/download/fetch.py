"""Download of a published dataset: tries each mirror in turn, verifies the content, and writes each file atomically.

Each missing file is downloaded by a separate thread, which writes to a uniquely named temporary file and renames it
when its content is verified. The threads report to the calling thread through one queue, so that progress, the manifest
and Ctrl-C are handled in one place. There is no lock between processes. The first process to finish removes the
temporary files of all others; a process whose temporary file is gone finds the verified file in place.
"""

import os
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, Literal

from mnist_bp.data.download import cache
from mnist_bp.data.download.sources import Source, sources
from mnist_bp.data.download.verify import NO_NETWORK, TooSlow, Unusable, VerifiedFile, WrongContent
from mnist_bp.data.names import Notice, Progress
from mnist_bp.data.registry import PublishedDataset, PublishedFile
from mnist_bp.errors import DataUnavailable
from mnist_bp.shell import program
from mnist_bp.storage.atomic import atomic_write, new_folder, remove_parts

__all__ = ["Outcome", "download"]

DEAD_SECONDS = 3600
"""Age in seconds above which a temporary file cannot belong to a running download."""

GRACE_SECONDS = 1
"""Time in seconds that an interrupted download waits for its threads to clean up."""


@dataclass(frozen=True)
class Outcome:
    """Result for one file: already intact, or downloaded, with its source and checksum."""

    file: str
    state: Literal["intact", "fetched"]
    path: Path
    source: str
    sha256: str


@dataclass(frozen=True)
class _Piece:
    """Progress of a thread: number of bytes of this file that have arrived."""

    file: PublishedFile
    done: int


@dataclass(frozen=True)
class _End:
    """Last report of a thread: the file's source and checksum, or the error."""

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
    """Download the files of ``dataset`` that are not intact in ``folder``, and store them decompressed.

    Parameters
    ----------
    dataset
        Dataset to download.
    folder
        Folder for the files. It is created when the first byte has arrived.
    mirrors
        Base URLs to try before MNIST_BP_MIRROR and the dataset's mirrors. ``{dataset}`` is replaced by its name.
    imported
        Folders or files, plain or .gz, to copy the dataset from instead of downloading it.
    force
        True to download intact files as well.
    verify
        True to hash existing files instead of trusting the manifest.
    progress
        Callback for each piece.
    notice
        Callback(message) for a file that was damaged.

    Returns
    -------
    outcomes
        Result for each file, in the dataset's order.

    Raises
    ------
    DataUnavailable
        If no source has a file (the message gives the reason of each), or the folder cannot be written.
    InputError
        If ``imported`` contains no file of a dataset.
    """
    try:
        _refuse_what_cannot_be_a_folder(folder)
        remove_parts(folder, older_than=DEAD_SECONDS)
        there = [cache.verify(folder, file, thorough=verify) for file in dataset.files]
        missing = {
            file: found for file, found in zip(dataset.files, there, strict=True) if force or found.state != "intact"
        }
        with new_folder(folder):
            places = sources(dataset, mirrors, imported) if missing else None
            fetched = _fetch_all(missing, folder, places, progress, notice) if places else {}
        remove_parts(folder)
    except OSError as error:
        reason = error.strerror or error
        raise DataUnavailable(f"cannot write to {folder} ({reason}): choose another folder with --data-dir") from error
    return [
        fetched.get(file.name) or Outcome(file.name, "intact", found.path or folder / file.name, "", found.sha256 or "")
        for file, found in zip(dataset.files, there, strict=True)
    ]


def _refuse_what_cannot_be_a_folder(folder: Path) -> None:
    """Raise OSError before the download if the path leads through a file or is not valid on this system."""
    with suppress(FileNotFoundError):
        os.scandir(folder).close()


def _fetch_all(
    files: Mapping[PublishedFile, cache.FileState],
    folder: Path,
    sources_of: Callable[[PublishedFile], list[Source]],
    progress: Progress | None,
    notice: Notice | None,
) -> dict[str, Outcome]:
    """Fetch the files in parallel, in place of what is there. When all have ended, raise the first failure, if any."""
    events: queue.SimpleQueue[_Piece | _End] = queue.SimpleQueue()
    stop = threading.Event()
    workers = [
        threading.Thread(target=_work, args=(file, found, folder, sources_of(file), events.put, stop), daemon=True)
        for file, found in files.items()
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
                if notice is not None and files[event.file].state == "damaged":
                    notice(_damage(files[event.file], is_replaced=event.error is None))
            if progress is not None and not (isinstance(event, _End) and event.error):
                progress(event.file.name, event.done if isinstance(event, _Piece) else event.file.size, event.file.size)
    finally:
        stop.set()
        until = time.monotonic() + GRACE_SECONDS
        for worker in workers:
            worker.join(max(0.0, until - time.monotonic()))
    _raise_failure([ends[file.name] for file in files])
    return {name: Outcome(name, "fetched", folder / name, end.source, end.sha256) for name, end in ends.items()}


def _damage(found: cache.FileState, *, is_replaced: bool) -> str:
    """Return the message about a damaged file."""
    name = "" if found.path is None else cache.aside(found.path).name
    return f"{found.reason}; quarantined as {name}" if is_replaced else found.reason


def _next(events: "queue.SimpleQueue[_Piece | _End]") -> _Piece | _End:
    """Wait for an event. The wait is repeated, because Windows handles Ctrl-C only between two waits."""
    while True:
        try:
            return events.get(timeout=1)
        except queue.Empty:
            continue


def _raise_failure(ends: Sequence[_End]) -> None:
    """Raise the first error in the order of the files, with errors of the disk before those of mirrors."""
    failed = {end.file.name: end.error for end in ends if end.error is not None}
    for error in failed.values():
        if not isinstance(error, Unusable):
            raise error
    if failed:
        name, reason = next(iter(failed.items()))
        others = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
        advice = f"{program()} download can use other sources (--mirror, --from); --dataset synthetic needs no files"
        raise DataUnavailable(f"cannot download {name}{others}: {reason}; {advice}", str(reason))


def _work(
    file: PublishedFile,
    found: cache.FileState,
    folder: Path,
    sources: list[Source],
    report: Callable[[_Piece | _End], None],
    stop: threading.Event,
) -> None:
    """Fetch one file in a thread, and report the result."""
    try:
        source, sha256 = _fetch(file, found, folder, sources, lambda done: report(_Piece(file, done)), stop)
        report(_End(file, source, sha256))
    except Exception as error:  # noqa: BLE001 - any exception is passed to the calling thread
        report(_End(file, error=error))


def _target(path: Path, opened: ExitStack) -> BinaryIO:
    """Create a file and its folder, as soon as the first bytes have arrived."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return opened.enter_context(atomic_write(path))


def _fetch(
    file: PublishedFile,
    there: cache.FileState,
    folder: Path,
    sources: list[Source],
    progress: Callable[[int], None],
    stop: threading.Event,
) -> tuple[str, str]:
    """Fetch one file from the first source that has it intact. Return the source's name and the SHA-256.

    A damaged file that is ``there`` is quarantined when the file that replaces it is verified, and not before.

    A source that sent other content (a login page, for example), or is very slow, is tried once more when all others
    have failed.
    """
    reasons: dict[Source, str] = {}
    turns = list(sources)
    for turn, (name, take) in enumerate(turns):
        try:
            with ExitStack() as opened:
                verified = VerifiedFile(file, partial(_target, folder / file.name, opened), progress)
                sha256 = take(verified, stop, turn < len(sources) - 1)
                if there.state == "damaged" and there.path is not None:
                    cache.quarantine(there.path)
                return name, sha256
        except Unusable as reason:
            reasons[name, take] = str(reason)
            if isinstance(reason, WrongContent | TooSlow) and turn < len(sources):
                turns.append((name, take))
        except FileNotFoundError:  # another process finished the file and removed our temporary file
            found = cache.verify(folder, file)
            if found.sha256 is None:
                raise
            return "another process", found.sha256
    if len(reasons) > 1 and {*reasons.values()} == {NO_NETWORK}:
        raise Unusable(f"no network (tried {len(reasons)} mirrors)")
    raise Unusable(
        "; ".join(f"{name}: {reason}" for (name, _), reason in reasons.items()) or "no file of that name there"
    )
