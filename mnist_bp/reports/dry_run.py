"""Output of ``train --dry-run``."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from mnist_bp import __version__
from mnist_bp.data.choices import is_generated
from mnist_bp.reports.console import Console
from mnist_bp.reports.rows import print_rows
from mnist_bp.training.notation import count, format_sizes
from mnist_bp.training.settings import SETTINGS, Settings

if TYPE_CHECKING:
    from mnist_bp.training.plan import DataPlan, Durations

__all__ = ["Source", "print_dry_run"]

Source = Literal["option", "config", "default"]
"""Origin of the value of a setting. A config may be that of a resumed or repeated run."""

MINUTE, HOUR, MEGABYTE = 60, 3600, 1e6


def print_dry_run(
    settings: Settings,
    sources: Mapping[str, Source],
    data: "DataPlan",
    memory: Mapping[str, int | None],
    durations: "Durations | None",
    console: Console,
    *,
    seeds: int | None,
    parallel: int,
    finished: int,
) -> None:
    """Print the plan of a training.

    Parameters
    ----------
    sources
        Origin of each setting.
    memory
        Bytes by purpose, of one training; None if unknown.
    durations
        Measured durations, or None if the training does not fit into memory.
    seeds, parallel
        Number of networks of ``--seeds``, and of those that train at the same time.
    finished
        Number of epochs that a resumed run has had.
    """
    from mnist_bp.training.plan import layer_sizes, parameter_count, steps_per_epoch

    sizes, steps = layer_sizes(settings, data), steps_per_epoch(settings, data)
    epochs = max(0, settings.epochs - finished)
    parameters = parameter_count(sizes)
    in_memory = sum(size or 0 for size in memory.values()) * parallel
    seconds = _seconds(durations, steps, epochs, -(-(seeds or 1) // parallel))
    values = settings.record()
    console.emit_json({
        "event": "dry-run",
        "version": __version__,
        "dataset": data.name,
        "missing": data.missing or None,
        "train_examples": data.train,
        "validation_examples": data.validation,
        "test_examples": data.test,
        "sizes": sizes,
        "parameters": parameters,
        "epochs": epochs,
        "steps_per_epoch": steps,
        "seeds": seeds,
        "parallel": parallel,
        "settings": {SETTINGS[name].key: {"value": value, "source": sources[name]} for name, value in values.items()},
        "memory": {**memory, "total": in_memory},
        "seconds": seconds,
        **({"synthetic": True} if is_generated(data.name) else {}),
    })  # fmt: skip
    console.print(f"network  {format_sizes(sizes)}, {parameters:,} parameters")
    console.print(f"data     {_describe_data(data)}")
    if data.missing:
        console.warn(f"{data.missing}. The published sizes are used; train would download it.")
    _print_settings(values, sources, console)
    console.print(f"memory   {_describe_memory(memory, parallel)}")
    if durations is not None:
        console.print(
            f"time     {epochs * steps:,} steps of {1000 * durations.step:.3g} ms; "
            f"evaluation {durations.evaluation:.2g} s an epoch, measured now, without loading data and writing files"
        )
    total = "it does not fit into memory" if seconds is None else f"about {_duration(seconds['total'])}"
    console.print_result(
        f"nothing was trained or written; {_epochs(epochs, seeds)}: {total}, {_megabytes(in_memory)} of memory",
        style="bold",
    )


def _print_settings(values: Mapping[str, Any], sources: Mapping[str, Source], console: Console) -> None:
    """Print a table of all settings between two empty lines."""
    rows = [
        {"setting": SETTINGS[name].key, "value": _value(value), "from": sources[name]} for name, value in values.items()
    ]
    console.print()
    print_rows(rows, console, left={"setting", "value", "from"}, styles=[""] * len(rows))
    console.print()


def _describe_memory(memory: Mapping[str, int | None], parallel: int) -> str:
    parts = ", ".join(f"{name} {_megabytes(size)}" for name, size in memory.items() if size)
    networks = f"{parallel} at a time, each: " if parallel > 1 else ""
    return f"{networks}{parts}{'' if memory['program'] else ' (without the program itself)'}"


def _seconds(durations: "Durations | None", steps: int, epochs: int, rounds: int) -> dict[str, float] | None:
    """Return the estimated durations in seconds; ``rounds`` networks are trained one after the other."""
    if durations is None:
        return None
    epoch = steps * durations.step + durations.evaluation
    return {
        "step": durations.step, "evaluation": durations.evaluation, "epoch": epoch, "total": rounds * epochs * epoch
    }  # fmt: skip


def _describe_data(data: "DataPlan") -> str:
    rest = f", {data.validation:,} validation" if data.validation else ""
    synthetic = ", SYNTHETIC digits" if is_generated(data.name) else ""
    return f"{data.name}: {data.train:,} training{rest} and {data.test:,} test examples{synthetic}"


def _epochs(epochs: int, seeds: int | None) -> str:
    return count(epochs, "epoch") + (f" of {seeds} networks" if seeds else "")


def _value(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _megabytes(size: int | None) -> str:
    megabytes = (size or 0) / MEGABYTE
    return f"{megabytes:,.0f} MB" if megabytes >= 10 else f"{megabytes:.2g} MB"


def _duration(seconds: float) -> str:
    if seconds < MINUTE:
        return f"{seconds:.2g} s"
    return f"{seconds / MINUTE:.0f} min" if seconds < HOUR else f"{seconds / HOUR:.1f} h"
