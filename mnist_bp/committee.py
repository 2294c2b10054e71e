"""Committees: several networks whose outputs are averaged."""

from collections.abc import Iterable, Sequence
from os import PathLike
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from mnist_bp.core.activations import Array
from mnist_bp.errors import InputError
from mnist_bp.network import Network

__all__ = ["Committee", "average"]


class Committee:
    """Networks whose outputs are averaged, with equal weights: a^(L) = 1/M Σ_m a^(L) of member m.

    The average has at most the mean cost of the members, for each of the costs, which are convex in the outputs
    (Hansen and Salamon 1990, "Neural network ensembles"; Krogh and Vedelsby 1995).

    Parameters
    ----------
    members
        One or more networks with equal numbers of inputs and of outputs. Hidden layers, activations, costs and dtypes
        may differ. Outputs are averaged as they are, also those of a softmax with those of sigmoids.

    Attributes
    ----------
    members
        The networks, a tuple.

    Raises
    ------
    InputError
        (a ValueError) If there is no member, or members differ in their numbers of inputs or outputs.
    """

    def __init__(self, members: Iterable[Network]) -> None:
        self.members = tuple(members)
        if not self.members:
            raise InputError("a committee requires at least one network")
        for member in self.members:
            if not isinstance(member, Network):
                raise InputError(f"the members of a committee are networks; got {type(member).__name__}")
        first = self.members[0].sizes
        for number, member in enumerate(self.members):
            if (member.sizes[0], member.sizes[-1]) != (first[0], first[-1]):
                raise InputError(
                    f"the members of a committee need equal inputs and outputs; member 0 has {first[0]} and "
                    f"{first[-1]}, member {number} has {member.sizes[0]} and {member.sizes[-1]}"
                )

    @classmethod
    def load(cls, paths: Iterable[str | PathLike[str]]) -> Self:
        """Read a network from each of these files. Raise InputError if one is missing or invalid."""
        return cls(map(Network.load, paths))

    def forward(self, x: ArrayLike) -> Array:
        """Return the averaged outputs, float64 of shape (examples, n_L), for finite inputs of shape (examples, n_0).

        The outputs of a single member are returned as they are, in its dtype.
        """
        return average([member.forward(x) for member in self.members])


def average(outputs: Sequence[Array]) -> Array:
    """Return the mean of the members' outputs, computed in float64. Those of one member are returned unchanged."""
    first, *others = outputs
    if not others:
        return first
    total = first.astype(np.result_type(first, np.float64))
    for each in others:
        total = total + each
    return total / len(outputs)
