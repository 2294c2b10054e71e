"""Explanation of one derivative as plain values."""

from dataclasses import dataclass
from typing import NamedTuple

from mnist_bp.core.parameters import lesson_name

__all__ = [
    "Address",
    "Explanation",
    "Factors",
    "MiniBatch",
    "Nudge",
    "Output",
    "Path",
    "Paths",
    "Pull",
    "Sensitive",
    "Step",
]


class Address(NamedTuple):
    """Address of a parameter: w_jk^(layer), or b_j^(layer) if k is None. Layers count from 1."""

    layer: int
    j: int
    k: int | None

    @property
    def name(self) -> str:
        """Name of the parameter in the lesson's notation."""
        if self.k is None:
            return lesson_name(f"b{self.layer}", [self.j])
        return lesson_name(f"W{self.layer}", [self.j, self.k])


@dataclass(frozen=True)
class Factors:
    """Factors of ∂C_0/∂w_jk = a_k σ′(z_j) ∂C_0/∂a_j.

    ``a_k`` is 1 for a bias. For an output with a cross-entropy, whose σ′ cancels, ``slope`` and ``dC_da`` are None, and
    ``dC_dz`` is a_j − y_j. ``product`` is the product of the factors. ``backprop`` and ``complex_step`` are the values
    of backpropagation and of a complex step, for comparison.
    """

    name: str
    a_k: float
    slope: float | None
    dC_da: float | None
    dC_dz: float
    product: float
    backprop: float
    complex_step: float


@dataclass(frozen=True)
class Path:
    """Path by which a neuron influences the cost, through neuron ``to`` of the next layer.

    ``contribution`` is w σ′ ∂C_0/∂a of that neuron, one term of the sum.
    """

    to: int
    w: float
    slope: float | None
    dC_da: float | None
    dC_dz: float
    contribution: float


@dataclass(frozen=True)
class Paths:
    """Sum ∂C_0/∂a of one hidden neuron over its paths, in the order of the next layer's neurons."""

    layer: int
    neuron: int
    paths: list[Path]
    total: float


@dataclass(frozen=True)
class Nudge:
    """Change of the cost when the weight grows by ``by``, compared with the derivative."""

    by: float
    before: float
    after: float
    ratio: float
    derivative: float


@dataclass(frozen=True)
class Output:
    """Output neuron: its activation, its target, its contribution to the cost, and the nudge that lowers the cost.

    ``nudge`` is −∂C_0/∂a_j = 2 (y_j − a_j); with a cross-entropy, −∂C_0/∂z_j = y_j − a_j.
    """

    a: float
    y: float
    cost: float
    nudge: float


@dataclass(frozen=True)
class Sensitive:
    """A weight, its derivative, and the ratio of its sensitivity to that of the last weight in the ranking."""

    name: str
    derivative: float
    multiple: float


@dataclass(frozen=True)
class Pull:
    """An example of the mini-batch, its derivative by the weight, and its fraction of the sum of all |∂C_i/∂w|."""

    example: int
    label: int
    derivative: float
    share: float


@dataclass(frozen=True)
class MiniBatch:
    """Comparison of the example with the others of its mini-batch, with respect to this weight.

    ``up`` and ``down`` are the numbers of examples whose cost a larger or a smaller weight reduces. ``by_label`` is the
    mean derivative of each label. ``pulls`` are the examples with the largest derivatives. ``agreement`` is |Σ ∂C_i/∂w|
    / Σ |∂C_i/∂w|, which is 1 if all signs are equal. ``cosine`` is the cosine of the angle between the whole gradient
    of this example and that of the mini-batch.
    """

    examples: int
    mean: float
    up: int
    down: int
    by_label: dict[int, float]
    pulls: list[Pull]
    agreement: float
    cosine: float


@dataclass(frozen=True)
class Step:
    """Step along the mini-batch's gradient, with the predicted change in cost, −η |∇C|², and the actual one."""

    learning_rate: float
    promised: float
    came: float


@dataclass(frozen=True)
class Explanation:
    """Explanation of one derivative.

    ``asked`` is the requested change, −∂C_0/∂a_k, of each neuron in the layer before the outputs. ``pixels`` is
    ∂C_0/∂a_k of each pixel, in rows and columns of the image: where it is positive, a brighter pixel raises the cost.
    """

    cost: float
    outputs: list[Output]
    asked: list[float]
    pixels: list[list[float]]
    factors: Factors
    paths: list[Paths]
    nudge: Nudge
    sensitive: list[Sensitive]
    norms: dict[str, float]
    batch: MiniBatch
    step: Step
