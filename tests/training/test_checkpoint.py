"""Checkpoints: a training that is stopped after any epoch and resumed ends bit for bit equal, or is refused."""

import json
from pathlib import Path

import numpy as np
import pytest

from mnist_bp.core.choices import OPTIMIZERS
from mnist_bp.errors import InputError
from mnist_bp.network import Network
from mnist_bp.storage import npz
from mnist_bp.training import checkpoint
from mnist_bp.training.calculation import CALCULATION
from mnist_bp.training.schedules import SCHEDULES
from mnist_bp.training.settings import Settings
from mnist_bp.training.trainer import LabelledImages, Trainer

SHAPE = (6, 5)
CLASSES = 3
EPOCHS = 4
PATH = Path("checkpoint.npz")
IDENTITY = {"optimizer": "sgd", "learning-rate": 0.1, "average": True, "training data": "0123"}


def images(count, seed):
    """Random grey levels, as the files hold them, and labels."""
    rng = np.random.default_rng(seed)
    grey = rng.integers(256, size=(count, SHAPE[0] * SHAPE[1]), dtype=np.uint8)
    return LabelledImages(grey, rng.integers(CLASSES, size=count).astype(np.uint8))


TRAINING, TEST, VALIDATION = images(70, 1), images(40, 2), images(40, 3)


def recipe(**settings):
    """Mini-batches of 16, and at last of 6."""
    rate = 0.01 if settings.get("optimizer") == "adam" else 0.1
    return Settings(**{"average": 0, "learning_rate": rate, "batch_size": 16, "epochs": EPOCHS, "seed": 5, **settings})


def trainer(settings, seed=7):
    """A trainer that has not begun, of a network that ``seed`` draws."""
    network = Network((30, 7, 5, CLASSES), activation="relu", cost="cross-entropy", rng=np.random.default_rng(seed))
    return Trainer(network, TRAINING, TEST, settings, validation=VALIDATION, image_shape=SHAPE)


def figures(result):
    """Return the record of an epoch in a checkpoint and a history, without its duration."""
    return json.loads(json.dumps({**result.record(), "seconds": 0}))


def state_bytes(made):
    """All that a trainer remembers."""
    return {name: array.tobytes() for name, array in made.state.items()}


def stopped_after(epochs, settings):
    """Train so far, leave a checkpoint, and forget the trainer; the results."""
    made = trainer(settings)
    results = []
    for result in made.run():
        results.append(result)
        checkpoint.save(PATH, made, checkpoint.Results(result, results[made.saved_epoch - 1]), IDENTITY)
        if result.epoch == epochs:
            break
    return results


