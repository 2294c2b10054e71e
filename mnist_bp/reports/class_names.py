"""What people call a class: the digit, or its name and its number."""

from typing import NamedTuple

__all__ = ["ClassNames"]


class ClassNames(NamedTuple):
    """What to call the classes of a dataset; ``names`` is empty where they are digits."""

    names: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """What a class is: a heading for them."""
        return "class" if self.names else "digit"

    def label(self, number: int) -> str:
        """A class in a table: 7, Sneaker 7."""
        return f"{self.names[number]} {number}" if self.names else str(number)

    def called(self, number: int) -> str:
        """A class in a sentence: a 7, an 8, Sneaker 7."""
        if self.names:
            return self.label(number)
        return f"a{'n' if str(number)[0] == '8' or number in {11, 18} else ''} {number}"
