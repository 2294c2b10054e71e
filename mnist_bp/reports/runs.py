"""Output of ``mnist-bp runs``: the table, the records and the CSV file of runs, and their comparison."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from mnist_bp.data.choices import is_generated
from mnist_bp.data.names import DEFAULT
from mnist_bp.reports.chart import Points, chart
from mnist_bp.reports.console import Console
from mnist_bp.reports.csv_text import csv_text
from mnist_bp.reports.rows import print_rows
from mnist_bp.shell import program
from mnist_bp.training.metrics import METRICS
from mnist_bp.training.notation import count, format_sizes
from mnist_bp.training.run_summary import DAMAGED, RUNNING, STATES, RunSummary
from mnist_bp.training.settings import SETTINGS

__all__ = ["COLUMNS", "SYMBOLS", "print_comparison", "print_runs", "run_record", "runs_csv"]

FIGURES = tuple(name for name in METRICS if name not in {"learning_rate", "seconds"})

COLUMNS = (
    "run", "name", "started", "dataset", "sizes", "epochs", "planned_epochs", *FIGURES, "seconds", "state", "problem",
    "seeds",
)  # fmt: skip
"""Columns of the CSV file, before those of the settings, and keys of the records that have one value."""

SYMBOLS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""Letters of runs that are compared, in their order."""

CHART_ROWS = 12
LEAST_COLUMNS, MOST_COLUMNS = 30, 80
"""Height of the chart's area, and smallest and largest width of the chart, in characters."""

STYLES = {RUNNING: "cyan", "interrupted": "yellow", "diverged": "red", DAMAGED: "red", "unknown": "yellow"}
"""Styles of states in colours."""


def run_record(run: RunSummary) -> dict[str, Any]:
    """Return the JSON object of a run. A value that is not known is None."""
    values = {
        "run": str(run.folder),
        "name": run.name,
        "started": _started(run),
        "dataset": run.dataset,
        "sizes": run.sizes,
        "epochs": run.epochs,
        "planned_epochs": run.planned,
        **{name: run.figures.get(name) for name in FIGURES},
        "seconds": run.seconds,
        "state": run.state,
        "problem": run.problem or None,
        "seeds": run.seeds,
    }
    synthetic = {"synthetic": True} if run.dataset and is_generated(run.dataset) else {}
    return {"event": "run", **values, "changed": run.changed, "settings": run.settings, **synthetic}


def runs_csv(runs: Sequence[RunSummary]) -> str:
    """Return the text of a CSV file with a row for each run, and a column for each setting."""
    keys = [each.key for each in SETTINGS.values() if each.key not in {"dataset", "epochs"}]
    rows = []
    for record in map(run_record, runs):
        record["sizes"] = record["sizes"] and format_sizes(record["sizes"])
        settings = record["settings"]
        rows.append([*(record[column] for column in COLUMNS), *(settings.get(key) for key in keys)])
    return csv_text([*COLUMNS, *keys], rows)


def print_runs(runs: Sequence[RunSummary], console: Console, where: str, *, searches: int) -> None:
    """Print a table of runs, and their number, with that of the searches there."""
    for run in runs:
        console.emit_json(run_record(run))
    has_name = any(run.name for run in runs)
    has_validation = any("validation_accuracy" in run.figures for run in runs)
    rows = []
    for run in runs:
        cells = {
            "started": _started(run)[:16].replace("T", " ") if run.started is not None else "",
            "run": str(run.folder),
            **({"name": run.name or ""} if has_name else {}),
            "network": _network(run),
            "epochs": _epochs(run),
            "test\naccuracy": _figure(run, "test_accuracy"),
            **({"validation\naccuracy": _figure(run, "validation_accuracy")} if has_validation else {}),
            "seconds": _seconds(run),
            "state": run.state,
            "settings": run.problem or _text({**_dataset(run), **run.changed}),
        }
        rows.append(cells)
    also = count(searches, "search")
    if not runs:
        none = f"no run in {where} yet: create one with {program()} train"
        console.print_result(f"{also} in {where}" if searches else none, style="bold")
        return
    states = Counter(run.state for run in runs)
    parts = ", ".join(f"{states[state]} {state}" for state in STATES if state in states)
    print_rows(rows, console, left={"started", "run", "name", "network", "state", "settings"}, styles=_styles(runs))
    console.print()
    besides = f"; {also}" if searches else ""
    console.print_result(f"{count(len(runs), 'run')} in {where}: {parts}{besides}", style="bold")


