"""Exponential moving average (EMA) of the parameters. Polyak and Juditsky (1992) show the benefit of such averages."""

__all__ = ["ema_weight"]

EMA_INTERVAL = 10
"""Number of steps between two updates of the averaged parameters. Updates after every step would cost a wide network
about 10 % of its training time."""


def ema_weight(decay: float, step: int, epoch: int, steps_per_epoch: int) -> float:
    """Return the weight of the parameters in their EMA after a step: average ← (1 − weight) average + weight × them.

    The EMA is updated after every 10th step of an epoch and its last step; the weight of other steps is 0. k steps
    after the last update, it is 1 − d^k. After t steps, the decay d is at most (1 + t) / (10 + t), so that the initial
    weights are soon forgotten, as in TensorFlow's ExponentialMovingAverage.

    Parameters
    ----------
    decay
        Largest decay for each step.
    step, epoch
        Number of the step in its epoch, from 1, and number of epochs before.
    """
    if step % EMA_INTERVAL and step < steps_per_epoch:
        return 0.0
    k = (step - 1) % EMA_INTERVAL + 1
    t = epoch * steps_per_epoch + step
    d = min(decay, t / (9 + t))
    weight: float = 1 - d**k
    return weight
