"""Default number of threads of a training."""

from collections.abc import Sequence

from mnist_bp.cores import usable_cores
from mnist_bp.data.names import NO_AUGMENTATION

__all__ = ["MANY_NEURONS", "default_threads", "parallel_trainings"]

MANY_NEURONS = 512
"""Layer width from which several threads are used. With 800 neurons, they reduce an epoch to two thirds of the time on
two idle cores. If other programs use the cores, threads wait for each other and an epoch takes many times as long."""


def default_threads(hidden: Sequence[int], augment: str = NO_AUGMENTATION) -> int:
    """Return the fastest number of threads: 1 for narrow layers, all usable cores from ``MANY_NEURONS`` neurons on.

    Augmentation occupies one of these cores.
    """
    cores = usable_cores()
    if max(hidden, default=0) < MANY_NEURONS:
        return 1
    return cores if augment == NO_AUGMENTATION else max(1, cores - 1)


def parallel_trainings(threads: int) -> int:
    """Return the number of trainings with ``threads`` threads each that run at the same time: they share the cores.

    The core of the augmentation is not counted: on two cores, two processes with one thread each leave no core idle.
    """
    return max(1, usable_cores() // threads)
