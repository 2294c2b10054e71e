"""Penalty on weights, dropout and label smoothing: each against its formula."""

import numpy as np
import pytest

from mnist_bp.core.choices import COSTS
from mnist_bp.core.parameters import ParameterVector
from mnist_bp.core.regularization import (
    add_l2_gradient,
    draw_masks,
    l2_penalty,
    limit_norms,
    shrink_weights,
    smoothed_targets,
)
from mnist_bp.network import Network

SIZES = (5, 4, 3, 2)


@pytest.fixture
def network(rng):
    """A network in float64, its biases not 0."""
    made = Network(SIZES, rng=rng, dtype=np.float64)
    for b in made.biases:
        b[...] = rng.standard_normal(b.shape)
    return made


def masks(sizes=(50, 40, 30, 10), examples=200, *, rate=0.0, input_rate=0.0, seed=0, dtype=np.float64):
    """Masks for these layers."""
    rng = np.random.default_rng(seed)
    return draw_masks(sizes, examples, rate=rate, input_rate=input_rate, rng=rng, dtype=dtype)


# --- L2 --------------------------------------------------------------------------------------------------------------


def test_the_penalty_is_half_lambda_times_the_sum_of_the_squares_of_the_weights(network):
    """One by one, and no bias among them."""
    total = sum(float(w) ** 2 for W in network.weights for w in W.flat)
    assert float(l2_penalty(network, 0.3)) == pytest.approx(0.3 / 2 * total, rel=1e-12)
    for b in network.biases:
        b += 100
    assert float(l2_penalty(network, 0.3)) == pytest.approx(0.3 / 2 * total, rel=1e-12)


def test_the_penaltys_gradient_is_its_numerical_derivative(network):
    """λ w for a weight and 0 for a bias, by a nudge to either side of each parameter, on top of what is there."""
    λ, nudge = 0.3, 1e-3
    gradient = ParameterVector(SIZES, np.full(len(network.parameters), 7.0))
    add_l2_gradient(network, λ, gradient)
    for i, p in enumerate(network.parameters.tolist()):
        costs = []
        for moved in (p + nudge, p - nudge):
            network.parameters[i] = moved
            costs.append(float(l2_penalty(network, λ)))
        network.parameters[i] = p
        assert gradient.vector[i] - 7 == pytest.approx((costs[0] - costs[1]) / (2 * nudge), abs=1e-10)


def test_shrinking_takes_a_share_off_each_weight_and_no_bias(network):
    """w ← w − s w, in place."""
    weights, biases = [W.copy() for W in network.weights], [b.copy() for b in network.biases]
    shrink_weights(network, 0.25)
    for W, was in zip(network.weights, weights, strict=True):
        np.testing.assert_allclose(W, was - 0.25 * was, rtol=1e-14)
    for b, was in zip(network.biases, biases, strict=True):
        np.testing.assert_array_equal(b, was)


# --- dropout ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_that_are_too_long_are_scaled_to_the_limit_and_others_keep_every_bit(dtype, rng):
    """In every layer, the outputs included; directions and biases stay."""
    made = Network([9, 8, 7, 4], activation="relu", rng=rng, dtype=dtype)
    for l in made.W:
        made.W[l][0] *= 10
        made.W[l][1] *= 0.01
        made.W[l][2] = 0
    before = made.astype(dtype)

    limit_norms(made, 2.0)

    for l, W in made.W.items():
        lengths = np.linalg.norm(before.W[l], axis=1)
        is_long = lengths > 2
        assert is_long[0]
        np.testing.assert_allclose(np.linalg.norm(W, axis=1)[is_long], 2, rtol=1e-6)
        np.testing.assert_allclose(W[0] * (lengths[0] / 2), before.W[l][0], rtol=1e-5)
        assert (W[~is_long] == before.W[l][~is_long]).all()
        assert (made.b[l] == before.b[l]).all()


def test_there_is_a_mask_for_each_layer_but_the_last():
    """A mask has the shape of its activations. The input has one rate, the hidden layers another."""
    drawn = masks(rate=0.5, input_rate=0.2)
    assert {l: mask.shape for l, mask in drawn.items()} == {0: (200, 50), 1: (200, 40), 2: (200, 30)}
    shares = [float((mask == 0).mean()) for mask in drawn.values()]
    assert shares == pytest.approx([0.2, 0.5, 0.5], abs=0.03)


def test_nothing_dropped_is_no_mask():
    """A layer whose rate is 0 has none, which costs nothing."""
    assert masks() == {}
    assert list(masks(input_rate=0.2)) == [0]
    assert list(masks(rate=0.2)) == [1, 2]


@pytest.mark.parametrize("rate", [0.1, 0.25, 0.5, 0.9])
def test_what_is_kept_makes_up_for_what_is_dropped(rate):
    """Each factor is 0 or 1 / (1 − rate): the mean over many is 1, for each layer."""
    for mask in masks(examples=2000, rate=rate, input_rate=rate).values():
        kept = mask[mask > 0]
        np.testing.assert_allclose(kept, 1 / (1 - rate), rtol=1e-4)
        assert (mask == 0).mean() == pytest.approx(rate, abs=0.01)
        assert mask.mean() == pytest.approx(1, rel=0.06)


@pytest.mark.parametrize("rate", [1e-5, 0.1, 0.3, 0.99])
def test_the_expectation_is_exactly_1(rate):
    """The rate is rounded before the factor is made of it: steps kept of 65,536, times the factor, is 65,536."""
    (mask,) = masks((2000, 10), examples=500, input_rate=rate).values()
    kept_steps = 65_536 / mask.max()
    assert kept_steps == pytest.approx(round(kept_steps), rel=1e-12)
    assert 1 - kept_steps / 65_536 == pytest.approx(rate, abs=0.5 / 65_536 + 1e-12)


