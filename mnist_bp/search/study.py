"""Optuna's study of a search: its storage, sampler and pruner, and the record that other processes join it by."""

import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import sqlalchemy.exc
from optuna.distributions import BaseDistribution
from optuna.exceptions import DuplicatedStudyError, ExperimentalWarning, StorageInternalError
from optuna.trial import FrozenTrial, TrialState

from mnist_bp.errors import InputError, StorageError
from mnist_bp.search.folder import ATTRIBUTE, GRACE, STUDY

__all__ = [
    "FINISHED",
    "create_study",
    "fail_stale_trials",
    "load_study",
    "local_storage",
    "place",
    "read_record",
    "using_storage",
    "without_password",
]

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
"""States of trials that count. A trial whose process was interrupted or killed has failed; another takes its place."""

HEARTBEAT = 10
"""Seconds between two signs of life of a running trial."""

LOCK_SECONDS = 60
"""Longest time for which a process waits for others that write to an SQLite file."""

WARM_UP = 2
"""Number of epochs without pruning: sigmoids start slowly."""

LOCAL_NAME = "search"
"""Name of a study in the file of its own folder, which may be renamed."""


def local_storage(folder: Path) -> str:
    """Return the URL of the SQLite file in a study's folder."""
    return f"sqlite:///{Path(os.path.abspath(folder), STUDY).as_posix()}"  # noqa: PTH100 - it keeps symbolic links


def create_study(folder: Path, url: str | None, record: Mapping[str, Any], seed: int) -> optuna.Study:
    """Create the study of a folder.

    Parameters
    ----------
    folder
        Folder of the study. It has the SQLite file, or gives the study its name in the storage of ``url``.
    url
        Storage, see ``optuna.storages.RDBStorage``; None for the file in the folder.
    record
        Record of the search, see ``read_record``.
    seed
        Seed of the sampler.

    Raises
    ------
    InputError
        If the storage has a study of this name, or if ``url`` is not valid.
    StorageError
        If the storage is not available.
    """
    with using_storage(url):
        study = optuna.create_study(
            storage=_storage(url or local_storage(folder)),
            study_name=_name(folder, url),
            direction="maximize",
            sampler=_Sampler(seed),
            pruner=_pruner(),
        )
        study.set_user_attr(ATTRIBUTE, dict(record))
    return study


def load_study(folder: Path, url: str | None) -> optuna.Study:
    """Return the study of a folder: see ``create_study``. Raise InputError if there is none."""
    if url is None and not Path(folder, STUDY).is_file():
        raise InputError(f"{folder} has no {STUDY}: expected the folder of a search, or its name and --storage URL")
    with using_storage(url):
        storage = _storage(url or local_storage(folder))
        names = [each.study_name for each in optuna.get_all_study_summaries(storage, include_best_trial=False)]
        if (name := _name(folder, url)) not in names:
            raise InputError(f"the storage has no study {name!r}; it has {', '.join(names[:3]) or 'none'}")
        study = optuna.load_study(study_name=name, storage=storage, pruner=_pruner())
        study.sampler = _Sampler(int(read_record(study)["seed"]))
    return study


def read_record(study: optuna.Study) -> dict[str, Any]:
    """Return the record with which the study was created. Raise InputError if another program created the study."""
    record = study.user_attrs.get(ATTRIBUTE)
    if not isinstance(record, dict):
        raise InputError(f"the study {study.study_name!r} is none of mnist-bp")
    return record


def fail_stale_trials(study: optuna.Study) -> None:
    """Mark the trials of processes that were killed as failed, once they have had no sign of life for ``GRACE``."""
    optuna.storages.fail_stale_trials(study)


def place(study: optuna.Study, number: int) -> int:
    """Return the place of a trial, from 1, among those that have not failed."""
    trials = study.get_trials(deepcopy=False)
    return sum(each.state != TrialState.FAIL or each.number == number for each in trials if each.number <= number)


def without_password(url: str) -> str:
    """Return the URL of a storage for output: its password, if there is one, is ``***``."""
    try:
        return sqlalchemy.make_url(url).render_as_string(hide_password=True)
    except sqlalchemy.exc.ArgumentError:
        return url


@contextmanager
def using_storage(url: str | None) -> Iterator[None]:
    """Turn errors of the storage in this block into an ``InputError`` or a ``StorageError``.

    Warnings about features of Optuna that are experimental in some versions are ignored.
    """
    shown = STUDY if url is None else without_password(url)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            yield
    except DuplicatedStudyError as error:
        raise InputError(
            f"{shown} has this study already: join it with --resume, or choose another --output"
        ) from error
    except sqlalchemy.exc.ArgumentError as error:
        raise InputError(f"--storage {shown}: expected the URL of a database, such as sqlite:///study.db") from error
    except ImportError as error:
        raise InputError(f"--storage {shown} requires a Python package: {_first_line(error)}") from error
    except (StorageInternalError, sqlalchemy.exc.SQLAlchemyError) as error:
        if sqlalchemy.exc.DatabaseError in {
            type(error),
            type(error.__cause__),
        }:  # not its subclasses: locked, full disk
            raise InputError(f"{shown} is not the storage of a search: {_first_line(error)}") from error
        raise StorageError(f"cannot use the storage {shown}: {_first_line(error.__cause__ or error)}") from error


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _name(folder: Path, url: str | None) -> str:
    return LOCAL_NAME if url is None else Path(os.path.abspath(folder)).name  # noqa: PTH100 - as above


def _storage(url: str) -> optuna.storages.RDBStorage:
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    options = {"connect_args": {"timeout": LOCK_SECONDS}} if url.startswith("sqlite:") else {}
    return optuna.storages.RDBStorage(url, engine_kwargs=options, heartbeat_interval=HEARTBEAT, grace_period=GRACE)


def _pruner() -> optuna.pruners.BasePruner:
    """Return the pruner: a trial whose best accuracy so far is below the median of others after as many epochs."""
    return optuna.pruners.MedianPruner(n_warmup_steps=WARM_UP)


class _Sampler(optuna.samplers.BaseSampler):
    """TPE (Bergstra, Bardenet, Bengio and Kégl 2011) whose random numbers depend on seed and place of a trial alone.

    A search that is resumed therefore samples like one that was not interrupted, and several processes with equal seeds
    sample different trials.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._tpe = optuna.samplers.TPESampler(seed=seed)

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        state = np.random.SeedSequence([self._seed, place(study, trial.number)]).generate_state(1)
        self._tpe = optuna.samplers.TPESampler(seed=int(state[0]))
        self._tpe.before_trial(study, trial)

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return self._tpe.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return self._tpe.sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        return self._tpe.sample_independent(study, trial, param_name, param_distribution)

    def after_trial(
        self, study: optuna.Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None
    ) -> None:
        self._tpe.after_trial(study, trial, state, values)
