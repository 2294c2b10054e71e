"""Augmentation: the results are small, smooth transformations of the images, and reproducible."""

import itertools
import math
from functools import partial

import numpy as np
import pytest

from mnist_bp.data import augment
from mnist_bp.data.augment import BilinearSampler, elastic_patterns
from mnist_bp.data.batches import normalize
from mnist_bp.data.choices import AUGMENTATIONS
from mnist_bp.data.synthetic import digits as draw_digits
from mnist_bp.errors import InputError

KINDS = ["shift", "affine", "elastic"]
SHAPES = [(28, 28), (27, 28), (12, 31), (5, 4), (1, 9), (1, 1)]
CASES = [
    (kind, shape, (np.float32, np.float64)[(i + j) % 2])
    for i, kind in enumerate(KINDS)
    for j, shape in enumerate(SHAPES)
]
"""Each kind with each shape, and both with each precision."""


@pytest.fixture(scope="module")
def digits():
    """Images, (200, 784), and labels, (200,)."""
    images, labels = draw_digits(200, seed=0, split="train")
    return images.reshape(200, -1), labels


def noise(n, shape):
    """n images of random grey levels, (n, pixels)."""
    return np.random.default_rng(9).integers(0, 256, (n, math.prod(shape)), dtype=np.uint8)


def distorted(images, kind, shape, *, seed=0, strength=1.0, dtype=np.float32):
    """Return augmented copies of images, as one mini-batch."""
    augmentation = AUGMENTATIONS[kind](shape, strength, dtype)
    return augmentation.apply(images, augmentation.draw(len(images), np.random.default_rng(seed)))


def look_up(image, row, column):
    """The grey of one image, (rows, columns), between its pixels; 0 outside."""

    def pixel(r, c):
        return image[r, c] if 0 <= r < image.shape[0] and 0 <= c < image.shape[1] else 0.0

    top, left = math.floor(row), math.floor(column)
    down, across = row - top, column - left
    return (
        pixel(top, left) * (1 - down) * (1 - across)
        + pixel(top, left + 1) * (1 - down) * across
        + pixel(top + 1, left) * down * (1 - across)
        + pixel(top + 1, left + 1) * down * across
    )


def sampled(images, shape, places):
    """Return samples of images, (n, pixels), at places, (2, n, pixels), in float64."""
    out = np.empty(images.shape)
    BilinearSampler(shape, len(images), np.float64)(images, places.copy(), out)
    return out


# --- looking up ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
def test_a_sample_is_what_a_loop_over_pixels_finds(shape):
    """Three images, each at places of its own, inside, across the edges and outside."""
    rng = np.random.default_rng(1)
    images = rng.random((3, math.prod(shape)))
    places = np.stack([rng.uniform(-3, size + 2, images.shape) for size in shape])

    found = sampled(images, shape, places)

    for image, rows, columns, row_of_out in zip(images, *places, found, strict=True):
        expected = [look_up(image.reshape(shape), r, c) for r, c in zip(rows, columns, strict=True)]
        np.testing.assert_allclose(row_of_out, expected, atol=1e-12)


def test_a_quarter_turn_is_a_quarter_turn():
    """Places turned by 90° about the centre give numpy's rot90, to the pixel."""
    images = np.random.default_rng(1).random((2, 49))
    row, column = np.indices((7, 7)).reshape(2, 1, -1).repeat(2, axis=1)
    found = sampled(images, (7, 7), np.stack([column, 6 - row]).astype(float))
    np.testing.assert_array_equal(found, np.rot90(images.reshape(2, 7, 7), axes=(1, 2)).reshape(2, -1))


@pytest.mark.parametrize("far", [1e3, 1e9, 1e30])
def test_far_outside_is_black(far):
    """However far, in each direction."""
    images = np.ones((4, 30))
    places = np.zeros((2, 4, 30))
    places[0, 0], places[0, 1], places[1, 2], places[1, 3] = far, -far, far, -far
    assert not sampled(images, (6, 5), places).any()


def test_white_fades_out_over_one_pixel():
    """The edge pixel itself is white, half a pixel beyond it is grey, a whole one is black."""
    rows = np.array([[5, 5.5, 6, 6.5, 0, -0.5, -1, -1.5] + [3] * 22])
    found = sampled(np.ones((1, 30)), (6, 5), np.stack([rows, np.full((1, 30), 2.0)]))
    np.testing.assert_array_equal(found[0], [1, 0.5, 0, 0, 1, 0.5, 0, 0] + [1] * 22)


