"""Check of many submissions: the same function in several files, each run in a process of its own.

The processes separate submissions from each other and limit their time, memory and output. They are no sandbox: a
submission runs with the rights of the user.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np

from mnist_bp.core.activations import Array
from mnist_bp.core.network import Layers, backward, forward
from mnist_bp.core.parameters import ParameterVector
from mnist_bp.errors import InputError
from mnist_bp.gradcheck.check import Backpropagation, UserGradient
from mnist_bp.gradcheck.checker import Checker, Report
from mnist_bp.gradcheck.result import PASSING
from mnist_bp.gradcheck.user_function import Convention
from mnist_bp.network import Network

__all__ = ["MEMORY", "OUTPUT", "Result", "find_submissions", "results"]

MEMORY = 2 << 30
"""Address space of a submission in bytes, where the system can limit it."""

OUTPUT = 1 << 20
"""Bytes that a submission can print."""

START = 60
"""Seconds after which a process that has not reached the submission's code is given up."""

PROGRAM = "import sys; sys.path.append({!r}); from mnist_bp.gradcheck.submission_worker import main; main()"


@dataclass(frozen=True)
class Result:
    """Result of one submission.

    ``verdict`` is "passed", "float32", "failed", "undecided", "error" (an exception, a wrong signature or shape),
    "crashed", "timeout", "memory" or "output". ``reason`` says why it did not pass, or not exactly. ``warnings`` name
    imports of frameworks, arguments that are changed, views that are returned, and printed text.
    """

    file: str
    verdict: str
    reason: str = ""
    warnings: tuple[str, ...] = ()
    convention: Convention | None = None
    max_relative_error: float | None = None

    @property
    def passed(self) -> bool:
        """True if the gradient is right, if only to the precision of float32."""
        return self.verdict in PASSING


def find_submissions(folder: Path) -> list[Path]:
    """Return the Python files of a folder in the order of their names. Raise InputError if there is none."""
    if not folder.is_dir():
        raise InputError(f"--submissions {folder}: there is no such folder")
    files = [path for path in folder.resolve().glob("*.py") if path.is_file() and not path.name.startswith(".")]
    if not files:
        raise InputError(f"--submissions {folder}: there is no file *.py in it")
    return sorted(files, key=lambda path: path.name)


def results(
    files: Sequence[Path], network: Network, X: Array, labels: Any, checker: Checker, *, seconds: float
) -> Iterator[Result]:
    """Check the function ``checker.function`` of each file. ``seconds`` limits the time of each."""
    double = network.astype(np.float64)
    batches: list[tuple[Array, Array]] = []

    def record(network: Layers, X: Array, Y: Array) -> ParameterVector:
        if not any(np.array_equal(X, batch[0]) for batch in batches):
            batches.append((X, Y))
        return backward(network, forward(network, X), Y)

    objective = UserGradient(double.inputs(X), double.targets(labels), backpropagate=record)
    references = checker.references(double, objective)
    checker.report(double, objective, references)  # finds out on which mini-batches gradients are needed

    def compare(returned: Backpropagation) -> Report:
        return checker.report(double, UserGradient(objective.X, objective.Y, backpropagate=returned), references)

    asked = {
        "sizes": double.sizes,
        "functions": (double.activation, double.cost, double.output_activation),
        "function": checker.function,
        "signature": checker.signature,
        "layout": checker.layout,
        "memory": MEMORY,
    }
    arrays: dict[str, Any] = {
        f"{name}{i}": array for i, pair in enumerate(batches) for name, array in zip("XY", pair, strict=True)
    }
    with TemporaryDirectory(prefix="mnist-bp-") as folder:
        request = Path(folder, "request.npz")
        np.savez(request, asked=json.dumps(asked), parameters=double.parameters, **arrays)
        for number, file in enumerate(files):
            ended = _run(file, request, Path(folder, f"{number}.npz"), seconds)
            yield _result(file.name, ended, batches, compare)


class _Ended(NamedTuple):
    """End of a process: a verdict and its reason if it returned no gradients, otherwise the result that it wrote."""

    verdict: str
    reason: str
    has_printed: bool
    found: dict[str, Any]


