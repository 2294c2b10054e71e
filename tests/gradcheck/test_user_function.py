"""Signatures and layouts of users' functions: each is found, printed, and checked correctly."""
# ruff: noqa: ARG002, ARG005, D102, D103, PLW0108

import re
import textwrap
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import mnist_bp
from mnist_bp import Network
from mnist_bp.errors import InputError
from mnist_bp.gradcheck.checker import Checker

SIZES = [6, 5, 4, 3]


def σ(z):
    return 1 / (1 + np.exp(-z))


def by_rows(weights, biases, x, y):
    """The convention of the manual."""
    a = [x]
    for W, b in zip(weights, biases, strict=True):
        a.append(σ(a[-1] @ W.T + b))
    dC_da, dW, db = 2 * (a[-1] - y) / len(x), [], []
    for W, out, before in zip(weights[::-1], a[:0:-1], a[-2::-1], strict=True):
        dC_dz = out * (1 - out) * dC_da
        dW.insert(0, dC_dz.T @ before)
        db.insert(0, dC_dz.sum(axis=0))
        dC_da = dC_dz @ W
    return dW, db


def in_another_order(x, y, weights, biases):
    return by_rows(weights, biases, x, y)


def of_unknown_names(first, second, third, fourth):
    return by_rows(first, second, third, fourth)


def with_more_options(weights, biases, x, y, rate=0.1, **more):
    return by_rows(weights, biases, x, y)


def by_columns(weights, biases, x, y):
    """Columns, with biases (n, 1)."""
    dW, db = by_rows(weights, [b[:, 0] for b in biases], x.T, y.T)
    assert x.shape[0] == SIZES[0]
    return dW, [b[:, None] for b in db]


def from_k_to_j(X, Y, W, b):
    """Weights (k, j)."""
    dW, db = by_rows([w.T for w in W], b, X, Y)
    return [w.T for w in dW], db


def biases_in_a_row(weights, biases, x, y):
    assert all(b.shape[0] == 1 for b in biases)
    dW, db = by_rows(weights, [b[0] for b in biases], x, y)
    return dW, [b[None] for b in db]


def one_vector(weights, biases, x, y):
    """One example a call, a vector."""
    assert x.ndim == 1
    return by_rows(weights, biases, x[None], y[None])


def b_first(weights, biases, x, y):
    return by_rows(weights, biases, x, y)[::-1]


def dictionaries(params, X, Y):
    """W1, b1, … by columns; activations are among the results."""
    L = len(params) // 2
    dW, db = by_columns(*([params[f"{name}{l}"] for l in range(1, L + 1)] for name in "Wb"), X, Y)
    grads = {f"d{name}{l}": array for name, arrays in (("W", dW), ("b", db)) for l, array in enumerate(arrays, 1)}
    return 0.5, grads | {"dA1": X}


def dictionary_of_lists(parameters, x, y):
    weights, biases = parameters
    return dict(zip(("nabla_w", "nabla_b"), by_rows(weights, biases, x, y), strict=True))


def pairs(network, images, labels):
    return list(zip(*by_rows(*zip(*network, strict=True), images, labels), strict=True))


def separate(x, y, w1, b1, w2, b2, w3, b3):
    dW, db = by_rows([w1, w2, w3], [b1, b2, b3], x, y)
    return tuple(array for pair in zip(dW, db, strict=True) for array in pair)


def with_cost(weights, biases, x, y):
    return np.float64(0.3), by_rows(weights, biases, x, y)


def three_results(weights, biases, x, y):
    return 0.3, *by_rows(weights, biases, x, y)


class Columns:
    """One example a call, as columns; (nabla_b, nabla_w). The parameters are attributes."""

    def __init__(self, sizes):
        self.weights = [np.zeros((n, m)) for m, n in pairwise(sizes)]
        self.biases = [np.zeros((n, 1)) for n in sizes[1:]]

    def backprop(self, x, y):
        assert x.shape == (SIZES[0], 1)
        dW, db = by_columns(self.weights, self.biases, x, y)
        return db, dW


class ByLayerSizes:
    """W1, b1, … are attributes, and the sizes are separate arguments."""

    def __init__(self, inputs, first, second, outputs):
        self.W1 = np.zeros((inputs, first))

    def backward(self, X, y):
        dW, db = from_k_to_j(X, y, [self.W1, self.W2, self.W3], [self.b1, self.b2, self.b3])
        return {f"{name}{l}": arrays[l - 1] for name, arrays in (("W", dW), ("b", db)) for l in (1, 2, 3)}


class WithParams:
    """A dictionary is the attribute."""

    def __init__(self):
        self.params = {}

    def gradients(self, x, t):
        weights, biases = ([self.params[f"{name}{l}"] for l in (1, 2, 3)] for name in "Wb")
        return by_rows(weights, biases, x, t)


