"""Selection of the neurons that the page's diagram draws."""

import numpy as np
from numpy.typing import NDArray

from mnist_bp.core.network import backward, forward
from mnist_bp.network import Network

__all__ = ["MOST_NEURONS", "SOME_NEURONS", "drawn_neurons"]

MOST_NEURONS = 40
"""Largest layer that is drawn whole."""

SOME_NEURONS = 16
"""Number of neurons that are drawn of a larger layer."""


def drawn_neurons(network: Network, x: NDArray[np.floating], labels: NDArray[np.integer]) -> list[list[int]]:
    """Return the neurons of layers 0 to L that the diagram draws, in ascending order. Of layer 0, it draws none.

    Of a large layer, half are those that matter most in the forward pass over the examples, and half those that matter
    most in the backward pass. The selection depends on nothing that changes while the page is used.

    Parameters
    ----------
    network
        Network of the page.
    x
        Inputs of the page's examples, (n, n_0).
    labels
        Classes of the examples, (n,).
    """
    sizes = network.sizes
    if max(sizes[1:]) <= MOST_NEURONS:
        return [[], *(list(range(n)) for n in sizes[1:])]
    forwards, backwards = _forward_strengths(network, x), _backward_strengths(network, x, labels)
    layers = range(1, len(sizes))
    return [[], *(_selected(sizes[l], [forwards[l], backwards[l]]) for l in layers)]


def _selected(n: int, strengths: list[NDArray[np.floating]]) -> list[int]:
    """Return all neurons of a small layer; of a large one, those that lead one of the two orders."""
    if n <= MOST_NEURONS:
        return list(range(n))
    orders = [np.argsort(-one, kind="stable").tolist() for one in strengths]
    by_turns = [j for pair in zip(*orders, strict=True) for j in pair]
    return sorted(list(dict.fromkeys(by_turns))[:SOME_NEURONS])


def _forward_strengths(network: Network, x: NDArray[np.floating]) -> dict[int, NDArray[np.floating]]:
    """Return for each layer the mean |a_j|, times the length of the neuron's outgoing weights."""
    A = forward(network, x).A
    L = len(network.sizes) - 1
    reach = {l: np.linalg.norm(network.weights[l], axis=0) for l in range(1, L)} | {L: np.ones(network.sizes[L])}
    return {l: np.abs(A[l]).mean(axis=0) * reach[l] for l in range(1, L + 1)}


def _backward_strengths(
    network: Network, x: NDArray[np.floating], labels: NDArray[np.integer]
) -> dict[int, NDArray[np.floating]]:
    """Return for each layer the mean |∂C_0/∂b_j|."""
    sums = {l: np.zeros(n) for l, n in enumerate(network.sizes) if l > 0}
    targets = network.targets(labels)
    for i in range(len(x)):
        gradient = backward(network, forward(network, x[i : i + 1]), targets[i : i + 1])
        for l, total in sums.items():
            total += np.abs(gradient.b[l])
    return {l: total / len(x) for l, total in sums.items()}
