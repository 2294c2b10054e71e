"""Report of ``explain``: one section for each step of the lesson."""

import textwrap
from typing import TYPE_CHECKING, NamedTuple

from rich.table import Table

from mnist_bp.core.choices import COSTS
from mnist_bp.reports.class_names import ClassNames
from mnist_bp.reports.console import Console
from mnist_bp.reports.tables import new_table
from mnist_bp.reports.terminal_images import draw
from mnist_bp.training.metrics import percent

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnist_bp.explanation.result import Explanation, Factors, MiniBatch, Paths

__all__ = ["Shown", "show_explanation"]

MOST_PATHS = 10
"""Largest number of rows of a table of paths; one more row holds the sum of the others."""


class Shown(NamedTuple):
    """Subject of an explanation: network and its cost, example, label and classes, image."""

    network: str
    cost: str
    example: str
    label: int
    classes: ClassNames
    image: "NDArray[np.uint8]"
    synthetic: bool


def show_explanation(explanation: "Explanation", shown: Shown, console: Console) -> None:
    """Print the whole explanation."""
    name = explanation.factors.name
    console.print(f"network  {shown.network}")
    console.print(
        f"example  {shown.example}, {shown.classes.called(shown.label)}{' (SYNTHETIC)' if shown.synthetic else ''}"
    )
    draw(shown.image, console)
    _section(console, f"The cost of this example: C_0 = {_cost_formula(shown)}{explanation.cost:.6g}")
    console.print_table(_outputs(explanation, shown.classes))
    _section(console, f"How sensitive is C_0 to {name}?")
    _show_factors(explanation.factors, console, wrong=_how_wrong(shown, is_output=not explanation.paths))
    for paths in explanation.paths:
        _section(console, f"∂C_0/∂a_{{{paths.neuron}}}^({paths.layer}) is the sum over {len(paths.paths)} paths")
        console.print_table(_paths(paths))
    _section(console, f"Nudge {name} by {explanation.nudge.by:g}")
    _show_nudge(explanation, console)
    _section(console, "The weights to which this cost is most sensitive")
    _show_sensitive(explanation, console)
    _section(console, "Requested changes to the previous layer")
    _show_asked(explanation, console)
    _section(console, f"{name} in the mini-batch of {explanation.batch.examples} examples")
    _show_batch(explanation.batch, shown.classes, console)
    _section(console, "One step of gradient descent on the mini-batch")
    _show_step(explanation, console)
    console.print()
    factors = explanation.factors
    console.print_result(
        f"∂C_0/∂{name} = {factors.backprop:+.9g} (complex step: {factors.complex_step:+.9g})", style="bold"
    )


def _cost_formula(shown: Shown) -> str:
    """Return the formula of the cost and an equals sign, or an empty text if its registry entry has no formula."""
    javascript = COSTS[shown.cost].javascript
    return "" if javascript is None else f"{_plain(javascript.formula).replace('_t', f'_{shown.label}')} = "


def _how_wrong(shown: Shown, *, is_output: bool) -> str:
    """Return the meaning of ∂C_0/∂a_j, with its formula for an output."""
    javascript = COSTS[shown.cost].javascript
    if not is_output:
        return "the sum over its paths: see below"
    return "how wrong the output is" + ("" if javascript is None else f": {_plain(javascript.derivative_formula)}")


def _plain(formula: str) -> str:
    """Return a formula of the page in plain text, without the number of the layer."""
    return formula.replace("^(L)", "").replace("^2", "²")


def _section(console: Console, title: str) -> None:
    console.print()
    console.print(title, style="bold")


def _tell(console: Console, text: str) -> None:
    """Print prose in lines of at most 79 columns, fewer in a narrower terminal."""
    for line in textwrap.wrap(text, min(79, console.rich.width), break_on_hyphens=False):
        console.print(line)


def _outputs(explanation: "Explanation", classes: ClassNames) -> Table:
    """Return the table of outputs: targets, parts of the cost, and the changes that reduce it."""
    table = new_table(classes.kind, "output a", "target y", "part of C_0", "wants to go", left={classes.kind})
    for label, output in enumerate(explanation.outputs):
        direction = "up" if output.nudge > 0 else "down" if output.nudge < 0 else ""
        table.add_row(
            classes.label(label),
            f"{output.a:.6f}",
            f"{output.y:.0f}",
            f"{output.cost:.6f}",
            f"{direction} {output.nudge:+.6f}",
        )
    return table


