"""How many threads a training uses where nobody says."""

from collections.abc import Sequence

from mnist_bp.cores import usable_cores
from mnist_bp.data.names import NO_AUGMENTATION

__all__ = ["MANY_NEURONS", "default_threads"]

MANY_NEURONS = 512
"""Width from which on threads share the arithmetic of a mini-batch. With 800 neurons, an epoch then takes two thirds of
the time on two idle cores; where other programs use the cores, threads wait for each other, many times as long."""


def default_threads(hidden: Sequence[int], augment: str = NO_AUGMENTATION) -> int:
    """Return the fastest number of threads: 1 for narrow layers, all usable cores from ``MANY_NEURONS`` neurons on.

    Augmentation keeps one of these cores busy by itself.
    """
    cores = usable_cores()
    if max(hidden, default=0) < MANY_NEURONS:
        return 1
    return cores if augment == NO_AUGMENTATION else max(1, cores - 1)
