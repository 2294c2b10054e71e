"""Trainings with and without recorded gradients are equal to the bit."""

from dataclasses import replace

import numpy as np
import pytest

from mnist_bp import Network
from mnist_bp.core.activations import Activation
from mnist_bp.training import gradients
from mnist_bp.training.settings import Settings
from mnist_bp.training.trainer import LabelledImages, Trainer

SETTINGS = Settings(epochs=2, batch_size=40, learning_rate=0.5, seed=1)


def examples(n, *, dtype):
    """Return n random images of 6 × 5 pixels, and labels."""
    rng = np.random.default_rng(2)
    images = rng.integers(256, size=(n, 30)).astype(np.uint8)
    return LabelledImages(images if dtype == np.uint8 else images.astype(dtype) / 255, rng.integers(4, size=n))


def trained(settings, *, n=90, dtype=np.uint8, σ=None):
    """Return the parameters and the results of a training."""
    net = Network((30, 8, 4), rng=np.random.default_rng(3))
    if σ is not None:
        net.σ[1] = σ
    data = examples(n, dtype=dtype)
    trainer = Trainer(net, data, data, settings, image_shape=(6, 5))
    results = [replace(result, figures=result.figures | {"seconds": 0.0}) for result in trainer.run()]
    return net.parameters.copy(), results


@pytest.fixture
def count(monkeypatch):
    """Return a function that counts the recorded gradients so far."""
    made = []
    record = gradients.RecordedGradient

    def counted(*arguments):
        made.append(record(*arguments))
        return made[-1]

    monkeypatch.setattr(gradients, "RecordedGradient", counted)
    return lambda: len(made)


@pytest.mark.parametrize(
    ("changes", "data"),
    [
        pytest.param({}, {}, id="a last mini-batch of another size"),
        pytest.param({"batch_size": 1}, {}, id="batches of 1"),
        pytest.param({"batch_size": None}, {"n": 2300}, id="mini-batches in parts"),
        pytest.param({"l2": 0.01}, {}, id="L2"),
        pytest.param({"optimizer": "adam", "l2": 0.01}, {}, id="Adam"),
        pytest.param({"label_smoothing": 0.1, "average": 0.9}, {}, id="smoothed targets and EMA"),
        pytest.param({"augment": "shift"}, {}, id="augmentation"),
        pytest.param({"dropout": 0.5}, {}, id="dropout"),
        pytest.param({"dropout": 0.3, "input_dropout": 0.2, "batch_size": None}, {"n": 2300}, id="dropout in parts"),
        pytest.param({}, {"dtype": np.float32}, id="inputs that are no grey levels"),
    ],
)
def test_recording_changes_no_bit_of_a_training(changes, data, count, monkeypatch):
    """Each mini-batch size is recorded once."""
    settings = replace(SETTINGS, **changes)
    parameters, results = trained(settings, **data)
    assert 1 <= count() <= 2

    monkeypatch.setattr(gradients, "MOST_ACTIVATIONS", 0)
    plain_parameters, plain_results = trained(settings, **data)

    assert np.array_equal(parameters, plain_parameters)
    assert results == plain_results


def test_adversarial_training_is_not_recorded(count):
    """Each step computes a second gradient, of other inputs."""
    trained(replace(SETTINGS, adversarial=0.1))
    assert count() == 0


def test_an_activation_that_cannot_be_recorded_trains_all_the_same():
    """A custom activation may use any function of numpy."""
    relu = Activation(lambda z: np.maximum(z, 0), lambda a: (a > 0).astype(a.dtype))
    other = Activation(lambda z: np.clip(z, 0, None), lambda a: (a > 0).astype(a.dtype))

    assert np.array_equal(trained(SETTINGS, σ=relu)[0], trained(SETTINGS, σ=other)[0])
