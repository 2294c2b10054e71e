"""CSV files for spreadsheets and scripts."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from mnist_bp.errors import StorageError
from mnist_bp.storage.atomic import atomic_write, storing

__all__ = ["csv_text", "require_folder", "write_csv"]


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a table as the text of a CSV file with a heading. None is an empty cell, and a boolean true or false."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(map(_cell, row) for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    """Return the value of a cell. Spreadsheets do not compute it as a formula, whatever texts it was made from."""
    if isinstance(value, bool):
        return str(value).lower()
    is_formula = isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r"))
    return f"'{value}" if is_formula else value


def require_folder(path: Path) -> None:
    """Raise StorageError if the folder for a file does not exist. Call it before anything that takes time."""
    if not path.parent.is_dir():
        raise StorageError(f"cannot write {path}: there is no folder {path.parent}")


def write_csv(path: Path, text: str) -> None:
    """Write the text of a CSV file. Raise StorageError if that is not possible."""
    with storing(path), atomic_write(path, follow=True) as file:
        file.write(text.encode("utf-8", "replace"))
