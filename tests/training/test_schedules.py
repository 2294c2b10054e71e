"""Schedules: their values at the corners, in between, and with few steps."""

import pytest

from mnist_bp.training.schedules import SCHEDULES

NUMBERS_OF_STEPS = [*range(1, 60), 3000]
"""Numbers of steps of short trainings and of a long one."""

ONE_CYCLE = {
    1: [0.0001],
    2: [0.8117637264392737, 0.0001],
    3: [0.9944159715712529, 0.4626886897114672, 0.0001],
    4: [0.04, 0.8117637264392737, 0.2831298246281768, 0.0001],
    7: [
        0.04, 0.9805566273349586, 0.9190521480406758, 0.6727152589579328, 0.35780043306381537, 0.09938325974711526,
        0.0001,
    ],
    10: [
        0.04, 0.52, 1.0, 0.9504893855078144, 0.8117637264392739, 0.6112993409314593, 0.38880065906854067,
        0.1883362735607262, 0.04961061449218561, 0.0001,
    ],
    20: [
        0.04, 0.1316718427000253, 0.3716718427000253, 0.6683281572999747, 0.9083281572999747, 1.0, 0.9874652096953027,
        0.9504893855078144, 0.8909266496598915, 0.8117637264392739, 0.7169701753718232, 0.6112993409314593, 0.50005,
        0.38880065906854067, 0.2831298246281768, 0.1883362735607262, 0.1091733503401085, 0.04961061449218561,
        0.012634790304697281, 0.0001,
    ],
}  # fmt: skip
"""Factors by the number of steps, recorded from PyTorch 2.13.0: ``OneCycleLR(optimizer, max_lr=1, total_steps=T,
pct_start=0.3, anneal_strategy="cos", cycle_momentum=False, div_factor=25, final_div_factor=400)``, float64."""

ONE_CYCLE_OF_1000 = {
    0: 0.04, 1: 0.04002649504216782, 150: 0.5225216681225469, 298: 0.9999735049578322, 299: 1.0,
    300: 0.9999949649995531, 650: 0.4978062371792592, 998: 0.00010503500044698621, 999: 0.0001,
}  # fmt: skip
"""Factors of some of 1,000 steps, by the number of finished steps, recorded likewise."""


def factors(name, steps):
    """Return the factor of each step."""
    return [SCHEDULES[name](step / steps, steps) for step in range(steps)]


def test_each_name_has_a_schedule():
    """All that can be chosen, and no others."""
    assert set(SCHEDULES) == {"constant", "step", "cosine", "one-cycle"}


@pytest.mark.parametrize("steps", [1, 2, 3, 3000])
def test_constant_stays(steps):
    """At 1."""
    assert factors("constant", steps) == [1] * steps


@pytest.mark.parametrize(
    ("steps", "tenths", "hundredths"), [(1, 1, 1), (2, 1, 2), (3, 2, 3), (4, 2, 3), (10, 5, 8), (1001, 501, 751)]
)
def test_step_falls_to_a_tenth_at_a_half_and_at_three_quarters(steps, tenths, hundredths):
    """The first step that has a half or three quarters of the steps before it gets the smaller factor."""
    expected = [1.0] * tenths + [0.1] * (hundredths - tenths) + [0.01] * (steps - hundredths)
    assert factors("step", steps) == expected


@pytest.mark.parametrize(
    ("steps", "expected"), [(1, [1]), (2, [1, 0.5]), (3, [1, 0.75, 0.25]), (4, [1, 0.853553391, 0.5, 0.146446609])]
)
def test_cosine_goes_from_1_to_0(steps, expected):
    """Half a cosine: (1 + cos πt) / 2. It would be 0 after the last step, as in PyTorch's ``CosineAnnealingLR``."""
    assert factors("cosine", steps) == pytest.approx(expected, rel=1e-8)
    assert SCHEDULES["cosine"](1, steps) == 0


@pytest.mark.parametrize("steps", ONE_CYCLE)
def test_one_cycle_is_pytorchs_also_with_few_steps(steps):
    """It ends at 0.0001 of the peak, however few steps there are."""
    assert factors("one-cycle", steps) == pytest.approx(ONE_CYCLE[steps], rel=1e-11)


def test_one_cycle_is_pytorchs_with_many_steps():
    """The first and the last ones, those at the peak, and the middles of the rise and of the fall."""
    all_factors = factors("one-cycle", 1000)
    found = {step: all_factors[step] for step in ONE_CYCLE_OF_1000}
    assert found == pytest.approx(ONE_CYCLE_OF_1000, rel=1e-11)


@pytest.mark.parametrize("name", [*SCHEDULES])
def test_the_rate_is_always_positive_and_never_above_the_one_that_was_asked_for(name):
    """At each step of a short or long training, the last one too."""
    for steps in NUMBERS_OF_STEPS:
        assert all(0 < factor <= 1 for factor in factors(name, steps)), steps


@pytest.mark.parametrize("name", [*SCHEDULES])
def test_after_its_peak_the_rate_never_rises(name):
    """And before it, it never falls: there is one peak."""
    for steps in NUMBERS_OF_STEPS:
        each = factors(name, steps)
        at = each.index(max(each))
        assert each[: at + 1] == sorted(each[: at + 1]), steps
        assert each[at:] == sorted(each[at:], reverse=True), steps
