"""Folders of the user, on disk or in a zip archive, listed when they are needed."""

import os
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from mnist_bp.data.zip_member import Stored, ZipMember, zip_members

__all__ = ["Folder", "archive_folder", "is_hidden", "single_file"]

SYSTEM_FILES = {"Thumbs.db", "desktop.ini", "__MACOSX"}
"""Files and folders that operating systems add."""


DEEPEST = 8
"""Largest depth of a file in an archive."""


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
    members = {PurePosixPath(name): name for name in sorted(zip_members(archive))}
    seen = {path: name for path, name in members.items() if 0 < len(path.parts) <= DEEPEST}
    return _in_archive(
        archive, (), {path.parts: name for path, name in seen.items() if not any(map(is_hidden, path.parts))}
    )


def _in_archive(archive: Path, inner: tuple[str, ...], members: Mapping[tuple[str, ...], str]) -> Folder:
    """Return the folder ``inner`` of an archive, which contains the ``members``, names by parts of their paths."""
    inside: dict[str, dict[tuple[str, ...], str]] = {}
    for parts, name in members.items():
        inside.setdefault(parts[len(inner)], {})[parts] = name
    files = {name: ZipMember(archive, each[*inner, name]) for name, each in inside.items() if (*inner, name) in each}
    folders = {name: _in_archive(archive, (*inner, name), each) for name, each in inside.items() if name not in files}
    return Folder(archive.joinpath(*inner), Listing(files, folders))


def _on_disk(path: Path) -> Listing:
    files: dict[str, Stored] = {}
    folders: dict[str, Folder] = {}
    for entry in _entries(path):
        if entry.is_dir():
            folders[entry.name] = Folder(path / entry.name, may_be_unreadable=True)
        elif entry.is_file():
            files[entry.name] = path / entry.name
    return Listing(files, folders)


def _entries(path: Path) -> Iterator[os.DirEntry[str]]:
    return iter(sorted((each for each in os.scandir(path) if not is_hidden(each.name)), key=lambda each: each.name))
