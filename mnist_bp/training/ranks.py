"""Processes that train one network together. This module has the interface, and the single process.

Rank 0 runs the command. The other ranks wait for work from it: ``start``, ``call`` and ``split`` give them functions to
run. In such a function, all ranks call the same methods in the same order.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
from numpy.typing import DTypeLike

from mnist_bp.core.activations import Array

__all__ = ["SINGLE", "Ranks", "share_of"]

T = TypeVar("T")


class Ranks:
    """A single process, and the interface of ``MpiRanks``.

    Attributes
    ----------
    rank, size
        Number of this process, from 0, and number of processes.
    """

    rank, size = 0, 1

    def share(self, examples: int) -> slice:
        """Return the examples of this rank out of ``examples``. Shares differ by at most one."""
        return share_of(self.rank, self.size, examples)

    def vector(self, length: int, dtype: DTypeLike) -> Array:
        """Return an uninitialized vector that ``average_`` accepts."""
        return np.empty(length, dtype)

    def average_(self, vector: Array, weight: float) -> None:
        """Replace a ``vector`` of each rank by Σ weight × vector over the ranks, in place.

        The weights of all ranks add up to 1. An error of ``call_back`` on any rank is raised here, on all ranks.
        """

    def call_back(self, function: Callable[[], object]) -> None:
        """Call a function that may end the work of all ranks by an exception: see ``average_``."""
        function()

    def gather(self, value: T) -> list[T]:
        """Return the values of all ranks, on each rank."""
        return [value]

    def broadcast(self, value: T) -> T:
        """Return the value of rank 0."""
        return value

    def require_equal(self, arrays: Mapping[str, Array], what: str) -> None:
        """Raise RanksDiffer, on all ranks, if these arrays, ``what`` in the message, differ between ranks."""

    def proceed(self, is_wanted: bool) -> bool:
        """Return the decision of rank 0 to continue the work of ``start``. False ends it on all ranks."""
        return is_wanted

    @contextmanager
    def ending_together(self) -> Iterator[None]:
        """End the work of ``start`` on all ranks if the generator that yields in this block is closed on rank 0."""
        try:
            yield
        except GeneratorExit:
            self.proceed(is_wanted=False)
            raise

    def end(self) -> None:
        """Note that the work of ``start`` ends here on all ranks, such as by an error that all of them raise."""

    def start(self, function: Callable[..., object], *arguments: Any) -> None:
        """Let all other ranks start ``function(ranks, *arguments)``. Rank 0 then has to do the same."""

    def call(self, function: Callable[..., T], *arguments: Any) -> list[T]:
        """Return the results of ``function(*arguments)`` on all other ranks, by rank. Raise their first error."""
        return []

    def split(self, function: Callable[..., Array], *arrays: Array) -> Array:
        """Return ``function(*arrays)``, an array with a row for each row of ``arrays``. Each rank computes a share."""
        return function(*arrays)


def share_of(rank: int, ranks: int, examples: int) -> slice:
    """Return the examples of one of ``ranks`` ranks, out of ``examples``."""
    return slice(rank * examples // ranks, (rank + 1) * examples // ranks)


SINGLE = Ranks()
"""The process by itself."""
