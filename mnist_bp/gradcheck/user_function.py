"""User-defined backpropagation (``--function``), called in its own convention and wrapped for the gradient check."""

import io
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any, NamedTuple, TextIO

import numpy as np

from mnist_bp.core.activations import Array
from mnist_bp.core.network import Layers, backward, forward
from mnist_bp.core.parameters import ParameterVector
from mnist_bp.errors import InputError
from mnist_bp.gradcheck.answers import Answer, Misfit, read_answer
from mnist_bp.gradcheck.imported import import_object
from mnist_bp.gradcheck.layouts import BATCHES, EXAMPLES, WEIGHTS, Layout, layouts
from mnist_bp.gradcheck.signatures import Target, target_of

__all__ = ["Convention", "UserFunction", "load_function"]

AGREEMENT = 1 - 1e-9
"""Cosine of the angle between two gradients that differ by a factor, in float32 or better."""


class Convention(NamedTuple):
    """Signature and layouts with which a function is called, and the form of its result.

    ``signature`` and ``layout`` are values of the options of these names.
    """

    signature: str
    layout: str
    biases: str
    returns: str

    def __str__(self) -> str:
        examples, weights = self.layout.split(",")
        calls = "" if examples in BATCHES else ", one example a call"
        return (
            f"takes ({self.signature.replace(',', ', ')}); x and y as {examples} {EXAMPLES[examples]}{calls}; weights "
            f"{WEIGHTS[weights]}, biases {self.biases}; returns {self.returns}"
        )


