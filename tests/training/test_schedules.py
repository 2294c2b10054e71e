"""Schedules: what they are at their corners, and in between."""

from math import cos, pi

import pytest

from mnist_bp.training.schedules import SCHEDULES

BEFORE_1 = 1 - 1e-12
"""Fraction of the steps that is practically 1."""


def test_each_name_has_a_schedule():
    """All that can be chosen, and no others."""
    assert set(SCHEDULES) == {"constant", "step", "cosine", "one-cycle"}


@pytest.mark.parametrize("t", [0, 0.1, 0.5, BEFORE_1])
def test_constant_stays(t):
    """At 1."""
    assert SCHEDULES["constant"](t) == 1


@pytest.mark.parametrize(
    ("t", "factor"), [(0, 1), (0.499999, 1), (0.5, 0.1), (0.749999, 0.1), (0.75, 0.01), (BEFORE_1, 0.01)]
)
def test_step_falls_to_a_tenth_at_a_half_and_at_three_quarters(t, factor):
    """A tenth from the first step of the second half on."""
    assert SCHEDULES["step"](t) == factor


@pytest.mark.parametrize(("t", "factor"), [(0, 1), (1 / 3, 0.75), (0.5, 0.5), (2 / 3, 0.25), (BEFORE_1, 0)])
def test_cosine_goes_from_1_to_0(t, factor):
    """Half a cosine: (1 + cos πt) / 2."""
    assert SCHEDULES["cosine"](t) == pytest.approx(factor, abs=1e-12)


@pytest.mark.parametrize(
    ("t", "factor"),
    [
        (0, 0.04),  # a 25th
        (0.1, 0.04 + 0.96 * (1 - cos(pi / 3)) / 2),
        (0.15, (0.04 + 1) / 2),
        (0.3, 1),  # the peak, after three tenths
        (0.65, (1 + 1e-4) / 2),
        (BEFORE_1, 1e-4),
    ],
)
def test_one_cycle_rises_to_1_and_falls_to_next_to_nothing(t, factor):
    """Half a cosine up, half a cosine down."""
    assert SCHEDULES["one-cycle"](t) == pytest.approx(factor, rel=1e-9)


@pytest.mark.parametrize("name", [*SCHEDULES])
def test_the_rate_is_always_positive_and_never_above_the_one_that_was_asked_for(name):
    """At each step of a long training, the last one too."""
    factors = [SCHEDULES[name](step / 3000) for step in range(3000)]
    assert all(0 < factor <= 1 for factor in factors)


@pytest.mark.parametrize(("name", "peak"), [("step", 0), ("cosine", 0), ("one-cycle", 0.3)])
def test_after_its_peak_the_rate_never_rises(name, peak):
    """And before it, it never falls: there is one peak."""
    shares = [step / 1000 for step in range(1000)]
    factors = [SCHEDULES[name](t) for t in shares]
    at = shares.index(peak)
    assert factors[: at + 1] == sorted(factors[: at + 1])
    assert factors[at:] == sorted(factors[at:], reverse=True)
