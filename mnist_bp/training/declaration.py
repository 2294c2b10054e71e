"""Declaration of settings: a dataclass field whose metadata describes its option, config key and records."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from types import NoneType
from typing import Any, NamedTuple, get_args, get_type_hints

from mnist_bp.errors import InputError

__all__ = ["Condition", "Range", "Setting", "declared", "flag", "setting"]


class Range(NamedTuple):
    """Range of numbers from ``low`` to ``high``, both included by default. ``expected`` describes it in errors."""

    low: float
    high: float
    expected: str
    excludes_low: bool = False
    excludes_high: bool = False

    def holds(self, value: float) -> bool:
        """Return True if ``value`` is in the range. NaN never is."""
        is_above = self.low < value if self.excludes_low else self.low <= value
        is_below = value < self.high if self.excludes_high else value <= self.high
        return is_above and is_below

    @classmethod
    def whole(cls, low: int, high: float = math.inf) -> "Range":
        """Return the range of whole numbers from ``low`` to ``high``."""
        return cls(low, high, f"a whole number, {low} {'or more' if high == math.inf else f'to {high:,}'}")

    def number(self, kind: Callable[[Any], Any], given: Any) -> Any:
        """Return a text, or a number from a config, as an int or a float; InputError if it is not in the range."""
        try:
            value = kind(given)
        except ValueError:
            raise InputError(f"expected {self.expected}; got {given!r}") from None
        if not self.holds(value):
            raise InputError(f"expected {self.expected}; got {value:{'d' if kind is int else 'g'}}")
        return value


class Condition(NamedTuple):
    """Condition on the value of another setting, which is declared before.

    Attributes
    ----------
    setting
        Name of the other setting.
    holds
        Function of its value.
    """

    setting: str
    holds: Callable[[Any], bool]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Declaration of one setting.

    Attributes
    ----------
    default
        Value without the option. None if it depends on other settings, or if the setting is off.
    help
        Help text, without the default if that is a value. ``{values}`` is replaced by the named values.
    panel
        Panel of ``--help``.
    metavar
        Placeholder for the value in ``--help``. None for its type or the named values.
    choices
        Registry of the named values. None for any value of the type.
    notes
        Explanations of named values for the help, by name.
    range
        Range of valid numbers. None for all. If ``parse`` is given, a number in it is one form of a value.
    is_log
        True if values differ by factors, so that a search samples a range on a log scale.
    is_fixed
        True if all trials of a search have the same value, because accuracies could not be compared otherwise.
    only_if
        Condition under which the setting has an effect. None if it always has.
    parse, format
        Functions from text to value, and from value to the form in a config.
    is_resumable
        Function of the settings, True if a run may resume with another value of this setting. None for never.
    absent
        Value in a run whose config lacks the setting, because an older version began it. Default: ``default``.
    always
        True if the printed recipe includes this setting even at its default.
    phrase
        Function of the settings that describes this one in the printed recipe. None for name and value.
    name
        Name of the field. Its option and config key have hyphens instead of underscores.
    type
        Type of a value: int, float, str, Path, or Any if ``parse`` creates it.
    """

    default: Any
    help: str
    panel: str
    metavar: str | None = None
    choices: Mapping[str, Any] | None = None
    notes: Mapping[str, str] = field(default_factory=dict)
    range: Range | None = None
    is_log: bool = False
    is_fixed: bool = False
    only_if: Condition | None = None
    parse: Callable[[str], Any] | None = None
    format: Callable[[Any], Any] = lambda value: value
    is_resumable: Callable[[Any], bool] | None = None
    absent: Any = None
    always: bool = False
    phrase: Callable[[Any], str] | None = None
    name: str = ""
    type: Any = None

    @property
    def may_resume(self) -> bool:
        """True if some runs may resume with another value."""
        return self.is_resumable is not None

    @property
    def key(self) -> str:
        """Key in a config, and long name of the option."""
        return self.name.replace("_", "-")

    @property
    def full_help(self) -> str:
        """Help text with the currently registered named values."""
        values = (f"{name} ({self.notes[name]})" if name in self.notes else name for name in self.choices or ())
        return self.help.replace("{values}", "; ".join(values))

    def parsed(self, value: Any) -> Any:
        """Return the value of a text, if values are parsed from texts. Any other value is returned unchanged."""
        return self.parse(value) if self.parse and isinstance(value, str) else value

    def described(self, settings: Any) -> str:
        """Return the description in the printed recipe, or "" if it is omitted there."""
        value = getattr(settings, self.name)
        if value == self.default and not self.always:
            return ""
        if self.phrase is not None:
            return self.phrase(settings)
        name = self.name.replace("_", " ")
        return f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"


def setting(default: Any, text: str, panel: str, **declaration: Any) -> Any:
    """Declare a field of a settings dataclass: see ``Setting``."""
    declaration.setdefault("absent", default)
    return field(default=default, metadata={"setting": Setting(default=default, help=text, panel=panel, **declaration)})


def flag(text: str, panel: str, **declaration: Any) -> Any:
    """Declare a field that is True with its option, and False without it. A config contains it only if it is True."""
    return setting(default=False, text=text, panel=panel, format=lambda is_on: is_on or None, **declaration)


def declared(settings: type[Any]) -> dict[str, Setting]:
    """Return the declarations of a settings dataclass by field name, in order."""
    hints = get_type_hints(settings)
    return {
        each.name: replace(each.metadata["setting"], name=each.name, type=_without_none(hints[each.name]))
        for each in fields(settings)
    }


def _without_none(hint: Any) -> Any:
    """Return X for ``X | None``, and any other type unchanged."""
    kinds = [kind for kind in get_args(hint) if kind is not NoneType]
    return kinds[0] if NoneType in get_args(hint) else hint
