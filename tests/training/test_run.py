"""Training with a run folder: the validation set, the files after each epoch, and resumed runs."""

import hashlib
import json
import shutil
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from mnist_bp.data.datasets import Dataset, Examples, stratified_split
from mnist_bp.errors import InputError
from mnist_bp.network import Network, load_network
from mnist_bp.training.evaluation import evaluate
from mnist_bp.training.run import TrainingRun
from mnist_bp.training.settings import Settings

CLASSES = 3
RECIPE = Settings(
    hidden=(5,),
    activation="tanh",
    cost="cross-entropy",
    dtype="float32",
    threads=1,
    dataset=None,
    data_dir=None,
    limit=None,
    classes=CLASSES,
    learning_rate=0.1,
    batch_size=20,
    epochs=3,
    seed=2,
    optimizer="momentum",
)
VALIDATING = replace(RECIPE, validation=18)
RUN = Path("run")


def examples(count, seed):
    """Images of 3 × 3 random grey levels."""
    rng = np.random.default_rng(seed)
    return Examples(
        rng.integers(256, size=(count, 3, 3), dtype=np.uint8), rng.integers(CLASSES, size=count).astype(np.uint8)
    )


DATA = Dataset("few", examples(90, 1), examples(40, 2), CLASSES)


def session(recipe=RECIPE, data=DATA, output=RUN, resume=None):
    """A session of a fresh network."""
    network = Network((9, *recipe.hidden, CLASSES), activation="tanh", cost="cross-entropy",
                      rng=np.random.default_rng(recipe.seed))  # fmt: skip
    return TrainingRun(recipe, data, network, output, resume)


def history():
    """Its records, without the seconds."""
    lines = (RUN / "history.jsonl").read_text(encoding="utf-8").splitlines()
    return [{name: value for name, value in json.loads(line).items() if name != "seconds"} for line in lines]


# --- what is held out ------------------------------------------------------------------------------------------------


def test_validation_examples_never_reach_the_training():
    """Other images in their places: not a bit of the network changes, and the validation figures do."""
    numbered = Examples(np.arange(90, dtype=np.uint8).repeat(9).reshape(90, 3, 3), DATA.train.labels)
    held = stratified_split(numbered, 18, seed=VALIDATING.seed)[1].images[:, 0, 0]
    images = DATA.train.images.copy()
    images[held] = 255 - images[held]
    changed = replace(DATA, train=Examples(images, DATA.train.labels))
    ends = []
    for data, folder in ((DATA, "one"), (changed, "two")):
        made = session(VALIDATING, data, Path(folder))
        ends.append((list(made.epochs())[-1], made.fingerprint))
    (one, fingerprint), (two, other) = ends
    assert fingerprint == other
    assert (one.train_cost, one.test_cost) == (two.train_cost, two.test_cost)
    assert one.validation_cost != two.validation_cost


def test_validation_figures_are_those_of_what_is_held_out():
    """18 of 90, by the recipe's seed; 72 are left to train on."""
    made = session(VALIDATING)
    assert len(made.data.train) == 72
    last = list(made.epochs())[-1]
    held = stratified_split(DATA.train, 18, seed=VALIDATING.seed)[1]
    figures = evaluate(made.trainer.eval_network, held.rows, held.labels)
    assert (last.validation_cost, last.validation_accuracy) == (figures.cost, figures.accuracy)
    assert history()[-1]["validation_cost"] == figures.cost


def test_without_validation_the_record_of_an_epoch_has_no_such_figures():
    """The keys are not there, rather than null."""
    (result, *_) = session().epochs()
    assert not [name for name in result.record() if name.startswith("validation")]
    assert not [name for name in history()[0] if name.startswith("validation")]


def test_what_leaves_nothing_to_train_on_is_refused_before_there_is_a_folder():
    """As many as there are."""
    with pytest.raises(InputError, match="cannot hold out 90 of 90 training examples"):
        session(replace(RECIPE, validation=90))
    assert not RUN.exists()


# --- what is kept ----------------------------------------------------------------------------------------------------


def test_each_epoch_is_on_disk_when_it_is_reported():
    """History and checkpoint include the yielded epoch. A copy of the folder can be resumed."""
    for result in session().epochs():
        assert [record["epoch"] for record in history()] == list(range(1, result.epoch + 1))
        copy = Path(shutil.copytree(RUN, f"copy-{result.epoch}"))
        assert session(resume=copy).trainer.epoch == result.epoch


def test_a_run_that_is_trained_cannot_be_gone_on_with():
    """Not until that training has ended, or whoever had begun it has forgotten it."""
    training = session()
    with pytest.raises(InputError, match="another training is writing to run"):
        session(resume=RUN)
    list(training.epochs())
    assert session(resume=RUN).trainer.epoch == 3
    assert session(resume=RUN).trainer.epoch == 3


