"""Model of a training step on several ranks: arithmetic, and the Allreduce of the gradient.

A step on R ranks with a mini-batch of B examples takes

    T(R, B) = c + B / R · f / F + A(R, n)        A(R, n) = 2 log₂(R) α + 2 (R − 1) / R · n / β

with f flops for each example, F flops a second, c seconds for what does not depend on the examples (the optimizer's
step and Python), and A for n bytes of gradient over links with latency α and bandwidth β. A is the time of
Rabenseifner's algorithm (Thakur, Rabenseifner and Gropp 2005, "Optimization of Collective Communication Operations in
MPICH"). The sums that Allreduce computes count as bandwidth.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf, log2

import numpy as np


@dataclass(frozen=True)
class Link:
    """Connection between ranks: latency α in seconds, bandwidth β in bytes a second."""

    name: str
    latency: float
    bandwidth: float

    def allreduce(self, ranks: float, n_bytes: int) -> float:
        """Return the seconds of an Allreduce."""
        return 2 * log2(ranks) * self.latency + 2 * (ranks - 1) / ranks * n_bytes / self.bandwidth


ETHERNET = Link("10 Gbit/s, 30 µs", 30e-6, 1.25e9)
INFINIBAND = Link("100 Gbit/s, 2 µs", 2e-6, 12.5e9)
LINKS = (ETHERNET, INFINIBAND)
"""Two usual networks. These are nominal values, not measurements."""


@dataclass(frozen=True)
class Arithmetic:
    """Seconds of a step without communication: ``fixed``, and for each example flops / ``rate``."""

    fixed: float
    rate: float
    flops: int
    n_bytes: int

    @property
    def per_example(self) -> float:
        """Seconds for each example."""
        return self.flops / self.rate

    def step(self, link: Link, ranks: int, batch: float) -> float:
        """Return the seconds of a step on several ranks."""
        waiting = link.allreduce(ranks, self.n_bytes) if ranks > 1 else 0.0
        return self.fixed + batch / ranks * self.per_example + waiting

    def least_batch(self, link: Link, ranks: int) -> float:
        """Return the size of mini-batches above which ``ranks`` + 1 ranks are faster than ``ranks``."""
        now = link.allreduce(ranks, self.n_bytes) if ranks > 1 else 0.0
        more = link.allreduce(ranks + 1, self.n_bytes) - now
        return _rate(more * ranks * (ranks + 1), self.per_example)


def flops_per_example(sizes: Sequence[int]) -> int:
    """Return the flops of an example: A W and Aᵀ ∂C/∂Z in each layer, and ∂C/∂Z Wᵀ in all but the first."""
    return sum(2 * (2 if layer == 0 else 3) * n * m for layer, (n, m) in enumerate(pairwise(sizes)))


def fit_arithmetic(points: Sequence[tuple[float, float]], flops: int, n_bytes: int) -> Arithmetic:
    """Fit to (examples of a rank, seconds without communication), with equal weights of relative errors."""
    fixed, per_example = _fit([(1.0, rows) for rows, _ in points], [seconds for _, seconds in points])
    return Arithmetic(fixed, _rate(flops, per_example), flops, n_bytes)


def fit_link(name: str, points: Sequence[tuple[int, int, float]]) -> Link:
    """Fit to (ranks, bytes, seconds) of single calls of Allreduce, with equal weights of relative errors."""
    factors = [(2 * log2(ranks), 2 * (ranks - 1) / ranks * n_bytes) for ranks, n_bytes, _ in points]
    latency, per_byte = _fit(factors, [seconds for *_, seconds in points])
    return Link(name, latency, _rate(1, per_byte))


def _fit(factors: Sequence[tuple[float, float]], seconds: Sequence[float]) -> tuple[float, float]:
    """Return two coefficients, by least squares of the relative errors. One that noise makes negative is 0."""
    target = np.asarray(seconds)
    rows = np.asarray(factors) / target[:, None]
    first, second = np.linalg.lstsq(rows, np.ones(len(target)), rcond=None)[0]
    if first < 0:
        first, second = 0.0, rows[:, 1].sum() / np.square(rows[:, 1]).sum()
    elif second < 0:
        first, second = rows[:, 0].sum() / np.square(rows[:, 0]).sum(), 0.0
    return float(first), float(second)


def _rate(amount: float, seconds: float) -> float:
    """Return the amount per unit of time, infinite if no time was measured."""
    return amount / seconds if seconds else inf