EXTRAS = {
    "plain": {},
    "all at once": {"batch_size": None},
    "l2": {"l2": 0.01},
    "label smoothing": {"label_smoothing": 0.1},
    "dropout": {"dropout": 0.3},
    "input dropout": {"dropout": 0.3, "input_dropout": 0.1},
    "average": {"average": 0.9},
    "max norm": {"max_norm": 0.8},
    "max norm of an average": {"max_norm": 0.8, "average": 0.9},
    "adversarial": {"adversarial": 0.1},
    "adversarial dropout": {"adversarial": 0.1, "dropout": 0.3, "input_dropout": 0.1, "l2": 0.01},
    "early stop": {"early_stop": 1, "keep": "last"},
    "best": {"keep": "best"},
    "best average": {"keep": "best", "average": 0.9},
    "shift": {"augment": "shift"},
    "affine": {"augment": "affine", "augment_strength": 0.5},
    "elastic": {"augment": "elastic"},
}
EVERYTHING = {
    "l2": 0.01, "label_smoothing": 0.1, "dropout": 0.3, "input_dropout": 0.1, "average": 0.9, "augment": "elastic",
    "early_stop": 3, "keep": "best", "max_norm": 0.8, "adversarial": 0.05,
}  # fmt: skip
OPTIMIZERS, SCHEDULES = [*OPTIMIZERS], [*SCHEDULES]
BY_ITSELF = {
    f"{name}, {OPTIMIZERS[i % 4]}, {SCHEDULES[(i + i // 4) % 4]}": {
        "optimizer": OPTIMIZERS[i % 4], "schedule": SCHEDULES[(i + i // 4) % 4], **extra,
    }
    for i, (name, extra) in enumerate(EXTRAS.items())
}  # fmt: skip
TOGETHER = {
    f"everything, {optimizer}, {SCHEDULES[i - 1]}": {"optimizer": optimizer, "schedule": SCHEDULES[i - 1], **EVERYTHING}
    for i, optimizer in enumerate(OPTIMIZERS)
}


@pytest.mark.parametrize("settings", [pytest.param(s, id=name) for name, s in {**BY_ITSELF, **TOGETHER}.items()])
def test_stopped_after_any_epoch_it_ends_with_the_same_bytes(settings):
    """Parameters, average, the optimizer's memory and every figure of every epoch are the uninterrupted training's."""
    settings = recipe(**settings)
    whole = trainer(settings)
    results = list(whole.run())
    for epochs in range(1, len(results) + 1):
        before = stopped_after(epochs, settings)
        again = trainer(settings, seed=8)
        last, saved = checkpoint.restore(PATH, again, IDENTITY)
        assert figures(last) == figures(before[-1])
        assert figures(saved) == figures(before[again.saved_epoch - 1])
        assert again.epoch == epochs
        after = list(again.run())
        assert [figures(result) for result in before + after] == [figures(result) for result in results]
        assert state_bytes(again) == state_bytes(whole)
        assert again.saved_network.parameters.tobytes() == whole.saved_network.parameters.tobytes()


@pytest.mark.parametrize("extra", [extra for extra in EXTRAS if extra != "plain"])
def test_each_setting_matters(extra):
    """None of those above is without effect, or the test would say nothing of it."""
    whole, plain = trainer(recipe(**EXTRAS[extra])), trainer(recipe())
    list(whole.run())
    list(plain.run())
    ends = [(each.epoch, each.saved_network.parameters.tobytes()) for each in (whole, plain)]
    assert ends[0] != ends[1]


@pytest.mark.parametrize("optimizer", ["momentum", "nesterov"])
def test_another_momentum_resumes_with_the_same_bytes(optimizer):
    """The velocity is in the checkpoint, its coefficient in the settings; another coefficient is another training."""
    settings = recipe(optimizer=optimizer, momentum=0.5)
    whole, usual = trainer(settings), trainer(recipe(optimizer=optimizer))
    list(whole.run())
    list(usual.run())
    stopped_after(2, settings)
    again = trainer(settings, seed=8)
    checkpoint.restore(PATH, again, IDENTITY)
    list(again.run())
    assert state_bytes(again) == state_bytes(whole) != state_bytes(usual)


def test_a_checkpoint_without_a_momentum_is_of_the_usual_one():
    """Older versions recorded none; a recorded one must be equal."""
    settings = recipe(optimizer="momentum")
    stopped_after(1, settings)
    assert checkpoint.restore(PATH, trainer(settings), {**IDENTITY, "momentum": 0.9}).last.epoch == 1
    held = npz.read(PATH, "checkpoint", [2])
    npz.write(PATH, held.arrays, {**held.meta, "identity": {**IDENTITY, "momentum": 0.5}})
    refused("it was trained with momentum 0.5, not 0.9", settings, {**IDENTITY, "momentum": 0.9})


def test_another_number_of_epochs_is_another_training_where_the_rate_hangs_on_it():
    """With a constant rate, 2 epochs and 2 more are 4; with a cosine they are not."""
    ends = {}
    for schedule in ("constant", "cosine"):
        stopped_after(2, recipe(schedule=schedule, epochs=2))
        again, whole = trainer(recipe(schedule=schedule)), trainer(recipe(schedule=schedule))
        checkpoint.restore(PATH, again, IDENTITY)
        list(again.run())
        list(whole.run())
        ends[schedule] = state_bytes(again) == state_bytes(whole)
    assert ends == {"constant": True, "cosine": False}


# --- what is refused -------------------------------------------------------------------------------------------------


def refused(said, settings=None, identity=IDENTITY):
    """A trainer does not take the checkpoint, says so, and stays as it was."""
    made = trainer(settings or recipe())
    before = state_bytes(made)
    with pytest.raises(InputError, match=said) as raised:
        checkpoint.restore(PATH, made, identity)
    assert len(str(raised.value).splitlines()) == 1
    assert state_bytes(made) == before


def rewritten(arrays=None, **meta):
    """The checkpoint with some of it changed, and a new seal on it."""
    held = npz.read(PATH, "checkpoint", [2])
    npz.write(PATH, {**held.arrays, **(arrays or {})}, {**held.meta, **meta})


@pytest.mark.parametrize(
    ("identity", "said"),
    [
        ({"optimizer": "adam"}, "it was trained with optimizer 'sgd', not 'adam'"),
        ({"learning-rate": 0.1 + 1e-16}, "learning-rate 0.1, not 0.1000"),
        ({"training data": "4567"}, "training data '0123', not '4567'"),
        ({"dropout": 0.1}, "dropout None, not 0.1"),
        ({"average": None}, "average True, not None"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused(identity, said):
    """The first thing that differs is named, with both values."""
    stopped_after(1, recipe())
    refused(f"checkpoint.npz: .*{said}", identity={**IDENTITY, **identity})


def test_a_setting_that_a_checkpoint_does_not_know_has_its_default():
    """Then the training is the same; with another value it is another training."""
    stopped_after(1, recipe())
    identity = {**IDENTITY, "keep": "last"}
    made = trainer(recipe())
    assert checkpoint.restore(PATH, made, identity, defaults={"keep": "last"}).last.epoch == 1
    with pytest.raises(InputError, match="it was trained with keep 'last', not 'best'"):
        checkpoint.restore(PATH, made, {**identity, "keep": "best"}, defaults={"keep": "last"})


@pytest.mark.parametrize("calculation", [CALCULATION + 1, 0, "2", None])
def test_a_checkpoint_of_an_unknown_calculation_is_refused(calculation):
    """A newer version may compute in another way; the line says which one wrote it."""
    stopped_after(1, recipe())
    rewritten(calculation=calculation, version="9.1")
    refused(f"mnist-bp .* does not know its calculation, version {calculation!r}; resume it with mnist-bp 9.1$")


def test_a_checkpoint_between_two_versions_is_of_the_older_calculation():
    """Version 0.2.0 of the program recorded its version, and no calculation."""
    settings = recipe(dropout=0.3)
    stopped_after(1, settings)
    held = npz.read(PATH, "checkpoint", [2])
    npz.write(
        PATH,
        held.arrays,
        {name: value for name, value in held.meta.items() if name != "calculation"} | {"version": "0.2.0"},
    )
    refused("mnist-bp 0.2.0, which wrote it, computed sigmoids and dropout differently", settings=settings)


def test_a_finished_training_is_restored_whatever_calculated_it():
    """Nothing is left to compute; so also after an early stop."""
    stopped_after(2, recipe(dropout=0.3, epochs=2))
    rewritten(calculation=1)
    checkpoint.restore(PATH, trainer(recipe(dropout=0.3, epochs=2)), IDENTITY)
    rewritten({"epoch": np.array(2), "best_epoch": np.array(1)}, calculation=1)
    checkpoint.restore(PATH, trainer(recipe(dropout=0.3, early_stop=1, keep="last")), IDENTITY)


def test_a_missing_checkpoint_is_refused():
    """By its name."""
    refused(r"there is no checkpoint checkpoint\.npz")


@pytest.mark.parametrize("place", [100, 0.3, 0.6, -100, -1])
def test_a_damaged_checkpoint_is_refused(place):
    """A bit of it is another."""
    stopped_after(1, recipe())
    content = bytearray(PATH.read_bytes())
    content[int(place * len(content)) if isinstance(place, float) else place] ^= 1
    PATH.write_bytes(content)
    refused(r"checkpoint\.npz is not a checkpoint that mnist-bp wrote")


def test_half_a_checkpoint_is_refused():
    """Cut off."""
    stopped_after(1, recipe())
    PATH.write_bytes(PATH.read_bytes()[: PATH.stat().st_size // 2])
    refused(r"checkpoint\.npz is not a checkpoint that mnist-bp wrote")


def test_a_model_file_is_no_checkpoint():
    """It is sealed as well, but says nothing about a training."""
    trainer(recipe()).network.save(PATH)
    refused("its metadata does not identify the training")


def test_a_checkpoint_of_another_optimizer_is_refused():
    """Even where nothing else tells: what it should hold is named."""
    stopped_after(1, recipe(optimizer="momentum"))
    refused("missing arrays: none; unknown arrays: velocity")
    refused("missing arrays: m, t, v; unknown arrays: velocity", settings=recipe(optimizer="adam"))


@pytest.mark.parametrize(
    ("name", "array", "said"),
    [
        ("parameters", np.zeros(3, np.float32), r"parameters is float32 \(3,\), not float32 \(275,\)"),
        ("parameters", np.zeros(275), r"parameters is float64 \(275,\), not float32 \(275,\)"),
        ("parameters", np.full(275, np.nan, np.float32), "parameters contains numbers that are not finite"),
        ("best_epoch", np.array(-1), "best_epoch is -1; expected a whole number of 0 or more"),
        ("best_epoch", np.array(2**60), "best_epoch is 1152921504606846976; expected a whole number"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(name, array, said):
    """By name, shape and dtype; and none that is not finite, and no count of epochs that cannot be."""
    stopped_after(1, recipe())
    rewritten({name: array})
    refused(f"checkpoint.npz: {said}")


def test_a_checkpoint_that_lacks_the_result_of_its_best_epoch_is_refused():
    """It is missing, of another epoch, or without the figures that are printed at the end."""
    settings = recipe(keep="best")
    stopped_after(3, settings)
    kept = npz.read(PATH, "checkpoint", [2]).meta["kept"]
    without = {name: figure for name, figure in kept.items() if name != "validation_accuracy"}
    for wrong in (None, {**kept, "epoch": kept["epoch"] + 1}, without):
        rewritten(kept=wrong)
        refused("its metadata has no valid result of the kept epoch", settings=settings)


def test_a_checkpoint_without_the_best_parameters_is_not_resumed_with_them():
    """A run that saved its last epoch holds no other."""
    stopped_after(1, recipe())
    refused("missing arrays: kept_accuracy, kept_cost, kept_epoch", settings=recipe(keep="best"))


@pytest.mark.parametrize("last", [None, [], {}, {"epoch": 1}, {"health": {}}, {"health": None}])
def test_a_checkpoint_that_does_not_record_what_its_last_epoch_came_to_is_refused(last):
    """It could not be said again."""
    stopped_after(1, recipe())
    rewritten(last=last)
    refused("its metadata has no valid result of the last epoch")