def test_the_fingerprint_is_the_sum_of_the_saved_weights():
    """SHA-256 of W1 and b1, then W2 and b2, each W by columns; of the average, where there is one."""
    made = session(replace(RECIPE, average=0.9))
    list(made.epochs())
    network, _ = load_network(RUN / "model.npz")
    numbers = [number for W, b in zip(network.weights, network.biases, strict=True) for number in (*W.T.flat, *b)]
    assert made.fingerprint == hashlib.sha256(np.array(numbers, "<f4").tobytes()).hexdigest()
    assert made.fingerprint != session(output=Path("other")).fingerprint


def test_the_model_is_the_average_where_there_is_one():
    """The evaluated network is the one that is saved."""
    made = session(replace(RECIPE, average=0.9))
    last = list(made.epochs())[-1]
    network, meta = load_network(RUN / "model.npz")
    assert evaluate(network, DATA.test.rows, DATA.test.labels).cost == last.test_cost
    assert (meta.epochs, meta.test_accuracy) == (3, last.test_accuracy)


# --- resumed runs ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("recipe", [RECIPE, replace(VALIDATING, average=0.9, schedule="one-cycle")])
@pytest.mark.parametrize("stop", [1, 2, 3])
def test_a_run_that_is_gone_on_with_is_the_uninterrupted_run(recipe, stop):
    """Fingerprint, history and model are equal, after whichever epoch it stopped."""
    whole = session(recipe, output=Path("whole"))
    results = list(whole.epochs())
    list(islice(session(recipe).epochs(), stop))
    again = session(recipe, output=None, resume=RUN)
    assert again.last.test_accuracy == results[stop - 1].test_accuracy
    assert [result.epoch for result in again.epochs()] == list(range(stop + 1, 4))
    assert again.fingerprint == whole.fingerprint
    assert again.last.test_cost == results[-1].test_cost
    assert (RUN / "model.npz").read_bytes() == Path("whole/model.npz").read_bytes()
    assert (RUN / "config.toml").read_bytes() == Path("whole/config.toml").read_bytes()
    assert [record["test_cost"] for record in history()] == [result.test_cost for result in results]


def test_with_a_constant_rate_there_may_be_more_epochs():
    """3 epochs, and 2 more, are 5; the config says so."""
    list(session().epochs())
    longer = replace(RECIPE, epochs=5)
    again, whole = session(longer, resume=RUN), session(longer, output=Path("whole"))
    list(again.epochs())
    list(whole.epochs())
    assert again.fingerprint == whole.fingerprint
    assert (RUN / "config.toml").read_bytes() == Path("whole/config.toml").read_bytes()


def test_there_may_not_be_fewer_epochs_than_there_have_been():
    """The config would no longer repeat the run: refused, and nothing in the folder changes."""
    list(session().epochs())
    before = contents()
    with pytest.raises(InputError, match="3 epochs"):
        session(replace(RECIPE, epochs=2), resume=RUN)
    assert contents() == before


def contents():
    """Return the files of the run folder."""
    return {path.name: path.read_bytes() for path in RUN.iterdir()}


def other(images=None, labels=None):
    """Another training set."""
    train = Examples(DATA.train.images if images is None else images, DATA.train.labels if labels is None else labels)
    return replace(DATA, train=train)


OTHERS = {
    "seed": (replace(RECIPE, seed=3), DATA, "it was trained with seed 2, not 3"),
    "optimizer": (replace(RECIPE, optimizer="nesterov"), DATA, "optimizer 'momentum', not 'nesterov'"),
    "schedule": (replace(RECIPE, schedule="step"), DATA, "constant"),
    "validation": (VALIDATING, DATA, "validation None, not 18"),
    "fewer examples": (RECIPE, other(DATA.train.images[:80], DATA.train.labels[:80]), "training data"),
    "labels": (RECIPE, other(labels=(DATA.train.labels + 1) % CLASSES), "training data"),
    "order": (RECIPE, other(DATA.train.images[::-1], DATA.train.labels[::-1]), "training data"),
    "images": (RECIPE, other(images=255 - DATA.train.images), "training data"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_run_of_another_recipe_or_on_other_data_is_not_gone_on_with(name):
    """Refused with what differs, and nothing in the folder changes."""
    list(islice(session().epochs(), 1))
    before = contents()
    recipe, data, said = OTHERS[name]
    with pytest.raises(InputError, match=said):
        session(recipe, data, resume=RUN)
    assert contents() == before
