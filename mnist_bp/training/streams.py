"""Random streams of dropout and augmentation: one generator for each purpose, epoch and mini-batch.

No generator depends on another, so that any mini-batch can be made without the earlier ones, by any process.

The other random numbers of a training come from ``numpy.random.default_rng``: the initial weights with the seed, the
validation set (``data.examples``) with [seed, 0, 1], the order of the examples (``data.batches``) with [seed, epoch].
"""

from typing import Any

import numpy as np
from numpy.random import PCG64DXSM, Generator, SeedSequence
from numpy.random.bit_generator import ISeedSequence
from numpy.typing import NDArray

__all__ = ["AUGMENTATION", "DROPOUT", "EpochStream"]

DROPOUT, AUGMENTATION = 1, 2
"""Purposes of streams."""

_WORDS = 4
"""Number of 64-bit words that seed a generator."""


class EpochStream:
    """Generators of an epoch for one purpose, by the index of the mini-batch.

    One ``SeedSequence`` hashes the seed, the epoch and the purpose. Its words 4 i to 4 i + 3 seed the generator of
    mini-batch i. That takes 2 µs for each mini-batch; a ``SeedSequence`` for each would take 12 µs, about 4 % of a step
    of 784-16-16-10. PCG64DXSM is numpy's recommendation for many streams.
    """

    def __init__(self, seed: int, epoch: int, purpose: int, batches: int) -> None:
        hashed = SeedSequence(seed, spawn_key=(epoch, purpose))
        self._words = hashed.generate_state(_WORDS * batches, np.uint64).reshape(batches, _WORDS)

    def generator(self, batch: int) -> Generator:
        """Return a new generator, at its beginning, for the mini-batch with this index, from 0."""
        words = _Hashed(self._words[batch])
        return Generator(PCG64DXSM(words))  # type: ignore[arg-type]  # numpy's types omit ISeedSequence


class _Hashed(ISeedSequence):
    """Seed sequence whose words were computed before."""

    def __init__(self, words: NDArray[np.uint64]) -> None:
        self._words = words

    def generate_state(self, *_: Any) -> NDArray[np.uint64]:
        """Return the words, of which PCG64DXSM requests 4."""
        return self._words
