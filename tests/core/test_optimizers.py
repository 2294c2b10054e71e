"""Optimizers: each against its formula, in plain numbers."""

from math import sqrt

import numpy as np
import pytest

from mnist_bp.core import optimizers
from mnist_bp.core.choices import OPTIMIZERS
from mnist_bp.core.optimizers import lerp_

NAMES = [*OPTIMIZERS]

START = [0.5, -2.0, 3.0]
GRADIENTS = [[0.1, -4.0, 0.0], [0.3, 2.0, 1e-5], [-0.2, 0.5, 0.0], [0.1, 8.0, -1e-5]]
RATES = [0.5, 0.5, 0.25, 0.125]
"""The learning rate of each step: a schedule may change it."""


def by_hand(step):
    """Each parameter by itself, in plain floats: ``step(p, g, η, memory)`` gives the next p."""
    ends = []
    for i, p in enumerate(START):
        memory = {}
        for gradient, rate in zip(GRADIENTS, RATES, strict=True):
            p = step(p, gradient[i], rate, memory)
        ends.append(p)
    return ends


def descent(p, g, η, _):
    """p ← p − η g."""
    return p - η * g


def rolling(p, g, η, memory):
    """v ← 0.9 v + g, p ← p − η v."""
    v = memory["v"] = 0.9 * memory.get("v", 0.0) + g
    return p - η * v


def looking_ahead(p, g, η, memory):
    """v ← 0.9 v + g, p ← p − η (g + 0.9 v)."""
    v = memory["v"] = 0.9 * memory.get("v", 0.0) + g
    return p - η * (g + 0.9 * v)


def adam(p, g, η, memory):
    """Algorithm 1 of Kingma and Ba 2015, line by line."""
    t = memory["t"] = memory.get("t", 0) + 1
    m = memory["m"] = 0.9 * memory.get("m", 0.0) + (1 - 0.9) * g
    v = memory["v"] = 0.999 * memory.get("v", 0.0) + (1 - 0.999) * g**2
    m_hat = m / (1 - 0.9**t)
    v_hat = v / (1 - 0.999**t)
    return p - η * m_hat / (sqrt(v_hat) + 1e-8)


def steps(name, parameters, optimizer=None, which=slice(None)):
    """Take these steps with an optimizer, and return it."""
    optimizer = optimizer or OPTIMIZERS[name](parameters)
    for gradient, rate in list(zip(GRADIENTS, RATES, strict=True))[which]:
        optimizer.step(parameters, np.array(gradient, parameters.dtype), rate)
    return optimizer


@pytest.mark.parametrize(
    ("name", "formula"), [("sgd", descent), ("momentum", rolling), ("nesterov", looking_ahead), ("adam", adam)]
)
def test_four_steps_by_hand(name, formula):
    """Four steps with other gradients and other rates are those of the formula, each parameter by itself."""
    parameters = np.array(START)
    steps(name, parameters)
    assert parameters.tolist() == pytest.approx(by_hand(formula), rel=1e-12)


def test_every_optimizer_has_been_looked_at():
    """There are no others than the four above."""
    assert set(OPTIMIZERS) == set(NAMES) == {"sgd", "momentum", "nesterov", "adam"}


def test_nesterov_is_the_look_ahead_of_the_paper():
    """v ← μ v − η f′(θ + μ v), θ ← θ + v: our parameters are where it looks, θ + μ v."""

    def slope(p):
        return p**3 + 2 * p - 1  # of p⁴/4 + p² − p

    η, μ = 0.05, 0.9
    ours = np.array([1.5])
    optimizer = OPTIMIZERS["nesterov"](ours)
    θ, v = 1.5, 0.0
    for _ in range(20):
        optimizer.step(ours, slope(ours), η)
        v = μ * v - η * slope(θ + μ * v)
        θ += v
        assert ours[0] == pytest.approx(θ + μ * v, rel=1e-10)


