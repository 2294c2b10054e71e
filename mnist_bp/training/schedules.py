"""Learning-rate schedules. This module does not need numpy, so that options are checked fast.

A schedule is a function from the fraction t of finished steps, 0 ≤ t < 1, to a factor of the learning rate.
"""

from collections.abc import Callable
from math import cos, pi

from mnist_bp.core.choices import Registry

__all__ = ["CONSTANT", "SCHEDULES", "Schedule"]

Schedule = Callable[[float], float]
"""Function (fraction t of finished steps) ↦ factor of the learning rate."""

CONSTANT = "constant"
"""Name of the only schedule that does not depend on the number of epochs."""

WARM_UP = 0.3
"""Fraction of one-cycle during which the learning rate rises."""

START, END = 1 / 25, 1e-4
"""Factors of the learning rate at the start and at the end of one-cycle."""


def constant(_: float) -> float:
    """Return 1."""
    return 1.0


def step(t: float) -> float:
    """Return 1, then 0.1 from 1/2 of the steps on, then 0.01 from 3/4 on (He, Zhang, Ren and Sun 2016)."""
    return 1.0 if t < 1 / 2 else 0.1 if t < 3 / 4 else 0.01


def cosine(t: float) -> float:
    """Return half a cosine, from 1 to 0 (Loshchilov and Hutter 2017, without restarts)."""
    return _along_cosine(1, 0, t)


def one_cycle(t: float) -> float:
    """Return a factor that rises to 1 along half a cosine, then falls to 0.0001 along another (Smith and Topin 2019).

    The momentum does not change.
    """
    if t < WARM_UP:
        return _along_cosine(START, 1, t / WARM_UP)
    return _along_cosine(1, END, (t - WARM_UP) / (1 - WARM_UP))


def _along_cosine(start: float, end: float, t: float) -> float:
    return end + (start - end) * (1 + cos(pi * t)) / 2


_BUILT_IN: dict[str, Schedule] = {CONSTANT: constant, "step": step, "cosine": cosine, "one-cycle": one_cycle}

SCHEDULES: Registry[Schedule] = Registry("schedule", tuple(_BUILT_IN), lambda: _BUILT_IN)
"""Schedules by name."""
