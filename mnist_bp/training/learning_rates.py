"""Default learning rates by activation, cost and optimizer."""

from mnist_bp.core.constants import MOMENTUM
from mnist_bp.errors import InputError

__all__ = ["LEARNING_RATES", "default_learning_rate"]

_SGD = {
    ("sigmoid", "squared-error"): 2.0,
    ("sigmoid", "cross-entropy"): 1.0,
    ("sigmoid", "binary-cross-entropy"): 1.5,
    ("tanh", "squared-error"): 0.5,
    ("tanh", "cross-entropy"): 0.2,
    ("tanh", "binary-cross-entropy"): 0.3,
    ("relu", "squared-error"): 0.5,
    ("relu", "cross-entropy"): 0.2,
    ("relu", "binary-cross-entropy"): 0.2,
    ("leaky-relu", "squared-error"): 0.5,
    ("leaky-relu", "cross-entropy"): 0.2,
    ("leaky-relu", "binary-cross-entropy"): 0.2,
}
"""Learning rates for SGD, chosen on a validation set of 10,000 training images (10 epochs, batches of 100). Each value
works for all hidden layers in 16,16 / 30 / 32,32,32 / 100 / 300,100 / 800 with a margin on both sides, rather than
being the best for one of them."""

_ADAM = 0.001
"""Learning rate for Adam (Kingma and Ba 2015)."""

LEARNING_RATES: dict[tuple[str, str, str], float] = {
    **{(*pair, "sgd"): rate for pair, rate in _SGD.items()},
    # The effective step of momentum is 1 / (1 − μ) = 10 times the learning rate.
    **{(*pair, "momentum"): rate * (1 - MOMENTUM) for pair, rate in _SGD.items()},
    **{(*pair, "nesterov"): rate * (1 - MOMENTUM) for pair, rate in _SGD.items()},
    **{(*pair, "adam"): _ADAM for pair in _SGD},
}
"""Learning rate by (activation, cost, optimizer)."""


def default_learning_rate(activation: str, cost: str, optimizer: str = "sgd", momentum: float | None = None) -> float:
    """Return the default learning rate, which works for every width. Raise InputError if there is none.

    With another ``momentum`` μ than 0.9, it is scaled by (1 − μ) / 0.1: the effective step, rate / (1 − μ), stays.
    """
    try:
        rate = LEARNING_RATES[activation, cost, optimizer]
        return rate if momentum is None else rate * ((1 - momentum) / (1 - MOMENTUM))
    except KeyError:
        raise InputError(
            f"no default learning rate for {activation}, {cost} and {optimizer}: set one with --learning-rate"
        ) from None
