"""JavaScript of the activations and costs, with which the page (``mnist-bp page``) computes in a browser.

Each text says the same as the Python function beside which it is registered; a browser test compares the two. An
activation or a cost without one works everywhere else, and ``mnist-bp page`` refuses it by name.
"""

from typing import Literal, NamedTuple

__all__ = ["ActivationJavaScript", "CostJavaScript", "per_neuron"]


class ActivationJavaScript(NamedTuple):
    """σ and σ′ as JavaScript functions of one layer's numbers, a ``Float64Array`` each.

    Attributes
    ----------
    f
        ``(z) => …``: a = σ(z) of a layer.
    derivative
        ``(a) => …``: σ′(z), in terms of a. None if σ has no elementwise derivative.
    slope_note
        Sentence about σ′ that the page shows next to the rings around the neurons: "closed where …".
    """

    f: str
    derivative: str | None
    slope_note: str


def per_neuron(f: str, derivative: str, slope_note: str) -> ActivationJavaScript:
    """Return an elementwise activation, given as JavaScript expressions: ``f`` in z, ``derivative`` in a."""
    return ActivationJavaScript(
        f"(layer) => layer.map((z) => {f})", f"(layer) => layer.map((a) => {derivative})", slope_note
    )


class CostJavaScript(NamedTuple):
    """C_0 and where backpropagation starts, as JavaScript functions of the output layer's numbers.

    In the formulas and notes, ``(L)`` stands for the number of the last layer and ``$…$`` encloses a formula.

    Attributes
    ----------
    shares
        ``(z, a, y) => …``: what each output contributes to C_0.
    derivative
        ``(a, y) => …``: ∂C_0/∂a_j of each output, or ∂C_0/∂z_j if that is what is simple.
    derivative_by
        "a" or "z", the variable of ``derivative``.
    is_square
        True if a share is the square of a distance; the page draws it as one.
    formula, share_formula, derivative_formula
        C_0 (``_t`` is the index of the wanted output), a share of it, and ``derivative``.
    cost_note
        Sentences below the table of outputs; ``{n}`` is their number.
    derivative_note
        Sentences about ``derivative``, where the backward pass starts.
    """

    shares: str
    derivative: str
    derivative_by: Literal["a", "z"]
    is_square: bool
    formula: str
    share_formula: str
    derivative_formula: str
    cost_note: str
    derivative_note: str
