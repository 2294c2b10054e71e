"""Trials of a study, one after the other, until all are finished. Several processes may work on one study."""

import time
from collections.abc import Callable, Iterator

import optuna
from optuna.trial import FrozenTrial, TrialState

from mnist_bp.search.folder import GRACE
from mnist_bp.search.objective import Objective
from mnist_bp.search.study import FINISHED, HEARTBEAT, fail_stale_trials, place

__all__ = ["run_trials"]

MOMENT = 0.2
"""Seconds between two checks of the trials of other processes."""


class _NotNeeded(Exception):
    """End of a trial that began at the same moment as the last one, in another process."""


def run_trials(
    study: optuna.Study,
    objective: Objective,
    trials: int,
    *,
    is_late: Callable[[], bool],
    on_wait: Callable[[], object],
) -> Iterator[FrozenTrial]:
    """Run trials until ``trials`` of the study are finished, and yield each that this process has finished.

    If only trials of other processes are left, wait for them: a trial whose process was killed fails, and this process
    runs another one in its place.

    Parameters
    ----------
    is_late
        Function that returns True if no more trials may start.
    on_wait
        Callback in each moment of waiting.
    """
    waits_until = None
    while not is_late():
        fail_stale_trials(study)
        states = [each.state for each in study.get_trials(deepcopy=False)]
        finished, running = sum(map(states.count, FINISHED)), states.count(TrialState.RUNNING)
        if finished >= trials:
            return
        if finished + running < trials:
            waits_until = None
            yield from _run_one(study, objective, trials)
            continue
        waits_until = waits_until or time.monotonic() + GRACE + 2 * HEARTBEAT
        if time.monotonic() > waits_until:  # they are alive
            return
        on_wait()
        time.sleep(MOMENT)


def _run_one(study: optuna.Study, objective: Objective, trials: int) -> Iterator[FrozenTrial]:
    """Run one trial, and yield it, unless another process runs the last one, or holds this process for dead."""
    ended: list[FrozenTrial] = []
    is_over = False

    def needed(trial: optuna.Trial) -> float:
        nonlocal is_over
        if place(study, trial.number) > trials:
            raise _NotNeeded
        try:
            accuracy = objective(trial)
        except optuna.TrialPruned:
            is_over = True
            raise
        except RuntimeError:  # of this trial's report, or a bug
            is_over = study.get_trials(deepcopy=False)[trial.number].state != TrialState.RUNNING
            raise
        is_over = True
        return accuracy

    try:
        study.optimize(needed, n_trials=1, catch=(_NotNeeded,), callbacks=[lambda _, trial: ended.append(trial)])
    except (RuntimeError, ValueError):
        # This process was suspended for longer than the grace period, and another one has marked the trial as failed.
        if not is_over:
            raise
    yield from (each for each in ended if each.state in FINISHED)
