"""Parsing and formatting of hidden layers, batch sizes, network sizes and counts."""

from collections.abc import Sequence

from mnist_bp.errors import InputError

__all__ = ["count", "format_batch_size", "format_hidden", "format_sizes", "parse_batch_size", "parse_hidden"]


def parse_hidden(text: str) -> tuple[int, ...]:
    """Return the sizes of the hidden layers: "16,16" gives (16, 16), "none" gives ()."""
    if text.strip().lower() == "none":
        return ()
    parts = [part.strip() for part in text.split(",")]
    if not all(map(_is_count, parts)):
        raise InputError(f"expected neurons of each hidden layer, like 16,16, or none; got {text!r}")
    return tuple(int(part) for part in parts)


def format_hidden(hidden: tuple[int, ...]) -> str:
    """Return hidden layers in the form that ``parse_hidden`` reads."""
    return ",".join(map(str, hidden)) or "none"


def parse_batch_size(text: str) -> int | None:
    """Return the batch size: "100" gives 100, "all" gives None."""
    if text.strip().lower() == "all":
        return None
    if not _is_count(text.strip()):
        raise InputError(f"expected a whole number of examples of 1 or more, or all; got {text!r}")
    return int(text)


def format_batch_size(batch_size: int | None) -> str:
    """Return a batch size in the form that ``parse_batch_size`` reads."""
    return "all" if batch_size is None else str(batch_size)


def format_sizes(sizes: Sequence[int]) -> str:
    """Return the sizes of all layers in the form used in names of runs: 784-16-16-10."""
    return "-".join(map(str, sizes))


def count(number: int, what: str) -> str:
    """Return a number with its noun in the singular or plural: 1 epoch, 2 epochs; 1 search, 2 searches."""
    plural = f"{what}es" if what.endswith("rch") else f"{what}s"
    return f"{number} {what if number == 1 else plural}"


def _is_count(text: str) -> bool:
    """Return True for a whole number from 1 to 999,999,999."""
    return text.isascii() and text.isdigit() and len(text) <= 9 and int(text) > 0
