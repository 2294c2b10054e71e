"""How the learning rate changes while a network trains. It needs no numpy, so that options are checked at once.

A schedule is a factor of the learning rate, from the share t of all steps that lies behind, 0 ≤ t < 1.
"""

from collections.abc import Callable
from math import cos, pi

from mnist_bp.core.choices import Registry

__all__ = ["CONSTANT", "SCHEDULES", "Schedule"]

Schedule = Callable[[float], float]
"""Fraction t of all steps behind ↦ factor of the learning rate."""

CONSTANT = "constant"
"""Name of the one schedule that does not depend on the number of epochs."""

WARM_UP = 0.3
"""The share of one-cycle in which the rate rises."""

START, END = 1 / 25, 1e-4
"""Where one-cycle starts and ends, of the learning rate."""


def constant(_: float) -> float:
    """The same from beginning to end."""
    return 1.0


def step(t: float) -> float:
    """A tenth after half of the steps, a hundredth after three quarters (He, Zhang, Ren and Sun 2016)."""
    return 1.0 if t < 1 / 2 else 0.1 if t < 3 / 4 else 0.01


def cosine(t: float) -> float:
    """Half a cosine, from 1 to 0 (Loshchilov and Hutter 2017, without restarts)."""
    return _along_cosine(1, 0, t)


def one_cycle(t: float) -> float:
    """Up along half a cosine, then down along another to next to nothing (Smith and Topin 2019).

    The learning rate is its peak. The momentum stays as it is.
    """
    if t < WARM_UP:
        return _along_cosine(START, 1, t / WARM_UP)
    return _along_cosine(1, END, (t - WARM_UP) / (1 - WARM_UP))


def _along_cosine(start: float, end: float, t: float) -> float:
    return end + (start - end) * (1 + cos(pi * t)) / 2


_BUILT_IN: dict[str, Schedule] = {CONSTANT: constant, "step": step, "cosine": cosine, "one-cycle": one_cycle}

SCHEDULES: Registry[Schedule] = Registry("schedule", tuple(_BUILT_IN), lambda: _BUILT_IN)
"""Schedules by name."""
