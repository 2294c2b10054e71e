"""Settings that determine the dataset. Every command that reads examples takes them, ``train`` as part of its settings.

This module does not need numpy, see ``settings``.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from mnist_bp.data.choices import DATASETS
from mnist_bp.data.options import DataOptions
from mnist_bp.environment import user_path
from mnist_bp.errors import InputError
from mnist_bp.training.declaration import Range, Setting, declared, flag, setting
from mnist_bp.training.panels import ADVANCED, DATA

__all__ = ["DATA_SETTINGS", "DataSettings", "nowhere"]

FRACTION = Range(0, 1, "a fraction between 0 and 1, like 0.2", excludes_low=True, excludes_high=True)


def nowhere(_: Any) -> str:
    """Return "" for a setting that is printed above the recipe, with the network or the data."""
    return ""


def _real_path(path: Path | None) -> str | None:
    return None if path is None else os.path.realpath(path)


def _recorded(setting: Setting, value: Any) -> Any:
    """Return a value in a config as the setting's. Raise InputError if it cannot be one."""
    if setting.type is Path and isinstance(value, str):
        return user_path(value)
    is_known = setting.choices is None or value in [*setting.choices]
    kinds = {float, int} if setting.type is float else {setting.type}
    is_in_range = type(value) in kinds and (setting.range is None or setting.range.holds(value))
    if not (is_known and is_in_range):
        expected = f"; expected {setting.range.expected}" if setting.range else ""
        raise InputError(f"{setting.key} = {value!r} is not valid{expected}")
    return value


@dataclass(frozen=True, kw_only=True)
class DataSettings:
    """Settings that determine the dataset. Each field is declared with its default, help and range."""

    dataset: str | None = setting(
        None,
        "Dataset: {values}. Default: what --data-dir holds; else mnist, or synthetic if MNIST is not available.",
        DATA,
        choices=DATASETS,
        notes={"own": "your files in --data-dir"},
        phrase=nowhere,
    )
    data_dir: Path | None = setting(
        None,
        "Your own dataset: an existing folder or file in one of the formats above, or a folder of several datasets. "
        "Default: MNIST_BP_DATA, or the user's cache folder.",
        DATA,
        metavar="PATH",
        format=_real_path,
        is_resumable=lambda _: True,
        phrase=nowhere,
    )
    test_split: float | None = setting(
        None,
        "Fraction of the training set that becomes the test set, stratified by class, if your dataset has none.",
        DATA,
        metavar="FRACTION",
        range=FRACTION,
    )
    invert: bool = flag(
        "Exchange black and white, for images that are dark on light.",
        DATA,
        phrase=lambda _: "images inverted",
    )
    transpose: bool = flag(
        "Exchange rows and columns of the images.",
        ADVANCED,
        phrase=lambda _: "images transposed",
    )
    classes: int | None = setting(
        None,
        "Number of classes in your dataset (labels 0 to N−1). Default: the largest label + 1.",
        ADVANCED,
        metavar="N",
        range=Range.whole(1, 256),
        phrase=nowhere,
    )
    class_names: Path | None = setting(
        None,
        "Text file with the name of a class on each line, that of label 0 first. Default: digits, or the names that "
        "the dataset has.",
        ADVANCED,
        metavar="FILE",
        format=_real_path,
        is_resumable=lambda _: True,
    )

    @classmethod
    def from_config(cls, config: object) -> "DataSettings":
        """Return the settings in the config of a run, which may come from an untrusted file.

        The file with class names is left out, because a saved model has the names. Raise InputError if a value is
        invalid.
        """
        if not isinstance(config, Mapping):
            raise InputError(f"expected a config; got {config!r}")
        names = {name: each for name, each in DATA_SETTINGS.items() if name != "class_names"}
        held = {name: config.get(each.key) for name, each in names.items()}
        return cls(**{name: _recorded(names[name], value) for name, value in held.items() if value is not None})

    @property
    def data_options(self) -> DataOptions:
        """Options for reading the dataset."""
        return DataOptions(**{each.name: getattr(self, each.name) for each in fields(DataOptions)})

    def or_else(self, others: "DataSettings") -> "DataSettings":
        """Return these settings with those of ``others`` where they have their defaults."""
        own = {each.name: getattr(self, each.name) for each in fields(DataSettings)}
        given = {name: value for name, value in own.items() if value != DATA_SETTINGS[name].default}
        return replace(others, **given)

    def options(self) -> dict[str, Any]:
        """Return the settings that are not None by option name, as in a config. It repeats what they describe."""
        return {key: value for key, value in sorted(self._formatted().items()) if value is not None}

    def _formatted(self) -> dict[str, Any]:
        return {each.key: each.format(getattr(self, each.name)) for each in declared(type(self)).values()}


DATA_SETTINGS: Mapping[str, Setting] = declared(DataSettings)
"""Declarations by field name."""
