"""Output of ``predict``: the answer to one picture, and the accuracy on a folder of labelled ones."""

from typing import TYPE_CHECKING, NamedTuple

from mnist_bp.reports.class_names import ClassNames
from mnist_bp.reports.committee import members_table, votes_text
from mnist_bp.reports.console import Console
from mnist_bp.reports.tables import confusion_table, new_table, per_class_table
from mnist_bp.reports.terminal_images import bar, draw
from mnist_bp.training.metrics import percent

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnist_bp.training.committee_evaluation import CommitteeEvaluation

__all__ = ["Prediction", "show_accuracy", "show_answer", "show_prediction"]

BAR = 40
"""Width of the bar of an output of 1."""

CERTAIN = 0.5
"""Smallest difference between the two largest outputs of a certain answer.

On validation sets of MNIST, 52 to 63 % of the answers with less are right, and 97.3 to 98.5 % of the others
(``tests/support/uncertain_answers.py``).
"""


class Prediction(NamedTuple):
    """The outputs of the network for one picture, one for each class; for a committee, also those of its members."""

    outputs: list[float]
    classes: ClassNames
    members: tuple["Prediction", ...] = ()

    @property
    def ranking(self) -> list[int]:
        """Return the classes, the largest output first; among equal outputs the lower class first."""
        return sorted(range(len(self.outputs)), key=lambda label: -self.outputs[label])

    @property
    def answer(self) -> int:
        """Return the predicted class."""
        return self.ranking[0]

    @property
    def is_uncertain(self) -> bool:
        """Return True if the second largest output is close to the largest."""
        return any(self.outputs[self.answer] - self.outputs[other] < CERTAIN for other in self.ranking[1:2])

    @property
    def text(self) -> str:
        """Return the predicted class and the second best one, each with its output."""
        first, *others = self.ranking
        label = self.classes.label
        answer = f"{self.classes.called(first)} ({self.outputs[first]:.2f})"
        answer += "".join(f"; next {label(next_)} ({self.outputs[next_]:.2f})" for next_ in others[:1])
        return f"{answer}; uncertain" if self.is_uncertain else answer


def show_prediction(prediction: Prediction, image: "NDArray[np.uint8]", name: str, console: Console) -> None:
    """Print a picture as the network sees it, the outputs and the answer."""
    console.print()
    console.print(name, style="bold", wrap=False)
    draw(image, console)
    table = new_table(prediction.classes.kind, "output", "", left={""})
    for label, output in enumerate(prediction.outputs):
        table.add_row(prediction.classes.label(label), f"{output:.4f}", bar(output, BAR))
    console.print_table(table)
    if prediction.members:
        votes = votes_text([member.answer for member in prediction.members], prediction.classes)
        console.print(f"members  {'; '.join(votes)}")
    console.print_result(prediction.text, style="bold")


def show_answer(prediction: Prediction, label: int | None, name: str, console: Console) -> None:
    """Print the answer to one of many pictures in a line, with the true class if the answer is wrong."""
    truth = "" if label in {None, prediction.answer} else f"; wrong: {prediction.classes.called(int(label or 0))}"
    console.print(f"{name}: {prediction.text}{truth}", wrap=False)


def show_accuracy(evaluation: "CommitteeEvaluation", classes: ClassNames, console: Console) -> None:
    """Print the confusion matrix of labelled pictures, the figures of each class and member, and the accuracy."""
    result = evaluation.committee
    if evaluation.members:
        console.print()
        console.print_table(members_table(evaluation))
    console.print()
    console.print(f"confusion matrix (rows: true {classes.kind}, columns: predicted {classes.kind})", style="bold")
    console.print_table(confusion_table(result.confusion, classes))
    console.print()
    console.print_table(per_class_table(result.per_class(), classes))
    console.print()
    console.print_result(f"accuracy {percent(result.accuracy)} on {result.examples:,} labelled pictures", style="bold")
