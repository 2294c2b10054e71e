"""Committees for commands: several saved models that were trained on the same data."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mnist_bp.data.choices import DATASETS
from mnist_bp.data.names import OWN
from mnist_bp.errors import InputError
from mnist_bp.training.data_settings import DATA_SETTINGS, DataSettings
from mnist_bp.training.run_paths import find_models
from mnist_bp.training.saved_model import TrainedModel, load_model

if TYPE_CHECKING:
    from mnist_bp.committee import Committee

__all__ = ["TrainedCommittee", "load_committee"]


class TrainedCommittee(NamedTuple):
    """One or more saved models whose outputs are averaged. Their inputs and their classes mean the same."""

    members: tuple[TrainedModel, ...]

    @property
    def committee(self) -> "Committee":
        """The networks."""
        from mnist_bp.committee import Committee

        return Committee(member.network for member in self.members)

    @property
    def source(self) -> TrainedModel:
        """Member whose metadata describe the data: the first that records its dataset, or else the first."""
        return next((member for member in self.members if member.meta.dataset is not None), self.members[0])

    @property
    def is_several(self) -> bool:
        """True if there is more than one member."""
        return len(self.members) > 1

    @property
    def is_synthetic(self) -> bool:
        """True if a member was trained on synthetic digits."""
        return any(member.meta.synthetic for member in self.members)

    @property
    def file(self) -> str | None:
        """Path of the model file, for records; None for several members."""
        return None if self.is_several else str(self.source.path)

    def require_one_origin(self, given: DataSettings) -> None:
        """Raise InputError if the members would be evaluated on different data, unless ``given`` names them.

        A dataset with a name of its own is the same in every folder.
        """
        if given.dataset is not None or not self.is_several:
            return
        expected = _origin(self.source, given)
        for other in self.members:
            for key, value in _origin(other, given).items() if other.meta.dataset is not None else ():
                if value != expected[key]:
                    advice = f"choose with --{key}"
                    raise _difference(self.source, other, f"--{key}", expected[key], value, advice)


def load_committee(targets: Sequence[Path] | None) -> TrainedCommittee:
    """Load the models of runs, of folders of ``train --seeds``, or from files. Without any, load the latest run's.

    Raises
    ------
    InputError
        If one is missing or invalid, or if members differ in their dataset, inputs or classes.
    """
    chosen: Sequence[Path | None] = targets or [None]
    paths = [path for target in chosen for path in find_models(target)]
    committee = TrainedCommittee(tuple(load_model(path) for path in paths))
    known: dict[str, tuple[TrainedModel, Any]] = {}
    for member in committee.members:
        for what, value in _data_of(member):
            other, expected = known.setdefault(what, (member, value))
            if value != expected:
                raise _difference(other, member, what, expected, value, "the members of a committee share their data")
    return committee


def _data_of(model: TrainedModel) -> Iterator[tuple[str, Any]]:
    """Yield what the members of a committee must have in common, by name. What a file does not record is left out."""
    meta, network = model.meta, model.network
    names = model.class_names
    yield "number of inputs", network.sizes[0]
    yield "number of outputs", network.sizes[-1]
    is_known = meta.dataset not in {None, OWN}  # version 0.1.0 called all datasets of users the same
    if is_known:
        yield "dataset", meta.dataset
    if is_known or names:  # classes of a dataset without names are digits
        yield "class names", names
    if meta.image_shape is not None:
        yield "image shape", meta.image_shape
    yield "invert", meta.invert
    yield "dark_on_light", meta.dark_on_light
    yield "input scaling", tuple(map(float, meta.input_scaling))
    yield "transpose", meta.config.get("transpose") is True


def _origin(model: TrainedModel, given: DataSettings) -> Mapping[str, Any]:
    """Return the settings of the data on which a model is evaluated, by option name.

    The dataset is left out: ``_data_of`` has its name, which the config of a run of version 0.1.0 lacks.
    """
    settings = given.or_else(model.origin)
    dataset = settings.dataset or model.meta.dataset
    if dataset != OWN and dataset in DATASETS:
        settings = replace(settings, data_dir=given.data_dir)
    settings = replace(settings, classes=settings.classes or model.network.sizes[-1])
    chosen = {name: setting for name, setting in DATA_SETTINGS.items() if name != "dataset"}
    return {setting.key: setting.format(getattr(settings, name)) for name, setting in chosen.items()}


def _difference(one: TrainedModel, other: TrainedModel, what: str, first: Any, second: Any, advice: str) -> InputError:
    """Return the error for two members that differ; of two lists, only the first difference is named."""
    if isinstance(first, tuple) and isinstance(second, tuple) and what == "class names":
        first, second = next(pair for pair in zip_longest(first, second) if pair[0] != pair[1])
    return InputError(f"{one.path} and {other.path} differ in {what}: {_text(first)} and {_text(second)}; {advice}")


def _text(value: Any) -> str:
    return "none" if value is None else str(value)