# --- the maps --------------------------------------------------------------------------------------------------------


@pytest.fixture
def places(monkeypatch):
    """Return the displacements of an augmentation, (2, n, rows, columns), in pixels: rows, then columns."""

    def drawn(kind, n=1000, shape=(28, 28), **settings):
        seen = []
        original = BilinearSampler.__call__

        def spy(self, images, places, out):
            seen.append(places.copy())
            original(self, images, places, out)

        with monkeypatch.context() as patch:
            patch.setattr(BilinearSampler, "__call__", spy)
            distorted(np.zeros((n, math.prod(shape)), np.uint8), kind, shape, dtype=np.float64, **settings)
        return np.concatenate(seen, axis=1).reshape(2, n, *shape) - np.indices(shape)[:, np.newaxis]

    return drawn


def matrices(displacements):
    """Linear part, (n, 2, 2), and shift of the centre, (n, 2), of affine maps' displacements, from three corners."""
    rows, columns = displacements.shape[2:]
    down = (displacements[:, :, -1, 0] - displacements[:, :, 0, 0]) / (rows - 1)
    across = (displacements[:, :, 0, -1] - displacements[:, :, 0, 0]) / (columns - 1)
    centre = (displacements[:, :, 0, 0] + displacements[:, :, -1, -1]) / 2
    return np.stack([down, across], axis=-1).swapaxes(0, 1) + np.eye(2), centre.T


def test_a_shift_moves_all_pixels_alike(places):
    """Up to 2 pixels in each direction, evenly, rows and columns independent."""
    moved = places("shift")
    first = moved[:, :, :1, :1]
    np.testing.assert_allclose(moved - first, 0, atol=1e-12)
    assert 1.99 < np.abs(first).max() <= 2
    np.testing.assert_allclose(first.std(axis=1).ravel(), 2 / math.sqrt(3), rtol=0.05)
    assert abs(np.corrcoef(first.reshape(2, -1))[0, 1]) < 0.1


@pytest.mark.parametrize("shape", [(28, 28), (28, 40)])
def test_an_affine_map_is_affine_and_within_its_bounds(places, shape):
    """Taken apart into rotation, stretch and slant, each spans its interval and does not leave it."""
    moved = places("affine", shape=shape)
    maps, shifts = matrices(moved)

    from_centre = np.indices(shape) - (np.array(shape).reshape(2, 1, 1) - 1) / 2
    expected = np.einsum("nij,jrc->inrc", maps, from_centre) + shifts.T[:, :, np.newaxis, np.newaxis]
    np.testing.assert_allclose(moved + from_centre[:, np.newaxis], expected, atol=1e-9)

    # A = R(θ) · [[1, 0], [slant, 1]] · diag(height, width): the second column of A is R's, times width
    θ = np.arctan2(-maps[:, 0, 1], maps[:, 1, 1])
    turned_back = np.stack([[np.cos(θ), np.sin(θ)], [-np.sin(θ), np.cos(θ)]]).transpose(2, 0, 1) @ maps
    height, width, slant = turned_back[:, 0, 0], turned_back[:, 1, 1], turned_back[:, 1, 0] / turned_back[:, 0, 0]
    drawn = np.stack([np.rad2deg(θ), np.log(height), np.log(width), slant, *shifts.T])
    for values, bound in zip(drawn, [12, math.log(1.13), math.log(1.13), 0.15, 1.5, 1.5], strict=True):
        assert 0.99 * bound < np.abs(values).max() <= bound * (1 + 1e-9)
        np.testing.assert_allclose(values.std(), bound / math.sqrt(3), rtol=0.06)
        assert abs(values.mean()) < 0.06 * bound
    np.testing.assert_allclose(np.corrcoef(drawn), np.eye(6), atol=0.12)


