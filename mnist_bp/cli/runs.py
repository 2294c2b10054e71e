"""``mnist-bp runs``."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from mnist_bp.cli.delete import Yes
from mnist_bp.cli.delete import delete as delete_folders
from mnist_bp.cli.options import Json, Quiet, help_text
from mnist_bp.cli.suggest import nearest_option
from mnist_bp.environment import user_path
from mnist_bp.errors import InputError, listed
from mnist_bp.reports.console import Console
from mnist_bp.reports.csv_text import require_folder, write_csv
from mnist_bp.reports.found_searches import print_searches
from mnist_bp.reports.runs import COLUMNS, SYMBOLS, print_comparison, print_runs, run_record, runs_csv
from mnist_bp.search.summary import find_searches, is_search
from mnist_bp.training.history_end import read_curve
from mnist_bp.training.notation import count
from mnist_bp.training.panels import OUTPUT
from mnist_bp.training.run_files import CONFIG, RUNS
from mnist_bp.training.run_names import find_named, find_runs
from mnist_bp.training.run_paths import find_run, holds_runs
from mnist_bp.training.run_summary import RunSummary, summarize_run
from mnist_bp.training.settings import SETTINGS

__all__ = ["runs"]

Targets = Annotated[
    list[Path] | None,
    typer.Argument(
        parser=user_path,
        metavar="[RUN|FOLDER]...",
        help="Runs to compare (folders, files or names of runs), or folders of runs to list. Default: the folder runs.",
    ),
]
Sort = Annotated[
    str | None,
    typer.Option(
        "--sort",
        metavar="[-]COLUMN",
        help="Sort by this column of the CSV file, ascending; -COLUMN: descending. Missing values are last. Default: "
        "started.",
        rich_help_panel=OUTPUT,
    ),
]
CsvFile = Annotated[
    Path | None,
    typer.Option(
        "--csv", parser=user_path, metavar="FILE", help="Also write all columns to a CSV file.", rich_help_panel=OUTPUT
    ),
]
PlotFile = Annotated[
    Path | None,
    typer.Option(
        "--plot",
        parser=user_path,
        metavar="FILE",
        help="Also draw the cost curves of the runs that are compared (.png or .svg).",
        rich_help_panel=OUTPUT,
    ),
]


@help_text(f"""Folders of runs are listed: the folder runs, the folder of train --seeds, and any folder of such folders.
The argument searches lists the folder of searches.
If only runs are named (up to {len(SYMBOLS)}), they are compared: settings that differ, figures, cost curves.

