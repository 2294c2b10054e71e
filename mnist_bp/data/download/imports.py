"""Import of a dataset that no mirror serves, from files that the user has downloaded."""

from collections.abc import Sequence
from pathlib import Path

from mnist_bp.data import idx
from mnist_bp.data.assemble import assemble
from mnist_bp.data.download import cache
from mnist_bp.data.download.fetch import Outcome
from mnist_bp.data.formats import recognize
from mnist_bp.data.names import FILE_NAMES
from mnist_bp.data.options import NO_OPTIONS
from mnist_bp.data.registry import ImportedDataset, PublishedFile
from mnist_bp.data.store import write_dataset
from mnist_bp.errors import DataUnavailable, InputError
from mnist_bp.shell import program_command

__all__ = ["import_dataset", "imported_files", "not_imported"]


def import_dataset(
    entry: ImportedDataset, folder: Path, places: Sequence[Path], *, force: bool = False, verify: bool = False
) -> list[Outcome]:
    """Read a dataset from the user's files, and store it upright, with labels from 0, unless it is there already.

    Parameters
    ----------
    places
        Files or folders of the user.
    force
        True to import it again.
    verify
        True to hash the files that are there.

    Raises
    ------
    DataUnavailable
        If it is not there, and ``places`` is empty, or if the folder cannot be written.
    InputError
        If no place has the dataset, or its files are not valid.
    """
    there = [cache.verify(folder, file, thorough=verify) for file in imported_files(folder)]
    if not force and all(state.state in {"intact", "unverified"} for state in there):
        return [
            Outcome(name, "intact", folder / name, "", state.sha256 or "")
            for name, state in zip(FILE_NAMES, there, strict=True)
        ]
    if not places:
        raise not_imported(entry, folder)
    found = next(filter(None, (recognize(place).named(entry.name) for place in places)), None)
    if found is None:
        raise InputError(
            f"{' and '.join(map(str, places))}: no {entry.name}; expected {entry.archive} from {entry.page}, or files "
            f"named {entry.name}-train-…"
        )
    dataset = assemble(found.source, entry.name, NO_OPTIONS)
    try:
        write_dataset(dataset, folder)
    except OSError as error:
        reason = error.strerror or error
        raise DataUnavailable(f"cannot write to {folder} ({reason}): choose another folder with --data-dir") from error
    arrays = (dataset.train.images, dataset.train.labels, dataset.test.images, dataset.test.labels)
    digests = {name: idx.digest(array) for name, array in zip(FILE_NAMES, arrays, strict=True)}
    for name, digest in digests.items():
        cache.mark_verified(folder / name, digest)
    return [Outcome(name, "fetched", folder / name, str(found.folder), digest) for name, digest in digests.items()]


def imported_files(folder: Path) -> list[PublishedFile]:
    """Return the four files in a folder with the sizes that they have: only the manifest knows their checksums."""
    sizes = {name: path.stat().st_size for name in FILE_NAMES if (path := folder / name).is_file()}
    return [PublishedFile(name, sizes.get(name, 0), gzip_sha256="") for name in FILE_NAMES]


def not_imported(entry: ImportedDataset, folder: Path, damaged: str | None = None) -> DataUnavailable:
    """Return the error that a dataset has to be imported, or imported again if a file is ``damaged``."""
    reason = damaged or f"{entry.name} is not in {folder.parent}, and no mirror has it"
    command = program_command("download", entry.name, "--from", entry.archive.split()[0])
    return DataUnavailable(f"{reason}: get {entry.archive} from {entry.page}, then: {command}", reason)
