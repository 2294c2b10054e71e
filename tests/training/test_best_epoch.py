"""The best epoch: which one it is, and that its network is saved whatever the training does afterwards."""

from dataclasses import replace

import numpy as np
import pytest

from mnist_bp.errors import Diverged, InputError
from mnist_bp.network import Network
from mnist_bp.training import trainer as trainer_module
from mnist_bp.training.best_epoch import BestEpoch
from mnist_bp.training.evaluation import Evaluation, evaluate
from mnist_bp.training.settings import Settings
from mnist_bp.training.trainer import LabelledImages, Trainer

SETTINGS = Settings(learning_rate=0.5, batch_size=20, epochs=5, seed=4, keep="best")


def examples(count, seed):
    """Random inputs, and labels."""
    rng = np.random.default_rng(seed)
    return LabelledImages(rng.random((count, 16)), rng.integers(3, size=count).astype(np.uint8))


TRAINING, TEST, VALIDATION = examples(90, 1), examples(40, 2), examples(10, 3)


def network(seed=3):
    """Return a small network."""
    return Network([16, 6, 3], activation="tanh", rng=np.random.default_rng(seed), dtype=np.float64)


def evaluated(right, cost=1.0):
    """Return an evaluation with this number of 10 examples right."""
    return Evaluation(cost, np.array([[right, 10 - right], [0, 0]]))


@pytest.fixture
def validations(monkeypatch):
    """Return a function that replaces the evaluations on the validation set."""

    def script(*results):
        left = iter(results)
        monkeypatch.setattr(
            trainer_module,
            "evaluate",
            lambda network, images, labels: (
                next(left) if np.shares_memory(labels, VALIDATION.labels) else evaluate(network, images, labels)
            ),
        )

    return script


def trained(settings=SETTINGS, on_epoch=lambda _: None):
    """Train; return the trainer and the parameters of the evaluated network after each epoch."""
    made = Trainer(network(), TRAINING, TEST, settings, validation=VALIDATION)
    parameters = []
    for _ in made.run():
        parameters.append(made.eval_network.parameters.copy())
        on_epoch(made)
    return made, parameters


@pytest.mark.parametrize(
    ("right", "costs", "best"),
    [
        ((5, 7, 6, 6, 6), (1, 1, 1, 1, 1), 2),
        ((5, 7, 7, 7, 6), (1, 3, 2, 4, 0), 3),  # equal accuracies: the lower cost
        ((5, 7, 7, 7, 6), (1, 2, 2, 2, 0), 2),  # equal costs, too: the earlier epoch
        ((1, 2, 3, 4, 5), (9, 9, 9, 9, 9), 5),
        ((0, 0, 0, 0, 0), (5, 4, 3, 3, 6), 3),  # no example right
        ((9, 0, 0, 0, 0), (9, 1, 1, 1, 1), 1),
    ],
)
@pytest.mark.parametrize("average", [0, 0.9])
def test_the_best_epoch_has_the_highest_validation_accuracy(validations, right, costs, best, average):
    """Its evaluated parameters are saved, those of the average if there is one; the training itself continues."""
    validations(*map(evaluated, right, costs))
    made, parameters = trained(replace(SETTINGS, average=average))

    assert (made.epoch, made.saved_epoch) == (5, best)
    assert (made.saved_network.parameters == parameters[best - 1]).all()
    assert (made.eval_network.parameters == parameters[-1]).all()


def test_a_lower_cost_at_equal_accuracy_does_not_postpone_the_early_stop(validations):
    """The stop counts epochs without a better accuracy."""
    validations(*(evaluated(7, cost) for cost in (5, 4, 3, 2, 1)))
    made, _ = trained(replace(SETTINGS, early_stop=2))

    assert (made.epoch, made.saved_epoch) == (3, 3)


def test_the_training_is_the_same_whichever_epoch_is_saved():
    """Every parameter after every epoch, and the history."""
    (one, best), (other, last) = trained(), trained(replace(SETTINGS, keep="last"))

    assert np.array_equal(best, last)
    assert one.saved_network is not one.eval_network
    assert other.saved_network is other.eval_network
    assert {name for name in one.state if name not in other.state} == set(BestEpoch(network()).state)


def test_nothing_is_copied_unless_the_best_epoch_is_saved(monkeypatch):
    """No copy of the parameters exists beside those of the training and the average."""
    monkeypatch.setattr(trainer_module, "BestEpoch", None)
    made, _ = trained(replace(SETTINGS, keep="last"))

    assert set(made.state) == {"epoch", "best_epoch", "best_accuracy", "parameters", "average"}


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_an_interrupt_leaves_the_best_of_the_finished_epochs(validations, error):
    """In the middle of the fourth epoch."""
    validations(*map(evaluated, (5, 7, 6, 9, 6)))
    made, steps, parameters = Trainer(network(), TRAINING, TEST, SETTINGS, validation=VALIDATION), 0, []

    def on_batch():
        nonlocal steps
        steps += 1
        if steps == 3 * made.steps_per_epoch + 2:
            raise error

    with pytest.raises(error):
        parameters.extend(made.eval_network.parameters.copy() for _ in made.run(on_batch))
    assert (made.epoch, made.saved_epoch) == (3, 2)


def test_divergence_leaves_the_best_of_the_finished_epochs(validations):
    """The third epoch is not finite."""
    validations(*map(evaluated, (5, 4, 9)))

    def spoil(made):
        if made.epoch == 2:
            made.network.weights[0][0, 0] = np.nan

    saved = []
    with pytest.raises(Diverged):
        trained(on_epoch=lambda made: (saved.append(made), spoil(made)))
    made = saved[0]
    assert (made.epoch, made.saved_epoch) == (2, 1)
    assert np.isfinite(made.saved_network.parameters).all()


def test_before_the_first_epoch_the_initial_network_is_saved():
    """There is no better one."""
    made = Trainer(network(), TRAINING, TEST, SETTINGS, validation=VALIDATION)

    assert made.saved_epoch == 0
    assert (made.saved_network.parameters == network().parameters).all()


def test_the_best_epoch_without_a_validation_set_is_refused():
    """The test set never chooses."""
    with pytest.raises(InputError, match="keeping the best epoch require a validation set"):
        Trainer(network(), TRAINING, TEST, SETTINGS)


@pytest.mark.parametrize(
    ("settings", "keep"),
    [
        ({}, "last"),
        ({"early_stop": 3}, "best"),
        ({"early_stop": 3, "keep": "last"}, "last"),
        ({"keep": "best"}, "best"),
    ],
)
def test_an_early_stop_saves_the_best_epoch_by_default(settings, keep):
    """Without one, the last epoch is saved."""
    assert Settings(**settings).keep == keep