def _show_factors(factors: "Factors", console: Console, *, wrong: str) -> None:
    table = new_table("factor", "value", "means", left={"factor", "means"})
    is_bias = factors.name.startswith("b")
    table.add_row("a_k", f"{factors.a_k:+.9g}", "a bias: always 1" if is_bias else "how active the input is")
    if factors.slope is None or factors.dC_da is None:
        table.add_row("a_j − y_j", f"{factors.dC_dz:+.9g}", "how wrong the output is: ∂C_0/∂z_j, without σ′")
    else:
        table.add_row("σ′(z_j)", f"{factors.slope:+.9g}", "how responsive the neuron is")
        table.add_row("∂C_0/∂a_j", f"{factors.dC_da:+.9g}", wrong)
    table.add_row("product", f"{factors.product:+.9g}", f"∂C_0/∂{factors.name}")
    table.add_row("", f"{factors.backprop:+.9g}", "by backpropagation")
    table.add_row("", f"{factors.complex_step:+.9g}", "by a complex step")
    console.print_table(table)


def _paths(paths: "Paths") -> Table:
    """Return the table of the paths with the largest contributions, and the sum of all."""
    from_above = "a − y" if paths.paths[0].slope is None else "∂C_0/∂a"
    table = new_table("through neuron", "w", "σ′(z)", from_above, "product", left={"through neuron"})
    ordered = sorted(paths.paths, key=lambda path: -abs(path.contribution))
    for path in ordered[:MOST_PATHS]:
        slope = "-" if path.slope is None else f"{path.slope:.6g}"
        above = f"{path.dC_dz if path.dC_da is None else path.dC_da:+.6g}"
        table.add_row(
            f"{path.to} of layer {paths.layer + 1}", f"{path.w:+.6f}", slope, above, f"{path.contribution:+.9g}"
        )
    if others := ordered[MOST_PATHS:]:
        rest = sum(path.contribution for path in others)
        table.add_row(f"{len(others)} others", "", "", "", f"{rest:+.9g}")
    table.add_row("sum", "", "", "", f"{paths.total:+.9g}")
    return table


def _show_nudge(explanation: "Explanation", console: Console) -> None:
    nudge = explanation.nudge
    if nudge.ratio == nudge.derivative == 0:
        _tell(console, f"C_0 stays {nudge.before:.9g}: on this example, this parameter has no influence.")
        return
    _tell(
        console,
        f"C_0 changes from {nudge.before:.9g} to {nudge.after:.9g}, by {nudge.after - nudge.before:+.6g}. The ratio of "
        f"the changes is {nudge.ratio:+.9g}; the derivative is {nudge.derivative:+.9g}. They differ because C_0 is "
        "curved: the ratio is the slope of a chord, the derivative the slope at one point.",
    )


def _show_sensitive(explanation: "Explanation", console: Console) -> None:
    table = new_table("weight", "∂C_0/∂w", "times as sensitive as the lowest row", left={"weight"})
    for weight in explanation.sensitive:
        table.add_row(weight.name, f"{weight.derivative:+.9g}", f"{weight.multiple:.2f}")
    console.print_table(table)
    norms = ", ".join(f"{name} {norm:.4g}" for name, norm in explanation.norms.items())
    _tell(console, f"norm of the gradient of each array: {norms}")


def _show_asked(explanation: "Explanation", console: Console) -> None:
    asked = sorted(enumerate(explanation.asked), key=lambda pair: -abs(pair[1]))
    layer = len(explanation.norms) // 2 - 1  # each layer has two norms, that of W and that of b
    words = [f"neuron {k} {'brighter' if nudge > 0 else 'dimmer'} ({nudge:+.4g})" for k, nudge in asked[:MOST_PATHS]]
    together = f"Sum of the requests of all {len(explanation.outputs)} outputs to layer {layer}"
    _tell(console, f"{together}, the largest first: {', '.join(words)}.")


def _show_batch(batch: "MiniBatch", classes: ClassNames, console: Console) -> None:
    _tell(
        console,
        f"{batch.up} examples request an increase of this parameter, {batch.down} a decrease. The mean derivative is "
        f"{batch.mean:+.6g}. The examples agree to {percent(batch.agreement)} (100 %: all request the same direction).",
    )
    _tell(
        console,
        f"mean derivative by {classes.kind}: "
        + ", ".join(f"{classes.label(label)}: {mean:+.4g}" for label, mean in batch.by_label.items()),
    )
    pulls = ", ".join(f"{percent(pull.share)} by {classes.called(pull.label)}" for pull in batch.pulls)
    _tell(console, f"largest contributions: {pulls}")
    _tell(
        console, f"cosine of the angle between the gradients of this example and of the mini-batch: {batch.cosine:+.3f}"
    )


def _show_step(explanation: "Explanation", console: Console) -> None:
    step = explanation.step
    ratio = step.came / step.promised if step.promised else 0.0
    verdict = "the step overshoots" if step.came > 0 else percent(ratio)
    _tell(
        console,
        f"learning rate {step.learning_rate:g}: predicted change of the cost {step.promised:+.6g}, "
        f"actual {step.came:+.6g} ({verdict})",
    )
