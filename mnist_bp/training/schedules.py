"""Learning-rate schedules. This module does not need numpy, so that options are checked fast.

A schedule is a function (t, T) ↦ factor of a step's learning rate. t is the fraction of the steps that are finished
before it, 0 ≤ t < 1, and T is the number of all steps: the last step has t = 1 − 1/T.
"""

from collections.abc import Callable
from math import cos, pi
from typing import TYPE_CHECKING

from mnist_bp.core.choices import Registry

if TYPE_CHECKING:
    from mnist_bp.training.settings import Settings

__all__ = ["CONSTANT", "SCHEDULES", "Schedule", "rates"]

Schedule = Callable[[float, int], float]
"""Function (fraction t of finished steps, number T of all steps) ↦ factor of the learning rate."""

CONSTANT = "constant"
"""Name of the only schedule that does not depend on the number of epochs."""

WARM_UP = 0.3
"""Fraction of the steps of one-cycle, including the step at the peak, during which the learning rate rises."""

START, END = 1 / 25, 1e-4
"""Factors of the learning rate at the first and at the last step of one-cycle."""


def constant(_t: float, _steps: int) -> float:
    """Return 1."""
    return 1.0


def step(t: float, _steps: int) -> float:
    """Return 1, then 0.1 from 1/2 of the steps on, then 0.01 from 3/4 on (He, Zhang, Ren and Sun 2016)."""
    return 1.0 if t < 1 / 2 else 0.1 if t < 3 / 4 else 0.01


def cosine(t: float, _steps: int) -> float:
    """Return half a cosine (Loshchilov and Hutter 2017, without restarts).

    It is 1 at the first step and would be 0 after the last one, like PyTorch's ``CosineAnnealingLR`` with ``T_max`` =
    T: a step with the rate 0 would be wasted.
    """
    return _along_cosine(1, 0, t)


def one_cycle(t: float, steps: int) -> float:
    """Return a factor that rises to 1 along half a cosine, then falls to 0.0001 along another (Smith and Topin 2019).

    The end is reached at the last step, also of a few. The factors are those of PyTorch's ``OneCycleLR`` with
    ``pct_start=0.3, div_factor=25, final_div_factor=400, cycle_momentum=False``: with fewer than 4 steps, the rise is
    left out, and a single step is the end. The momentum does not change.
    """
    peak, last = WARM_UP - 1 / steps, 1 - 1 / steps
    if t <= peak:
        return _along_cosine(START, 1, t / peak)
    return _along_cosine(1, END, (t - peak) / (last - peak))


def rates(schedule: Schedule, settings: "Settings", epoch: int, steps: int) -> list[float]:
    """Return the learning rate of each of the ``steps`` of an epoch, after ``epoch`` earlier epochs."""
    factors = (schedule((epoch + step / steps) / settings.epochs, settings.epochs * steps) for step in range(steps))
    return [settings.learning_rate * factor for factor in factors]


def _along_cosine(start: float, end: float, t: float) -> float:
    return end + (start - end) * (1 + cos(pi * t)) / 2


_BUILT_IN: dict[str, Schedule] = {CONSTANT: constant, "step": step, "cosine": cosine, "one-cycle": one_cycle}

SCHEDULES: Registry[Schedule] = Registry("schedule", tuple(_BUILT_IN), lambda: _BUILT_IN)
"""Schedules by name."""
