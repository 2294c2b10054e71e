"""What ``gradcheck`` says: a table for each method, the worst entries, what kind of mistake it is, the verdict."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.table import Table

from mnist_bp.errors import AnswerIsNo
from mnist_bp.reports.console import Console
from mnist_bp.reports.tables import new_table
from mnist_bp.training.notation import format_sizes

if TYPE_CHECKING:
    from mnist_bp.core.objective import Objective
    from mnist_bp.core.parameters import ParameterVector
    from mnist_bp.data.datasets import Dataset, Examples
    from mnist_bp.gradcheck.check import ArrayCheck, Check, Outcome
    from mnist_bp.network import Network

__all__ = ["Regularization", "Report", "print_self_test", "show_report"]

NAMES = {"complex": "complex step, Im C(w + ih) / h", "central": "central difference, (C(w + ε) − C(w − ε)) / 2ε"}

NOT_CAUGHT = "the check does not catch what it should"

SELF_TEST_HIDDEN = (16, 16)
"""One weight matrix is square, so that a transposed one fits."""


class Regularization(NamedTuple):
    """What training adds to the plain cost, each with the name of its option; 0 adds nothing."""

    l2: float
    dropout: float
    input_dropout: float
    label_smoothing: float

    @property
    def in_use(self) -> dict[str, float]:
        """What is not 0, by the names of the options."""
        return {name.replace("_", "-"): value for name, value in self._asdict().items() if value}


@dataclass(frozen=True)
class Report:
    """All that was found out about one network's gradient.

    ``checks`` holds one check for each method, the most precise first; ``sample`` is the number of entries nudged of
    each array, None for all; ``function`` names what was checked, None for our own backpropagation.
    """

    network: "Network"
    objective: "Objective"
    regularization: Regularization
    checks: "list[Check]"
    sample: int | None
    function: str | None

    @property
    def outcome(self) -> "Outcome":
        """One method that says so is enough for a gradient to be wrong; all have to for it to be right."""
        found = {check.outcome for check in self.checks}
        return "failed" if "failed" in found else "undecided" if "undecided" in found else "passed"

    @property
    def failed(self) -> "Check | None":
        """The first check that failed, if one did."""
        return next((check for check in self.checks if check.outcome == "failed"), None)

    @property
    def name(self) -> str:
        """The network, in a few words."""
        network = self.network
        return f"{format_sizes(network.sizes)} {network.activation}, {network.cost}"

    @cached_property
    def diagnosis(self) -> list[str]:
        """What kind of mistake it is, if it is one."""
        from mnist_bp.gradcheck.diagnose import diagnose

        return diagnose(self.failed, self.network, self.objective) if self.failed is not None else []

    @cached_property
    def gradient(self) -> "ParameterVector":
        """What was checked."""
        return self.objective.gradient(self.network)

    @cached_property
    def slopes(self) -> tuple[float, ...]:
        """The second opinion: see ``taylor_slopes``."""
        import numpy as np

        from mnist_bp.gradcheck.check import taylor_slopes

        return taylor_slopes(self.network, self.objective, self.gradient, rng=np.random.default_rng(0))

    @cached_property
    def directions(self) -> list[float]:
        """For a sample: see ``direction_errors``."""
        import numpy as np

        from mnist_bp.gradcheck.check import direction_errors

        return direction_errors(self.network, self.objective, self.gradient, rng=np.random.default_rng(0))


def show_report(report: Report, data: "Dataset", console: Console, *, repeat: str, in_full: bool) -> None:
    """Tell all of it; or, of one network among many, what failed and a line for each method."""
    console.emit_json({**_record(report), "dataset": data.name, **data.mark})
    for said in report.diagnosis:
        console.print(f"MISTAKE   {said}", style="red")
    if report.failed is not None:
        _show_worst(report.failed, console)
    if report.outcome != "passed":
        console.print(f"repeat    {repeat}")
    if in_full:
        for check in report.checks:
            console.print()
            console.print(f"{NAMES[check.method]}: passes up to a relative error of {check.tolerance:g}")
            console.print_table(_table(check))
        console.print()
        _show_coverage(report, console)
        _show_slopes(report, console)
    what = f"{report.function} on {report.name}" if report.function else report.name
    for check in report.checks:
        verdict = check.outcome if check.passed else check.outcome.upper()
        console.print_result(f"{verdict}  {what}, {check.method}: {_totals(check)}", style="bold")


def print_self_test(examples: "Examples", classes: int, seed: int, console: Console) -> None:
    """Check each of the known mistakes; AnswerIsNo if one passes, or the right gradient fails."""
    import numpy as np

    from mnist_bp.core.objective import Objective
    from mnist_bp.gradcheck.check import UserGradient, check
    from mnist_bp.gradcheck.diagnose import diagnose
    from mnist_bp.gradcheck.known_bugs import KNOWN_BUGS
    from mnist_bp.network import Network

    rng = np.random.default_rng(seed)
    network = Network((examples.pixels, *SELF_TEST_HIDDEN, classes), rng=rng, dtype=np.float64)
    for b in network.biases:
        b += rng.standard_normal(b.shape) / 4  # a bias that is 0 hides an L2 term on it
    right = Objective(examples.inputs(np.float64), network.targets(examples.labels))

    def checked(objective: Objective) -> "Check":
        return check(network, objective, method="complex", rng=np.random.default_rng(seed))

    findings: list[dict[str, Any]] = []
    for mistake in KNOWN_BUGS:
        console.require_reader(None if all(finding["caught"] for finding in findings) else AnswerIsNo(NOT_CAUGHT))
        found = checked(UserGradient(right.X, right.Y, backpropagate=mistake.gradient))
        said = diagnose(found, network, right)
        caught, named = found.outcome == "failed", any(mistake.sign in words for words in said)
        findings.append({"mistake": mistake.name, "caught": caught, "named": named, "diagnosis": said})
        console.print(f"{'caught' if caught else 'MISSED'}  {mistake.name}: {'; '.join(said)}")
    all_caught, all_named = (sum(bool(finding[key]) for finding in findings) for key in ("caught", "named"))
    right_passed = checked(right).passed
    passed = right_passed and all_caught == len(KNOWN_BUGS)
    console.emit_json(
        {"passed": passed, "caught": all_caught, "named": all_named, "right_passed": right_passed, "mistakes": findings}
    )
    console.print_result(
        f"{all_caught} of {len(KNOWN_BUGS)} mistakes caught, {all_named} named; "
        f"the right gradient {'passes' if right_passed else 'FAILS'}",
        style="bold",
    )
    if not passed:
        raise AnswerIsNo(NOT_CAUGHT)


def _record(report: Report) -> dict[str, Any]:
    """The findings of the first method, with those of a second one beside them."""
    main, *others = report.checks
    arrays = main.arrays
    return {
        "passed": report.outcome == "passed",
        "method": "both" if others else main.method,
        "activation": report.network.activation,
        "cost": report.network.cost,
        "function": report.function,
        **report.regularization._asdict(),
        "tolerance": main.tolerance,
        "parameters": len(report.network.parameters),
        "parameters_checked": sum(array.checked for array in arrays),
        "max_relative_error": max(array.max_relative_error or 0.0 for array in arrays),
        "layers": [_layer(array) for array in arrays],
        **{check.method: [_layer(array) for array in check.arrays] for check in others},
        "diagnosis": report.diagnosis,
        "taylor_slopes": [slope if math.isfinite(slope) else None for slope in report.slopes],
    }


def _layer(array: "ArrayCheck") -> dict[str, Any]:
    return {
        "name": array.name,
        "shape": array.shape,
        "entries": array.entries,
        "checked": array.checked,
        "nonzero": array.nonzero,
        **{verdict.name.lower(): count for verdict, count in array.counts.items()},
        "max_relative_error": array.max_relative_error,
        "median_relative_error": array.median_relative_error,
        "worst": {"index": array.worst, "backprop": array.backprop, "numerical": array.numerical},
    }


def _table(check: "Check") -> Table:
    from mnist_bp.core.parameters import lesson_name
    from mnist_bp.gradcheck.check import Verdict

    # The name of the array has no heading, and others two lines: 80 columns are few.
    counted = ("checked", "non-\nzero", "verified", "un-\ndecided", "failed")
    headings = ("", *counted, "median\nerror", "largest\nerror", "where")
    table = new_table(*headings, left={"", "where"}, padding=(0, 1, 0, 0))
    for array in check.arrays:
        counts = array.counts
        undecided = counts[Verdict.UNDECIDED] + counts[Verdict.KINK] + counts[Verdict.ZERO]
        numbers = (array.checked, array.nonzero, counts[Verdict.VERIFIED], undecided, counts[Verdict.FAILED])
        errors = (array.median_relative_error, array.max_relative_error)
        table.add_row(
            array.name,
            *(f"{number:,}" for number in numbers),
            *("-" if error is None else f"{error:.1e}" for error in errors),
            "-" if array.worst is None else lesson_name(array.name, array.worst),
        )
    return table


def _show_worst(failed: "Check", console: Console) -> None:
    """The entries that are furthest off, with both values."""
    from mnist_bp.gradcheck.diagnose import worst_entries

    table = new_table("worst", "backpropagation", f"{failed.method} step", "ratio", left={"worst"})
    for entry in worst_entries(failed):
        ratio = f"{entry.backprop / entry.numerical:.6g}" if entry.numerical else "-"
        table.add_row(entry.name, f"{entry.backprop:+.9e}", f"{entry.numerical:+.9e}", ratio)
    console.print_table(table)


def _show_coverage(report: Report, console: Console) -> None:
    """What the check did not reach, or reached by a detour."""
    arrays = report.checks[0].arrays
    checked, nonzero, entries = (
        sum(getattr(array, key) for array in arrays) for key in ("checked", "nonzero", "entries")
    )
    penalty = ", the penalty left out" if report.regularization.l2 else ""
    console.print(
        f"coverage: {nonzero:,} of {checked:,} derivatives are not zero on these examples{penalty}; "
        f"the {checked - nonzero:,} others (dark pixels, dead neurons) were tried on a dense mini-batch of noise"
    )
    if report.sample is not None:
        console.print(
            f"sample: at most {report.sample:,} entries of each array, drawn at random; {entries - checked:,} of "
            f"{entries:,} were NOT checked one by one. All together, in {len(report.directions)} random directions: "
            f"largest relative error {max(report.directions):.1e}"
        )


def _show_slopes(report: Report, console: Console) -> None:
    """What a random direction says, where it says anything: a cost that does not move at all leaves no slope."""
    falls = "C(p + hd) − C(p) − h ∇C·d"
    if not all(map(math.isfinite, report.slopes)):
        console.print(f"second opinion: none; {falls} vanishes")
        return
    slopes = ", ".join(f"{slope:.2f}" for slope in report.slopes)
    console.print(f"second opinion: {falls} falls like h to the {slopes}; a right gradient's, to the 2")


def _totals(check: "Check") -> str:
    """Verdicts and their numbers, and the largest error among those that count."""
    from mnist_bp.gradcheck.check import Verdict

    arrays = check.arrays
    totals = {verdict: sum(array.counts[verdict] for array in arrays) for verdict in Verdict}
    worst = max(array.max_relative_error or 0.0 for array in arrays)
    parts = [f"{count:,} {verdict.name.lower()}" for verdict, count in totals.items() if count]
    return f"{', '.join(parts)}; largest relative error {worst:.1e}"