Example: mnist-bp runs --sort -test-accuracy
""")
def runs(
    *,
    targets: Targets = None,
    sort: Sort = None,
    csv: CsvFile = None,
    plot: PlotFile = None,
    delete: Annotated[
        bool,
        typer.Option(
            "--delete",
            help="Delete the runs, or the folders of searches, that are named, after asking. Only files that mnist-bp "
            "wrote are deleted.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
    yes: Yes = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    if delete or yes:
        _refuse_other_options({"--sort": sort, "--csv": csv, "--plot": plot}, delete=delete)
        _delete(targets or (), Console(json=json, quiet=quiet), yes=yes)
        return
    if csv is not None:
        require_folder(csv)
    column = None if sort is None else _column(sort.removeprefix("-"))
    console = Console(json=json, quiet=quiet)
    folders, are_compared = _find(targets)
    if plot is not None:
        from mnist_bp.reports.plots import check_plot_file

        if not are_compared:
            raise InputError("--plot draws runs that are compared: name up to 26 runs, and no folder of runs")
        check_plot_file(plot)
    found = _sorted([summarize_run(folder) for folder in folders], column, is_descending=(sort or "").startswith("-"))
    if are_compared and sort is None:  # in the order in which they are named
        found.sort(key=lambda run: folders.index(run.folder))
    if csv is not None:
        write_csv(csv, runs_csv(found))
    if not are_compared:
        searches = [search for target in targets or () if target.is_dir() for search in find_searches(target)]
        print_searches([*dict.fromkeys(searches)], console)
        print_runs(found, console, ", ".join(map(str, targets or [RUNS])), searches=len(searches))
        return
    curves = [read_curve(run.folder, "test_cost") if run.seeds is None else [] for run in found]
    if plot is not None:
        from mnist_bp.reports.plots import plot_comparison

        plot_comparison(found, curves, plot)
        console.print(f"plot     {plot}")
    print_comparison(found, curves, console)


def _refuse_other_options(given: Mapping[str, object], *, delete: bool) -> None:
    if not delete:
        raise InputError("--yes requires --delete")
    if others := [option for option, value in given.items() if value is not None]:
        raise InputError(f"--delete deletes runs, and prints no list: leave out {listed(others)}")


def _delete(targets: Sequence[Path], console: Console, *, yes: bool) -> None:
    """Delete runs and searches. All of them are checked before the first one is deleted."""
    from mnist_bp.search.removal import plan_search_removal
    from mnist_bp.training.run_removal import forget_latest, plan_run_removal

    if not targets:
        raise InputError("--delete requires RUN: name the runs or searches to delete")
    folders = {os.path.realpath(folder): folder for folder in map(_folder, targets)}
    searches = [plan_search_removal(folder) for folder in folders.values() if is_search(folder)]
    runs = [plan_run_removal(folder) for folder in folders.values() if not is_search(folder)]
    what = [count(len(found), name) for found, name in ((runs, "run"), (searches, "search")) if found]
    for folder in delete_folders([*runs, *searches], " and ".join(what), console, yes=yes):
        forget_latest(folder)


def _find(targets: Sequence[Path] | None) -> tuple[list[Path], bool]:
    """Return the folders of runs, each once, and True if they are compared.

    Raises
    ------
    InputError
        If a target does not exist, or is neither a run nor a folder.
    """
    if not targets:
        return [*find_runs(RUNS)] if os.path.lexists(RUNS) else [], False
    found: list[Path] = []
    are_runs = True
    for target in targets:
        folder = _folder(target)
        is_run = os.path.lexists(folder / CONFIG) and not holds_runs(folder)
        are_runs = are_runs and is_run
        found += [folder] if is_run else find_runs(folder)
    unique: dict[str, Path] = {}
    for folder in found:
        unique.setdefault(os.path.realpath(folder), folder)
    folders = [*unique.values()]
    return folders, are_runs and len(folders) <= len(SYMBOLS)


def _folder(target: Path) -> Path:
    """Return the folder that a target names: a folder, the run of a file or of a name."""
    if not os.path.lexists(target):
        named = find_named(target)
        if named is None:
            raise InputError(f"{target} does not exist: expected a run, its name, or a folder of runs")
        target = named
    return target if target.is_dir() else find_run(target)


def _column(name: str) -> str:
    """Return the column that ``--sort`` names, or raise InputError."""
    known = {each.replace("_", "-"): each for each in COLUMNS} | {each.key: each.key for each in SETTINGS.values()}
    column = known.get(name.replace("_", "-"))
    if column is None:
        nearest = (nearest_option(name, known, least_similarity=0.0) or "run").split()[0]
        raise InputError(f"--sort: there is no column {name[:40]!r}; the nearest is {nearest}")
    return column


def _sorted(found: list[RunSummary], column: str | None, *, is_descending: bool) -> list[RunSummary]:
    """Return the runs by a column. Those with equal values are in the order of their start; missing values are last."""
    found = sorted(found, key=lambda run: (run.started or 0.0, str(run.folder)))
    if column is None:
        return found
    values = {id(run): value for run in found if (value := _value(run, column)) is not None}
    known = [run for run in found if id(run) in values]
    known.sort(key=lambda run: _comparable(values[id(run)]), reverse=is_descending)
    return known + [run for run in found if id(run) not in values]


def _value(run: RunSummary, column: str) -> Any:
    return run_record(run)[column] if column in COLUMNS else run.settings.get(column)


def _comparable(value: Any) -> tuple[int, Any]:
    """Return a key by which numbers come before texts, and texts before lists."""
    if isinstance(value, int | float):
        return 0, value
    return (1, value) if isinstance(value, str) else (2, [*value])
