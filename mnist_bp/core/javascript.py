"""JavaScript versions of the activations and costs, which the page (``mnist-bp page``) runs in a browser.

Each one computes the same as the Python function with which it is registered; a browser test compares the two. An
activation or a cost without one works everywhere else; ``mnist-bp page`` rejects it by name.
"""

from typing import Literal, NamedTuple

__all__ = ["ActivationJavaScript", "CostJavaScript", "per_neuron"]


class ActivationJavaScript(NamedTuple):
    """Source of σ and σ′ as JavaScript functions; argument and result are a layer's values, a ``Float64Array``.

    Attributes
    ----------
    f
        ``(z) => …``, which computes a = σ(z) of a layer.
    derivative
        ``(a) => …``, which computes σ′(z) from a. None if σ has no elementwise derivative.
    slope_note
        Sentence about σ′ that the page shows next to the rings around the neurons: "closed where …".
    """

    f: str
    derivative: str | None
    slope_note: str


def per_neuron(f: str, derivative: str, slope_note: str) -> ActivationJavaScript:
    """Return an elementwise activation from JavaScript expressions: ``f`` in terms of z, ``derivative`` of a."""
    return ActivationJavaScript(
        f"(layer) => layer.map((z) => {f})", f"(layer) => layer.map((a) => {derivative})", slope_note
    )


class CostJavaScript(NamedTuple):
    """Source of C_0 and its derivative as JavaScript functions of the output layer's values.

    In the formulas and notes, ``(L)`` stands for the number of the last layer, and ``$…$`` encloses a formula.

    Attributes
    ----------
    shares
        ``(z, a, y) => …``, which computes each output's contribution to C_0.
    derivative
        ``(a, y) => …``, which computes ∂C_0/∂a_j of each output, or ∂C_0/∂z_j if that is simpler.
    derivative_by
        Variable of ``derivative``, "a" or "z".
    formula, derivative_formula, wish_formula
        Formulas of C_0, ``derivative``, and −``derivative``. ``_t`` is the index of the correct output.
    cost_note
        Sentences below the table of outputs; ``{n}`` is their number.
    derivative_note
        Sentences about ``derivative``, where the backward pass starts.
    """

    shares: str
    derivative: str
    derivative_by: Literal["a", "z"]
    formula: str
    derivative_formula: str
    wish_formula: str
    cost_note: str
    derivative_note: str
