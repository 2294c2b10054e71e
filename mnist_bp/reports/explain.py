"""Report of ``explain``: one section for each step of the lesson."""

import textwrap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from rich.table import Table

from mnist_bp.core.choices import COSTS
from mnist_bp.reports.class_names import ClassNames
from mnist_bp.reports.console import Console
from mnist_bp.reports.pixels import draw_pixels
from mnist_bp.reports.tables import new_table
from mnist_bp.reports.terminal_images import draw
from mnist_bp.training.metrics import percent

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnist_bp.explanation.result import Explanation, Factors, MiniBatch, Paths

__all__ = ["PARTS", "Shown", "show_explanation"]

MOST_PATHS = 10
"""Largest number of rows of a table of paths; one more row holds the sum of the others."""


class Shown(NamedTuple):
    """Subject of an explanation: network and its cost, example, label and classes, image, and its mini-batch.

    ``first`` is the number of the mini-batch's first example in the set ``source``. If ``is_picture``, a picture takes
    its place.
    """

    network: str
    cost: str
    example: str
    label: int
    classes: ClassNames
    image: "NDArray[np.uint8]"
    synthetic: bool
    source: str
    first: int
    is_picture: bool

    def mini_batch(self, examples: int) -> str:
        """Return the examples that the mini-batch holds."""
        first, last = self.first + self.is_picture, self.first + examples - 1
        others = f"examples {first} to {last} of {self.source}" if first <= last else ""
        return ", and ".join(["the picture"] * self.is_picture + [others] * bool(others))

    def member(self, row: int) -> str:
        """Return an example of the mini-batch."""
        return "the picture" if self.is_picture and row == 0 else f"example {self.first + row}"


def show_explanation(explanation: "Explanation", shown: Shown, console: Console, parts: Sequence[str] = ()) -> None:
    """Print the explanation, or these ``PARTS`` of it, and the derivative."""
    console.print(f"network  {shown.network}")
    console.print(
        f"example  {shown.example}, {shown.classes.called(shown.label)}{' (SYNTHETIC)' if shown.synthetic else ''}"
    )
    if not parts:
        draw(shown.image, console)
    for part, show in PARTS.items():
        if not parts or part in parts:
            show(explanation, shown, console)
    console.print()
    factors = explanation.factors
    console.print_result(
        f"∂C_0/∂{factors.name} = {_signed(factors.backprop)} (complex step: {_signed(factors.complex_step)})",
        style="bold",
    )


def _signed(value: float) -> str:
    """Return a number with its sign, and zero as +0."""
    return f"{value + 0.0:+.9g}"


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


def _show_outputs(explanation: "Explanation", shown: Shown, console: Console) -> None:
    _section(console, f"The cost of this example: C_0 = {_cost_formula(shown)}{explanation.cost:.6g}")
    console.print_table(_outputs(explanation, shown.classes))


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


def _show_factors(explanation: "Explanation", shown: Shown, console: Console) -> None:
    factors = explanation.factors
    _section(console, f"How sensitive is C_0 to {factors.name}?")
    table = new_table("factor", "value", "means", left={"factor", "means"})
    active = "a bias: always 1" if _is_bias(factors) else _dark(explanation) or "how active the input is"
    table.add_row("a_k", _signed(factors.a_k), active)
    if factors.slope is None or factors.dC_da is None:
        table.add_row("a_j − y_j", _signed(factors.dC_dz), "how wrong the output is: ∂C_0/∂z_j, without σ′")
    else:
        table.add_row("σ′(z_j)", _signed(factors.slope), "how responsive the neuron is")
        wrong = _how_wrong(shown, is_output=not explanation.paths)
        table.add_row("∂C_0/∂a_j", _signed(factors.dC_da), wrong)
    table.add_row("product", _signed(factors.product), f"∂C_0/∂{factors.name}")
    table.add_row("", _signed(factors.backprop), "by backpropagation")
    table.add_row("", _signed(factors.complex_step), "by a complex step")
    console.print_table(table)


def _is_bias(factors: "Factors") -> bool:
    return factors.name.startswith("b")


def _dark(explanation: "Explanation") -> str:
    """Return that the weight's input is 0 on this example, or an empty string."""
    if explanation.factors.a_k != 0:
        return ""
    layers = len(explanation.norms) // 2  # each layer has two norms, that of W and that of b
    layer = explanation.paths[0].layer if explanation.paths else layers
    return "this pixel is 0 in this image" if layer == 1 else "this input neuron is 0 on this example"


def _show_paths(explanation: "Explanation", _shown: Shown, console: Console) -> None:
    for paths in explanation.paths:
        _section(console, f"∂C_0/∂a_{{{paths.neuron}}}^({paths.layer}) is the sum over {len(paths.paths)} paths")
        console.print_table(_paths(paths))


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


