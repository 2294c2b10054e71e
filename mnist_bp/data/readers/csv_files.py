"""Datasets in CSV files: an image in each row, its label in the first or last column, grey levels in the others.

A header is optional. ``train.csv`` and ``test.csv`` of Kaggle's Digit Recognizer are such files, but that test.csv has
no labels. A file is parsed in pieces, so that it takes little more memory than its images.
"""

import gzip
import io
import math
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from typing import IO, Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from mnist_bp.data.names import SplitName
from mnist_bp.data.readers.source import Arrays, LabelledSet, Source
from mnist_bp.data.readers.spelling import spelled
from mnist_bp.data.tree import Folder
from mnist_bp.data.zip_member import DAMAGED, Stored, open_stored
from mnist_bp.errors import InputError

__all__ = ["find"]

ENDINGS = (".csv", ".csv.gz")

LABELS = {"label", "labels", "class", "target", "y", "digit", "letter"}
"""Headings of the column of labels."""

DELIMITERS = ",;\t"

LONGEST_LINE = 1 << 22
"""Largest number of characters of a line, enough for 300,000 pixels with long headings."""

PIECE = 1 << 16
"""Number of characters to parse at a time."""

NUMBER = re.compile(r'\s*("?)[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\1\s*', re.ASCII)

EXPECTED = "expected whole numbers from 0 to 255"


class Layout(NamedTuple):
    """Layout of a table.

    Attributes
    ----------
    delimiter
        Character between two columns.
    has_header
        True if the first line has headings.
    columns
        Number of columns.
    label
        Index of the column of labels, the first or the last one. None if there is none.
    shape
        Rows and columns of an image.
    """

    delimiter: str
    has_header: bool
    columns: int
    label: int | None
    shape: tuple[int, int]


class Table(NamedTuple):
    """A file and its layout."""

    file: Stored
    layout: Layout


def find(folder: Folder) -> Iterator[Source | InputError]:
    """Yield the datasets in a folder. Tables of other things do not count."""
    tables: dict[SplitName, dict[str, Table]] = {"train": {}, "test": {}}
    for name, stored in folder.files.items():
        split, _, prefix = spelled(name)
        if name.lower().endswith(ENDINGS) and "submission" not in prefix:
            try:
                if layout := _layout(stored):
                    tables[split or "train"].setdefault(prefix, Table(stored, layout))
            except InputError as error:
                yield error
    trains, tests = tables["train"], tables["test"]
    yield from (_without_labels(train) for train in trains.values() if train.layout.label is None)
    trains = {prefix: train for prefix, train in trains.items() if train.layout.label is not None}
    tests |= _other_test(trains, tests)
    for prefix, train in trains.items():
        yield _source(prefix, train, tests.get(prefix))
    for prefix in tests.keys() - tables["train"].keys():
        yield InputError(f"{tests[prefix].file} is a test set without a training set; expected a train.csv beside it")


def _without_labels(table: Table) -> InputError:
    columns = table.layout.columns
    return InputError(f"{table.file} has no labels ({columns:,} columns); expected the label in the first column")


def _other_test(trains: Mapping[str, Table], tests: Mapping[str, Table]) -> dict[str, Table]:
    """Return the only test set for the only training set, also if their names differ, as in mnist_train_small.csv."""
    found = [test for test in tests.values() if test.layout.label is not None]
    return dict.fromkeys(trains, found[0]) if len(trains) == len(found) == 1 else {}


def _source(prefix: str, train: Table, test: Table | None) -> Source:
    if test is None or test.layout.label is None:
        without = f"{test.file.name} has no labels" if test else "no test.csv"
        return Source(_table(train), None, [train.file], prefix, without)
    return Source(_table(train), _table(test), [train.file, test.file], prefix)


def _table(table: Table) -> LabelledSet:
    return LabelledSet(str(table.file), str(table.file), lambda: _read(*table))


def _layout(file: Stored) -> Layout | None:
    """Return the layout of a table. None if it is none of numbers. Raise InputError if its images have no shape."""
    with _lines(file) as lines:
        first, second = lines.readline(LONGEST_LINE), lines.readline(LONGEST_LINE)
    delimiter = max(DELIMITERS, key=first.count)
    headings = [text.strip(" \"'\n") for text in first.split(delimiter)]
    has_header = not _are_numbers(headings)
    if has_header and not second.strip() and LABELS & {text.lower() for text in headings}:
        raise InputError(f"{file} has a header and no rows; expected a label and grey levels in each row")
    if len(headings) < 2 or (has_header and not _are_numbers(second.split(delimiter))):
        return None
    columns = len(headings)
    label = _label_column(file, [text.lower() for text in headings]) if has_header else _first_if_square(columns)
    pixels = columns - (label is not None)
    shape = _stated_shape(headings[-2 if label == columns - 1 else -1]) if has_header else None
    side = math.isqrt(pixels)
    if shape is None and side**2 != pixels:
        raise InputError(
            f"{file}: {pixels:,} columns of pixels are no square image; expected a header with columns 1x1 to "
            "ROWSxCOLUMNS, such as 20x30"
        )
    if shape is not None and math.prod(shape) != pixels:
        raise InputError(f"{file}: {pixels:,} columns of pixels, but its header ends at {shape[0]}x{shape[1]}")
    return Layout(delimiter, has_header, columns, label, shape or (side, side))


