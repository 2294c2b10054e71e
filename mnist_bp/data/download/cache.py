"""Whether the files of a published dataset are intact: known at once where it was found out before.

To hash MNIST's 55 MB at every load would take longer than anything else at the start. So whoever has verified a file
writes down its size, its time of last change and the SHA-256 of its content, in ``manifest.json`` beside the files. As
long as size and time are those, the file is the one that was verified: two numbers to compare. As soon as one differs,
the content is hashed and decides. A manifest is thus never more than a note of work that was done: lost, out of date or
overwritten by another process, it costs one hashing, and in a folder that cannot be written one for each look.

For a dataset whose publisher tells the sums of the .gz files only, the note has one more use: the sum in it, taken when
the .gz was verified, is what the content is compared with from then on.
"""

import json
import os
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from mnist_bp.data.download.verify import Unusable, VerifiedFile, take_file
from mnist_bp.data.formats import find_file
from mnist_bp.data.registry import PublishedFile
from mnist_bp.storage.atomic import write_text

__all__ = ["MANIFEST", "FileState", "is_verified", "mark_verified", "quarantine", "quick_check", "verify"]

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class FileState:
    """What there is of a published file: nothing, the published content, something else, or nobody can tell.

    ``path`` is where it lies (None: nowhere), ``sha256`` what its content has been found to have, ``reason`` why it is
    not intact.
    """

    state: Literal["absent", "intact", "damaged", "unverified"]
    path: Path | None = None
    sha256: str | None = None
    reason: str = ""


@dataclass(frozen=True)
class _Note:
    """What was written down of a file that had been verified."""

    size: int
    mtime_ns: int
    sha256: str


def verify(folder: Path, file: PublishedFile, *, thorough: bool = False, note: bool = True) -> FileState:
    """Find out whether ``folder`` holds ``file`` intact, plain or .gz.

    ``thorough`` trusts no note and hashes; what was found out is noted if ``note`` is true.
    """
    path = find_file(folder, file.name)
    if path is None:
        return FileState("absent", reason=f"{folder / file.name}: there is no such file")
    noted = _note(path, file)
    if noted is not None and not thorough and _is_unchanged(path, noted):
        return FileState("intact", path, noted.sha256)
    expected = file.sha256 or (noted.sha256 if noted else None)
    try:
        found = take_file(path, VerifiedFile(replace(file, sha256=expected)))
    except Unusable as reason:
        # A plain file of the right size with nothing to compare it with may well be right.
        is_open = expected is None and path.suffix != ".gz" and path.stat().st_size == file.size
        return FileState("unverified" if is_open else "damaged", path, reason=f"{path}: {reason}")
    if note:
        mark_verified(path, found)
    return FileState("intact", path, found)


def quick_check(folder: Path, file: PublishedFile, *, note: bool = True) -> FileState | None:
    """What a load has to know of a file before it reads it: what is wrong with it, or None.

    Without a note, what is known to have another size than the published one is somebody's own, and reading it will
    tell whether it is well-formed; so it is where nothing can be noted, since hashing it each time would be slow, and
    for a .gz, which has a checksum of its own.
    """
    path = find_file(folder, file.name)
    if path is not None and _note(path, file) is None:
        is_plain = path.suffix != ".gz" and path.stat().st_size == file.size
        if not (is_plain and file.sha256 and os.access(folder, os.W_OK)):
            return None
    found = verify(folder, file, note=note)
    return None if found.state in {"intact", "unverified"} else found


def is_verified(path: Path) -> bool:
    """Return whether a file is noted as verified, and unchanged since."""
    note = _read(path.parent).get(path.name)
    return note is not None and _is_unchanged(path, note)


def mark_verified(path: Path, sha256: str) -> None:
    """Note that the content of the file that lies there now has been verified."""
    with suppress(OSError):  # see above: it costs time, not more
        found = path.stat()
        notes = {**_read(path.parent), path.name: _Note(found.st_size, found.st_mtime_ns, sha256)}
        content = {name: vars(note) for name, note in sorted(notes.items())}
        write_text(path.parent / MANIFEST, json.dumps(content, indent=1) + "\n")


def quarantine(path: Path) -> Path:
    """Move a damaged file out of the way, over the one that was moved there before, and say where to."""
    aside = path.with_name(f"{path.name}.damaged")
    with suppress(FileNotFoundError):  # another process was faster
        path.replace(aside)
    return aside


def _note(path: Path, file: PublishedFile) -> _Note | None:
    """What was written down of the file at ``path``, if it was the published one."""
    note = _read(path.parent).get(path.name)
    return note if note is not None and file.sha256 in {None, note.sha256} else None


def _is_unchanged(path: Path, note: _Note) -> bool:
    found = path.stat()
    return (found.st_size, found.st_mtime_ns) == (note.size, note.mtime_ns)


def _read(folder: Path) -> dict[str, _Note]:
    """The manifest of a folder; what makes no sense in it is as good as not written."""
    try:
        content = json.loads((folder / MANIFEST).read_bytes())
        return {
            name: _Note(int(note["size"]), int(note["mtime_ns"]), str(note["sha256"])) for name, note in content.items()
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
        return {}