def _show_nudge(explanation: "Explanation", _shown: Shown, console: Console) -> None:
    nudge = explanation.nudge
    _section(console, f"Nudge {explanation.factors.name} by {nudge.by:g}")
    if nudge.ratio == 0:
        _tell(console, f"C_0 stays {nudge.before:.9g}: {_why_nothing_changes(explanation)}.")
        return
    _tell(
        console,
        f"C_0 changes from {nudge.before:.9g} to {nudge.after:.9g}, by {nudge.after - nudge.before:+.6g}. The ratio of "
        f"the changes is {nudge.ratio:+.9g}; the derivative is {_signed(nudge.derivative)}. They differ because C_0 is "
        "curved: the ratio is the slope of a chord, the derivative the slope at one point.",
    )


def _why_nothing_changes(explanation: "Explanation") -> str:
    factors, nudge = explanation.factors, explanation.nudge
    if dark := _dark(explanation):
        return f"{dark}: a_k = 0, so no change of this weight matters"
    if factors.slope == 0:
        return "σ′(z_j) = 0: the neuron is inactive or saturated, so a small change of its weights does not matter"
    if nudge.derivative == 0:
        return "on this example, this parameter has no influence"
    return f"the derivative, {nudge.derivative:+.3g}, is so small that the change is lost in rounding"


def _show_sensitive(explanation: "Explanation", _shown: Shown, console: Console) -> None:
    _section(console, "The weights to which this cost is most sensitive")
    table = new_table("weight", "∂C_0/∂w", "times as sensitive as the lowest row", left={"weight"})
    for weight in explanation.sensitive:
        table.add_row(weight.name, f"{weight.derivative:+.9g}", f"{weight.multiple:.2f}")
    console.print_table(table)
    norms = ", ".join(f"{name} {norm:.4g}" for name, norm in explanation.norms.items())
    _tell(console, f"norm of the gradient of each array: {norms}")


def _show_asked(explanation: "Explanation", _shown: Shown, console: Console) -> None:
    _section(console, "Requested changes to the previous layer")
    asked = sorted(enumerate(explanation.asked), key=lambda pair: -abs(pair[1]))
    layer = len(explanation.norms) // 2 - 1  # each layer has two norms, that of W and that of b
    words = [f"neuron {k} {'brighter' if nudge > 0 else 'dimmer'} ({nudge:+.4g})" for k, nudge in asked[:MOST_PATHS]]
    together = f"Sum of the requests of all {len(explanation.outputs)} outputs to layer {layer}"
    _tell(console, f"{together}, the largest first: {', '.join(words)}.")


def _show_pixels(explanation: "Explanation", _shown: Shown, console: Console) -> None:
    _section(console, "One layer further back: how sensitive is C_0 to each pixel, ∂C_0/∂a_k^(0)?")
    for sentence in draw_pixels(explanation.pixels, console):
        _tell(console, sentence)


def _show_batch(explanation: "Explanation", shown: Shown, console: Console) -> None:
    batch = explanation.batch
    _section(console, f"{explanation.factors.name} in the mini-batch of {batch.examples} examples")
    _tell(console, f"It holds {shown.mini_batch(batch.examples)}.")
    if batch.up or batch.down:
        _show_requests(batch, shown, console)
    else:
        _tell(console, "No example requests a change of this parameter: every derivative is 0.")
    _tell(
        console, f"cosine of the angle between the gradients of this example and of the mini-batch: {batch.cosine:+.3f}"
    )


def _show_requests(batch: "MiniBatch", shown: Shown, console: Console) -> None:
    classes = shown.classes
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
    pulls = ", ".join(
        f"{percent(pull.share)} by {classes.called(pull.label)} ({shown.member(pull.example)})" for pull in batch.pulls
    )
    _tell(console, f"largest contributions: {pulls}")


def _show_step(explanation: "Explanation", _shown: Shown, console: Console) -> None:
    _section(console, "One step of gradient descent on the mini-batch")
    step = explanation.step
    ratio = step.came / step.promised if step.promised else 0.0
    verdict = "the step overshoots" if step.came > 0 else percent(ratio)
    _tell(
        console,
        f"learning rate {step.learning_rate:g}: predicted change of the cost {step.promised:+.6g}, "
        f"actual {step.came:+.6g} ({verdict})",
    )


PARTS: dict[str, Callable[["Explanation", Shown, Console], None]] = {
    "outputs": _show_outputs,
    "factors": _show_factors,
    "paths": _show_paths,
    "nudge": _show_nudge,
    "sensitive": _show_sensitive,
    "asked": _show_asked,
    "pixels": _show_pixels,
    "batch": _show_batch,
    "step": _show_step,
}
"""Parts of an explanation in the order of the report, with the names of their keys in the record."""
