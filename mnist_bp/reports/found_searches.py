"""Searches that ``runs`` finds in a folder."""

from collections.abc import Sequence
from pathlib import Path

from mnist_bp.errors import InputError
from mnist_bp.reports.console import Console
from mnist_bp.search.summary import SearchSummary, summarize_search
from mnist_bp.training.metrics import percent

__all__ = ["print_searches"]


def print_searches(folders: Sequence[Path], console: Console) -> None:
    """Print a line for each search, and emit its record. A damaged study is a line that says so."""
    for folder in folders:
        try:
            search = summarize_search(folder)
        except InputError as error:
            problem = {"state": "damaged", "problem": str(error)}
            console.emit_json({"event": "search", "folder": str(folder), **problem})
            console.print(f"search    {folder} (damaged): {error}")
            continue
        console.emit_json(_record(search))
        best = "" if search.accuracy is None else f", best validation accuracy {percent(search.accuracy)}"
        trials = f"{search.complete + search.pruned} of {search.planned} trials"
        console.print(f"search    {folder} ({search.state}): {trials}{best}")


def _record(search: SearchSummary) -> dict[str, object]:
    return {
        "event": "search",
        "folder": str(search.folder),
        "state": search.state,
        "trials": search.planned,
        "complete": search.complete,
        "pruned": search.pruned,
        "failed": search.failed,
        "running": search.running,
        "validation_accuracy": search.accuracy,
        "problem": "",
    }
