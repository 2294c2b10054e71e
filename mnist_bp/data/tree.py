"""Folders of the user, on disk or in a zip archive, listed when they are needed."""

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from mnist_bp.data.zip_member import Stored, ZipMember, zip_members

__all__ = ["Folder", "archive_folder", "is_hidden", "single_file"]

SYSTEM_FILES = {"Thumbs.db", "desktop.ini", "__MACOSX"}
"""Files and folders that operating systems add."""


DEEPEST = 8
"""Largest depth of a file in an archive."""


_Members = dict[str, "ZipMember | _Members"]
"""Members of an archive by name; those of a folder in it are again such a dictionary."""


class Listing(NamedTuple):
    """Files and folders in a folder, by name, in alphabetical order, without hidden ones."""

    files: Mapping[str, Stored]
    folders: Mapping[str, "Folder"]


class Folder:
    """A folder. It is listed at its first use.

    Parameters
    ----------
    path
        Path on disk, or, in an archive, path as it is displayed: ``archive.zip/inner``.
    listing
        Content of a folder in an archive. None: the folder is on disk.
    may_be_unreadable
        True if the folder counts as empty if it cannot be read.
    """

    def __init__(self, path: Path, listing: Listing | None = None, *, may_be_unreadable: bool = False) -> None:
        self.path, self.is_in_archive, self._may_be_unreadable = path, listing is not None, may_be_unreadable
        if listing is not None:
            self._listing = listing

    @cached_property
    def _listing(self) -> Listing:
        try:
            return _on_disk(self.path)
        except OSError:
            if not self._may_be_unreadable:
                raise
            return Listing({}, {})

    @property
    def files(self) -> Mapping[str, Stored]:
        """Files by name. Raise OSError if the folder cannot be read."""
        return self._listing.files

    @property
    def folders(self) -> Mapping[str, "Folder"]:
        """Folders by name. Raise OSError if the folder cannot be read."""
        return self._listing.folders

    def below(self, *names: str) -> "Folder | None":
        """Return the folder with this relative path, or None if there is none."""
        place: Folder | None = self
        for name in names:
            place = place and place.folders.get(name)
        return place


def is_hidden(name: str) -> bool:
    """Return True for a hidden file, and for one that an operating system adds."""
    return name.startswith(".") or name in SYSTEM_FILES


def single_file(path: Path) -> Folder:
    """Return a folder that contains only this file."""
    return Folder(path, Listing({path.name: path}, {}))


def archive_folder(archive: Path) -> Folder:
    """Return the content of a zip archive as a folder. Raise InputError if the archive cannot be read."""
    root: _Members = {}
    for member in sorted(zip_members(archive)):
        parts = [part for part in member.split("/") if part not in {"", "."}]
        if 0 < len(parts) <= DEEPEST and not any(map(is_hidden, parts)):
            _insert(root, parts, ZipMember(archive, member))
    return _in_archive(archive, root)


def _insert(root: _Members, parts: Sequence[str], member: ZipMember) -> None:
    """Insert a member at its path. A file takes the place of a folder of the same name, with all that is in it."""
    place = root
    for name in parts[:-1]:
        inside = place.setdefault(name, {})
        if isinstance(inside, ZipMember):
            return
        place = inside
    place[parts[-1]] = member


def _in_archive(path: Path, members: _Members) -> Folder:
    """Return a folder of an archive. ``path`` is its path as it is displayed."""
    files: dict[str, Stored] = {name: each for name, each in members.items() if isinstance(each, ZipMember)}
    folders = {name: _in_archive(path / name, each) for name, each in members.items() if isinstance(each, dict)}
    return Folder(path, Listing(files, folders))


def _on_disk(path: Path) -> Listing:
    files: dict[str, None] = {}
    folders: dict[str, Folder] = {}
    for entry in _entries(path):
        if entry.is_dir():
            folders[entry.name] = Folder(path / entry.name, may_be_unreadable=True)
        elif entry.is_file():
            files[entry.name] = None
    return Listing(_FilesOnDisk(path, files), folders)


class _FilesOnDisk(Mapping[str, Stored]):
    """Files in a folder. Their paths, which take as much memory as small pictures, are made when they are needed."""

    def __init__(self, folder: Path, names: Mapping[str, None]) -> None:
        self._folder, self._names = folder, names

    def __getitem__(self, name: str) -> Path:
        if name not in self._names:
            raise KeyError(name)
        return self._folder / name

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def _entries(path: Path) -> Iterator[os.DirEntry[str]]:
    return iter(sorted((each for each in os.scandir(path) if not is_hidden(each.name)), key=lambda each: each.name))