def test_the_elastic_field_has_the_covariance_of_smoothed_noise():
    """But for 0.1 % of the variance: Simard's field is noise convolved with a Gaussian, summed here over its kernel."""
    reach = np.arange(-40, 41)
    kernel = np.exp(-(reach**2) / (2 * 5.5**2))
    kernel /= kernel.sum()
    spread = np.correlate(kernel, kernel, "full")[len(kernel) - 1 :][:28]  # of one axis, by distance
    distance = np.abs(np.arange(28)[:, np.newaxis] - np.arange(28))
    expected = 34**2 / 3 * np.kron(spread[distance], spread[distance])

    patterns = elastic_patterns((28, 28))

    np.testing.assert_allclose(patterns.T @ patterns, expected, atol=0.01)
    assert expected[0, 0] == pytest.approx(1.007**2, rel=1e-3)
    assert np.trace(patterns.T @ patterns) > 0.999 * np.trace(expected)
    assert len(patterns) < 30


def test_the_elastic_displacements_follow_the_gaussian_theory(places, replace_entry):
    """As drawn: standard deviation 1.0 everywhere, corners too; correlation exp(−d² / 4σ²); axes apart; normal."""
    replace_entry(AUGMENTATIONS, "elastic", partial(augment._Geometric, shift=0.0, is_elastic=True))
    field = places("elastic", n=2000)

    np.testing.assert_allclose(field.std(axis=1), 1.007, atol=0.08)
    np.testing.assert_allclose(field.mean(axis=1), 0, atol=0.1)
    for d in (1, 4, 8, 16, 27):
        down, across = field[:, :, 0] * field[:, :, d], field[..., 0] * field[..., d]
        correlation = np.array([down.mean(), across.mean()]) / 1.007**2
        np.testing.assert_allclose(correlation, math.exp(-(d**2) / (4 * 5.5**2)), atol=0.05)
    assert abs((field[0] * field[1]).mean()) < 0.03
    assert (np.abs(field) > 2 * 1.007).mean() == pytest.approx(0.0455, abs=0.003)


def test_elastic_is_an_affine_map_and_a_field(places):
    """Their variances add up: at the centre, that of the shift and that of the field."""
    centre = places("elastic", n=2000, shape=(29, 29))[:, :, 14, 14] * 28 / 29
    np.testing.assert_allclose(centre.var(axis=1), 1.5**2 / 3 + 1.007**2, rtol=0.07)


