"""Registry of known bugs in backpropagation: what to do about each, how it is planted, and how it is found.

It has two uses. The self-test shows that the gradient check catches each bug. The diagnosis names the bugs whose
gradient, planted in the same network, equals the user's gradient up to a factor.
"""

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

import numpy as np

from mnist_bp.gradcheck import planted_bugs as planted
from mnist_bp.gradcheck import variants
from mnist_bp.gradcheck.check import Backpropagation
from mnist_bp.gradcheck.steps import Slope, Steps
from mnist_bp.gradcheck.variants import Candidate, Evidence, Search

__all__ = ["KNOWN_BUGS", "Bug", "pairs_of_bugs", "single_bugs"]


class Bug(NamedTuple):
    """A known bug.

    Attributes
    ----------
    name
        Short description.
    advice
        Correction.
    gradient
        Backpropagation with this bug.
    search
        Variants to compare the user's gradient with. Default: ``gradient`` alone.
    pattern
        Words that identify the bug in the diagnosis, if the ratios of the entries show it without a comparison.
    """

    name: str
    advice: str
    gradient: Backpropagation
    search: Search | None = None
    pattern: str | None = None

    @property
    def sign(self) -> str:
        """Words of the diagnosis that identify the bug."""
        return self.pattern or self.name

    @property
    def sentence(self) -> str:
        """Sentence of the diagnosis, unless the variants have sentences of their own."""
        return f"{self.name}: {self.advice}"

    def candidates(self, evidence: Evidence) -> Iterator[Candidate]:
        """Yield the gradients that this bug can have on the mini-batch."""
        if self.search is not None:
            yield from self.search(evidence)
        elif self.pattern is None:
            gradient = self.gradient(evidence.network, evidence.X, evidence.Y)
            yield Candidate(self.sentence, gradient, evidence.network)


def _pattern(name: str, advice: str, change: planted.Change, pattern: str) -> Bug:
    """Return a bug that changes the right gradient, and that the diagnosis reads from the ratios of the entries."""
    return Bug(name, advice, planted.changed(change), pattern=pattern)


def _slope_bugs(name: str, slope: Slope, advice: str) -> list[Bug]:
    """Return the bugs that put ``slope`` in the place of σ′(z)."""
    return [
        Bug(f"{name} at the outputs", advice, Steps(output_slope=slope)),
        Bug(f"{name} in hidden layers", advice, Steps(hidden_slope=slope)),
        Bug(f"{name} everywhere", advice, Steps(output_slope=slope, hidden_slope=slope)),
    ]


