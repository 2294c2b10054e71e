"""Program that runs one submission in a process of its own: ``submission_worker.main()``.

It computes the submission's gradients and nothing else. The process that started it compares them, so that a
submission can pass only by returning the right numbers. Standard output and standard error are files, whose size that
process limits.
"""

import io
import json
import os
import sys
import traceback
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from mnist_bp.core.inputs import checked_functions
from mnist_bp.core.parameters import ParameterVector
from mnist_bp.errors import InputError
from mnist_bp.gradcheck.answers import Misfit
from mnist_bp.gradcheck.imported import import_object
from mnist_bp.gradcheck.user_function import UserFunction
from mnist_bp.network import Network

if sys.platform != "win32":
    import resource

__all__ = ["FRAMEWORKS", "main"]

FRAMEWORKS = {
    "autograd", "chainer", "flax", "jax", "keras", "mindspore", "mnist_bp", "mxnet", "paddle", "sklearn", "tensorflow",
    "theano", "tinygrad", "torch",
}  # fmt: skip
"""Packages that compute gradients, or whole networks, for a submission."""

FILE_BYTES = 1 << 28
"""Largest file that a submission can write."""


def main() -> None:
    """Run the submission that the request describes (arguments: request, result, file), and write the result."""
    request, result, file = map(Path, sys.argv[1:])
    with np.load(request) as archive:
        arrays = {name: archive[name] for name in archive.files}
    asked = json.loads(str(arrays["asked"]))
    network = Network.of(ParameterVector(asked["sizes"], arrays["parameters"]), checked_functions(*asked["functions"]))
    network.backpropagate(arrays["X0"], arrays["Y0"])  # imports all that is needed before the submission runs
    _limit(asked["memory"])
    ours = {name: sys.modules.pop(name) for name in [*sys.modules] if name.partition(".")[0] == "mnist_bp"}
    before = {*sys.modules}
    printed, sys.argv = sys.stdout, [file.name]
    warnings.simplefilter("ignore")
    result.with_suffix(".started").touch()
    found = _run(asked, arrays, network, file)
    del ours
    imported = {name.partition(".")[0] for name in {*sys.modules} - before}
    neighbours = {path.stem for path in file.parent.glob("*.py")} - {file.stem}
    found["asked"] = json.dumps(found["asked"] | {"imports": sorted(imported & (FRAMEWORKS | neighbours))})
    with suppress(Exception):  # the submission may have closed it
        printed.flush()
    buffer = io.BytesIO()
    np.savez(buffer, **found)
    part = result.with_suffix(".part")
    part.write_bytes(buffer.getvalue())
    part.replace(result)
    os._exit(0)  # threads and exit handlers of the submission do not delay the end


def _limit(memory: int) -> None:
    """Limit memory and files of this process, if the system can."""
    if sys.platform != "win32":
        for kind, most in (
            (resource.RLIMIT_AS, memory),
            (resource.RLIMIT_FSIZE, FILE_BYTES),
            (resource.RLIMIT_CORE, 0),
        ):
            _, hard = resource.getrlimit(kind)
            with suppress(OSError, ValueError):  # macOS refuses some limits
                resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _run(asked: dict[str, Any], arrays: dict[str, Any], network: Network, file: Path) -> dict[str, Any]:
    """Return the gradients of all mini-batches by name, or an error."""
    name = f"{file.name}:{asked['function']}"
    try:
        found, method = import_object(name, printed=sys.stdout)
        function = UserFunction(
            found,
            asked["function"],
            method=method,
            signature=asked["signature"],
            layout=asked["layout"],
            printed=sys.stdout,
        )
        count = sum(name.startswith("X") for name in arrays)
        gradients = {f"g{i}": function(network, arrays[f"X{i}"], arrays[f"Y{i}"]).vector for i in range(count)}
    except InputError as error:
        cause = error.__cause__
        is_ours = cause is None or isinstance(error, Misfit)
        text = str(error).removeprefix(f"--function {name}: ") if is_ours else _described(cause, file)
        return {"asked": {"error": text, "out_of_memory": isinstance(cause, MemoryError)}}
    return {"asked": {"convention": function.convention, "habits": [*function.habits]}, **gradients}


def _described(error: BaseException | None, file: Path) -> str:
    """Return an exception in one line, with the line of the submission that raised it."""
    frames = traceback.extract_tb(error.__traceback__ if error else None)
    lines = [frame.lineno for frame in frames if frame.filename == str(file)]
    return f"{type(error).__name__}: {error}" + (f" (line {lines[-1]})" if lines else "")
