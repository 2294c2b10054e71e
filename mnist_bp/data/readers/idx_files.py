"""Datasets of four IDX files, under all names that people give them: plain, .gz, or in archives."""

from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path

from mnist_bp.data import idx
from mnist_bp.data.names import FILE_NAMES, SplitName
from mnist_bp.data.readers.source import Arrays, LabelledSet, Source
from mnist_bp.data.readers.spelling import Part, spelled
from mnist_bp.data.tree import Folder, archive_folder
from mnist_bp.data.zip_member import Stored
from mnist_bp.errors import InputError

__all__ = ["candidates", "find", "find_file", "source_of", "standard_name"]

ENDINGS = ("ubyte", "idx", "idx1", "idx2", "idx3", "-int")
"""Ends of the names of IDX files, before .gz."""

HALVES = (FILE_NAMES[:2], FILE_NAMES[2:])
"""Names of the files of the training set and of the test set: images, labels."""

STANDARD: Mapping[tuple[SplitName, Part], str] = dict(
    zip(product(("train", "test"), ("images", "labels")), FILE_NAMES, strict=True)
)

Candidates = Mapping[str, list[Stored]]
"""Files that may be each of ``FILE_NAMES``, the preferred one first."""


def find(folder: Folder) -> Iterator[Source | InputError]:
    """Yield the datasets in a folder."""
    for prefix, files in candidates(folder).items():
        missing = [name for name in FILE_NAMES if not files[name]]
        if not missing or missing == [*HALVES[1]]:
            chosen = {name: stored[0] for name, stored in files.items() if stored}
            yield source_of(chosen, prefix, no_test=f"no {' and no '.join(missing)}")
        else:
            first, *others = (_called(name, prefix) for name in missing)
            also = f" and {f'no {others[0]}' if len(others) == 1 else f'{len(others)} more'}" if others else ""
            yield InputError(
                f"{folder.path}: no {first}{also}; expected {_called(FILE_NAMES[0], prefix)} and three more files"
            )


def source_of(files: Mapping[str, Stored], prefix: str = "", *, no_test: str = "", mapped: bool = False) -> Source:
    """Return the dataset of four files, or of the first two, by their names in ``FILE_NAMES``.

    Images may be ``mapped`` only from files that are replaced but never rewritten in place, see ``idx.read_images``.
    """
    train, test = (_half([files[name] for name in names if name in files], mapped=mapped) for names in HALVES)
    assert train is not None
    return Source(train, test, [*files.values()], prefix, no_test)


def find_file(folder: Path, name: str) -> Path | None:
    """Return the file that is ``name``, one of ``FILE_NAMES``, in a folder, in any spelling; plain files first."""
    try:
        files = candidates(Folder(folder)).get("", {}).get(name, [])
    except OSError:
        return None
    return next((file for file in files if isinstance(file, Path)), None)


def candidates(folder: Folder) -> Mapping[str, Candidates]:
    """Return the IDX files in a folder, by the prefix of their names.

    Archives, and folders with the name of a file, as Kaggle creates them, may contain that file.
    """
    found: dict[str, dict[str, list[Stored]]] = {}
    for stored in sorted(_idx_files(folder), key=lambda each: (each.name.endswith(".gz"), not _is_standard(each.name))):
        group = found.setdefault(spelled(stored.name).prefix, {name: [] for name in FILE_NAMES})
        group[standard_name(stored.name)].append(stored)
    return found


def _idx_files(folder: Folder) -> Iterator[Stored]:
    inside = [each for name, each in folder.folders.items() if standard_name(name)]
    for name, stored in folder.files.items():
        if name.endswith(".zip") and standard_name(name.removesuffix(".zip")) and isinstance(stored, Path):
            inside.append(archive_folder(stored))
    for place in (folder, *inside):
        yield from (stored for name, stored in place.files.items() if standard_name(name))


def standard_name(name: str) -> str:
    """Return the one of ``FILE_NAMES`` that another spelling stands for, or "" if it is not the name of an IDX file."""
    split, part, _ = spelled(name)
    is_idx = name.lower().removesuffix(".gz").endswith(ENDINGS)
    return STANDARD[split, part] if is_idx and split and part else ""


def _is_standard(name: str) -> bool:
    return name.removesuffix(".gz") in FILE_NAMES


def _called(name: str, prefix: str) -> str:
    """Return the usual name of a file with a prefix."""
    return f"{prefix}-{name.replace('t10k', 'test')}" if prefix else name


def _half(files: list[Stored], *, mapped: bool) -> LabelledSet | None:
    if not files:
        return None
    images, labels = files
    return LabelledSet(
        str(images), str(labels), lambda: Arrays(idx.read_images(images, mapped=mapped), idx.read_labels(labels))
    )
