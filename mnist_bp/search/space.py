"""Search space: the values that each setting of a training may have, from texts such as ``0.1:5`` and ``sgd|adam``.

Settings, their types and their valid values are those of the one declaration (``training/settings.py``). This module
does not import Optuna, so that ``--help`` and errors about options are fast.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mnist_bp.errors import InputError
from mnist_bp.training.data_settings import DATA_SETTINGS
from mnist_bp.training.declaration import Setting
from mnist_bp.training.settings import SETTINGS, Settings

if TYPE_CHECKING:
    from optuna import Trial

__all__ = ["SEARCHED", "Space", "Values", "default_validation", "parse_values", "varies"]

MOST_VALIDATION, VALIDATION_SHARE = 10_000, 6
"""Default size of the validation set: a sixth of the training examples, as 10,000 are of MNIST's 60,000."""

SEARCHED: Mapping[str, Setting] = {
    **SETTINGS,
    "validation": replace(
        SETTINGS["validation"],
        help=f"Hold out N training examples, stratified by class, as a validation set. Default: {MOST_VALIDATION:,}, "
        "or a sixth of a smaller training set.",
    ),
}
"""Declarations of the options of ``search``."""

FORMS = "LOW:HIGH, or A|B|C"


def default_validation(examples: int) -> int:
    """Return the size of the validation set for this number of training examples."""
    return max(1, min(MOST_VALIDATION, examples // VALIDATION_SHARE))


def varies(setting: Setting) -> bool:
    """Return True if the trials of a search may have different values of this setting."""
    return not setting.is_fixed and setting.name not in DATA_SETTINGS


@dataclass(frozen=True)
class Values:
    """Values of one setting in a search.

    Attributes
    ----------
    text
        Text that ``parse_values`` reads.
    choices
        Texts of the values; a single one if the setting is the same in all trials; empty for a range.
    low, high
        Bounds of a range, both included; None for choices.
    """

    text: str
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None

    @property
    def is_fixed(self) -> bool:
        """True if all trials have the same value."""
        return len(self.choices) == 1

    def all(self, setting: Setting) -> list[Any]:
        """Return all values of the setting, or the bounds of a range."""
        texts = self.choices or tuple(f"{bound:{'d' if _is_whole(setting) else '.17g'}}" for bound in self._bounds)
        return [_value(setting, text) for text in texts]

    @property
    def _bounds(self) -> tuple[float, float]:
        assert self.low is not None
        assert self.high is not None
        return self.low, self.high

    def sample(self, setting: Setting, trial: "Trial") -> Any:
        """Return the setting's value in a trial."""
        if self.is_fixed:
            return _value(setting, self.text)
        if self.choices:
            return _value(setting, trial.suggest_categorical(setting.key, self.choices))
        low, high = self._bounds
        if not _is_whole(setting):
            return trial.suggest_float(setting.key, low, high, log=setting.is_log)
        number = trial.suggest_int(setting.key, int(low), int(high), log=setting.is_log)
        return setting.parse(str(number)) if setting.parse else number


def parse_values(setting: Setting) -> Callable[[Any], Values]:
    """Return a function from a text, or from a value in a config, to the values of a setting.

    It raises InputError if the text is not valid.
    """

    def parsed(given: Any) -> Values:
        if isinstance(given, Values):
            return given
        text = str(given)
        if "|" in text:
            return _choices(setting, text)
        if ":" in text:
            return _range(setting, text)
        _value(setting, text)
        return Values(text, (text,))

    return parsed


def _choices(setting: Setting, text: str) -> Values:
    texts = tuple(part.strip() for part in text.split("|"))
    values = [_value(setting, each) for each in texts]
    if len(values) != len({*values}):
        raise InputError(f"expected different values in A|B|C; got {text!r}")
    return Values(text, texts)


def _range(setting: Setting, text: str) -> Values:
    """Return a range. Its bounds are numbers that are valid values themselves."""
    if setting.range is None:
        raise InputError(f"a range LOW:HIGH requires numbers; expected one value or A|B|C; got {text!r}")
    parts = text.split(":")
    if len(parts) != 2:
        raise InputError(f"expected one value (or {FORMS}); got {text!r}")
    low, high = (_number(setting, part) for part in parts)
    if not low < high < float("inf"):
        raise InputError(f"expected LOW:HIGH with LOW below HIGH; got {text!r}")
    if setting.is_log and low <= 0:
        raise InputError(f"expected LOW:HIGH with LOW above 0, because the scale is logarithmic; got {text!r}")
    return Values(text, low=low, high=high)


def _value(setting: Setting, text: str) -> Any:
    """Return one value of a setting. Raise InputError, with the forms of several values, if it is not valid."""
    if setting.parse is not None:
        try:
            return setting.parse(text)
        except InputError as error:
            raise InputError(f"{error} (several values: {FORMS})") from None
    if setting.choices is not None:
        if text not in [*setting.choices]:
            raise InputError(f"expected one of {', '.join(setting.choices)}, or several with | between; got {text!r}")
        return text
    return _number(setting, text)


def _number(setting: Setting, text: str) -> Any:
    assert setting.range is not None
    kind: Callable[[Any], Any] = int if _is_whole(setting) else float
    allowed = setting.range
    return allowed._replace(expected=f"{allowed.expected} (or {FORMS})").number(kind, text.strip())


def _is_whole(setting: Setting) -> bool:
    return setting.type is not float


class Space:
    """Search space, and the settings that all trials share.

    Parameters
    ----------
    given
        By name of each setting of ``Settings``: ``Values``, or None for its default, if it ``varies``; otherwise the
        value that all trials have.

    Attributes
    ----------
    values
        Values of the given settings that may vary, by name.
    settings
        Settings of one possible trial. All trials share those that do not vary.

    Raises
    ------
    InputError
        If the settings of every trial would contradict each other.
    """

    def __init__(self, **given: Any) -> None:
        self.values: Mapping[str, Values] = {
            name: given[name] for name, each in SETTINGS.items() if varies(each) and given.get(name) is not None
        }
        self._shared = {name: given[name] for name, each in SETTINGS.items() if not varies(each) and name in given}
        last = {name: each.all(SETTINGS[name])[-1] for name, each in self.values.items() if not self._may_lapse(name)}
        self.settings = Settings(**self._shared, **last)

    def _may_lapse(self, name: str) -> bool:
        """Return True if a setting has no effect in some trials, but has one in others."""
        condition = SETTINGS[name].only_if
        if condition is None:
            return False
        decisive = SETTINGS[condition.setting]
        given = self.values.get(decisive.name)
        possible = given.all(decisive) if given else [decisive.default]
        return len({condition.holds(value) for value in possible}) > 1

    @property
    def varied(self) -> dict[str, Values]:
        """Values of the settings in which trials differ, by name."""
        return {name: each for name, each in self.values.items() if not each.is_fixed}

    @property
    def scales(self) -> dict[str, str]:
        """Scale of each setting in which trials differ, by option name: log, linear or choices."""
        kinds = {name: "choices" if each.choices else "linear" for name, each in self.varied.items()}
        return {
            SETTINGS[name].key: "log" if kind == "linear" and SETTINGS[name].is_log else kind
            for name, kind in kinds.items()
        }

    @property
    def threads(self) -> int | None:
        """Given number of threads, or None for the default of each trial."""
        threads: int | None = self._shared.get("threads")
        return threads

    def sharing(self, **changes: Any) -> "Space":
        """Return the space with other values of settings that all trials share."""
        return Space(**{**self._shared, **changes}, **self.values)

    def sample(self, trial: "Trial") -> Settings:
        """Return the settings of a trial. A setting without effect in it is not sampled, and has its default.

        Raises
        ------
        InputError
            If the settings of this trial contradict each other.
        """
        values: dict[str, Any] = {**{name: each.default for name, each in SETTINGS.items()}, **self._shared}
        for name, each in self.values.items():
            condition = SETTINGS[name].only_if
            if each.is_fixed or condition is None or condition.holds(values[condition.setting]):
                values[name] = each.sample(SETTINGS[name], trial)
        return Settings(**values)

    def record(self) -> dict[str, Any]:
        """Return the space as JSON, by option name: texts of values, and what all trials share. See ``from_record``."""
        shared = {SETTINGS[name].key: SETTINGS[name].format(value) for name, value in self._shared.items()}
        return {**shared, **{SETTINGS[name].key: each.text for name, each in self.values.items()}}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "Space":
        """Return the space of a record. Raise InputError if it is not valid, or of a later version."""
        given = {}
        known = {each.key: each for each in SETTINGS.values()}
        for key, value in record.items():
            if key not in known:
                raise InputError(f"the study has a setting {key!r}, which this version does not know")
            setting = known[key]
            if value is None or not varies(setting):
                given[setting.name] = Path(value) if value and setting.type is Path else value
            else:
                given[setting.name] = parse_values(setting)(value)
        return cls(**given)
