"""Results of a study as plain records: trials, the best settings, the importance of each setting, the summary."""

import math
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import optuna
import tomli_w
from optuna.trial import FixedTrial, FrozenTrial, TrialState

from mnist_bp.search.folder import BEST
from mnist_bp.search.objective import NOTE
from mnist_bp.search.space import Space
from mnist_bp.storage.atomic import storing, write_text

__all__ = ["best_trial", "importances", "summarize", "trial_record", "trial_records", "write_best"]

LEAST_TRIALS = 4
"""Smallest number of complete trials from which the importance of settings is estimated."""


def best_trial(study: optuna.Study) -> FrozenTrial | None:
    """Return the complete trial with the highest accuracy, the first of equal ones; None if there is none."""
    complete = [each for each in study.get_trials(deepcopy=False) if each.state == TrialState.COMPLETE]
    return max(complete, key=lambda trial: (trial.values[0], -trial.number), default=None)


def trial_record(study: optuna.Study, trial: FrozenTrial) -> dict[str, Any]:
    """Return a trial as a record. Its accuracy is that of the saved network, or the last one before it was pruned."""
    best, reported = best_trial(study), trial.intermediate_values
    accuracy = trial.values[0] if trial.values else reported[max(reported)] if reported else None
    return {
        "event": "trial",
        "trial": trial.number,
        "state": trial.state.name.lower().replace("fail", "failed"),
        "validation_accuracy": accuracy,
        "epochs": max(reported, default=0),
        "settings": trial.params,
        "note": trial.user_attrs.get(NOTE),
        "is_best": best is not None and best.number == trial.number,
        "seconds": trial.duration.total_seconds() if trial.duration else None,
    }


def trial_records(study: optuna.Study) -> list[dict[str, Any]]:
    """Return the records of all trials that have started, in order."""
    trials = study.get_trials(deepcopy=False)
    return [trial_record(study, each) for each in trials if each.state != TrialState.WAITING]


def importances(study: optuna.Study) -> dict[str, float] | None:
    """Return the importance of each setting, the highest first; their sum is 1. None if it cannot be estimated.

    PED-ANOVA (Watanabe, Bansal and Hutter 2023) measures how much the values of the best trials differ from those of
    all trials. Some versions of Optuna compare only settings that every complete trial has.
    """
    complete = [each for each in study.get_trials(deepcopy=False) if each.state == TrialState.COMPLETE]
    if len(complete) < LEAST_TRIALS:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        evaluator = optuna.importance.PedAnovaImportanceEvaluator()
        try:
            found = optuna.importance.get_param_importances(study, evaluator=evaluator)
        except UserWarning:  # the accuracies are equal
            return None
    return dict(found) if found and all(map(math.isfinite, found.values())) else None


def summarize(study: optuna.Study) -> dict[str, Any]:
    """Return the numbers of trials by state, the best trial, and the importance of the settings."""
    states = Counter(each.state for each in study.get_trials(deepcopy=False))
    best = best_trial(study)
    return {
        "complete": states[TrialState.COMPLETE],
        "pruned": states[TrialState.PRUNED],
        "failed": states[TrialState.FAIL],
        "running": states[TrialState.RUNNING],
        "best_trial": best.number if best else None,
        "validation_accuracy": best.values[0] if best else None,
        "settings": best.params if best else None,
        "importances": importances(study),
    }


def write_best(study: optuna.Study, space: Space, folder: Path) -> Path | None:
    """Write the settings of the best trial as a config for ``train``, and return its path; None without a trial.

    The config has no validation set, so that ``train`` uses all training examples, unless its settings require one.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    best = best_trial(study)
    if best is None:
        return None
    settings = space.sample(FixedTrial(best.params))  # type: ignore[arg-type]
    options = settings.options()
    needs_validation = settings.early_stop is not None or settings.keep == "best"
    if not needs_validation:
        del options["validation"]
    lines = [
        f"# Trial {best.number} of a search: validation accuracy {best.values[0]:.4f}.",
        *([] if needs_validation else ["# This config trains on the validation set, too."]),
        tomli_w.dumps(options),
    ]
    path = folder / BEST
    with storing(path):
        write_text(path, "\n".join(lines))
    return path
