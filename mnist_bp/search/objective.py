"""Training of one trial. Its value is the validation accuracy of the network that ``train`` would save.

The test set is neither read nor evaluated.
"""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import NoReturn

from optuna import Trial, TrialPruned
from threadpoolctl import threadpool_limits

from mnist_bp.data.datasets import Dataset
from mnist_bp.errors import Diverged, InputError
from mnist_bp.search.space import Space
from mnist_bp.training.new_trainer import build_trainer
from mnist_bp.training.saved_model import initial_network
from mnist_bp.training.settings import Settings
from mnist_bp.training.trainer import Trainer

__all__ = ["NOTE", "Objective"]

NOTE = "note"
"""User attribute of a trial: reason why it was pruned, if it is not its accuracy."""


class Objective:
    """Function of a trial that trains a network and returns its validation accuracy.

    Parameters
    ----------
    space
        Search space with the size of the validation set.
    data
        Dataset. Only its training set is used, of which a part is held out for validation.
    on_batch
        Callback after each step. To end a trial early, it raises KeyboardInterrupt.
    """

    def __init__(self, space: Space, data: Dataset, on_batch: Callable[[], object]) -> None:
        self._space, self._on_batch = space, on_batch
        self._data = replace(data, test=data.test.first(0))

    def __call__(self, trial: Trial) -> float:
        """Return the validation accuracy of the saved network, and report the one after each epoch.

        Raises
        ------
        TrialPruned
            If the trial is hopeless, diverges, does not fit into memory, or has settings that contradict each other.
        """
        try:
            settings = self._space.sample(trial)
            with threadpool_limits(settings.threads):
                return self._train(trial, settings)
        except Diverged as error:
            _prune(trial, str(error).partition(":")[0])
        except InputError as error:
            _prune(trial, str(error))
        except MemoryError:
            _prune(trial, "out of memory")

    def _train(self, trial: Trial, settings: Settings) -> float:
        trainer, saved = self._trainer(settings), 0.0
        with closing(trainer.run(self._on_batch)) as epochs:
            for result in epochs:
                accuracy: float = result.validation_accuracy
                trial.report(accuracy, result.epoch)
                if trainer.saved_epoch == result.epoch:
                    saved = accuracy
                if not trainer.is_finished and trial.should_prune():
                    raise TrialPruned
        return saved

    def _trainer(self, settings: Settings) -> Trainer:
        network = initial_network(self._data, settings)
        return build_trainer(settings, self._data, network)[1]


def _prune(trial: Trial, note: str) -> NoReturn:
    trial.set_user_attr(NOTE, note)
    raise TrialPruned(note)
