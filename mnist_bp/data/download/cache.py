"""Cache of published datasets: checks whether files are intact, and remembers what it has verified.

Hashing MNIST's 55 MB at every load would dominate the start-up time. So when a file has been verified, its size,
modification time and SHA-256 checksum are recorded in ``manifest.json`` beside it. As long as size and time are
unchanged, the file counts as verified; otherwise it is hashed again. A manifest that is lost, outdated or overwritten
by another process only costs one more hashing. In a folder that cannot be written, each check hashes. A manifest.json
of another program stays as it is, and each check hashes there, too.

For a dataset whose publisher provides checksums of the .gz files only, the record has another use. It holds the
checksum of the content, computed when the .gz file was verified, and later checks compare the content with it.
"""

import json
import os
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from mnist_bp.data.class_names import NAMES_FILE
from mnist_bp.data.download.verify import Unusable, VerifiedFile, take_file
from mnist_bp.data.formats import find_file
from mnist_bp.data.names import FILE_NAMES
from mnist_bp.data.registry import PublishedFile
from mnist_bp.errors import InputError
from mnist_bp.storage.atomic import write_text
from mnist_bp.storage.regular_file import read_whole
from mnist_bp.storage.removal import Removal, plan_removal

__all__ = [
    "MANIFEST",
    "QUARANTINED",
    "FileState",
    "aside",
    "is_foreign",
    "is_verified",
    "mark_verified",
    "plan_cache_removal",
    "quarantine",
    "quick_check",
    "verify",
]

MANIFEST = "manifest.json"

NOTED = {name + suffix for name in FILE_NAMES for suffix in ("", ".gz")}
"""Names of the files that a manifest can have."""

LIMIT = 1 << 16
"""Largest number of bytes of a manifest."""

QUARANTINED = ".damaged"
"""Suffix of damaged files that were replaced."""


@dataclass(frozen=True)
class FileState:
    """State of a published file in a folder: absent, intact, damaged, or not verifiable.

    ``path`` is None if the file is absent, ``sha256`` is the checksum of an intact file, and ``reason`` explains why a
    file is not intact.
    """

    state: Literal["absent", "intact", "damaged", "unverified"]
    path: Path | None = None
    sha256: str | None = None
    reason: str = ""


@dataclass(frozen=True)
class _Note:
    """Record of a verified file in the manifest."""

    size: int
    mtime_ns: int
    sha256: str


def verify(folder: Path, file: PublishedFile, *, thorough: bool = False, note: bool = True) -> FileState:
    """Check whether ``folder`` contains ``file`` intact, plain or .gz.

    ``thorough`` hashes the file in any case. If ``note``, a verified file is recorded in the manifest.
    """
    path = find_file(folder, file.name)
    if path is None:
        return FileState("absent", reason=f"{folder / file.name}: no such file")
    noted = _note(path, file)
    if noted is not None and not thorough and _is_unchanged(path, noted):
        return FileState("intact", path, noted.sha256)
    expected = file.sha256 or (noted.sha256 if noted else None)
    try:
        found = take_file(path, VerifiedFile(replace(file, sha256=expected)))
    except Unusable as reason:
        # A plain file of the right size may be intact if there is no checksum to compare it with.
        is_open = expected is None and path.suffix != ".gz" and path.stat().st_size == file.size
        return FileState("unverified" if is_open else "damaged", path, reason=f"{path}: {reason}")
    if note:
        mark_verified(path, found)
    return FileState("intact", path, found)


def quick_check(folder: Path, file: PublishedFile, *, note: bool = True) -> FileState | None:
    """Check a file before it is read: return its state if it is absent or damaged, else None.

    A file that was never verified is hashed only if it is plain, has the published size, and the result can be
    recorded. Anything else is checked by the parser: the user's files have other sizes, a .gz file has its own
    checksum, and hashing each time would be slow.
    """
    path = find_file(folder, file.name)
    if path is not None and _note(path, file) is None:
        is_plain = path.suffix != ".gz" and path.stat().st_size == file.size
        if not (is_plain and file.sha256 and os.access(folder, os.W_OK)):
            return None
    found = verify(folder, file, note=note)
    return None if found.state in {"intact", "unverified"} else found


def is_verified(path: Path) -> bool:
    """Return True if a file is recorded as verified and is unchanged since."""
    note = _read(path.parent).get(path.name)
    return note is not None and _is_unchanged(path, note)


def mark_verified(path: Path, sha256: str) -> None:
    """Record that the current content of a file has been verified."""
    if is_foreign(path.parent):
        return
    with suppress(OSError):  # without the record, the next check only takes longer
        found = path.stat()
        notes = {**_read(path.parent), path.name: _Note(found.st_size, found.st_mtime_ns, sha256)}
        content = {name: vars(note) for name, note in sorted(notes.items())}
        write_text(path.parent / MANIFEST, json.dumps(content, indent=1) + "\n")


def is_foreign(folder: Path) -> bool:
    """Return True if the folder has a manifest.json that this program did not write, unless it is empty."""
    path = folder / MANIFEST
    if not os.path.lexists(path):
        return False
    try:
        content = read_whole(path, LIMIT)
        notes = json.loads(content) if content.strip(b"\0") else {}  # a power failure may leave zeros
    except (OSError, ValueError, RecursionError):
        return True
    return not isinstance(notes, dict) or not notes.keys() <= NOTED


def plan_cache_removal(folder: Path) -> Removal:
    """Return what to remove for a dataset in the cache.

    Raises
    ------
    InputError
        If it is a link, or this program has not downloaded or imported a dataset there.
    """
    if folder.is_symlink():
        raise InputError(f"{folder} is a link, and links are not followed: delete the link yourself")
    if not (folder / MANIFEST).is_file() or is_foreign(folder):
        raise InputError(f"{folder} was not downloaded by mnist-bp: it has no {MANIFEST} of it; nothing was deleted")
    own = {MANIFEST, NAMES_FILE, *FILE_NAMES, *(f"{name}{QUARANTINED}" for name in NOTED)}
    return plan_removal(folder, own.__contains__, MANIFEST)


def quarantine(path: Path) -> Path:
    """Rename a damaged file to NAME.damaged, replacing an older one, and return its new path.

    Call it when the file that replaces it is verified.
    """
    new = aside(path)
    with suppress(FileNotFoundError):  # another process was faster
        path.replace(new)
    return new


def aside(path: Path) -> Path:
    """Return the path of a damaged file after ``quarantine``."""
    return path.with_name(f"{path.name}{QUARANTINED}")


def _note(path: Path, file: PublishedFile) -> _Note | None:
    """Return the record of the file at ``path``, unless it belongs to other content than the published."""
    note = _read(path.parent).get(path.name)
    return note if note is not None and file.sha256 in {None, note.sha256} else None


def _is_unchanged(path: Path, note: _Note) -> bool:
    found = path.stat()
    return (found.st_size, found.st_mtime_ns) == (note.size, note.mtime_ns)


def _read(folder: Path) -> dict[str, _Note]:
    """Return the manifest of a folder. An invalid manifest counts as empty."""
    try:
        content = json.loads(read_whole(folder / MANIFEST, LIMIT))
        return {
            name: _Note(int(note["size"]), int(note["mtime_ns"]), str(note["sha256"])) for name, note in content.items()
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
        return {}
