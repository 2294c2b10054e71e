"""Text for a class: the digit, or its name and number."""

from typing import NamedTuple

__all__ = ["ClassNames"]


class ClassNames(NamedTuple):
    """Names of the classes of a dataset; ``names`` is empty if they are digits."""

    names: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """Return the heading for classes."""
        return "class" if self.names else "digit"

    def label(self, number: int) -> str:
        """Return a class as in a table: 7, Sneaker 7."""
        return f"{self.names[number]} {number}" if self.names else str(number)

    def called(self, number: int) -> str:
        """Return a class as in a sentence: a 7, an 8, Sneaker 7."""
        if self.names:
            return self.label(number)
        return f"a{'n' if str(number)[0] == '8' or number in {11, 18} else ''} {number}"
