"""``--delete`` of ``mnist-bp runs`` and ``mnist-bp download``: asks, deletes and reports."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from mnist_bp.errors import AnswerIsNo, InputError, StorageError, listed
from mnist_bp.reports.console import Console, printable
from mnist_bp.storage.removal import Removal, remove
from mnist_bp.training.panels import OUTPUT

__all__ = ["Yes", "delete"]

Yes = Annotated[bool, typer.Option("--yes", help="Delete without asking; for --delete.", rich_help_panel=OUTPUT)]


def delete(plans: Sequence[Sequence[Removal]], what: str, console: Console, *, yes: bool) -> list[Path]:
    """Delete what is planned, after asking, and return the folders. The last removal of each plan is its folder.

    Raises
    ------
    AnswerIsNo
        If the user declines.
    InputError
        If there is no terminal to ask on, and ``yes`` is False.
    StorageError
        If a file cannot be deleted.
    """
    folders = [plan[-1].folder for plan in plans]
    size = sum(removal.bytes for plan in plans for removal in plan)
    question = f"Delete {what} ({size / 1e6:,.1f} MB): {printable(listed([*map(str, folders)]))}?"
    if not yes:
        if sys.stdin is None or not sys.stdin.isatty():
            raise InputError("--delete asks before it deletes, and there is no terminal: add --yes")
        if not typer.confirm(question, err=True):
            raise AnswerIsNo("nothing was deleted")
    for plan, folder in zip(plans, folders, strict=True):
        try:
            left = remove(plan)
        except OSError as error:
            raise StorageError(f"cannot delete {error.filename or folder}: {error.strerror or error}") from error
        files = sum(len(removal.files) for removal in plan)
        console.emit_json(
            {
                "event": "deleted",
                "folder": str(folder),
                "files": files,
                "bytes": sum(removal.bytes for removal in plan),
                "left": left,
            }
        )
        rest = f"; left there, because mnist-bp did not write it: {listed(left)}" if left else ""
        console.print_result(f"deleted {folder} ({files} files){rest}")
    return folders
