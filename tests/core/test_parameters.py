"""One flat vector, seen layer by layer."""

import numpy as np

from mnist_bp.core.parameters import ParameterVector, array_shapes, side_by_side, vector_length


def test_the_lessons_network_has_13002_parameters() -> None:
    """784 · 16 + 16 · 16 + 16 · 10 weights, 16 + 16 + 10 biases."""
    assert vector_length([784, 16, 16, 10]) == 784 * 16 + 16 * 16 + 16 * 10 + 16 + 16 + 10 == 13_002


def test_arrays_are_named_from_layer_1_on() -> None:
    """A weight matrix has a row for each neuron of its layer and a column for each of the layer before."""
    assert array_shapes([5, 4, 3]) == {"W1": (4, 5), "b1": (4,), "W2": (3, 4), "b2": (3,)}


def test_weights_and_biases_are_views_with_the_lessons_indices() -> None:
    """W is (n_l, n_{l−1}), b is (n_l,); writing to either writes to the vector, and they cover it once."""
    layers = ParameterVector.zeros([5, 4, 3], np.float64)
    assert [W.shape for W in layers.weights] == [(4, 5), (3, 4)]
    assert [b.shape for b in layers.biases] == [(4,), (3,)]

    for array in layers.named_arrays().values():
        array += 1

    assert layers.vector.tolist() == [1.0] * vector_length([5, 4, 3])


def test_a_block_is_the_transposed_weights_above_the_biases() -> None:
    """A bias is a weight from a neuron that is always 1: it is the last row of its block."""
    layers = ParameterVector([2, 3], np.arange(9.0))

    assert layers.blocks[0].tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert layers.weights[0][2, 1] == 5  # w_21: to neuron 2 from neuron 1
    assert layers.biases[0].tolist() == [6, 7, 8]


def test_the_arrays_have_the_names_of_files_and_tables() -> None:
    """W1, b1, …, WL, bL, in this order."""
    assert list(ParameterVector.empty([4, 3, 2], np.float32).named_arrays()) == ["W1", "b1", "W2", "b2"]


def test_the_arrays_of_several_vectors_stand_side_by_side() -> None:
    """Each array comes with its name and its values in every vector, also for a single vector."""
    layers = ParameterVector([2, 1], np.arange(3))
    negative = layers.like(-layers.vector)

    rows = [(name, *(array.tolist() for array in arrays)) for name, *arrays in side_by_side(layers, negative)]

    assert rows == [("W1", [[0, 1]], [[0, -1]]), ("b1", [2], [-2])]
    assert [name for name, _ in side_by_side(layers)] == ["W1", "b1"]
