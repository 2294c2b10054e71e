"""Configs (config.toml): parsing, and the settings that a run of any version had."""

from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from mnist_bp.errors import InputError
from mnist_bp.storage.regular_file import read_whole
from mnist_bp.training.saved_epoch import default_keep
from mnist_bp.training.settings import SETTINGS, Settings

__all__ = [
    "LIMIT",
    "changed_settings",
    "is_complete",
    "parse_config",
    "read_config",
    "recorded_settings",
    "without_derived",
]

LIMIT = 1 << 20
"""Largest number of bytes of a config. That of a network of 100,000 layers is smaller."""

MARKS, MOST_MARKS = (b".", b"[", b"{", b"=", b"\n"), 1 << 13
"""Characters that separate keys, and their largest number. Keys with thousands of dots are slow to parse."""

ALWAYS_RECORDED = {
    "activation", "batch-size", "cost", "dtype", "epochs", "hidden", "learning-rate", "seed", "threads"
}  # fmt: skip
"""Settings in the config of every run, of every version."""

ELSEWHERE = {"dataset", "data-dir", "class-names", "classes", "hidden", "epochs", "threads"}
"""Settings that describe the data, the network, the length or the machine. They have columns of their own, or none."""


def parse_config(content: bytes, path: Path) -> dict[str, Any]:
    """Return the values in a config, by key.

    Raises
    ------
    InputError
        If the content is no TOML, is longer than ``LIMIT``, or has more than ``MOST_MARKS`` lines and keys.
    """
    import tomllib

    if len(content) > LIMIT:
        raise InputError(f"{path} is not a config: it is larger than {LIMIT:,} bytes")
    if sum(map(content.count, MARKS)) > MOST_MARKS:
        raise InputError(f"{path} is not a config: it has more than {MOST_MARKS:,} lines and keys")
    try:
        return tomllib.loads(content.decode("utf-8-sig"))  # Windows' Notepad may write a BOM
    except (ValueError, RecursionError) as error:  # ValueError: also of a number of thousands of digits
        raise InputError(f"{path} is not a TOML file: {error}") from error


def read_config(path: Path) -> dict[str, Any]:
    """Return the values in a config, by key. Raise InputError if it cannot be read, see ``parse_config``."""
    try:
        return parse_config(read_whole(path, LIMIT), path)
    except OSError as error:
        raise InputError(f"cannot read the config {path}: {error.strerror or error}") from error


def is_complete(config: Mapping[str, Any]) -> bool:
    """Return True if a config has the settings that every version records."""
    return config.keys() >= ALWAYS_RECORDED


def recorded_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return all settings of a run by option name, also those that the version that began it did not know."""
    absent = {each.key: each.format(each.absent) for each in SETTINGS.values() if each.absent is not None}
    return {**{key: value for key, value in absent.items() if value is not None}, **config}


def changed_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of ``recorded_settings`` that differ from their defaults, in the order of the help.

    Settings that describe the data, the network, the number of epochs and the machine are left out.
    """
    momentum = settings.get("momentum")
    kind = tuple(settings.get(key) for key in ("activation", "cost", "optimizer"))
    usual = _defaults(*kind, momentum if isinstance(momentum, float) else None)
    defaults = {**usual, "keep": default_keep(settings.get("early-stop"))}
    keys = dict.fromkeys((*(each.key for each in SETTINGS.values()), *settings))
    return {
        key: settings[key]
        for key in keys
        if key in settings and key not in ELSEWHERE and settings[key] != defaults.get(key)
    }


def without_derived(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a run's config, by field name, without defaults that follow from its other values.

    A run records every setting. Its learning rate, for example, may be only the default of its optimizer, and is then
    not the one to use with another optimizer.
    """
    chosen = {name: value for name, value in values.items() if value is not None}
    with suppress(InputError):  # the options report an invalid value
        settings = {name: SETTINGS[name].parsed(value) for name, value in chosen.items() if name in SETTINGS}
        whole = Settings(**settings)
        for name in [name for name in settings if SETTINGS[name].default is None]:
            others = {other: value for other, value in settings.items() if other != name}
            if getattr(Settings(**others), name) == getattr(whole, name):
                settings = others
        return {name: value for name, value in chosen.items() if name in settings or name not in SETTINGS}
    return chosen


@lru_cache
def _defaults(activation: Any, cost: Any, optimizer: Any, momentum: float | None) -> Mapping[str, Any]:
    """Return the defaults of all settings by option name. Some depend on these settings, if this version knows them."""
    defaults = {each.key: each.format(each.default) for each in SETTINGS.values() if each.default is not None}
    with suppress(InputError):
        kind: dict[str, Any] = {"activation": activation, "cost": cost, "optimizer": optimizer}
        rate = Settings(**kind, momentum=momentum).learning_rate
        defaults = {**Settings(**kind).options(), "learning-rate": rate, **defaults}
    return defaults
