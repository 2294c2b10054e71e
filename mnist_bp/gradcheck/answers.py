"""Results of users' functions: lists, dictionaries, pairs, with or without the cost."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from mnist_bp.core.activations import Array
from mnist_bp.core.parameters import ParameterVector
from mnist_bp.errors import InputError
from mnist_bp.gradcheck.layouts import Layout

__all__ = ["Answer", "Misfit", "read_answer"]

KEY = re.compile(r"(?:^|[^a-z]|d)([wb])(?:eights?|ias(?:es)?|s)?_?(\d*)$", re.IGNORECASE)
"""Key of a dictionary: W1, dW1, nabla_b_2; without a number, the value is the list of all layers."""


class Misfit(InputError):
    """Result with other shapes than the parameters have in the layout that was used."""


class Answer(NamedTuple):
    """Gradient that a function returned, and the form in which it returned it, such as (dC_dW, dC_db)."""

    gradient: ParameterVector
    form: str


class _Reading(NamedTuple):
    """Interpretation of a result as arrays of each layer."""

    form: str
    dC_dW: Sequence[Any]
    dC_db: Sequence[Any]


def read_answer(answer: Any, layout: Layout, sizes: Sequence[int], name: str) -> Answer:
    """Return the gradient in a result of the function ``name`` as a parameter vector.

    Raises
    ------
    Misfit
        If no interpretation has the shapes of the parameters.
    InputError
        If an array does not hold finite real numbers.
    """
    first: Misfit | None = None
    for reading in _readings(answer, len(sizes) - 1):
        try:
            return Answer(_gradient(reading, layout, sizes, name), reading.form)
        except Misfit as error:
            first = first or error
    raise first or Misfit(f"{name} returned {_described(answer)}; expected two lists of arrays, (dC_dW, dC_db)")


def _described(answer: Any) -> str:
    kind = type(answer).__name__
    if isinstance(answer, Mapping):
        return f"a {kind} with the keys {', '.join(map(str, [*answer][:6])) or '(none)'}"
    return f"a {kind} of {len(answer)}" if isinstance(answer, list | tuple) else kind


def _readings(answer: Any, L: int) -> Iterator[_Reading]:
    """Yield the interpretations of a result for a network with L layers, the most usual first."""
    if isinstance(answer, Mapping):
        yield from _of_mapping(answer, L)
    if not _is_list(answer):
        return
    parts = list(answer)
    if len(parts) == 2 and all(map(_is_list, parts)):
        yield _Reading("(dC_dW, dC_db)", *parts)
        yield _Reading("(dC_db, dC_dW)", *reversed(parts))
    if len(parts) == 2 and all(isinstance(part, Mapping) for part in parts):
        yield from _of_mapping({**parts[0], **parts[1]}, L)
    if len(parts) == L and all(_is_list(part) and len(part) == 2 for part in parts):
        yield _Reading("[(dC_dW1, dC_db1), …]", *zip(*parts, strict=True))
    if len(parts) == 2 * L:
        yield _Reading("(dC_dW1, dC_db1, …)", parts[::2], parts[1::2])
        yield _Reading("(dC_dW1, …, dC_db1, …)", parts[:L], parts[L:])
    for cost, rest, form in ((0, slice(1, None), "(cost, {})"), (-1, slice(-1), "({}, cost)")):
        if len(parts) > 1 and _is_number(parts[cost]):
            others = parts[rest]
            for reading in _readings(others[0] if len(others) == 1 else others, L):
                yield reading._replace(form=form.format(reading.form))


def _of_mapping(answer: Mapping[Any, Any], L: int) -> Iterator[_Reading]:
    found: dict[str, dict[int, Any]] = {"w": {}, "b": {}}
    keys = dict[str, str]()
    for key, value in answer.items():
        if match := KEY.search(str(key)):
            letter, number = match[1].lower(), match[2]
            found[letter] |= {int(number): value} if number else dict(enumerate(value if _is_list(value) else [value]))
            keys.setdefault(letter, str(key))
    if len(found["w"]) == len(found["b"]) == L:
        W, b = ([each[number] for number in sorted(each)] for each in found.values())
        yield _Reading(f'{{"{keys["w"]}": …, "{keys["b"]}": …}}', W, b)


def _is_list(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return value.ndim > 0
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) or (isinstance(value, np.ndarray) and value.size == 1)


def _gradient(reading: _Reading, layout: Layout, sizes: Sequence[int], name: str) -> ParameterVector:
    """Return the arrays of a reading as a parameter vector. Raise Misfit or InputError as ``read_answer`` does."""
    gradient = ParameterVector.empty(sizes, np.float64)
    arrays = []
    for letter, given, expected in zip("Wb", reading[1:], (gradient.weights, gradient.biases), strict=True):
        if len(given) != len(expected):
            raise Misfit(f"{name}: expected a list of {len(expected)} arrays dC_d{letter}, one for each layer")
        for number, (array, target) in enumerate(zip(given, expected, strict=True), 1):
            where = f"{name}: dC_d{letter} of layer {number}"
            arrays.append((where, _shaped(array, target, letter, layout, where), target))
    for where, array, target in arrays:
        if array.dtype.kind not in "biuf":
            raise InputError(f"{where} has type {array.dtype}; expected real numbers")
        if not np.isfinite(array).all():
            raise InputError(f"{where} contains numbers that are not finite")
        target[...] = array
    return gradient


def _shaped(array: Any, target: Array, letter: str, layout: Layout, where: str) -> Array:
    """Return an array of a result in the shape of ``target``. Raise Misfit if it has another one."""
    try:
        found = np.asarray(array)
    except ValueError as error:  # a list of rows of different lengths
        raise Misfit(f"{where} is not an array ({error})") from error
    shape = layout.weight(target).shape if letter == "W" else target.shape
    if letter == "b" and found.shape in {(*shape, 1), (1, *shape)}:
        found = found.reshape(shape)
    elif letter == "b" and found.size == 1:
        found = np.full(shape, found)  # numpy would add this number to every bias: a bug that is named
    if found.shape != shape:
        raise Misfit(f"{where} has shape {found.shape}; expected {shape}{_hint(letter, found, shape)}")
    return layout.weight(found) if letter == "W" else found


def _hint(letter: str, found: Any, shape: tuple[int, ...]) -> str:
    """Return the probable cause of a wrong shape."""
    if letter == "b" and found.ndim == 2 and shape[0] in found.shape:
        return " (not summed over the examples?)"
    return ""