def _result(
    file: str,
    ended: _Ended,
    batches: Sequence[tuple[Array, Array]],
    compare: Callable[[Backpropagation], Report],
) -> Result:
    """Return the result of a submission, whose gradients ``compare`` compares with the numerical ones."""
    about = ended.found.get("asked", {})
    warnings = [f"imports {name}" for name in about.get("imports", ())] + list(about.get("habits", ()))
    warnings += ["prints"] * ended.has_printed
    if ended.verdict:
        return Result(file, ended.verdict, ended.reason, tuple(warnings))

    def returned(network: Layers, X: Array, Y: Array) -> ParameterVector:
        del Y
        number = next(i for i, batch in enumerate(batches) if np.array_equal(batch[0], X))
        return ParameterVector(network.sizes, ended.found[f"g{number}"])

    report = compare(returned)
    errors = [array.max_relative_error for array in report.checks[0].arrays if array.max_relative_error is not None]
    return Result(
        file,
        report.outcome,
        "; ".join(report.diagnosis) or report.remark,
        tuple(warnings),
        Convention(*about["convention"]),
        max(errors, default=None),
    )


def _run(file: Path, request: Path, result: Path, seconds: float) -> _Ended:
    """Run one submission, and stop it at its limits."""
    printed, errors = result.with_suffix(".out"), result.with_suffix(".err")
    package = str(Path(__file__).parents[2])
    command = [sys.executable, "-P", "-c", PROGRAM.format(package), str(request), str(result), str(file)]
    single = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    with printed.open("wb") as out, errors.open("wb") as err:
        process = subprocess.Popen(  # noqa: S603 - this Python
            command,
            cwd=file.parent,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env={**os.environ, **single, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONIOENCODING": "utf-8"},
            start_new_session=True,
        )
    try:
        limit = _wait(process, result.with_suffix(".started"), (printed, errors), seconds)
    finally:
        _end(process)
    has_printed = printed.stat().st_size > 0
    if limit:
        return _Ended(*limit, has_printed, {})
    found = _read(result)
    about = found.get("asked", {})
    if not found:
        lines = errors.read_text("utf-8", "replace").strip().splitlines()
        return _Ended("crashed", _ending(process.returncode, lines[-1] if lines else ""), has_printed, {})
    if about.get("out_of_memory"):
        return _Ended("memory", f"needs more than {MEMORY >> 30} GB of memory", has_printed, found)
    return _Ended("error" if "error" in about else "", about.get("error", ""), has_printed, found)


def _wait(
    process: "subprocess.Popen[bytes]", started: Path, outputs: Sequence[Path], seconds: float
) -> tuple[str, str] | None:
    """Wait for the end of a process. Return the limit that it exceeded, as a verdict and a reason, or None."""
    begin, has_started = time.monotonic(), False
    while process.poll() is None:
        if not has_started and started.exists():
            begin, has_started = time.monotonic(), True  # the time to start Python does not count
        if time.monotonic() - begin > (seconds if has_started else START):
            return "timeout", f"no result after {seconds:g} s: an endless loop?"
        if _is_flood(outputs):
            break
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.02)
    return ("output", f"printed more than {OUTPUT >> 20} MB") if _is_flood(outputs) else None


def _is_flood(outputs: Sequence[Path]) -> bool:
    return sum(path.stat().st_size for path in outputs) > OUTPUT


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Stop a process and all that it started."""
    if sys.platform == "win32":
        process.kill()
    else:
        with suppress(ProcessLookupError, PermissionError):  # it has ended
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _read(result: Path) -> dict[str, Any]:
    """Return the arrays that a process wrote, or nothing if there are none."""
    try:
        with np.load(result) as archive:
            found: dict[str, Any] = {name: archive[name] for name in archive.files}
        return found | {"asked": json.loads(str(found["asked"]))}
    except (OSError, ValueError, KeyError):
        return {}


def _ending(code: int, line: str) -> str:
    if code < 0:
        with suppress(ValueError):
            return f"killed by {signal.Signals(-code).name}"
    return f"exited with code {code} before it returned a gradient" + (f": {line}" if line else "")
