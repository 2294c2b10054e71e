"""Arguments of users' functions, and classes whose method computes the gradient."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from inspect import Parameter, isclass, signature
from typing import Any

from mnist_bp.core.parameters import array_shapes
from mnist_bp.errors import InputError

__all__ = ["EXPECTED", "Target", "split_words", "target_of"]

EXPECTED = "(weights, biases, x, y), (parameters, x, y), or a class with backprop(x, y)"
"""Signatures that are found without ``--signature``."""

NAMES = {
    "weights": r"w|ws|weights?|weights?_list",
    "biases": r"b|bs|bias|biases|bias_list",
    "parameters": r"p|params?|parameters?|theta|thetas|model|net|network",
    "x": r"x|xs|x_?train|x_?batch|inputs?|images?|data|features|examples|a0|a_0",
    "y": r"y|ys|y_?true|y_?train|y_?batch|targets?|labels?|t|one_?hot|expected|desired",
}
"""Names of arguments, in lower case, by their role."""

ARRAY = re.compile(r"(w|b)(?:eights?|ias)?_?([1-9]\d*)", re.IGNORECASE)
"""Name of an argument that is the array of one layer: W1, b_2."""

METHODS = (
    "backprop", "backpropagate", "backpropagation", "back_prop", "back_propagation", "backward", "gradient",
    "gradients", "compute_gradients",
)  # fmt: skip
"""Names of the method of a class, if none is given."""

ATTRIBUTES = (("weights", "biases"), ("W", "b"), ("Ws", "bs"))
"""Pairs of attributes that hold the lists of weights and biases."""

DICTIONARIES = ("params", "parameters")
"""Attributes that hold a dictionary with W1, b1, …."""


@dataclass(frozen=True)
class Target:
    """Function of the user, its arguments, and the object whose parameters are set before a call, or None.

    ``roles`` are "weights", "biases", "parameters", "x", "y", or names of arrays, in the order of the arguments.
    """

    function: Callable[..., Any]
    roles: tuple[str, ...]
    owner: Any = None

    @property
    def takes_parameters(self) -> bool:
        """True if all parameters are one argument."""
        return "parameters" in self.roles

    def call(self, values: dict[str, Any]) -> Any:
        """Call the function with the value of each role."""
        if self.owner is not None:
            _store(self.owner, values)
        return self.function(*(values[role] for role in self.roles))


def target_of(
    found: Any,
    method: str,
    name: str,
    sizes: Sequence[int],
    roles: Sequence[str] = (),
    methods: Sequence[str] = METHODS,
) -> Target:
    """Return the target for a function, a class, or an object with a method, for a network with these layers.

    ``roles`` are the arguments in order, from ``--signature``. Default: by their names and number. ``methods`` are the
    names of the method to look for if ``method`` is empty.

    Raises
    ------
    InputError
        If it cannot be called, or its arguments are not known.
    """
    known = {*NAMES, *array_shapes(sizes)}
    if unknown := [role for role in roles if role not in known]:
        raise InputError(
            f"--signature {unknown[0]}: expected weights, biases, x, y, parameters, W1, b1, … in any order"
        )
    owner = None
    if isclass(found) or method or not callable(found):
        owner = _instance(found, name, sizes) if isclass(found) else found
        found = _method(owner, [method] if method else methods, name)
    elif getattr(found, "__self__", None) is not None and not isclass(found.__self__):
        owner = found.__self__ if _has_parameters(found.__self__) else None
    return Target(found, tuple(roles) or _roles(found, name, has_owner=owner is not None), owner)


def _instance(kind: type, name: str, sizes: Sequence[int]) -> Any:
    """Create an object by ``Class([n_0, …, n_L])``, ``Class(n_0, …, n_L)`` or ``Class()``."""
    first: Exception | None = None
    for arguments in ([list(sizes)], list(sizes), []):
        try:
            return kind(*arguments)
        except Exception as error:  # noqa: BLE001 - the user's code can raise anything
            first = first or error
    raise InputError(
        f"{name}: {kind.__name__}({list(sizes)}) raised {type(first).__name__}: {first}; --debug shows where"
    ) from first


def _method(owner: Any, methods: Sequence[str], name: str) -> Callable[..., Any]:
    for each in methods:
        if callable(found := getattr(owner, each, None)):
            return found
    kind = type(owner).__name__
    raise InputError(f"{name} is a {kind}, not a function or a class with a method {', '.join(methods[:3])} or similar")


def _has_parameters(owner: Any) -> bool:
    pairs = any(hasattr(owner, W) and hasattr(owner, b) for W, b in ATTRIBUTES)
    return pairs or hasattr(owner, "W1") or any(isinstance(getattr(owner, each, None), dict) for each in DICTIONARIES)


def _store(owner: Any, values: dict[str, Any]) -> None:
    """Set the parameters of an object."""
    for W, b in ATTRIBUTES:
        if hasattr(owner, W) and hasattr(owner, b):
            setattr(owner, W, values["weights"])
            setattr(owner, b, values["biases"])
            return
    arrays = {name: array for name, array in values.items() if ARRAY.fullmatch(name)}
    if hasattr(owner, "W1"):
        vars(owner).update(arrays)
        return
    for name in DICTIONARIES:
        if isinstance(getattr(owner, name, None), dict):
            setattr(owner, name, arrays)
            return
    raise InputError(f"{type(owner).__name__} has neither weights and biases nor W1, b1, … nor a dict params to be set")


def _roles(function: Callable[..., Any], name: str, *, has_owner: bool) -> tuple[str, ...]:
    """Return the roles of the arguments by their names; those with other names have the remaining roles in order."""
    usual = ("x", "y") if has_owner else ("weights", "biases", "x", "y")
    try:
        arguments = [each for each in signature(function).parameters.values() if each.default is Parameter.empty]
    except ValueError:  # functions that are written in C
        return usual
    if any(each.kind is Parameter.VAR_POSITIONAL for each in arguments):
        return usual
    names = [each.name for each in arguments if each.kind is not Parameter.VAR_KEYWORD]
    roles = [_array(each) or _role(each, ("x", "y")) for each in names]
    if len(names) > 4 and all(roles) and {"x", "y"} <= {*roles}:
        return tuple(roles)
    by_number = {2: ("x", "y"), 3: ("parameters", "x", "y"), 4: ("weights", "biases", "x", "y")}
    expected = by_number.get(len(names))
    has_more = len(names) > 3 and any(_role(each, ("parameters",)) for each in names)  # (parameters, cache, x, y)
    if expected is None or has_more or (expected == ("x", "y")) != has_owner:
        raise InputError(f"{name} takes ({', '.join(names)}); expected {EXPECTED}: use --signature for another order")
    known = {each: _role(each, expected) for each in reversed(names)}
    first = {role: each for each, role in known.items() if role}  # of two arguments with one role, the first has it
    missing = iter([role for role in expected if role not in first])
    return tuple(known[each] if first.get(known[each]) == each else next(missing) for each in names)


def _array(name: str) -> str:
    """Return W1 for an argument like w_1 or weights1, or an empty string."""
    match = ARRAY.fullmatch(name)
    return f"{match[1].upper().replace('B', 'b')}{match[2]}" if match else ""


def _role(name: str, roles: Sequence[str]) -> str:
    """Return the role of an argument by its name, or an empty string."""
    return next((role for role in roles if re.fullmatch(NAMES[role], name, re.IGNORECASE)), "")


def split_words(text: str | None) -> tuple[str, ...]:
    """Return the words of a list that is separated by commas."""
    return tuple(word.strip() for word in text.split(",")) if text else ()
