"""Report of ``gradcheck``: a table for each method, the worst entries, the kind of bug, the verdict."""

import math
from typing import TYPE_CHECKING, Any

from rich.table import Table

from mnist_bp.errors import AnswerIsNo
from mnist_bp.reports.console import Console
from mnist_bp.reports.tables import new_table
from mnist_bp.training.notation import count, format_sizes

if TYPE_CHECKING:
    from mnist_bp.data.datasets import Dataset
    from mnist_bp.gradcheck.checker import Report
    from mnist_bp.gradcheck.result import ArrayCheck, Check
    from mnist_bp.gradcheck.self_test import Finding, SelfTest

__all__ = ["print_self_test", "show_report"]

FORMULAS = {
    "complex": "complex step, Im C(w + ih) / h",
    "central": "central difference, (C(w + ε) − C(w − ε)) / 2ε",
}

METHODS = {"complex": "complex step", "central": "central difference"}

NOT_CAUGHT = "the check does not catch what it should"


def _name(report: "Report") -> str:
    network = report.network
    if report.cost_function is not None:
        return f"{format_sizes(network.sizes)}, {report.cost_function}"
    return f"{format_sizes(network.sizes)} {network.activation}, {network.cost}"


def show_report(report: "Report", data: "Dataset", console: Console, *, repeat: str, in_full: bool) -> None:
    """Print the whole report; without ``in_full``, only what failed and a line for each method."""
    console.emit_json({**_record(report), "dataset": data.name, **data.mark})
    if report.convention is not None:
        console.print(f"function  {report.function} {report.convention}")
    for habit in report.habits:
        console.print(f"warning   {report.function} {habit}", style="yellow")
    for said in report.diagnosis:
        console.print(f"MISTAKE   {said}", style="red")
    if report.failed is not None:
        _show_worst(report.failed, console)
    if not report.passed:
        console.print(f"repeat    {repeat}")
    if in_full:
        for check in report.checks:
            console.print()
            console.print(f"{FORMULAS[check.method]}; tolerance: relative error {check.tolerance:g}")
            console.print_table(_table(check))
        console.print()
        _show_coverage(report, console)
        _show_slopes(report, console)
    what = f"{report.function} on {_name(report)}" if report.function else _name(report)
    for check in report.checks:
        verdict = check.outcome if check.passed else check.outcome.upper()
        found = report.remark if check.outcome == "float32" else _totals(check)
        console.print_result(f"{verdict}  {what}: {found}", style="bold")


def print_self_test(test: "SelfTest", console: Console) -> None:
    """Print the findings about each of the known bugs; AnswerIsNo if one passes, or the correct gradient fails."""
    findings: list[Finding] = []
    for finding in test.findings():
        said = "; ".join(finding.diagnosis)
        words = said if said.startswith(finding.bug) else f"{finding.bug}: {said}"
        console.print(f"{'caught' if finding.caught else 'MISSED'}  {words}")
        findings.append(finding)
        console.require_reader(None if all(each.caught for each in findings) else AnswerIsNo(NOT_CAUGHT))
    caught, named = sum(each.caught for each in findings), sum(each.named for each in findings)
    right_passed = test.right_passes()
    passed = right_passed and caught == len(findings)
    console.emit_json(
        {
            "event": "self-test",
            "passed": passed,
            "caught": caught,
            "named": named,
            "right_passed": right_passed,
            "mistakes": [
                {"mistake": each.bug, "caught": each.caught, "named": each.named, "diagnosis": each.diagnosis}
                for each in findings
            ],
        }
    )
    console.print_result(
        f"{caught} of {len(findings)} known bugs caught, {named} identified; "
        f"the correct gradient {'passes' if right_passed else 'FAILS'}",
        style="bold",
    )
    if not passed:
        raise AnswerIsNo(NOT_CAUGHT)


def _record(report: "Report") -> dict[str, Any]:
    """Return the record: results of the first method, and the layers of a second one beside them."""
    main, *others = report.checks
    arrays = main.arrays
    return {
        "event": "gradcheck",
        "passed": report.passed,
        "verdict": report.outcome,
        "method": "both" if others else main.method,
        "activation": None if report.cost_function else report.network.activation,
        "cost": None if report.cost_function else report.network.cost,
        "cost_function": report.cost_function,
        "function": report.function,
        "convention": report.convention and report.convention._asdict(),
        "habits": list(report.habits),
        **report.regularization._asdict(),
        "tolerance": main.tolerance,
        "parameters": len(report.network.parameters),
        "parameters_checked": sum(array.checked for array in arrays),
        "max_relative_error": max(array.max_relative_error or 0.0 for array in arrays),
        "agreement": main.agreement,
        "layers": [_layer(array) for array in arrays],
        "inputs": _inputs(report),
        **{check.method: [_layer(array) for array in check.arrays] for check in others},
        "diagnosis": report.diagnosis,
        "taylor_slopes": [slope if math.isfinite(slope) else None for slope in report.slopes],
    }


