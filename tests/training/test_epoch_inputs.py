"""Inputs of an epoch: each mini-batch, and each part of one, can be made without the others, and is the same."""

from dataclasses import replace

import numpy as np
import pytest

from mnist_bp.data.batches import mini_batches, normalize, shuffled
from mnist_bp.training.epoch_inputs import EpochInputs, LabelledImages
from mnist_bp.training.settings import Settings
from mnist_bp.training.streams import AUGMENTATION, DROPOUT, EpochStream

SHAPE = (7, 6)
SIZES = (42, 9, 5, 3)
KINDS = ["none", "shift", "affine", "elastic"]
SETTINGS = Settings(hidden=SIZES[1:3], seed=4, dropout=0.4, input_dropout=0.2)
_RNG = np.random.default_rng(1)
TRAINING = LabelledImages(
    _RNG.integers(256, size=(90, 42), dtype=np.uint8), _RNG.integers(SIZES[-1], size=90).astype(np.uint8)
)


def inputs(augment="none", *, epoch=2, batch_size=20, **changed):
    """Inputs of an epoch: four mini-batches of 20 and one of 10."""
    settings = replace(SETTINGS, augment=augment, **changed)
    return EpochInputs(TRAINING, batch_size, settings, epoch, sizes=SIZES, dtype=np.float32, image_shape=SHAPE)


def values(batch, rows=slice(None)):
    """Return images, labels and all masks of a mini-batch."""
    masks = batch.draw_masks(rows, None) if batch.draw_masks else {}
    return [batch.images[rows], batch.labels[rows], *masks.values()]


def in_bytes(batch):
    """Return everything of a mini-batch, to compare."""
    return [value.tobytes() for value in values(batch)]


@pytest.mark.parametrize("augment", KINDS)
def test_mini_batches_are_the_same_in_any_order(augment):
    """In turn, backwards, and each alone, without the earlier ones."""
    in_turn = [in_bytes(batch) for batch in inputs(augment)]
    epoch = inputs(augment)
    backwards = [in_bytes(epoch.mini_batch(i)) for i in reversed(range(len(epoch)))]
    alone = [in_bytes(inputs(augment).mini_batch(i)) for i in range(5)]
    assert len(in_turn) == len(epoch) == 5
    assert in_turn == backwards[::-1] == alone


@pytest.mark.parametrize("augment", KINDS)
def test_mini_batches_can_be_used_in_any_order(augment):
    """All are made before the masks of the first are drawn, twice."""
    batches = list(inputs(augment))
    twice = [[in_bytes(batch) for batch in batches] for _ in range(2)]
    assert twice[0] == twice[1] == [in_bytes(batch) for batch in inputs(augment)]


@pytest.mark.parametrize("augment", KINDS)
@pytest.mark.parametrize("batch_size", [20, 90])
def test_some_examples_of_a_mini_batch_are_those_of_the_whole(augment, batch_size):
    """Labels and masks to the bit; augmented images except for the rounding of a matrix product."""
    epoch = inputs(augment, batch_size=batch_size)
    for index in (0, len(epoch) - 1):
        images, *whole = values(epoch.mini_batch(index))
        for part in (slice(0, 1), slice(3, 8), slice(5, None), slice(4, 4)):
            few_images, *few = values(epoch.mini_batch(index, part))
            np.testing.assert_allclose(few_images, images[part], rtol=0, atol=0 if augment == "none" else 1e-4)
            for value, all_of_it in zip(few, whole, strict=True):
                np.testing.assert_array_equal(value, all_of_it[part])


def test_masks_of_a_large_mini_batch_can_be_drawn_part_by_part():
    """In any order, also those of some of its examples."""
    epoch = inputs(batch_size=90)
    for batch, first in ((epoch.mini_batch(0), 0), (epoch.mini_batch(0, slice(20, 80)), 20)):
        _, _, *whole = values(epoch.mini_batch(0))
        for rows in (slice(30, 60), slice(0, 30), slice(45, 46)):
            for mask, of_all in zip(values(batch, rows)[2:], whole, strict=True):
                np.testing.assert_array_equal(mask, of_all[first:][rows])


def test_no_two_mini_batches_drop_or_move_the_same():
    """Nor do two epochs or two seeds; equal images are augmented each in its own way."""
    alike = LabelledImages(np.repeat(TRAINING.images[:1], 80, axis=0), np.zeros(80, np.uint8))
    images, masks = set(), set()
    for seed, epoch in ((4, 1), (4, 2), (5, 1), (2**32 + 4, 1)):
        settings = replace(SETTINGS, augment="elastic", seed=seed)
        for batch in EpochInputs(alike, 20, settings, epoch, sizes=SIZES, dtype=np.float32, image_shape=SHAPE):
            images.update(image.tobytes() for image in batch.images)
            masks.add(values(batch)[2].tobytes())
    assert len(images) == 4 * 80
    assert len(masks) == 4 * 4


@pytest.mark.parametrize("changed", [{"dropout": 0.0, "input_dropout": 0.0}, {"augment": "elastic"}, {}])
def test_the_order_of_the_examples_is_that_of_seed_and_epoch(changed):
    """Dropout and augmentation leave it alone: their random numbers are streams of their own."""
    plain = mini_batches(*TRAINING, 20, seed=4, epoch=2)
    for batch, (images, labels) in zip(inputs(**changed), plain, strict=True):
        np.testing.assert_array_equal(batch.labels, labels)
        if "augment" not in changed:
            np.testing.assert_array_equal(batch.images, images)


def test_dropout_and_augmentation_leave_each_other_alone():
    """Augmentation changes no mask, and dropout changes no image."""
    both, dropout = list(inputs("elastic")), list(inputs())
    augmentation = list(inputs("elastic", dropout=0.0, input_dropout=0.0))
    for one, dropped, augmented in zip(both, dropout, augmentation, strict=True):
        assert in_bytes(one)[2:] == in_bytes(dropped)[2:] != []
        assert in_bytes(one)[:2] == in_bytes(augmented)


def test_without_strength_augmented_images_are_the_plain_ones():
    """They are scaled to network inputs."""
    for kind in KINDS[1:]:
        for augmented, plain in zip(inputs(kind, augment_strength=0.0), inputs(), strict=True):
            np.testing.assert_array_equal(augmented.images, normalize(plain.images, np.float32))


def test_purposes_epochs_mini_batches_and_seeds_have_different_streams():
    """A stream does not depend on the number of mini-batches, and none is that of the order or the initial weights."""
    found = [
        EpochStream(seed, epoch, purpose, batches).generator(batch).bit_generator.random_raw(4).tolist()
        for seed in (0, 1, 2**32, 2**32 + 1)
        for epoch in (1, 2)
        for purpose in (DROPOUT, AUGMENTATION)
        for batches, batch in ((1, 0), (9, 1), (9, 8))
    ]
    assert len({tuple(words) for words in found}) == len(found)
    assert found[0] == EpochStream(0, 1, DROPOUT, 100).generator(0).bit_generator.random_raw(4).tolist()
    orders = [shuffled(500, seed=seed, epoch=1).tolist() for seed in (0, 1)]
    drawn = [EpochStream(0, 1, purpose, 1).generator(0).permutation(500).tolist() for purpose in (1, 2)]
    assert not any(order in drawn for order in [*orders, np.random.default_rng(0).permutation(500).tolist()])
