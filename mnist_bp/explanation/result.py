"""What there is to tell of one derivative: the parts of an explanation, as plain values."""

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
    """Which parameter: w_jk^(layer), layers counted from 1; or b_j^(layer), where k is None."""

    layer: int
    j: int
    k: int | None

    @property
    def name(self) -> str:
        """In the lesson's notation."""
        if self.k is None:
            return lesson_name(f"b{self.layer}", [self.j])
        return lesson_name(f"W{self.layer}", [self.j, self.k])


@dataclass(frozen=True)
class Factors:
    """∂C_0/∂w_jk = a_k σ′(z_j) ∂C_0/∂a_j, factor by factor.

    ``a_k`` is 1 for a bias. For a softmax output, which has no σ′ of its own, ``slope`` and ``dC_da`` are None, and
    ``dC_dz`` is a_j − y_j. ``product`` is what the factors make, ``backprop`` and ``complex_step`` are the witnesses.
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
    """One way on which a neuron influences the cost: through neuron ``to`` of the next layer.

    ``contribution`` is w σ′ ∂C_0/∂a of that neuron, its share of the sum.
    """

    to: int
    w: float
    slope: float | None
    dC_da: float | None
    dC_dz: float
    contribution: float


@dataclass(frozen=True)
class Paths:
    """∂C_0/∂a of one hidden neuron, the sum over its paths, in the order of the next layer's neurons."""

    layer: int
    neuron: int
    paths: list[Path]
    total: float


@dataclass(frozen=True)
class Nudge:
    """What the cost does when the weight grows by ``by``, beside what the derivative says."""

    by: float
    before: float
    after: float
    ratio: float
    derivative: float


@dataclass(frozen=True)
class Output:
    """One output neuron: what it is, what it should be, its share of the cost, and the nudge that it wants.

    ``nudge`` is −∂C_0/∂a_j = 2 (y_j − a_j); for a softmax, −∂C_0/∂z_j = y_j − a_j.
    """

    a: float
    y: float
    cost: float
    nudge: float


@dataclass(frozen=True)
class Sensitive:
    """A weight, its derivative, and how many times as sensitive it is as the least sensitive one that is told."""

    name: str
    derivative: float
    multiple: float


@dataclass(frozen=True)
class Pull:
    """An example of the mini-batch, and what it wants of the weight."""

    example: int
    label: int
    derivative: float
    share: float


@dataclass(frozen=True)
class MiniBatch:
    """The example among the others of its mini-batch, as far as this weight is concerned.

    ``up`` and ``down`` count the examples that want the weight larger and smaller; ``by_label`` is each label's mean
    derivative; ``pulls`` are the examples that pull hardest, with their share of all pulling; ``agreement`` is
    |Σ ∂C_i/∂w| / Σ |∂C_i/∂w|, 1 where all agree; ``cosine`` is the angle's between this example's gradient, all of its
    components, and the mean's.
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
    """A step along the mini-batch's gradient: the change in cost that it promises, −η |∇C|², and the one that came."""

    learning_rate: float
    promised: float
    came: float


@dataclass(frozen=True)
class Explanation:
    """All of it; ``asked`` is what the outputs together ask of each neuron of the layer before, −∂C_0/∂a_k."""

    cost: float
    outputs: list[Output]
    asked: list[float]
    factors: Factors
    paths: list[Paths]
    nudge: Nudge
    sensitive: list[Sensitive]
    norms: dict[str, float]
    batch: MiniBatch
    step: Step