def _inputs(report: "Report") -> dict[str, Any] | None:
    """Return the results for the derivatives by the inputs, those of a second method under its name."""
    (_, main), *others = [(check.method, check.inputs) for check in report.checks]
    if main is None:
        return None
    return {**_layer(main), **{method: _layer(array) for method, array in others if array is not None}}


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
    from mnist_bp.gradcheck.result import Verdict

    # The name of the array has no heading, and others have two lines, so that the table fits 80 columns.
    counted = ("checked", "non-\nzero", "verified", "un-\ndecided", "failed")
    headings = ("", *counted, "median\nerror", "largest\nerror", "where")
    table = new_table(*headings, left={"", "where"}, padding=(0, 1, 0, 0))
    for array in [*check.arrays, *([check.inputs] if check.inputs else [])]:
        counts = array.counts
        undecided = counts[Verdict.UNDECIDED] + counts[Verdict.KINK] + counts[Verdict.ZERO]
        numbers = (array.checked, array.nonzero, counts[Verdict.VERIFIED], undecided, counts[Verdict.FAILED])
        errors = (array.median_relative_error, array.max_relative_error)
        table.add_row(
            array.name,
            *(f"{number:,}" for number in numbers),
            *("-" if error is None else f"{error:.1e}" for error in errors),
            "-" if array.worst is None else lesson_name(array.name, array.worst[array is check.inputs :]),
        )
    return table


def _show_worst(failed: "Check", console: Console) -> None:
    """Print the entries with the largest errors, with both values."""
    from mnist_bp.gradcheck.diagnose import worst_entries

    if not failed.has_failed_parameters:
        return
    table = new_table("worst", "backpropagation", f"{failed.method} step", "ratio", left={"worst"})
    for entry in worst_entries(failed):
        ratio = f"{entry.backprop / entry.numerical:.6g}" if entry.numerical else "-"
        table.add_row(entry.name, f"{entry.backprop:+.9e}", f"{entry.numerical:+.9e}", ratio)
    console.print_table(table)


def _show_coverage(report: "Report", console: Console) -> None:
    """Print the number of zero derivatives, and of derivatives that were not checked one by one."""
    arrays = report.checks[0].arrays
    checked, nonzero, entries = (
        sum(getattr(array, key) for array in arrays) for key in ("checked", "nonzero", "entries")
    )
    penalty = ", without the penalty" if report.regularization.l2 else ""
    console.print(
        f"coverage: {nonzero:,} of {checked:,} derivatives are not zero on these examples{penalty}; "
        f"the {checked - nonzero:,} others (dark pixels, dead neurons) were checked on a mini-batch of random pixels"
    )
    if (inputs := report.checks[0].inputs) is not None:
        console.print(
            f"inputs: ∂C/∂a^(0) of {inputs.checked:,} of {inputs.entries:,} pixels of the examples, drawn at random"
        )
    if report.sample is not None:
        console.print(
            f"sample: at most {report.sample:,} entries of each array, drawn at random; {entries - checked:,} of "
            f"{entries:,} were NOT checked one by one. All together, in {len(report.directions)} random directions: "
            f"largest relative error {max(report.directions):.1e}"
        )


def _show_slopes(report: "Report", console: Console) -> None:
    """Print the result of the Taylor test in a random direction; a constant cost has none."""
    if not all(map(math.isfinite, report.slopes)):
        console.print("Taylor test: not possible, the remainder C(p + hd) − C(p) − h ∇C·d is 0")
        return
    slopes = ", ".join(f"{slope:.2f}" for slope in report.slopes)
    console.print(f"Taylor test: remainder order {slopes} (expected 2)")


def _totals(check: "Check") -> str:
    """Return how many parameters were verified to how many digits, and the counts of the other outcomes."""
    from mnist_bp.gradcheck.result import Verdict

    totals = {verdict: sum(array.counts[verdict] for array in check.arrays) for verdict in Verdict}
    verified = totals.pop(Verdict.VERIFIED)
    digits = count(max(0, math.floor(-math.log10(check.tolerance))), "digit")
    parts = [f"{verified:,} parameters verified to {digits} ({METHODS[check.method]})"]
    parts += [f"{number:,} {verdict.name.lower()}" for verdict, number in totals.items() if number]
    if check.failed_inputs:
        parts.append(f"{count(check.failed_inputs, 'derivative')} by inputs failed")
    if totals[Verdict.FAILED]:
        worst = max(array.max_relative_error or 0.0 for array in check.arrays)
        parts.append(f"largest relative error {worst:.1e}")
    return ", ".join(parts)