def _are_numbers(texts: Sequence[str]) -> bool:
    return all(NUMBER.fullmatch(text) for text in texts)


def _label_column(file: Stored, headings: Sequence[str]) -> int | None:
    """Return the index of the column of labels by its heading."""
    found = next((number for number, text in enumerate(headings) if text in LABELS), None)
    if found not in {None, 0, len(headings) - 1}:
        raise InputError(
            f"{file}: the labels are in column {found + 1} of {len(headings)}; expected them in the first column "
            "(pandas: to_csv(…, index=False))"
        )
    return found


def _first_if_square(columns: int) -> int | None:
    """Return 0, the index of the labels in a table without a header. None if all columns together are a square."""
    is_unlabelled = math.isqrt(columns) ** 2 == columns and math.isqrt(columns - 1) ** 2 != columns - 1
    return None if is_unlabelled else 0


def _stated_shape(heading: str) -> tuple[int, int] | None:
    """Return the rows and columns that the heading of the last pixel states, such as 28x28."""
    found = re.fullmatch(r"(\d{1,4})x(\d{1,4})", heading)
    return (int(found[1]), int(found[2])) if found else None


def _read(file: Stored, layout: Layout) -> Arrays:
    pixels, labels = bytearray(), bytearray()
    is_last = layout.label == layout.columns - 1
    for table in _tables(file, layout):
        labels += table[:, -1 if is_last else 0].tobytes()
        pixels += table[:, slice(None, -1) if is_last else slice(1, None)].tobytes()
    if not labels:
        raise InputError(f"{file} has no row of numbers; expected a label and grey levels in each row")
    return Arrays(np.frombuffer(pixels, np.uint8).reshape(len(labels), *layout.shape), np.frombuffer(labels, np.uint8))


def _tables(file: Stored, layout: Layout) -> Iterator[NDArray[np.uint8]]:
    """Yield the rows of a table in pieces, uint8 (rows, columns)."""
    with _lines(file) as lines:
        if layout.has_header:
            lines.readline(LONGEST_LINE)
        piece: dict[int, str] = {}
        size = 0
        for number in count(1 + layout.has_header):
            line = lines.readline(LONGEST_LINE)
            if line and not line.isspace():
                _check_columns(file, number, line, layout)
                piece[number] = line
                size += len(line)
            if piece and (size >= PIECE or not line):
                yield _parsed(file, piece, layout.delimiter)
                piece, size = {}, 0
            if not line:
                return


def _check_columns(file: Stored, number: int, line: str, layout: Layout) -> None:
    found = line.count(layout.delimiter) + 1
    if found != layout.columns:
        raise InputError(f"{file}: line {number} has {found:,} columns; expected {layout.columns:,}")


def _parsed(file: Stored, lines: Mapping[int, str], delimiter: str) -> NDArray[np.uint8]:
    """Return lines, by their numbers in the file, as uint8 (lines, columns)."""
    try:
        return _numbers(lines.values(), np.uint8, delimiter)
    except (ValueError, DeprecationWarning):
        pass  # numbers with a decimal point, numbers that are too large, or text
    try:
        numbers = _numbers(lines.values(), np.float64, delimiter)
    except ValueError:
        fields = (f"line {number}, column {column}: {text[:20]!r}" for number, column, text in _texts(lines, delimiter))
        where = next(fields, f"line {next(iter(lines))} or a later one is no row of numbers")
        raise InputError(f"{file}: {where}; {EXPECTED}") from None
    with np.errstate(invalid="ignore"):
        table = numbers.astype(np.uint8)
    if (wrong := np.argwhere(table != numbers)).size:
        row, column = wrong[0]
        value = numbers[row, column]
        advice = ": multiply grey levels from 0 to 1 by 255" if 0 < value < 1 else ""
        raise InputError(f"{file}: line {[*lines][row]}, column {column + 1}: {value:g}; {EXPECTED}{advice}")
    return table


def _numbers(lines: Iterable[str], dtype: type, delimiter: str) -> NDArray[Any]:
    with warnings.catch_warnings(action="error"):  # older versions of numpy only warn if an integer is written as 2.0
        return np.loadtxt(lines, dtype, delimiter=delimiter, comments=None, quotechar='"', ndmin=2)


def _texts(lines: Mapping[int, str], delimiter: str) -> Iterator[tuple[int, int, str]]:
    """Yield the fields that are no numbers, with the number of the line and of the column."""
    for number, line in lines.items():
        for column, text in enumerate(line.split(delimiter), 1):
            if not _are_numbers([text]):
                yield number, column, text.strip()


@contextmanager
def _lines(file: Stored) -> Iterator[io.TextIOWrapper]:
    """Open a table, plain or .gz, as text. Raise InputError if it cannot be read."""
    try:
        with open_stored(file) as (stream, _, _):
            is_packed = file.name.lower().endswith(".gz")
            content = cast("IO[bytes]", gzip.GzipFile(fileobj=stream)) if is_packed else stream
            with io.TextIOWrapper(content, encoding="utf-8-sig", errors="replace") as lines:
                yield lines
    except (gzip.BadGzipFile, *DAMAGED) as error:
        raise InputError(f"{file}: the archive is damaged ({error})") from error
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror or error})") from error
