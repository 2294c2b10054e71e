"""Output about committees: the members, their figures, and what each of them predicts."""

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Any

from rich.table import Table

from mnist_bp.reports.class_names import ClassNames
from mnist_bp.reports.console import Console
from mnist_bp.reports.tables import new_table
from mnist_bp.training.metrics import format_cost, percent
from mnist_bp.training.notation import count
from mnist_bp.training.run_files import CONFIG
from mnist_bp.training.run_summary import INTERRUPTED, RUNNING, summarize_run

if TYPE_CHECKING:
    from mnist_bp.training.committee_evaluation import CommitteeEvaluation
    from mnist_bp.training.evaluation import Evaluation
    from mnist_bp.training.trained_committee import TrainedCommittee

__all__ = ["cost_record", "members_record", "members_table", "show_models", "votes_text"]


def show_models(models: "TrainedCommittee", console: Console, *, label: str = "model     ") -> None:
    """Print a line for the model, or for each member of a committee with its number."""
    if not models.is_several:
        console.print(f"{label}{models.source.description}")
        return
    for number, member in enumerate(models.members, 1):
        console.print(f"{f'member {number}':<9} {member.description}")
        _warn_if_unfinished(number, member.path.parent, console)
    given = Counter(member.path.resolve() for member in models.members)
    for path in (path for path, times in given.items() if times > 1):
        console.warn(f"{path} is given {given[path]} times, and counts {given[path]} times.")


def _warn_if_unfinished(number: int, folder: Path, console: Console) -> None:
    """Warn about a member whose run, if it has one, was interrupted, or is still training."""
    if not (folder / CONFIG).is_file():
        return
    run = summarize_run(folder)
    if run.state in {INTERRUPTED, RUNNING}:
        epochs = f": it had {run.epochs} of {count(run.planned, 'epoch')}" if run.epochs and run.planned else ""
        console.warn(f"Member {number} is not finished ({run.state}){epochs}.")


def members_table(result: "CommitteeEvaluation") -> Table:
    """Return the table of cost, accuracy and error of each member, their mean, and the committee."""
    table = new_table("member", "cost", "accuracy", "error", left={"member"})
    for number, each in enumerate(result.members, 1):
        table.add_row(f"{number}", *_figures(each.cost, each.accuracy))
    committee, members = result.committee, result.members
    mean_cost = math.nan if math.isnan(committee.cost) else mean(each.cost for each in members)
    table.add_section()
    table.add_row("mean", *_figures(mean_cost, mean(each.accuracy for each in members)))
    table.add_row("committee", *_figures(committee.cost, committee.accuracy), style="bold")
    return table


def votes_text(votes: Sequence[int], classes: ClassNames) -> list[str]:
    """Return what the members predict, a line for each class, the most frequent first."""
    return [f"{count(times, 'member')}: {classes.label(answer)}" for answer, times in Counter(votes).most_common()]


def members_record(models: "TrainedCommittee", result: "CommitteeEvaluation") -> dict[str, Any]:
    """Return the key of a JSON record for the members of a committee; nothing for a single model."""
    if not models.is_several:
        return {}
    records = [
        {"model": str(member.path), "cost": cost_record(each), "accuracy": each.accuracy}
        for member, each in zip(models.members, result.members, strict=True)
    ]
    return {"members": records}


def cost_record(result: "Evaluation") -> float | None:
    """Return the cost of a committee; None if its members have different costs."""
    return None if math.isnan(result.cost) else result.cost


def _figures(cost: float, accuracy: float) -> tuple[str, str, str]:
    return "-" if math.isnan(cost) else format_cost(cost), percent(accuracy), percent(1 - accuracy)