@pytest.mark.parametrize("rate", [1 - 1e-5, 1 - 1e-7, np.nextafter(1, 0)])
def test_a_rate_just_below_1_keeps_next_to_nothing(rate):
    """It is below 1, and so no error: one of 65,536 is kept, times as much."""
    (mask,) = masks((2000, 10), input_rate=rate).values()
    assert set(np.unique(mask)) == {0, 65_536}
    assert (mask == 0).mean() > 0.9999


def test_examples_and_neurons_are_dropped_independently():
    """Each example drops neurons of its own: no row or column of the mask is like another, none is dropped whole."""
    mask = masks(rate=0.5)[2]
    for rows in (mask, mask.T):
        assert len(np.unique(rows, axis=0)) == len(rows)
        assert (rows > 0).any(axis=1).all()


def test_the_same_random_numbers_give_the_same_masks():
    """And others give others."""
    one, again, other = (masks(rate=0.5, input_rate=0.2, seed=seed) for seed in (1, 1, 2))
    for i in range(3):
        np.testing.assert_array_equal(one[i], again[i])
        assert not np.array_equal(one[i], other[i])


def test_two_random_bytes_decide_on_each_activation():
    """The rate is a fraction of their 65,536 values, so that equal random bytes drop equal neurons in all versions.

    The 90 neurons of an example use 23 words of 8 bytes, the lowest bytes first; 4 bytes are left over.
    """
    random = np.random.default_rng(0).bit_generator.random_raw(200 * 23).reshape(200, 23, 1)
    drawn = (random >> np.array([0, 16, 32, 48], np.uint64) & np.uint64(0xFFFF)).reshape(200, 92)
    drawn_masks = masks((50, 40, 10), rate=0.25, input_rate=0.5)
    np.testing.assert_array_equal(drawn_masks[0] > 0, drawn[:, :50] >= 32_768)
    np.testing.assert_array_equal(drawn_masks[1] > 0, drawn[:, 50:90] >= 16_384)


@pytest.mark.parametrize("first", [0, 1, 60, 200])
def test_masks_of_some_examples_are_those_of_the_whole_mini_batch(first):
    """If the examples before them are drawn with the same generator, or skipped."""
    settings = {"rate": 0.5, "input_rate": 0.2, "dtype": np.float32}
    sizes, n = (50, 41, 30, 10), 200 - first
    whole = draw_masks(sizes, 200, rng=np.random.default_rng(0), **settings)
    rng = np.random.default_rng(0)
    draw_masks(sizes, first, rng=rng, **settings)
    continued = draw_masks(sizes, n, rng=rng, **settings)
    skipped = draw_masks(sizes, n, rng=np.random.default_rng(0), skip=first, **settings)
    for l, mask in whole.items():
        np.testing.assert_array_equal(continued[l], mask[first:])
        np.testing.assert_array_equal(skipped[l], mask[first:])


def test_masks_are_drawn_into_the_first_rows_of_arrays_that_are_given():
    """They are the same as without, and views."""
    out = {l: np.full((9, n), 7.0, np.float32) for l, n in enumerate((50, 41))}
    settings = {"rate": 0.5, "input_rate": 0.2, "dtype": np.float32}
    drawn = draw_masks((50, 41, 10), 6, rng=np.random.default_rng(0), out=out, **settings)
    expected = draw_masks((50, 41, 10), 6, rng=np.random.default_rng(0), **settings)
    for l, mask in expected.items():
        np.testing.assert_array_equal(out[l], np.vstack([mask, np.full((3, mask.shape[1]), 7)]))
        assert np.shares_memory(drawn[l], out[l])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_masks_have_the_dtype_asked_for(dtype):
    """Both dtypes drop the same neurons."""
    (mask,) = masks((50, 10), input_rate=0.3, dtype=dtype).values()
    assert mask.dtype == dtype
    np.testing.assert_array_equal(mask > 0, masks((50, 10), input_rate=0.3)[0] > 0)


# --- label smoothing -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("classes", [2, 10])
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
def test_smoothed_targets_by_hand(classes, smoothing):
    """(1 − s) + s / K at the label, s / K elsewhere; each row sums to 1."""
    targets = smoothed_targets(classes, smoothing, np.float64)
    for label in range(classes):
        wanted = [smoothing / classes] * classes
        wanted[label] += 1 - smoothing
        assert targets[label].tolist() == pytest.approx(wanted, rel=1e-15)
        assert targets[label].sum() == pytest.approx(1, rel=1e-15)


def test_without_smoothing_targets_are_one_hot_exactly():
    """In float32 too: 0 and 1, no dust."""
    np.testing.assert_array_equal(smoothed_targets(10, 0, np.float32), np.eye(10, dtype=np.float32))


def test_cross_entropy_with_smoothed_targets_is_the_papers_mixture():
    """(1 − s) H(one-hot, a) + s H(uniform, a): section 7 of Szegedy et al. 2016."""
    Z = np.array([[2.0, -1.0, 0.5]])
    A = np.exp(Z) / np.exp(Z).sum()
    cost = COSTS["cross-entropy"].per_example
    smoothed = cost(Z, A, smoothed_targets(3, 0.3, np.float64)[[1]])
    mixture = 0.7 * -np.log(A[0, 1]) + 0.3 * -np.log(A[0]).mean()
    assert smoothed.item() == pytest.approx(mixture, rel=1e-12)