def print_comparison(runs: Sequence[RunSummary], curves: Sequence[Points], console: Console) -> None:
    """Print the settings that differ, the figures and the cost curves of some runs.

    The settings of a single run are compared with the defaults.
    """
    for run, points in zip(runs, curves, strict=True):
        epochs, costs = [epoch for epoch, _ in points], [cost for _, cost in points]
        console.emit_json({**run_record(run), "curve": {"epochs": epochs, "test_cost": costs}})
    shown = _differing(runs)
    rows = []
    for symbol, run in zip(SYMBOLS, runs, strict=False):
        settings = {**_network_settings(run), **run.settings}
        cells = {
            "": symbol,
            "run": run.name or str(run.folder),
            **{key: _value(settings.get(key)) for key in shown},
            "epochs": _epochs(run),
            "test\ncost": _figure(run, "test_cost"),
            "test\naccuracy": _figure(run, "test_accuracy"),
            "validation\naccuracy": _figure(run, "validation_accuracy"),
            "seconds": _seconds(run),
            "state": run.problem or run.state,
        }
        rows.append(cells)
    if not any(cells["validation\naccuracy"] for cells in rows):
        for cells in rows:
            del cells["validation\naccuracy"]
    print_rows(rows, console, left={"", "run", "state", *shown}, styles=_styles(runs))
    console.print()
    drawn = [each for each in zip(SYMBOLS, curves, strict=False) if each[1]]
    if drawn:
        console.print("test cost")
        width = max(LEAST_COLUMNS, min(MOST_COLUMNS, console.columns))
        for line in chart(drawn, width, CHART_ROWS):
            console.print(line, wrap=False)
        console.print()
    console.print_result(_verdict(shown, runs), style="bold")


def _verdict(shown: Sequence[str], runs: Sequence[RunSummary]) -> str:
    if len(runs) == 1:
        return f"settings that differ from the defaults: {', '.join(shown) or 'none'}"
    return f"{count(len(runs), 'run')}; settings that differ: {', '.join(shown) or 'none'}"


def _network_settings(run: RunSummary) -> dict[str, Any]:
    """Return what is compared besides the settings in the config."""
    return {"dataset": run.dataset, "network": _network(run)}


def _differing(runs: Sequence[RunSummary]) -> list[str]:
    """Return the settings that differ between runs, or, for one run, from the defaults."""
    if len(runs) == 1:
        return [*runs[0].changed]
    whole = [{**_network_settings(run), **run.settings} for run in runs if run.settings]
    keys = dict.fromkeys(key for settings in whole for key in settings if key not in {"hidden", "epochs"})
    return [key for key in keys if any(each.get(key) != whole[0].get(key) for each in whole)]


def _styles(runs: Sequence[RunSummary]) -> list[str]:
    return [STYLES.get(run.state, "") for run in runs]


def _started(run: RunSummary) -> Any:
    """Return the local time of the start as ISO 8601 with the offset from UTC, or None."""
    if run.started is None:
        return None
    try:
        return datetime.fromtimestamp(run.started, UTC).astimezone().isoformat(timespec="seconds")
    except (OverflowError, ValueError, OSError):
        return None


def _network(run: RunSummary) -> str:
    return format_sizes(run.sizes) if run.sizes else f"?-{run.settings.get('hidden', '?').replace(',', '-')}-?"


def _dataset(run: RunSummary) -> dict[str, Any]:
    return {} if run.dataset in {None, DEFAULT} else {"dataset": run.dataset}


def _epochs(run: RunSummary) -> str:
    if run.epochs is None:
        return ""
    return str(run.epochs) if run.epochs == run.planned else f"{run.epochs}/{run.planned}"


def _figure(run: RunSummary, name: str) -> str:
    return METRICS[name].format(run.figures[name]) if name in run.figures else ""


def _seconds(run: RunSummary) -> str:
    return "" if run.seconds is None else METRICS["seconds"].format(run.seconds)


def _text(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {_value(value)}" for key, value in settings.items())


def _value(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)
