"""JavaScript source of a network's functions, generated from the registries of activations and costs."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from mnist_bp.core.choices import COSTS
from mnist_bp.core.choices import activation as activation_named
from mnist_bp.errors import InputError

__all__ = ["functions_module"]

CODE = ("f", "derivative", "shares")
"""Fields whose text is JavaScript. The others are values."""

Z = np.linspace(-1000, 1000, 2001)[:, np.newaxis]
"""Weighted sums at which an activation is sampled to find its bounds, including 0."""


def functions_module(activations: Iterable[str], costs: Iterable[str]) -> str:
    """Return the source of ``functions.js``, which exports these activations and these costs by name.

    Raises
    ------
    InputError
        If the registry entry of one of them has no JavaScript.
    """
    entries = {name: _activation(name) for name in sorted(set(activations))}
    of_costs = {name: _javascript("cost", name, COSTS[name])._asdict() for name in sorted(set(costs))}
    return "\n".join([_export("ACTIVATIONS", entries), _export("COSTS", of_costs)])


def _activation(name: str) -> dict[str, Any]:
    """Return an activation's JavaScript, with the bounds by which the page scales its drawings of neurons."""
    javascript = _javascript("activation", name, activation_named(name))
    σ = activation_named(name)
    a = σ.f(Z)
    steepest = None if javascript.derivative is None else float(σ.derivative(a).max())
    return {**javascript._asdict(), "is_bounded": bool(np.abs(a).max() <= 1), "steepest": steepest}


def _javascript(kind: str, name: str, entry: Any) -> Any:
    """Return the JavaScript of a registry entry."""
    javascript = entry.javascript
    if javascript is None:
        raise InputError(
            f"a page cannot compute the {kind} {name!r}: its registry entry has no javascript; add it, or choose a "
            f"model with another {kind}"
        )
    return javascript


def _export(name: str, entries: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the source of a constant with the entries by name."""
    members = [f"{json.dumps(entry)}: {{\n{_members(fields)}}},\n" for entry, fields in entries.items()]
    return f"export const {name} = {{\n{''.join(members)}}};\n"


def _members(fields: Mapping[str, Any]) -> str:
    texts = {field: value if field in CODE and value else json.dumps(value) for field, value in fields.items()}
    return "".join(f"{field}: {text},\n" for field, text in texts.items())
