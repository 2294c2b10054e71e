"""User-defined backpropagation (``--function MODULE:NAME``), wrapped for the gradient check."""

import importlib
import importlib.util
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from inspect import isfunction
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from mnist_bp.core.activations import Array
from mnist_bp.core.network import Layers
from mnist_bp.core.parameters import ParameterVector
from mnist_bp.errors import InputError
from mnist_bp.gradcheck.check import Backpropagation

__all__ = ["checked_function", "load_function"]


def load_function(name: str) -> Backpropagation:
    """Import ``module:name``, searching the current folder first.

    The function receives copies of (weights, biases, x, y), which it may change: lists with W (n_l, n_{l−1}) and b
    (n_l,) of each layer, inputs (examples, n_0), and one-hot rows (examples, n_L). It returns (dC_dW, dC_db): lists of
    arrays of the same shapes, the derivatives of the mean cost.

    Raises
    ------
    InputError
        If it cannot be imported. The returned function also raises it: see ``checked_function``.
    """
    return checked_function(_imported(name), name)


def checked_function(function: Callable[..., Any], name: str) -> Backpropagation:
    """Wrap the user's function for the check. The wrapper raises InputError if it fails or returns something else."""

    def backpropagate(network: Layers, X: Array, Y: Array) -> ParameterVector:
        weights, biases = ([array.copy() for array in arrays.values()] for arrays in (network.W, network.b))
        try:
            with redirect_stdout(sys.stderr):  # standard output may be reserved for JSON Lines
                answer = function(weights, biases, X.copy(), Y.copy())
        except (Exception, SystemExit) as error:
            raise InputError(f"{name} raised {type(error).__name__}: {error}; --debug shows where") from error
        return _gradient(answer, network, name)

    return backpropagate


def _imported(name: str) -> Callable[..., Any]:
    module, colon, attribute = name.partition(":")
    module = module.removesuffix(".py")
    if not (module and colon and attribute):
        raise InputError(f"--function {name}: expected MODULE:NAME, like my_backprop:backpropagate for my_backprop.py")
    try:
        with redirect_stdout(sys.stderr):
            imported = _module(module)
    except (Exception, SystemExit) as error:
        raise InputError(
            f"--function {name} cannot be imported ({type(error).__name__}: {error}); "
            f"searched in {Path.cwd()} and on Python's module path"
        ) from error
    if not hasattr(imported, attribute):
        known = ", ".join(each for each, value in vars(imported).items() if isfunction(value))
        raise InputError(f"--function {name}: {module} has no {attribute}; it has {known or 'no function'}")
    function = getattr(imported, attribute)
    if not callable(function):
        raise InputError(f"--function {name} is a {type(function).__name__}, not a function")
    return function


def _module(name: str) -> ModuleType:
    """Import NAME.py from the current folder, even if Python has a module of that name; otherwise import module NAME.

    The user's module can import others from the current folder. Python searches that folder last, so that a
    ``random.py`` there does not replace Python's in this program.
    """
    folder = Path.cwd()
    if str(folder) not in sys.path:
        sys.path.append(str(folder))  # permanently: the function may import more when it runs
    importlib.invalidate_caches()
    own = folder / f"{name}.py"
    if not own.is_file():
        module = importlib.import_module(name)
        _refuse_a_namesake(name, module, folder)
        return module
    spec = importlib.util.spec_from_file_location(f"own_{name}", own)  # the plain name could replace a module of Python
    if spec is None or spec.loader is None:
        raise ImportError(f"{own} is not a Python file")
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _refuse_a_namesake(name: str, module: ModuleType, folder: Path) -> None:
    """Raise ImportError if a package in the current folder is hidden by an installed one of the same name."""
    package = folder / name.partition(".")[0]
    found = Path(module.__file__ or "")
    if package.is_dir() and any(package.glob("**/*.py")) and not found.is_relative_to(folder):
        raise ImportError(f"{package} is hidden by the package of the same name in {found.parent}: rename it")


def _gradient(answer: Any, network: Layers, name: str) -> ParameterVector:
    """Return the function's result as a parameter vector. Raise InputError if it does not have the right form."""
    if not (isinstance(answer, Sequence) and len(answer) == 2):
        raise InputError(f"{name} returned {type(answer).__name__}; expected two lists of arrays, (dC_dW, dC_db)")
    gradient = ParameterVector.empty(network.sizes, np.float64)
    for letter, given, expected in zip("Wb", answer, (gradient.weights, gradient.biases), strict=True):
        if not isinstance(given, Sequence) or len(given) != len(expected):
            raise InputError(f"{name}: expected a list of {len(expected)} arrays dC_d{letter}, one for each layer")
        for number, (array, target) in enumerate(zip(given, expected, strict=True), 1):
            where = f"{name}: dC_d{letter} of layer {number}"
            try:
                found = np.asarray(array)
            except ValueError as error:  # a list of rows of different lengths
                raise InputError(f"{where} is not an array ({error})") from error
            if found.shape != target.shape:
                raise InputError(f"{where} has shape {found.shape}; expected {target.shape}")
            if found.dtype.kind not in "biuf":
                raise InputError(f"{where} has type {found.dtype}; expected real numbers")
            if not np.isfinite(found).all():
                raise InputError(f"{where} contains numbers that are not finite")
            target[...] = found
    return gradient
