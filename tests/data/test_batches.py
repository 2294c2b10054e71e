"""Mini-batches: every example once an epoch, in an order drawn afresh from seed and epoch."""

import numpy as np
import pytest

from mnist_bp.data.batches import mini_batches, shuffled


def numbered(examples):
    """Inputs (examples, 2) and labels (examples,) that both tell which example they are."""
    number = np.arange(examples)
    return np.column_stack([number, -number]).astype(np.float32), number.astype(np.uint8)


def test_an_order_is_a_permutation():
    """Each of the examples 0 … 249 stands in the order once, and not in its old place throughout."""
    order = shuffled(250, seed=0, epoch=1)
    np.testing.assert_array_equal(np.sort(order), np.arange(250))
    assert not np.array_equal(order, np.arange(250))


def test_an_epoch_has_every_example_once():
    """The mini-batches of an epoch together are the whole set."""
    batches = list(mini_batches(*numbered(250), 100, seed=0, epoch=1))
    np.testing.assert_array_equal(np.sort(np.concatenate([labels for _, labels in batches])), np.arange(250))


def test_a_short_last_batch_is_kept():
    """250 examples in batches of 100 are batches of 100, 100 and 50."""
    batches = list(mini_batches(*numbered(250), 100, seed=0, epoch=1))
    assert [inputs.shape for inputs, _ in batches] == [(100, 2), (100, 2), (50, 2)]
    assert [labels.shape for _, labels in batches] == [(100,), (100,), (50,)]


def test_batches_that_divide_evenly_leave_no_empty_one():
    """200 examples in batches of 100 are two batches."""
    assert [len(labels) for _, labels in mini_batches(*numbered(200), 100, seed=0, epoch=1)] == [100, 100]


def test_inputs_stay_with_their_labels():
    """Row i of a batch's inputs and label i are of the same example."""
    for inputs, labels in mini_batches(*numbered(250), 100, seed=3, epoch=2):
        np.testing.assert_array_equal(inputs[:, 0], labels)
        np.testing.assert_array_equal(inputs[:, 1], -labels.astype(np.float32))


def test_types_are_kept():
    """Inputs come out in the dtype that they went in, labels as bytes."""
    inputs, labels = next(mini_batches(*numbered(250), 100, seed=0, epoch=1))
    assert inputs.dtype == np.float32
    assert labels.dtype == np.uint8


def test_epochs_divide_the_examples_differently():
    """The examples of a mini-batch change from epoch to epoch, not only their order."""
    first = {frozenset(labels.tolist()) for _, labels in mini_batches(*numbered(250), 100, seed=0, epoch=1)}
    second = {frozenset(labels.tolist()) for _, labels in mini_batches(*numbered(250), 100, seed=0, epoch=2)}
    assert first.isdisjoint(second)


def test_an_epoch_is_the_same_each_time():
    """Epoch 5 of seed 0 has one order, whether or not other epochs came before it."""
    fresh = shuffled(250, seed=0, epoch=5)
    for epoch in range(5):
        shuffled(250, seed=0, epoch=epoch)
    np.testing.assert_array_equal(shuffled(250, seed=0, epoch=5), fresh)


@pytest.mark.parametrize(("seed", "epoch"), [(1, 1), (0, 2), (1, 0)])
def test_another_seed_or_epoch_is_another_order(seed, epoch):
    """Seed 0, epoch 1 shares its order with no other; seed and epoch are not merely added up."""
    assert not np.array_equal(shuffled(250, seed=0, epoch=1), shuffled(250, seed=seed, epoch=epoch))


@pytest.mark.parametrize("batch_size", [250, 251, 10**9])
def test_one_batch_of_all_is_the_arrays_themselves(batch_size):
    """True gradient descent shuffles and copies nothing."""
    inputs, labels = numbered(250)
    ((batch_inputs, batch_labels),) = mini_batches(inputs, labels, batch_size, seed=0, epoch=1)
    assert batch_inputs is inputs
    assert batch_labels is labels


def test_batches_of_one_are_rows():
    """A batch size of 1 keeps both dimensions: (1, 2) and (1,)."""
    batches = list(mini_batches(*numbered(3), 1, seed=0, epoch=1))
    assert [(inputs.shape, labels.shape) for inputs, labels in batches] == [((1, 2), (1,))] * 3
