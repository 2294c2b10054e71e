"""Evaluation of a committee: of each member, and of the average of their outputs."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnist_bp.committee import Committee
from mnist_bp.core.activations import Array
from mnist_bp.core.choices import COSTS
from mnist_bp.core.inputs import one_hot
from mnist_bp.network import Network
from mnist_bp.training.evaluation import Evaluation, chunks, evaluate, metrics_from_outputs, tally, weighted_sums
from mnist_bp.training.ranks import SINGLE, Ranks

__all__ = ["CommitteeEvaluation", "evaluate_committee"]


class CommitteeEvaluation(NamedTuple):
    """Result of evaluating a committee.

    Attributes
    ----------
    committee
        Evaluation of the averaged outputs. Its cost is the members' cost of these outputs; NaN if the members have
        different costs, or one that is not defined for averages.
    members
        Evaluation of each member, as by itself, without misclassified examples.
    votes
        Class that each member predicts for each example, (members, examples); None for a single member.
    """

    committee: Evaluation
    members: tuple[Evaluation, ...]
    votes: NDArray[np.uint8] | None = None

    def votes_on(self, example: int) -> list[int]:
        """Return the class that each member predicts for an example; none for a single member."""
        return [] if self.votes is None else self.votes[:, example].tolist()


def evaluate_committee(
    committee: Committee,
    images: Array,
    labels: NDArray[np.uint8],
    *,
    mistakes: int = 0,
    threads: Callable[[Network], AbstractContextManager[object]] = lambda _: nullcontext(),
    ranks: Ranks = SINGLE,
) -> CommitteeEvaluation:
    """Evaluate a committee on images and labels as ``evaluate`` takes them.

    Members are evaluated one after the other, so that memory does not grow with their number, apart from the votes.
    Averages are in float64. A committee of one has the figures of its member, bit for bit.

    Parameters
    ----------
    mistakes
        Largest number of misclassified examples of the committee to return.
    threads
        Function (member) ↦ context in which the member is evaluated.
    ranks
        Processes that compute the outputs, each for a part of the examples.
    """
    networks = committee.members
    if len(networks) == 1:
        with threads(networks[0]):
            result = evaluate(networks[0], images, labels, mistakes=mistakes, ranks=ranks)
        return CommitteeEvaluation(result, (result,))
    average = _Average(committee, labels)
    members, votes = [], []
    for network in networks:
        with threads(network), np.errstate(over="ignore", invalid="ignore"):
            Z = ranks.split(partial(weighted_sums, network), images, labels)
            members.append(metrics_from_outputs(network, Z, labels))
            votes.append(average.add(network, Z))
    return CommitteeEvaluation(average.evaluation(mistakes), tuple(members), np.array(votes))


class _Average:
    """Averages of the members' outputs and of the probabilities in their costs, see ``Cost.of_average``."""

    def __init__(self, committee: Committee, labels: NDArray[np.uint8]) -> None:
        self._labels, self._members = labels, len(committee.members)
        shape = len(labels), committee.members[0].sizes[-1]
        costs = {network.cost for network in committee.members}
        self._cost = COSTS[costs.pop()].of_average if len(costs) == 1 else None
        self._total_A, self._ln_total_P = np.zeros(shape), np.full(shape, -np.inf)

    def add(self, network: Network, Z: Array) -> NDArray[np.uint8]:
        """Add a member by the weighted sums of its outputs, (n, n_L). Return the class that it predicts, (n,)."""
        votes = np.empty(len(Z), np.uint8)
        for now in chunks(len(Z)):
            A = network.σ[network.L].f(Z[now])
            votes[now] = A.argmax(axis=1)
            self._total_A[now] += A
            if self._cost is not None:
                C = COSTS[network.cost].per_output(Z[now], A, network.targets(self._labels[now]))
                self._ln_total_P[now] = np.logaddexp(self._ln_total_P[now], -C)
        return votes

    def evaluation(self, mistakes: int) -> Evaluation:
        """Evaluate the averaged outputs."""
        return tally(self._outputs(), self._labels, self._total_A.shape[1], mistakes=mistakes)

    def _outputs(self) -> Iterator[tuple[Array, Array]]:
        """Yield the averaged outputs and their costs C_i for each of ``chunks``."""
        for now in chunks(len(self._labels)):
            A = self._total_A[now] / self._members
            if self._cost is None:
                yield A, np.full(len(A), np.nan)
                continue
            ln_P = self._ln_total_P[now] - np.log(self._members)
            yield A, self._cost(A, one_hot(self._labels[now], A.shape[1], A.dtype), ln_P).sum(axis=1)