def outcome(function, cost="squared-error", examples=5, **options):
    """Check a function on a small network."""
    rng = np.random.default_rng(0)
    network = Network(SIZES, cost=cost, rng=rng, dtype=np.float64)
    checker = Checker(("complex",), function=function, **options)
    return checker.run(network, rng.random((examples, SIZES[0])), rng.integers(SIZES[-1], size=examples))


@pytest.mark.parametrize(
    ("function", "signature", "layout", "biases", "returns"),
    [
        (by_rows, "weights,biases,x,y", "rows,jk", "(n,)", "(dC_dW, dC_db)"),
        (in_another_order, "x,y,weights,biases", "rows,jk", "(n,)", "(dC_dW, dC_db)"),
        (of_unknown_names, "weights,biases,x,y", "rows,jk", "(n,)", "(dC_dW, dC_db)"),
        (with_more_options, "weights,biases,x,y", "rows,jk", "(n,)", "(dC_dW, dC_db)"),
        (lambda *a: by_rows(*a), "weights,biases,x,y", "rows,jk", "(n,)", "(dC_dW, dC_db)"),
        (by_columns, "weights,biases,x,y", "columns,jk", "(n, 1)", "(dC_dW, dC_db)"),
        (from_k_to_j, "x,y,weights,biases", "rows,kj", "(n,)", "(dC_dW, dC_db)"),
        (biases_in_a_row, "weights,biases,x,y", "rows,jk", "(1, n)", "(dC_dW, dC_db)"),
        (one_vector, "weights,biases,x,y", "vector,jk", "(n,)", "(dC_dW, dC_db)"),
        (b_first, "weights,biases,x,y", "rows,jk", "(n,)", "(dC_db, dC_dW)"),
        (dictionaries, "parameters,x,y", "columns,jk", "(n, 1)", '(cost, {"dW1": …, "db1": …})'),
        (dictionary_of_lists, "parameters,x,y", "rows,jk", "(n,)", '{"nabla_w": …, "nabla_b": …}'),
        (pairs, "parameters,x,y", "rows,jk", "(n,)", "[(dC_dW1, dC_db1), …]"),
        (separate, "x,y,W1,b1,W2,b2,W3,b3", "rows,jk", "(n,)", "(dC_dW1, dC_db1, …)"),
        (with_cost, "weights,biases,x,y", "rows,jk", "(n,)", "(cost, (dC_dW, dC_db))"),
        (three_results, "weights,biases,x,y", "rows,jk", "(n,)", "(cost, (dC_dW, dC_db))"),
        (Columns, "x,y", "column,jk", "(n, 1)", "(dC_db, dC_dW)"),
        (Columns(SIZES).backprop, "x,y", "column,jk", "(n, 1)", "(dC_db, dC_dW)"),
        (ByLayerSizes, "x,y", "rows,kj", "(n,)", '{"W1": …, "b1": …}'),
        (WithParams, "x,y", "rows,jk", "(n,)", "(dC_dW, dC_db)"),
    ],
)
def test_each_convention_is_found_and_checked(function, signature, layout, biases, returns):
    """A right function passes in every convention, and the convention is known."""
    report = outcome(function)

    assert report.passed
    assert report.convention == (signature, layout, biases, returns)


@pytest.mark.parametrize("function", [by_rows, by_columns, from_k_to_j, one_vector, dictionaries, Columns])
def test_a_wrong_function_fails_in_every_convention(function):
    """Detection does not depend on a right gradient. Softmax and cross-entropy have another one."""
    report = outcome(function, cost="cross-entropy")

    assert report.outcome == "failed"
    assert report.convention == outcome(function).convention


