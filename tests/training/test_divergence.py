"""Numbers that are not finite any more: noticed, with the batch, and the last good epoch is what stays."""

from dataclasses import replace

import numpy as np
import pytest

from mnist_bp.data.batches import shuffled
from mnist_bp.errors import Diverged
from mnist_bp.network import Network
from mnist_bp.training import trainer as trainer_module
from mnist_bp.training.settings import Settings
from mnist_bp.training.trainer import LabelledImages, Trainer

SETTINGS = Settings(learning_rate=0.5, batch_size=20, epochs=3, seed=4)
"""Settings with four batches of 20 and one of 10 for 90 examples."""


def examples(count, seed):
    """Random inputs that are not zero, and labels."""
    rng = np.random.default_rng(seed)
    return LabelledImages(rng.random((count, 16)) + 0.1, rng.integers(3, size=count).astype(np.uint8))


TRAINING, TEST = examples(90, 1), examples(40, 2)


def trainer(training=TRAINING, activation="tanh", **changed):
    """A trainer of a small network."""
    network = Network([16, 6, 3], activation=activation, rng=np.random.default_rng(3), dtype=np.float64)
    return Trainer(network, training, TEST, replace(SETTINGS, **changed))


def assert_diverges(made, epoch, batch, steps=5, on_batch=None):
    """It does so there, says so, and leaves everything as the epoch before had left it."""
    as_it_was = trainer(**vars(made.settings) | {"activation": made.network.activation, "epochs": epoch - 1})
    list(as_it_was.run())
    with pytest.raises(
        Diverged, match=rf"^training diverged in epoch {epoch}, batch {batch} of {steps}: .* --learning-rate below"
    ):
        list(made.run(on_batch))
    assert {name: array.tobytes() for name, array in made.state.items()} == {
        name: array.tobytes() for name, array in as_it_was.state.items()
    }


def after_step(step, spoil):
    """Return a callback that calls ``spoil`` after the given number of steps."""
    steps = 0

    def on_batch():
        nonlocal steps
        steps += 1
        if steps == step:
            spoil()

    return on_batch


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(("step", "epoch", "batch"), [(1, 1, 2), (4, 1, 5), (7, 2, 3), (9, 2, 5)])
def test_a_parameter_shows_in_the_outputs_of_the_next_batch(number, step, epoch, batch):
    """The parameter is in the last layer. The first batch whose cost is not finite is named."""
    made = trainer()

    def spoil():
        made.network.weights[-1][0, 0] = number

    assert_diverges(made, epoch, batch, on_batch=after_step(step, spoil))


def test_a_parameter_that_no_further_batch_has_seen_is_the_last_ones():
    """Its step was the one too many."""
    made = trainer()

    def spoil():
        made.network.weights[0][0, 0] = np.nan

    assert_diverges(made, 1, 5, on_batch=after_step(5, spoil))
    made = trainer()
    assert_diverges(made, 3, 5, on_batch=after_step(15, spoil))


def test_an_infinite_weight_that_a_sigmoid_hides_is_found_at_the_end():
    """All outputs are finite: σ(∞) is 1. The model would be useless all the same."""
    made = trainer(activation="sigmoid")

    def spoil():
        made.network.weights[0][0, 0] = np.inf

    assert_diverges(made, 2, 5, on_batch=after_step(6, spoil))


@pytest.mark.parametrize("where", [0, 33, 89])
def test_an_example_that_is_no_number_is_named_by_its_batch(where):
    """Wherever the shuffling has put it."""
    images = TRAINING.images.copy()
    images[where, 3] = np.nan
    order = shuffled(90, seed=4, epoch=1).tolist()
    assert_diverges(trainer(LabelledImages(images, TRAINING.labels)), 1, order.index(where) // 20 + 1)


def test_gradient_descent_on_all_examples_has_one_batch():
    """The message names batch 1 of 1."""
    made = trainer(batch_size=None)

    def spoil():
        made.network.weights[0][0, 0] = np.nan

    assert_diverges(made, 2, 1, steps=1, on_batch=after_step(2, spoil))


@pytest.mark.parametrize(("optimizer", "name"), [("momentum", "velocity"), ("adam", "v")])
def test_what_an_optimizer_remembers_counts_too(optimizer, name):
    """Adam stands still where v is infinite, with all else finite; and no checkpoint of it could be read."""
    made = trainer(optimizer=optimizer, learning_rate=0.01)

    def spoil():
        made.state[name][0] = np.inf

    assert_diverges(made, 1, 5, on_batch=after_step(5, spoil))


def test_a_gradient_that_is_no_number_counts_too(monkeypatch):
    """The cost is still finite, and the next step would not be; no record can hold it."""
    made, usual = trainer(), trainer_module.inspect

    def inspect(*args):
        norms = (1.0, np.inf) if made.epoch == 1 else (1.0, 1.0)
        return replace(usual(*args), gradient_norm=norms)

    monkeypatch.setattr(trainer_module, "inspect", inspect)
    with pytest.raises(Diverged, match="epoch 2, batch 5 of 5"):
        list(made.run())
    assert made.epoch == 1


def test_too_large_steps_are_named_as_the_cause():
    """A real one, in float32: the learning rate is named."""
    network = Network(
        [16, 6, 3], activation="relu", cost="cross-entropy", rng=np.random.default_rng(3), dtype=np.float32
    )
    made = Trainer(network, TRAINING, TEST, replace(SETTINGS, learning_rate=1e30))
    with pytest.raises(Diverged, match=r"too large; try a --learning-rate below 1e\+30$"):
        list(made.run())
    assert np.isfinite(network.parameters).all()
