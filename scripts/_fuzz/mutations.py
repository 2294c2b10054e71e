"""Mutations that turn something valid into something hostile. Each draws from the ``Random`` that it is given."""

import math
from collections.abc import Callable
from random import Random
from typing import Any

__all__ = ["LIMITS", "hostile_value", "mutated_bytes", "mutated_value", "wild_text"]

LIMITS = [0, 1, 2**7, 2**8 - 1, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1]
"""Numbers near the limits of 8, 16, 32 and 64 bits, at which a reader may overflow."""

MOST_EDITS = 4


def mutated_bytes(content: bytes, random: Random) -> bytes:
    """Return bytes that were flipped, overwritten, moved, repeated, inserted or removed in one to four places."""
    edited = bytearray(content)
    for _ in range(random.randint(1, MOST_EDITS)):
        random.choice(_EDITS)(edited, random)
    return bytes(edited)


def _flip(content: bytearray, random: Random) -> None:
    for place in _places(content, random, random.choice([1, 1, 8])):
        content[place] ^= 1 << random.randrange(8)


def _overwrite(content: bytearray, random: Random) -> None:
    for place in _places(content, random, 1):
        content[place : place + 8] = random.randbytes(len(content[place : place + 8]))


def _set_number(content: bytearray, random: Random) -> None:
    """Overwrite bytes, which may be a number of bytes or examples, with a number near a limit."""
    width = random.choice([1, 2, 4, 8])
    number = random.choice(LIMITS) % (1 << 8 * width)
    for place in _places(content, random, 1):
        content[place : place + width] = number.to_bytes(width, random.choice(["big", "little"]))


def _splice(content: bytearray, random: Random) -> None:
    """Copy a piece over another place, so that well-formed content is in the wrong place."""
    for place, source in zip(_places(content, random, 1), _places(content, random, 1), strict=True):
        piece = content[source : source + random.randint(1, 64)]
        content[place : place + len(piece)] = piece


def _repeat(content: bytearray, random: Random) -> None:
    for place in _places(content, random, 1):
        piece = content[place : place + random.randint(1, 256)]
        content[place:place] = piece * random.choice([1, 1, 10])


def _insert(content: bytearray, random: Random) -> None:
    place = random.randint(0, len(content))
    content[place:place] = random.randbytes(random.randint(1, 16))


def _remove(content: bytearray, random: Random) -> None:
    for place in _places(content, random, 1):
        del content[place : place + random.randint(1, 64)]


def _truncate(content: bytearray, random: Random) -> None:
    del content[random.randint(0, len(content)) :]


_EDITS: list[Callable[[bytearray, Random], None]] = [
    _flip, _flip, _overwrite, _set_number, _set_number, _splice, _repeat, _insert, _remove, _truncate,
]  # fmt: skip


def _places(content: bytearray, random: Random, count: int) -> list[int]:
    """Return places in ``content``, half of them near its ends, where headers are."""
    length = len(content)
    if not length:
        return []
    near = min(length, 128)
    ranges = [range(length), range(length), range(near), range(length - near, length)]
    return [random.choice(random.choice(ranges)) for _ in range(count)]


def mutated_value(value: Any, random: Random) -> Any:
    """Return a JSON or TOML value with a part changed, renamed, removed or inserted. ``value`` is not modified."""
    if isinstance(value, dict) and value and random.random() < 0.9:
        key = random.choice(list(value))
        what = random.randrange(10)
        if what == 0:
            return {name: part for name, part in value.items() if name != key}
        if what == 1:
            return {**value, wild_text(random): value[key]}
        if what == 2:
            return {wild_text(random) if name == key else name: part for name, part in value.items()}
        return {**value, key: mutated_value(value[key], random)}
    if isinstance(value, list | tuple) and value and random.random() < 0.7:
        place = random.randrange(len(value))
        return [*value[:place], mutated_value(value[place], random), *value[place + random.randint(0, 1) :]]
    return hostile_value(value, random)


def hostile_value(value: Any, random: Random) -> Any:
    """Return a value other than ``value``, perhaps of another type or out of range."""
    others: list[Any] = [
        None, True, False, "", [], {}, [[]], [None], {"": None}, [value], {"x": value}, [value] * 3, f"{value}",
        0, -1, 1, 1.5, -0.0, 1e-320, 1e308, math.nan, math.inf, -math.inf, wild_text(random), [wild_text(random)],
        10**30, 10**400, -(10**30), random.choice(LIMITS), -random.choice(LIMITS), random.choice(LIMITS) / 3,
        _nested(random.choice([5, 50, 300])), [1] * random.choice([100, 3000]),
    ]  # fmt: skip
    if isinstance(value, int | float):
        others += [-value, value + 1, value - 1, value * 1000] * 3
    if isinstance(value, str):
        others += [value.upper(), f" {value}", f"{value}\n", f"{value}\0", value[1:], value[::-1]] * 2
    return random.choice(others)


def wild_text(random: Random) -> str:
    """Return a text with control characters or markup, a text that is not UTF-8, or a long text."""
    texts = [
        "\x1b[31m", "\x1b]0;title\x07", "\r", "a\nb", "\0", "\u202e", "\x9b31m", "[red]x", "[/nonsense]", "é日本",
        "x" * 5000, "../..", "/", "~", "%s", "{}", "'", '"', "\\",
    ]  # fmt: skip
    return random.choice(texts)


def _nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value