@pytest.mark.parametrize(("function", "layout"), [(by_rows, "rows,jk"), (by_columns, "columns,jk")])
def test_a_function_of_a_mini_batch_is_not_called_with_single_examples(function, layout):
    """A bug that only a mini-batch shows, such as a bias without the mean, is not hidden."""

    def summed(weights, biases, x, y):
        dW, db = function(weights, biases, x, y)
        return dW, [b * (x.size // SIZES[0]) for b in db]

    report = outcome(summed)

    assert report.outcome == "failed"
    assert report.convention.layout == layout


@pytest.mark.parametrize("sizes", [[6, 4, 4, 4], [6, 6, 6]])
def test_sizes_that_are_equal_do_not_confuse_the_layout(sizes):
    """As many examples as inputs, and square matrices. If both layouts fit, the one in which the gradient is right."""
    rng = np.random.default_rng(1)
    network = Network(sizes, rng=rng, dtype=np.float64)
    for function, layout in ((by_rows, "rows,jk"), (from_k_to_j, "rows,kj")):
        report = Checker(("complex",), function=function).run(network, rng.random((6, 6)), np.arange(6) % sizes[-1])
        assert (report.outcome, report.convention.layout) == ("passed", layout)


def test_options_replace_the_detection():
    """--signature and --layout."""

    def strange(p, q, r, s):
        return by_rows(q, p, s, r)

    assert outcome(strange, signature=("biases", "weights", "y", "x"), layout=("rows",)).passed
    assert outcome(one_vector, layout=("vector",)).convention.layout == "vector,jk"
    with pytest.raises(InputError, match="raised AssertionError"):
        outcome(one_vector, layout=("rows", "jk"))


def test_side_effects_are_recorded():
    """Arguments that change, and results that are views; the gradient is still checked on copies."""
    buffers = [np.zeros((n, m)) for m, n in pairwise(SIZES)]

    def untidy(weights, biases, x, y):
        dW, db = by_rows(weights, biases, x, y)
        weights[1] += 1
        x *= 0
        for buffer, array in zip(buffers, dW, strict=True):
            buffer[...] = array
        return buffers, db

    report = outcome(untidy)

    assert report.passed
    assert set(report.habits) == {
        "changes x in place",
        "changes W2 in place",
        "returns views of its arguments or of earlier results",
    }
    assert outcome(by_rows).habits == ()


def two(first, second):
    """Unknown arguments."""


def five(weights, biases, x, y, rate):
    """An unknown argument besides."""


def with_cache(parameters, cache, X, Y):
    """Values of a forward pass that the check does not know."""


def one_number(weights, biases, x, y):
    dW, db = by_rows(weights, biases, x, y)
    return dW, [b.sum() for b in db]


def not_summed(weights, biases, x, y):
    dW, db = by_rows(weights, biases, x, y)
    return dW, [np.tile(b, (len(x), 1)) for b in db]


@pytest.mark.parametrize(
    ("function", "options", "said"),
    [
        (two, {}, r"takes \(first, second\); expected \(weights, biases, x, y\), \(parameters, x, y\), or a class"),
        (five, {}, r"takes \(weights, biases, x, y, rate\); expected "),
        (with_cache, {}, r"takes \(parameters, cache, X, Y\); expected "),
        (not_summed, {}, r"dC_db of layer 1 has shape \(3?\d, 5\); expected \(5,\) \(not summed over the examples\?\)"),
        (by_rows, {"signature": ("weight",)}, "--signature weight: expected weights, biases, x, y, parameters, W1"),
        (by_rows, {"layout": ("rows", "columns")}, "expected one layout of the examples and one of the weights"),
        (by_rows, {"layout": ("row", "ij")}, "--layout ij: expected rows, columns, column, vector, row, jk or kj"),
        (lambda weights, biases, x, y: {"a": 1}, {}, "returned a dict with the keys a; expected two lists"),
        (type("Empty", (), {}), {}, "is a Empty, not a function or a class with a method backprop"),
        (type("Bare", (), {"backprop": lambda self, x, y: None}), {}, "Bare has neither weights and biases nor W1"),
    ],
)
def test_a_wrong_signature_or_result_names_the_expected_one(function, options, said):
    """One line."""
    with pytest.raises(InputError, match=said) as raised:
        outcome(function, **options)

    assert len(str(raised.value)) < 220


NIELSENS_CONVENTION = """
import numpy as np

class Network:
    def __init__(self, sizes):
        self.weights = [np.random.randn(n, m) for m, n in zip(sizes, sizes[1:])]
        self.biases = [np.random.randn(n, 1) for n in sizes[1:]]

    def backprop(self, x, y):
        a = [x]
        for w, b in zip(self.weights, self.biases):
            a.append(1 / (1 + np.exp(-(w @ a[-1] + b))))
        delta, nabla_b, nabla_w = (a[-1] - y) * a[-1] * (1 - a[-1]), [], []
        for l in range(len(self.weights) - 1, -1, -1):
            nabla_b.insert(0, delta)
            nabla_w.insert(0, delta @ a[l].T)
            delta = self.weights[l].T @ delta * a[l] * (1 - a[l])
        return nabla_b, nabla_w
"""


def test_the_nine_lines_of_the_manual_check_nielsens_class(cli):
    """His class alone is called in its convention, and differs by the factor of its cost."""
    manual = (Path(mnist_bp.__file__).parent / "gradcheck" / "README.md").read_text(encoding="utf-8")
    lines = re.search(r"( {4}# nielsen.py.*?\n)\n(?=\S)", manual, re.DOTALL)[1]
    Path("network.py").write_text(NIELSENS_CONVENTION, encoding="utf-8")
    Path("nielsen.py").write_text(textwrap.dedent(lines), encoding="utf-8")
    options = ("--hidden", 4, "--examples", 3, "--method", "complex")

    alone = cli("gradcheck", "--function", "network.py:Network.backprop", *options)
    adapted = cli("gradcheck", "--function", "nielsen:backpropagate", *options)

    assert len([line for line in lines.splitlines() if line.strip()]) == 1 + 9
    assert alone.code == 1
    assert "takes (x, y); x and y as column (n, 1), one example a call; weights (j, k), biases (n, 1); " in alone.out
    assert adapted.code == 0
