"""Output of ``evaluate``: models and data, tables, misclassified examples, the result, and the record."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mnist_bp.data.names import SplitName
from mnist_bp.reports.class_names import ClassNames
from mnist_bp.reports.committee import cost_record, members_table, show_models, votes_text
from mnist_bp.reports.console import Console
from mnist_bp.reports.data import named, warn_if_synthetic
from mnist_bp.reports.tables import confusion_table, per_class_table
from mnist_bp.reports.terminal_images import draw_side_by_side
from mnist_bp.training.metrics import percent

if TYPE_CHECKING:
    from mnist_bp.data.datasets import Dataset, Examples
    from mnist_bp.training.committee_evaluation import CommitteeEvaluation
    from mnist_bp.training.evaluation import Misclassified
    from mnist_bp.training.trained_committee import TrainedCommittee

__all__ = ["evaluation_record", "print_evaluation", "show_figures", "show_models_and_data"]


def show_models_and_data(trained: "TrainedCommittee", data: "Dataset", split: SplitName, console: Console) -> None:
    """Print the models and the data that they are evaluated on."""
    trained_on = trained.source.meta.dataset
    show_models(trained, console)
    console.print(f"data      {data.name} {split}: {len(data.split(split)):,} examples")
    if trained_on is not None and trained_on != data.name:
        who, verb = ("networks were", "are") if trained.is_several else ("network was", "is")
        console.warn(f"The {who} trained on {trained_on}, and {verb} evaluated on {data.name}.")
    warn_if_synthetic(data, console)


def show_figures(
    evaluation: "CommitteeEvaluation",
    classes: ClassNames,
    console: Console,
    found: "Sequence[Misclassified] | None",
    examples: "Examples",
    *,
    confusion: bool,
) -> None:
    """Print the table of a committee's members, the confusion matrix and classes if requested, and the examples found.

    ``found`` is None if no misclassified examples were requested.
    """
    result, is_several = evaluation.committee, len(evaluation.members) > 1
    if is_several:
        console.print()
        console.print_table(members_table(evaluation))
    if confusion:
        console.print()
        console.print(f"confusion matrix (rows: true {classes.kind}, columns: predicted {classes.kind})", style="bold")
        console.print_table(confusion_table(result.confusion, classes))
        console.print()
        console.print_table(per_class_table(result.per_class(), classes))
    if found is not None:
        console.print()
        _show_mistakes(found, examples, classes, evaluation, console)
    if confusion or found is not None or is_several:
        console.print()


def print_evaluation(
    evaluation: "CommitteeEvaluation", data: "Dataset", split: SplitName, attacked: str, console: Console
) -> None:
    """Print the accuracy and the cost in one line, with ``attacked`` at its end."""
    cost, members = cost_record(evaluation.committee), len(evaluation.members)
    figures = f"{split} accuracy {percent(evaluation.committee.accuracy)}"
    if cost is not None:
        figures += f", {split} cost {cost:.4f}"
    of = f": committee of {members} networks" if members > 1 else ""
    why = "" if cost is not None else ", without a cost, because the members have different costs"
    console.print_result(f"{figures} on {named(data)}{of}{why}{attacked}", style="bold")


def _show_mistakes(
    found: "Sequence[Misclassified]",
    examples: "Examples",
    classes: ClassNames,
    evaluation: "CommitteeEvaluation",
    console: Console,
) -> None:
    title = "misclassified examples, the most confident first" if found else "misclassified examples: none"
    console.print(title, style="bold")
    draw_side_by_side(
        [examples.images[mistake.example] for mistake in found],
        [
            "\n".join(
                [
                    f"example {example}: {classes.called(label)}",
                    f"predicted as {classes.called(answer)}, {output:.2f}",
                    *votes_text(evaluation.votes_on(example), classes),
                ]
            )
            for example, label, answer, output in found
        ],
        console,
    )


def evaluation_record(
    evaluation: "CommitteeEvaluation",
    found: "Sequence[Misclassified] | None",
    data: "Dataset",
    split: SplitName,
    trained: "TrainedCommittee",
) -> dict[str, Any]:
    """Return the record of an evaluation, without its members."""
    result = evaluation.committee
    return {
        "event": "evaluation",
        "dataset": data.name,
        "split": split,
        "examples": result.examples,
        "cost": cost_record(result),
        "accuracy": result.accuracy,
        "confusion": result.confusion.tolist(),
        "per_class": [
            {**score._asdict(), **({"name": data.class_names[score.label]} if data.class_names else {})}
            for score in result.per_class()
        ],
        **({} if found is None else {"mistakes": [_mistake_record(each, evaluation) for each in found]}),
        "model": trained.file,
        **data.mark,
    }


def _mistake_record(mistake: "Misclassified", evaluation: "CommitteeEvaluation") -> dict[str, Any]:
    votes = evaluation.votes_on(mistake.example)
    return {**mistake._asdict(), **({"members": votes} if votes else {})}