@pytest.mark.parametrize("kind", ["shift", "elastic"])
def test_distortions_grow_with_the_image(places, kind):
    """An image of twice the size is displaced by twice the pixels."""
    small, large = places(kind, n=500), places(kind, n=500, shape=(56, 56))
    assert large.std() / small.std() == pytest.approx(2, rel=0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_half_the_strength_is_about_half_the_displacement(places, kind):
    """The one factor scales everything that a kind does; here of the same draws."""
    whole, half = places(kind, n=300), places(kind, n=300, strength=0.5)
    np.testing.assert_allclose(half, whole / 2, atol=0.5)
    assert half.std() / whole.std() == pytest.approx(0.5, rel=0.02)


# --- what comes out --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "shape", "dtype"), CASES)
def test_no_strength_is_no_change(kind, shape, dtype):
    """Exactly the scaled images, whatever their shape."""
    images = noise(130, shape)
    out = distorted(images, kind, shape, strength=0, dtype=dtype)
    assert out.dtype == dtype
    np.testing.assert_array_equal(out, normalize(images, dtype))


@pytest.mark.parametrize(("kind", "shape", "dtype"), CASES)
def test_grey_levels_stay_from_0_to_1(kind, shape, dtype):
    """It holds for the largest strength, too, and for any shape."""
    for strength in (1, 10):
        out = distorted(noise(130, shape) | 0xF0, kind, shape, strength=strength, dtype=dtype)
        assert out.dtype == dtype
        assert out.shape == (130, math.prod(shape))
        assert out.min() >= 0
        assert out.max() <= 1


@pytest.mark.parametrize("kind", KINDS)
def test_both_precisions_draw_the_same(digits, kind):
    """float32 and float64 give the same augmented digits."""
    single, double = (distorted(digits[0], kind, (28, 28), dtype=dtype) for dtype in (np.float32, np.float64))
    np.testing.assert_allclose(single, double, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_ink_is_roughly_preserved(digits, kind):
    """No digit loses or gains much of its ink, and on average hardly any does."""
    images = normalize(digits[0], np.float32)
    change = distorted(digits[0], kind, (28, 28)).sum(axis=1) / images.sum(axis=1)
    assert 0.5 < change.min() < change.max() < 1.7
    assert change.mean() == pytest.approx(1, abs=0.04)


@pytest.mark.parametrize("kind", KINDS)
def test_every_image_is_distorted_in_its_own_way(kind):
    """Copies of one image, in one batch, become as many images."""
    out = distorted(np.repeat(noise(1, (28, 28)), 150, axis=0), kind, (28, 28))
    assert len(np.unique(out, axis=0)) == 150


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(digits, kind):
    """A mini-batch can be repeated; no two are alike."""
    one, repeated, other = (distorted(digits[0], kind, (28, 28), seed=seed) for seed in (1, 1, 2))
    assert one.tobytes() == repeated.tobytes()
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_images_are_augmented_alone_as_they_are_with_the_others(kind, dtype):
    """The random numbers are drawn for all of them; the matrix product may round differently for fewer images."""
    images, tolerance = noise(230, (28, 28)), 1e3 * np.finfo(dtype).eps
    augmentation = AUGMENTATIONS[kind]((28, 28), 1.0, dtype)
    drawn = augmentation.draw(230, np.random.default_rng(0))
    whole = augmentation.apply(images, drawn)
    for part in (slice(0, 1), slice(7, 110), slice(200, 230), slice(50, 50)):
        np.testing.assert_allclose(augmentation.apply(images[part], drawn[part]), whole[part], rtol=0, atol=tolerance)


@pytest.mark.parametrize("kind", KINDS)
def test_results_stay_as_they_were(digits, kind):
    """A result may be kept while later ones are made; the images are not written to."""
    before = digits[0].copy()
    augmentation, rng = AUGMENTATIONS[kind]((28, 28), 1.0, np.float32), np.random.default_rng(0)
    kept, copies = [], []
    for part in (slice(0, 64), slice(64, 128), slice(128, 200)):
        images = digits[0][part]
        kept.append(augmentation.apply(images, augmentation.draw(len(images), rng)))
        copies.append(kept[-1].copy())
    for images, copied in zip(kept, copies, strict=True):
        np.testing.assert_array_equal(images, copied)
    assert not any(np.shares_memory(a, b) for a, b in itertools.combinations(kept, 2))
    np.testing.assert_array_equal(digits[0], before)


@pytest.mark.parametrize(("kind", "n"), [("shift", 99), ("affine", 101), ("elastic", 1)])
def test_any_batch_size_does(kind, n):
    """A single image, and sizes around what is worked on at once; nothing of a larger batch is left in the next."""
    augmentation, rng = AUGMENTATIONS[kind]((28, 28), 1e-7, np.float32), np.random.default_rng(0)
    for images in (noise(250, (28, 28)), noise(n, (28, 28))):
        found = augmentation.apply(images, augmentation.draw(len(images), rng))
        np.testing.assert_allclose(found, normalize(images, np.float32), atol=1e-4)


def test_a_batch_of_all_is_done_piece_by_piece(monkeypatch):
    """True gradient descent on 60,000 images takes no more room at once than a batch of 100, beside the result."""
    most = []
    original = BilinearSampler.__call__

    def spy(self, images, places, out):
        most.append(len(images))
        original(self, images, places, out)

    monkeypatch.setattr(BilinearSampler, "__call__", spy)
    out = distorted(np.full((60_000, 9), 255, np.uint8), "elastic", (3, 3), strength=1e-7)
    assert max(most) * 9 <= 100 * 784
    assert sum(most) == 60_000
    np.testing.assert_allclose(out, 1, atol=1e-4)


@pytest.mark.parametrize("strength", [-0.1, 10.1, math.nan, math.inf])
def test_a_strength_out_of_range_is_refused(strength):
    """It says what is allowed, and what was given."""
    with pytest.raises(InputError, match=r"from 0 to 10; got"):
        distorted(noise(1, (28, 28)), "affine", (28, 28), strength=strength)


def test_an_unknown_kind_is_refused():
    """It names the known ones."""
    with pytest.raises(InputError, match=r"'twirl'; known: none, shift, affine, elastic"):
        distorted(noise(1, (28, 28)), "twirl", (28, 28))