class UserFunction:
    """A user's backpropagation as a function (network, X, Y) ↦ ∇C.

    Its convention is found on the first mini-batch: the first one in which it returns arrays of the right shapes, and
    preferably one in which they have the direction of the gradient. It receives copies of all arrays. Derivatives of a
    function that takes one example a call are averaged over the examples. What it prints goes to ``printed``. Default:
    standard error, because standard output may be reserved for JSON Lines, and nowhere while conventions are tried.

    Attributes
    ----------
    convention
        Convention of the function, known after the first call.
    habits
        Side effects that were observed: arguments that it changes, results that are views of other arrays.
    """

    def __init__(
        self,
        function: Any,
        name: str,
        *,
        method: str = "",
        signature: Sequence[str] = (),
        layout: Sequence[str] = (),
        printed: TextIO | None = None,
    ) -> None:
        self.name = name
        self.convention: Convention | None = None
        self.habits = dict[str, None]()  # a set in the order of insertion
        self._function, self._method, self._signature, self._wanted = function, method, signature, layout
        self._printed = printed
        self._found: tuple[Target, Layout] | None = None
        self._results: list[Array] = []

    def __call__(self, network: Layers, X: Array, Y: Array) -> ParameterVector:
        """Return the gradient. Raise InputError if the function fails, or returns something else."""
        target, layout = self._convention(network, X, Y)
        with redirect_stdout(self._printed or sys.stderr):
            answer = self._gradient(target, layout, network, X, Y)
        self.convention = Convention(",".join(target.roles), layout.words, layout.biases, answer.form)
        return answer.gradient

    def layout(self, network: Layers, X: Array, Y: Array) -> Layout:
        """Return the layout of its arguments. Raise InputError if there is none in which it works."""
        return self._convention(network, X, Y)[1]

    def _convention(self, network: Layers, X: Array, Y: Array) -> tuple[Target, Layout]:
        if self._found is None:
            self._found = self._detect(network, X, Y)
            self.habits.clear()  # those of wrong layouts
            self._results.clear()
        return self._found

    def _detect(self, network: Layers, X: Array, Y: Array) -> tuple[Target, Layout]:
        """Return the convention in which the function returns arrays of the right shapes."""
        n = next(n for n in range(3, len(network.sizes) + 4) if n not in network.sizes)  # no shape may be ambiguous
        X, Y = (np.resize(array, (n, array.shape[1])) for array in (X, Y))
        with _trial(self._printed or io.StringIO()):
            target = target_of(self._function, self._method, self.name, network.sizes, self._signature)
            right = backward(network, forward(network, X), Y)
            fitting: list[Layout] = []
            problem: InputError | None = None
            for layout in layouts(self._wanted, with_form=target.takes_parameters):
                if fitting and layout.examples not in BATCHES and fitting[0].examples in BATCHES:
                    break  # a wrong function of a mini-batch can be right for one example
                try:
                    found = self._gradient(target, layout, network, X, Y).gradient
                except _Raised as error:
                    problem = problem or error
                except Misfit as error:
                    problem = error if problem is None or isinstance(problem, _Raised) else problem
                except InputError:  # the shapes are right; the same error is raised again when it counts
                    fitting.append(layout)
                else:
                    if _cosine(found.vector, right.vector) > AGREEMENT:
                        return target, layout
                    fitting.append(layout)
        if not fitting:
            assert problem is not None
            raise problem
        return target, fitting[0]

    def _gradient(self, target: Target, layout: Layout, network: Layers, X: Array, Y: Array) -> Answer:
        """Return the mean of the results of all calls."""
        answers = [self._call(target, layout, network, x, y) for x, y in layout.calls(X, Y)]
        mean = np.mean([answer.gradient.vector for answer in answers], axis=0)
        return Answer(answers[0].gradient.like(mean), answers[0].form)

    def _call(self, target: Target, layout: Layout, network: Layers, x: Array, y: Array) -> Answer:
        values = {**layout.parameters(network), "x": x, "y": y}
        before = {name: array.copy() for name, array in _arrays(values)}
        try:
            result = target.call(values)
        except InputError:
            raise
        except (Exception, SystemExit) as error:
            raise _Raised(
                f"{self.name} raised {type(error).__name__}: {error}; it was called with "
                f"({', '.join(target.roles)}), {layout.words}; --debug shows where"
            ) from error
        answer = read_answer(result, layout, network.sizes, self.name)
        self._observe(values, before, result)
        return answer

    def _observe(self, values: dict[str, Any], before: dict[str, Array], result: Any) -> None:
        """Record whether the call changed an argument, or returned views of an argument or of an earlier result."""
        given = dict(_arrays(values))
        changed = [name for name, array in given.items() if not np.array_equal(array, before[name])]
        results = list(_flattened(result))
        known = [*given.values(), *self._results]
        is_view = any(np.may_share_memory(new, old) for new in results for old in known)
        self._results = results
        self.habits |= dict.fromkeys([f"changes {name} in place" for name in changed])
        self.habits |= {"returns views of its arguments or of earlier results": None} if is_view else {}


class _Raised(InputError):
    """Exception in the user's function."""


def load_function(name: str, *, signature: Sequence[str] = (), layout: Sequence[str] = ()) -> UserFunction:
    """Import ``module:name``, ``file.py:name`` or ``file.py:Class.method``: see ``import_object``.

    ``signature`` and ``layout`` are the words of these options. Default: detected.
    """
    found, method = import_object(name)
    return UserFunction(found, name, method=method, signature=signature, layout=layout)


@contextmanager
def _trial(printed: TextIO) -> Iterator[None]:
    """Redirect everything that is printed while conventions are tried, and ignore warnings."""
    with redirect_stdout(printed), redirect_stderr(printed), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with np.errstate(all="ignore"):
            yield


def _cosine(a: Array, b: Array) -> float:
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / lengths if lengths > 0 else 0.0


def _arrays(values: dict[str, Any]) -> Iterator[tuple[str, Array]]:
    """Yield the arrays of a call by name: x, y, W1, b1, …."""
    for name, value in values.items():
        if isinstance(value, np.ndarray):
            yield name, value


def _flattened(result: Any) -> Iterator[Array]:
    """Yield the arrays in nested lists, tuples and dictionaries."""
    if isinstance(result, np.ndarray) and result.dtype != object:
        yield result
    elif isinstance(result, dict):
        yield from _flattened(list(result.values()))
    elif isinstance(result, list | tuple | np.ndarray):
        for part in result:
            yield from _flattened(part)
