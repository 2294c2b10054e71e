"""Study of ``mnist-bp search``: a new one, or one to continue, with its data."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mnist_bp import __version__
from mnist_bp.cli.config import first_explicit_option, is_default, is_given
from mnist_bp.cli.load import load_dataset, load_training_data, only
from mnist_bp.errors import InputError, MnistBpError
from mnist_bp.reports.console import Console
from mnist_bp.search.space import Space, default_validation
from mnist_bp.training.schedules import CONSTANT

if TYPE_CHECKING:
    import optuna

    from mnist_bp.data.datasets import Dataset

__all__ = ["Search", "join_search", "new_search"]

WITH_RESUME = {
    "trials", "jobs", "timeout", "storage", "study", "data_dir", "class_names", "threads", "plot", "plot_format",
    "json", "quiet",
}  # fmt: skip
"""Options that can be combined with ``--resume``."""


@dataclass(frozen=True)
class Search:
    """A search that is ready to run: its space, data, folder and study, the URL of ``--storage``, and ``--trials``."""

    space: Space
    data: "Dataset"
    folder: Path
    study: "optuna.Study"
    storage: str | None
    trials: int


def new_search(
    context: typer.Context, space: Space, trials: int, storage: str | None, output: Path | None, console: Console
) -> Search:
    """Create the study of a new search, in a new folder.

    Raises
    ------
    MnistBpError
        If nothing varies, or if the data, the folder or the storage are not available.
    """
    from mnist_bp.search.folder import create_folder
    from mnist_bp.search.study import create_study
    from mnist_bp.training.new_trainer import data_digest

    if not space.varied:
        raise InputError("nothing to search: give at least one setting a range LOW:HIGH or choices A|B|C")
    schedules = space.values["schedule"].choices if "schedule" in space.values else ()
    if {*schedules} - {CONSTANT} and is_default(context, "epochs"):
        raise InputError(f"--schedule {space.values['schedule'].text} requires --epochs")
    data, settings = load_training_data(context, space.settings, console, has_test=False)
    validation = settings.validation or default_validation(len(data.train))
    if validation >= len(data.train):
        raise InputError(f"--validation {validation}: expected fewer than the {len(data.train):,} training examples")
    space = space.sharing(
        dataset=settings.dataset, data_dir=settings.data_dir, classes=settings.classes, validation=validation
    )
    folder = create_folder(output)
    record = {
        "version": __version__,
        "seed": settings.seed,
        "trials": trials,
        "data": data_digest(data.train),
        "space": space.record(),
    }
    try:
        study = create_study(folder, storage, record, settings.seed)
    except MnistBpError:
        with suppress(OSError):  # not empty
            folder.rmdir()
        raise
    return Search(space, data, folder, study, storage, trials)


def join_search(context: typer.Context, folder: Path, storage: str | None, console: Console) -> Search:
    """Return the search of a study to continue. ``--trials`` changes its number of trials.

    Raises
    ------
    MnistBpError
        If there is no such study, if an option does not fit it, or if its data are not here.
    """
    from mnist_bp.search.folder import ATTRIBUTE
    from mnist_bp.search.study import load_study, read_record
    from mnist_bp.storage.atomic import storing
    from mnist_bp.training.new_trainer import data_digest

    if option := first_explicit_option(context, [name for name in context.params if name not in WITH_RESUME]):
        raise InputError(f"{option} cannot be combined with --resume: the study records its settings")
    study = load_study(folder, storage)
    record = read_record(study)
    given = {name: context.params[name] for name in ("data_dir", "class_names", "threads") if is_given(context, name)}
    space = Space.from_record(record["space"]).sharing(**given)
    data = load_dataset(space.settings, console, **only("train", space.settings.limit))
    if data_digest(data.train) != record["data"]:
        raise InputError(f"{folder} was searched with other training data than {data.name} here: give its --data-dir")
    if is_given(context, "trials"):
        record["trials"] = context.params["trials"]
        study.set_user_attr(ATTRIBUTE, record)
    with storing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return Search(space, data, folder, study, storage, record["trials"])