KNOWN_BUGS: tuple[Bug, ...] = (
    *_slope_bugs(
        "σ′ is left out",
        planted.no_slope,
        "multiply ∂C/∂a by σ′(z); for a relu that is z > 0, while a >= 0 is always true",
    ),
    *_slope_bugs(
        "σ′(a) is used for σ′(z)",
        planted.slope_of_a,
        "give the weighted sums z to a function σ′(z), or compute a (1 − a) for a sigmoid",
    ),
    *_slope_bugs(
        "z (1 − z) is used for σ′(z)", planted.slope_formula_of_z, "a sigmoid's σ′ is a (1 − a), with a = σ(z)"
    ),
    *_slope_bugs("1 − a is used for σ′(z)", planted.one_minus_a, "a sigmoid's σ′ is a (1 − a), a tanh's 1 − a²"),
    Bug(
        variants.OTHER_SLOPE,
        "use the derivative of the activation of the forward pass",
        variants.gradient_with_another_slope,
        variants.gradients_with_other_slopes,
    ),
    Bug(
        "σ′ of the next layer is used in hidden layers",
        "∂C/∂z of layer l takes σ′(z) of layer l",
        Steps(hidden_slope=planted.slope_of_layer(1)),
    ),
    Bug(
        "σ′ of the layer before is used in hidden layers",
        "∂C/∂z of layer l takes σ′(z) of layer l",
        Steps(hidden_slope=planted.slope_of_layer(-1)),
    ),
    Bug(
        "the outputs' error is a − y",
        "that is ∂C/∂z of --cost binary-cross-entropy; with squared error it is 2 (a − y) σ′(z)",
        Steps(output_error=planted.error_of_cross_entropy),
    ),
    Bug(
        "the outputs' error is multiplied by a (1 − a) besides",
        "squared error needs σ′ once; cross-entropy needs none, because it cancels",
        Steps(output_error=planted.error_times_slope),
    ),
    Bug(
        variants.OTHER_FUNCTIONS,
        "check it with --activation and --cost",
        variants.gradient_of_another_activation,
        variants.gradients_of_other_functions,
    ),
    Bug(
        "the error is carried back without σ′",
        "multiply Wᵀ by ∂C/∂z = σ′(z) ∂C/∂a of the layer above, not by ∂C/∂a",
        Steps(carry_back=planted.carry_dC_dA),
    ),
    Bug(
        "W is transposed where it carries the error back",
        "∂C/∂a of the layer before is dC_dz @ W, or W.T @ dC_dz with columns",
        Steps(carry_back=planted.carry_by_transposed),
    ),
    Bug(
        variants.UPDATED,
        variants.WHOLE_GRADIENT_FIRST,
        Steps(carry_back=planted.carry_by_updated(0.5)),
        variants.gradients_by_updated_weights,
    ),
    Bug(
        "the activations of the layer itself are used for those of the layer before",
        "∂C/∂w_jk is a_k ∂C/∂z_j, with a_k from the layer before",
        Steps(inputs=planted.own_activations),
    ),
    Bug(
        "the forward pass leaves the biases out",
        "z is W a + b",
        Steps(forward=planted.forward_without_biases),
    ),
    Bug(
        "the images are transposed",
        "row r and column c of an image is x[:, 28 * r + c] with 28 columns",
        Steps(forward=planted.forward_of_transposed_images),
    ),
    Bug(
        "x is reshaped where it should be transposed",
        "use x.T; x.reshape mixes the examples",
        Steps(forward=planted.forward_of_reshaped_inputs),
    ),
    Bug(
        "the biases' derivatives are row sums of dC_dW",
        "sum ∂C/∂z over the examples: dC_dz.sum(axis=0)",
        Steps(biases=planted.row_sums),
    ),
    Bug(
        variants.ONE_NUMBER,
        variants.NEEDS_AXIS,
        Steps(biases=planted.one_number(np.sum)),
        variants.gradients_of_one_number,
    ),
    Bug(
        "the gradient is that of the last example alone",
        "add up the gradients of all examples",
        planted.last_example,
    ),
    Bug(
        "the biases' derivatives are those of the last example alone",
        "add up the derivatives of all examples",
        planted.biases_of_last_example,
    ),
    _pattern(
        "the factor 2 of the square dropped", "d/da (a − y)² is 2 (a − y), without a ½ in the cost",
        planted.times(1 / 2), "the factor 2 of the square dropped",
    ),
    _pattern(
        "no mean over the examples", "divide the gradient by the number of examples",
        planted.times(examples=1), "not divided by the",
    ),
    _pattern(
        "mean over the outputs", "the cost of an example is a sum over the outputs, not their mean",
        planted.times(outputs=-1), "averaged over the",
    ),
    _pattern(
        "wrong sign", "∂C/∂a has a − y, and not y − a; return ∇C, and not the step −∇C",
        planted.times(-1), "of the wrong sign",
    ),
    _pattern(
        "biases not averaged", "divide their derivatives by the number of examples",
        planted.times(examples=1, part="biases"), "not divided by the",
    ),
    _pattern(
        "biases averaged twice", "divide their derivatives by the number of examples once",
        planted.times(examples=-1, part="biases"), "examples twice",
    ),
    _pattern(
        "L2 on the biases", "the penalty belongs to the weights, and the checked cost has none",
        planted.decayed_biases, "L2 term",
    ),
    _pattern("L2 on the weights", "the checked cost has no penalty", planted.decayed_weights, "L2 term"),
    _pattern(
        "layer 1 too large by 3 %", "look at what this layer does differently",
        planted.times(1.03, part="layer 1"), "1.03 times too large",
    ),
    _pattern(
        "layer 1 too large by 0.05 %", "look at what this layer does differently",
        planted.times(1.0005, part="layer 1"), "1.0005 times too large",
    ),
    _pattern("one weight's derivative lost", "look at loops and slices", planted.zeroed, "is 0 instead of"),
    _pattern("one weight's derivative doubled", "look at loops and slices", planted.doubled, "is 2 times too large"),
    _pattern("two pixels' columns swapped", "look at the order of the inputs", planted.swapped, "are swapped"),
    _pattern("one bias's sign flipped", "look at loops and slices", planted.flipped, "is of the wrong sign"),
)  # fmt: skip
"""All known bugs, with large and small effects. The gradient check must catch each of them."""


def single_bugs(evidence: Evidence) -> Iterator[Candidate]:
    """Yield the gradients of all known bugs."""
    for bug in KNOWN_BUGS:
        yield from bug.candidates(evidence)


def pairs_of_bugs(evidence: Evidence) -> Iterator[Candidate]:
    """Yield the gradients of any two bugs that are in different steps of backpropagation."""
    network, X, Y = evidence.network, evidence.X, evidence.Y
    bugs = [(bug.sentence, bug.gradient) for bug in KNOWN_BUGS if isinstance(bug.gradient, Steps)]
    for (one, steps), (other, other_steps) in combinations(bugs, 2):
        if not steps.replaced.keys() & other_steps.replaced.keys():
            yield Candidate(f"{one}; and {other}", (steps | other_steps)(network, X, Y), network)
    for one, steps in bugs:
        if "carry_back" not in steps.replaced:
            for updated in variants.gradients_by_updated_weights(evidence, steps):
                yield updated._replace(sentence=f"{one}; and {updated.sentence}")