def test_momentum_gets_ten_times_as_far():
    """Under a gradient that stays the same, each step becomes 1 / (1 − μ) times as long."""
    parameters = np.zeros(1)
    optimizer = OPTIMIZERS["momentum"](parameters)
    for _ in range(300):
        before = parameters.copy()
        optimizer.step(parameters, np.ones(1), 0.1)
    assert (before - parameters).item() == pytest.approx(10 * 0.1)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_adams_first_step_is_as_long_as_the_rate_whatever_the_gradient(scale):
    """The means that start at 0 are corrected: η towards either side at once, where the gradient is not 0."""
    parameters = np.zeros(3)
    OPTIMIZERS["adam"](parameters).step(parameters, scale * np.array([2.0, -0.5, 0.0]), 0.01)
    assert parameters.tolist() == pytest.approx([-0.01, 0.01, 0], rel=1e-4)


def test_only_adam_shrinks_weights_directly():
    """For the others, the penalty on large weights is part of the gradient."""
    assert [name for name in NAMES if OPTIMIZERS[name](np.zeros(1)).decouples_l2] == ["adam"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_all_stays_in_place_and_in_its_dtype(name, dtype):
    """Parameters and state are the same arrays after the steps, of the same dtype, with other numbers in them."""
    parameters = np.array(START, dtype)
    optimizer = OPTIMIZERS[name](parameters)
    before = dict(optimizer.state)
    copies = {key: array.copy() for key, array in before.items()}
    steps(name, parameters, optimizer)
    assert parameters.dtype == dtype
    assert all(optimizer.state[key] is array for key, array in before.items())
    assert all(array.shape == () or array.dtype == dtype for array in before.values())
    assert not any(np.array_equal(array, copies[key]) for key, array in before.items())


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("sgd", {}),
        ("momentum", {"velocity": (np.float32, (3,))}),
        ("nesterov", {"velocity": (np.float32, (3,))}),
        ("adam", {"m": (np.float32, (3,)), "v": (np.float32, (3,)), "t": (np.int64, ())}),
    ],
)
def test_the_state_starts_at_0_under_the_names_that_checkpoints_have(name, state):
    """An old checkpoint can be restored: names, types and shapes are unchanged."""
    found = OPTIMIZERS[name](np.array(START, np.float32)).state
    assert {key: (array.dtype, array.shape) for key, array in found.items()} == state
    assert not any(array.any() for array in found.values())


@pytest.mark.parametrize("name", NAMES)
def test_the_state_is_all_that_it_remembers(name):
    """Another optimizer with this state and these parameters continues bit for bit."""
    at_once = np.array(START, np.float32)
    steps(name, at_once)
    first_half = np.array(START, np.float32)
    earlier = steps(name, first_half, which=slice(2))
    parameters = first_half.copy()
    later = OPTIMIZERS[name](parameters)
    for key, array in later.state.items():
        array[...] = earlier.state[key]
    steps(name, parameters, later, which=slice(2, None))
    assert parameters.tobytes() == at_once.tobytes()


@pytest.mark.parametrize("name", NAMES)
def test_many_parameters_are_moved_block_by_block(name, monkeypatch):
    """To the same bytes, in parameters and state, as few of them at once."""
    at_once, by_blocks = np.array(START, np.float32), np.array(START, np.float32)
    expected = steps(name, at_once).state
    monkeypatch.setattr(optimizers, "BLOCK", 2)
    found = steps(name, by_blocks).state
    assert by_blocks.tobytes() == at_once.tobytes()
    assert {key: array.tobytes() for key, array in found.items()} == {
        key: array.tobytes() for key, array in expected.items()
    }


def test_an_average_follows_block_by_block(monkeypatch):
    """Every part of it."""
    monkeypatch.setattr(optimizers, "BLOCK", 2)
    mean, value = np.zeros(5), np.arange(5.0)
    lerp_(mean, value, 0.25, np.empty(5))
    assert mean.tolist() == [0, 0.25, 0.5, 0.75, 1]
