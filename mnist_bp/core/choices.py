"""Registries of activations, costs, optimizers and initial weights, which know names before their code is imported.

``--help`` needs the names, but not numpy, and starts fast without it. A registry therefore holds the names of its
built-in entries and imports the entries on first use. A name without an entry, or an entry without a name, is an error
that gives the name.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Generic, TypeVar

from mnist_bp.errors import InputError

if TYPE_CHECKING:
    from mnist_bp.core.activations import Activation
    from mnist_bp.core.costs import Cost
    from mnist_bp.core.initialization import Initialization
    from mnist_bp.core.optimizers import Optimizer

__all__ = [
    "ACTIVATIONS", "COSTS", "DTYPES", "INITIALIZATIONS", "MOMENTUM_OPTIMIZERS", "OPTIMIZERS", "OUTPUT_ACTIVATIONS",
    "Registry", "activation",
]  # fmt: skip

Entry = TypeVar("Entry")


class Registry(Mapping[str, Entry], Generic[Entry]):
    """Mapping from names to entries.

    Parameters
    ----------
    what
        Noun used in messages, such as "activation".
    names
        Names of the built-in entries, in the order in which help lists them.
    load
        Function that returns the built-in entries by name. It is called on first use.
    """

    def __init__(self, what: str, names: tuple[str, ...], load: Callable[[], Mapping[str, Entry]]) -> None:
        self.what = what
        self._names = list(names)
        self._load = load
        self._entries: dict[str, Entry] = {}

    def register(self, name: str, entry: Entry) -> None:
        """Add an entry. Raise InputError if the name is already registered."""
        if name in self._names:
            raise InputError(f"the {self.what} {name!r} is already registered")
        self._names.append(name)
        self._entries[name] = entry

    def unregister(self, name: str) -> None:
        """Remove an entry that ``register`` added."""
        self._names.remove(name)
        del self._entries[name]

    def check(self, name: str) -> str:
        """Return ``name`` if it is registered. Otherwise raise InputError with the known names."""
        if name not in self._names:
            raise InputError(f"unknown {self.what} {name!r}; known: {', '.join(self._names)}")
        return name

    def __getitem__(self, name: str) -> Entry:
        """Return the entry. Raise InputError if there is none."""
        if name not in self._entries:
            self.check(name)
            self._load_built_in()
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def _load_built_in(self) -> None:
        built_in = self._load()
        registered = set(self._entries)
        if wrong := sorted(set(built_in) ^ (set(self._names) - registered)):
            raise InputError(f"{self.what} {', '.join(wrong)}: each name needs an entry, and each entry a name")
        self._entries |= built_in


def _activations() -> "Mapping[str, Activation]":
    from mnist_bp.core.activations import ENTRIES

    return ENTRIES


def _output_activations() -> "Mapping[str, Activation]":
    from mnist_bp.core.activations import OUTPUT_ENTRIES

    return OUTPUT_ENTRIES


def _costs() -> "Mapping[str, Cost]":
    from mnist_bp.core.costs import ENTRIES

    return ENTRIES


def _optimizers() -> "Mapping[str, Callable[..., Optimizer]]":
    from mnist_bp.core.optimizers import ENTRIES

    return ENTRIES


def _initializations() -> "Mapping[str, Initialization]":
    from mnist_bp.core.initialization import ENTRIES

    return ENTRIES


ACTIVATIONS: "Registry[Activation]" = Registry("activation", ("sigmoid", "tanh", "relu", "leaky-relu"), _activations)
"""Activation functions for any layer."""

OUTPUT_ACTIVATIONS: "Registry[Activation]" = Registry("output activation", ("softmax", "identity"), _output_activations)
"""Activation functions for the output layer only. Softmax has no elementwise derivative, and a hidden layer of the
identity would compute nothing that the next layer could not."""

COSTS: "Registry[Cost]" = Registry("cost", ("squared-error", "cross-entropy", "binary-cross-entropy"), _costs)
"""Cost functions."""

OPTIMIZERS: "Registry[Callable[..., Optimizer]]" = Registry(
    "optimizer", ("sgd", "momentum", "nesterov", "adam"), _optimizers
)
"""Optimizers."""

MOMENTUM_OPTIMIZERS = ("momentum", "nesterov")
"""Names of the optimizers that take a momentum coefficient, the keyword ``momentum``."""

INITIALIZATIONS: "Registry[Initialization]" = Registry(
    "initialization", ("scaled", "glorot", "he", "normal"), _initializations
)
"""Initial weights and biases. The first is the default."""

DTYPES = ("float32", "float64")
"""Floating-point types that training supports."""


def activation(name: str) -> "Activation":
    """Return the activation function with this name from either registry. Raise InputError if there is none."""
    return OUTPUT_ACTIVATIONS[name] if name in OUTPUT_ACTIVATIONS else ACTIVATIONS[name]
