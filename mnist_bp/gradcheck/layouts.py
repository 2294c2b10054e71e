"""Layouts in which users' functions take the parameters and the examples."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, NamedTuple

from mnist_bp.core.activations import Array
from mnist_bp.core.network import Layers
from mnist_bp.errors import InputError

__all__ = ["BATCHES", "EXAMPLES", "SINGLE", "WEIGHTS", "Layout", "layouts"]

BATCHES = {"rows": "(examples, n)", "columns": "(n, examples)"}
"""Layouts of x and y in a function that takes all examples at once, with the shape of the arrays."""

SINGLE = {"column": "(n, 1)", "vector": "(n,)", "row": "(1, n)"}
"""Layouts of x and y in a function that takes one example a call."""

EXAMPLES = BATCHES | SINGLE

WEIGHTS = {"jk": "(j, k)", "kj": "(k, j)"}
"""Index of the weight to neuron j from neuron k."""

BIASES = {"rows": ("(n,)", "(1, n)", "(n, 1)"), "row": ("(n,)", "(1, n)", "(n, 1)"), "vector": ("(n,)",)}
"""Shapes of a bias array that are tried with a layout of the examples. Columns begin with (n, 1)."""

COLUMN_BIASES = ("(n, 1)", "(n,)", "(1, n)")

FORMS = ("dict", "lists", "pairs")
"""Forms of a single argument ``parameters``: {"W1": …, "b1": …}, (weights, biases), or [(W1, b1), …]."""


class Layout(NamedTuple):
    """Layout of examples (a key of ``EXAMPLES``), weights (of ``WEIGHTS``), bias arrays and ``parameters``."""

    examples: str = "rows"
    weights: str = "jk"
    biases: str = "(n,)"
    form: str = "dict"

    @property
    def words(self) -> str:
        """Value of ``--layout`` that selects this layout."""
        return f"{self.examples},{self.weights}"

    def weight(self, W: Array) -> Array:
        """Return a copy of W, (n_l, n_{l−1}), in this layout, or the inverse."""
        return (W.T if self.weights == "kj" else W).copy()

    def parameters(self, network: Layers) -> dict[str, Any]:
        """Return copies of the weights and biases under each name that an argument can have."""
        W = [self.weight(array) for array in network.W.values()]
        shape: Any = {"(n,)": -1, "(n, 1)": (-1, 1), "(1, n)": (1, -1)}[self.biases]
        b = [array.reshape(shape).copy() for array in network.b.values()]
        named = {f"{name}{l}": arrays[l - 1] for l in network.W for name, arrays in (("W", W), ("b", b))}
        together = {"dict": named, "lists": (W, b), "pairs": list(zip(W, b, strict=True))}[self.form]
        return {"weights": W, "biases": b, "parameters": together, **named}

    def calls(self, X: Array, Y: Array) -> Iterator[tuple[Array, Array]]:
        """Yield copies of x and y for each call: all examples at once, or one after the other."""
        if self.examples in BATCHES:
            yield (X.copy(), Y.copy()) if self.examples == "rows" else (X.T.copy(), Y.T.copy())
            return
        shape: Any = {"column": (-1, 1), "vector": -1, "row": (1, -1)}[self.examples]
        for x, y in zip(X, Y, strict=True):
            yield x.reshape(shape).copy(), y.reshape(shape).copy()


def layouts(wanted: Sequence[str] = (), *, with_form: bool = False) -> list[Layout]:
    """Return the layouts to try, the usual ones first, that agree with the words of ``--layout``.

    Layouts with one example a call are last. Those of a row are tried only if wanted. ``with_form``: vary the form of
    the argument ``parameters``.

    Raises
    ------
    InputError
        If a word is unknown, or two contradict each other.
    """
    if unknown := [word for word in wanted if word not in EXAMPLES | WEIGHTS]:
        raise InputError(f"--layout {unknown[0]}: expected {', '.join(EXAMPLES)}, jk or kj, like columns,kj")
    examples, weights = ([word for word in wanted if word in known] for known in (EXAMPLES, WEIGHTS))
    if len(examples) > 1 or len(weights) > 1:
        raise InputError(f"--layout {','.join(wanted)}: expected one layout of the examples and one of the weights")
    return [
        Layout(each, weight, biases, form)
        for each in examples or ("rows", "columns", "column", "vector")
        for weight, biases, form in product(
            weights or WEIGHTS, BIASES.get(each, COLUMN_BIASES), FORMS if with_form else FORMS[:1]
        )
    ]
