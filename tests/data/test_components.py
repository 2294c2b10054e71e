"""Connected components of ink."""

import numpy as np
import pytest

from mnist_bp.data.components import connected_components


def flood_fill(mask):
    """Spread the lowest number of each neighbourhood until nothing changes; number the components from 0."""
    numbers = np.where(mask, np.arange(mask.size).reshape(mask.shape), mask.size)
    rows, columns = mask.shape
    while True:
        padded = np.pad(numbers, 1, constant_values=mask.size)
        around = [padded[1 + r : 1 + r + rows, 1 + c : 1 + c + columns] for r in (-1, 0, 1) for c in (-1, 0, 1)]
        spread = np.where(mask, np.min(around, axis=0), mask.size)
        if (spread == numbers).all():
            break
        numbers = spread
    labels = np.full(mask.shape, -1)
    labels[mask] = np.unique(numbers[mask], return_inverse=True)[1]
    return labels


def test_components_touch_at_edges_or_corners():
    """They are numbered by their first pixels; sizes and boxes belong to them."""
    ink = np.array([[1, 0, 0, 1, 1], [0, 1, 0, 0, 0], [0, 0, 0, 0, 0], [1, 1, 0, 1, 1], [0, 0, 0, 0, 1.0]])
    found = connected_components(ink)
    assert found.labels[0].tolist() == [0, -1, -1, 1, 1]
    assert found.sizes.tolist() == [2, 2, 2, 3]
    assert found.boxes.tolist() == [[0, 1, 0, 1], [0, 0, 3, 4], [3, 3, 0, 1], [3, 4, 3, 4]]
    assert found.touch_edge.all()
    assert not connected_components(np.pad(ink, 1)).touch_edge.any()


@pytest.mark.parametrize("seed", range(20))
def test_components_are_those_of_a_flood_fill(seed):
    """Random pictures, dense and sparse."""
    rng = np.random.default_rng(seed)
    mask = rng.random(rng.integers(1, 18, 2)) < rng.random()

    found = connected_components(mask * 0.5)

    labels = flood_fill(mask)
    assert np.array_equal(found.labels, labels)
    for number, box in enumerate(found.boxes):
        rows, columns = np.nonzero(labels == number)
        assert found.sizes[number] == len(rows)
        assert box.tolist() == [rows.min(), rows.max(), columns.min(), columns.max()]


def test_a_snake_is_one_component():
    """Its ends are as far apart as a component's pixels can be."""
    ink = np.zeros((101, 101))
    ink[:, ::2] = ink[-1, 1::4] = ink[0, 3::4] = 1
    assert connected_components(ink).sizes.tolist() == [np.count_nonzero(ink)]
