"""``mnist-bp evaluate``: its record, its tables, and what it refuses."""

import io
import json
import os
import pickle
import re
from pathlib import Path

import numpy as np
import pytest

from mnist_bp.data import idx
from mnist_bp.data.names import FILE_NAMES
from mnist_bp.errors import StorageError
from mnist_bp.network import Network
from mnist_bp.reports.class_names import ClassNames
from mnist_bp.reports.console import Console
from mnist_bp.reports.tables import SHADES, confusion_table, per_class_table
from mnist_bp.training.evaluation import ClassScore

DIGITS = ClassNames()

KEYS = ["event", "dataset", "split", "examples", "cost", "accuracy", "confusion", "per_class", "model"]


@pytest.fixture
def run(trained, few):
    """The folder of a short run on the few digits."""
    return trained("--data-dir", few, "--epochs", "5", "--batch-size", "10")


def test_json_is_one_object_with_the_keys_of_the_contract(cli, run, few_digits):
    """Rows of the confusion matrix are the true digits; what it sums up is what is said beside it."""
    done = cli("evaluate", run, "--json")
    assert done.code == 0
    (record,) = done.records
    assert list(record) == KEYS
    confusion = np.array(record["confusion"])
    assert (record["dataset"], record["split"], record["examples"]) == ("few", "test", 250)
    assert record["model"] == str(run / "model.npz")
    assert confusion.shape == (10, 10)
    np.testing.assert_array_equal(confusion.sum(axis=1), np.bincount(few_digits[1].labels, minlength=10))
    assert record["accuracy"] == confusion.trace() / 250
    assert [list(score) for score in record["per_class"]] == [["label", "precision", "recall", "f1", "support"]] * 10
    assert [score["label"] for score in record["per_class"]] == list(range(10))


def test_a_class_without_examples_has_a_null_recall(cli, run):
    """Like the precision of a class that is never predicted; a table has a dash."""
    images = np.zeros((3, 28, 28), np.uint8)
    for name, array in zip(FILE_NAMES, (images, np.zeros(3, np.uint8)) * 2, strict=True):
        with Path(name).open("wb") as file:
            idx.write(file, array)
    (record,) = cli("evaluate", run, "--data-dir", ".", "--json").records
    assert [score["recall"] is None for score in record["per_class"]] == [False] + [True] * 9
    assert [score["precision"] for score in record["per_class"]].count(None) == 9
    assert re.search(r"^ +9 +- +- +- +0$", cli("evaluate", run, "--data-dir", ".").out, re.MULTILINE)


def test_the_confusion_matrix_states_which_side_is_predicted(cli, run):
    """Above the table."""
    assert "confusion matrix (rows: true digit, columns: predicted digit)" in cli("evaluate", run).out


def test_it_measures_what_training_reported(cli, run):
    """The figures of the last epoch, without naming run or data again."""
    last = json.loads((run / "history.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    (record,) = cli("evaluate", "--json").records
    assert (record["cost"], record["accuracy"]) == (last["test_cost"], last["test_accuracy"])


def test_people_read_two_tables_and_the_result(cli, run):
    """The model, the data, the confusion matrix, the classes, and the accuracy last."""
    done = cli("evaluate", run)
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0] == f"model     {run / 'model.npz'}: 784-16-16-10, sigmoid, squared-error"
    assert lines[1] == "data      few test: 250 examples"
    assert any(line.split() == ["true", *map(str, range(10))] for line in lines)
    assert any(line.split() == ["digit", "precision", "recall", "f1", "support"] for line in lines)
    assert lines[-1].startswith("test accuracy ")
    assert "…" not in done.out


def test_no_confusion_leaves_the_result(cli, run):
    """``--no-confusion``: three lines."""
    assert len(cli("evaluate", run, "--no-confusion").out.splitlines()) == 3


def test_split_train_measures_the_training_set(cli, run):
    """All 500 of them."""
    (record,) = cli("evaluate", run, "--split", "train", "--json").records
    assert (record["split"], record["examples"]) == ("train", 500)


def test_a_model_file_does_as_well_as_a_run(cli, run):
    """Both give equal records."""
    assert cli("evaluate", run, "--json").records == cli("evaluate", run / "model.npz", "--json").records


def test_another_dataset_is_allowed_and_reported(cli, run, few_synthetic_digits):
    """A network of one dataset, measured on another."""
    few_synthetic_digits(200, 50)
    done = cli("evaluate", run, "--dataset", "synthetic", "--json")
    assert done.records[0]["dataset"] == "synthetic"
    assert "The network was trained on few, and is evaluated on synthetic." in done.err


def test_a_model_that_records_nothing_of_its_training_needs_its_data_named(cli, idx_folder, rng):
    """A network saved from Python is measured on the folder that is named, with nothing said of another one."""
    Network([784, 10], rng=rng).save("bare.npz")
    done = cli("evaluate", "bare.npz", "--data-dir", idx_folder)
    assert done.code == 0
    assert "trained on" not in done.out


def test_naming_the_dataset_does_for_a_model_that_records_nonsense_of_its_training(cli, run, idx_folder):
    """The advice of the error works: the model's metadata is used only without --dataset."""
    Path("other.npz").write_bytes(with_meta(config=[1])((run / "model.npz").read_bytes()))
    done = cli("evaluate", "other.npz", "--dataset", "mnist", "--data-dir", idx_folder)
    assert (done.code, done.err) == (0, "")


def test_an_accuracy_under_the_wanted_one_is_1(cli, run):
    """The figures are shown all the same."""
    done = cli("evaluate", run, "--min-accuracy", "1", "--json")
    assert done.code == 1
    assert len(done.records) == 1
    assert done.err.splitlines()[-1].endswith("is below --min-accuracy 1")
    assert cli("evaluate", run, "--min-accuracy", "0").code == 0


class Bomb:
    """A pickle that leaves a mark when it is opened."""

    def __reduce__(self):
        return os.mkdir, ("exploded",)


def text(model):
    """No archive at all."""
    return b"not a model\n"


def truncated(model):
    """The first half of a model."""
    return model[: len(model) // 2]


def empty(model):
    """Nothing."""
    return b""


def pickled(model):
    """A pickle under the name of a model."""
    return pickle.dumps(Bomb())


def with_array(name, array):
    """A model, one of its arrays replaced, in the format without a sum."""

    def change(model):
        file = io.BytesIO()
        with np.load(io.BytesIO(model)) as arrays:
            meta = np.array(json.dumps({**json.loads(str(arrays["meta"])), "format": 1}))
            np.savez(file, **{**arrays, "meta": meta, name: array})
        return file.getvalue()

    return change


def with_meta(**values):
    """A model, some of its meta replaced."""

    def change(model):
        with np.load(io.BytesIO(model)) as arrays:
            meta = {**json.loads(str(arrays["meta"])), "format": 1, **values}
        return with_array("meta", np.array(json.dumps(meta)))(model)

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (text, "is not a model file that mnist-bp wrote"),
        (truncated, "is not a model file that mnist-bp wrote"),
        (empty, "is not a model file that mnist-bp wrote"),
        (pickled, "is not a model file that mnist-bp wrote"),
        (with_array("W1", np.array([Bomb()])), "is not a model file that mnist-bp wrote"),
        (with_array("meta", np.array([Bomb()])), "is not a model file that mnist-bp wrote"),
        (with_array("W1", np.zeros((16, 100), np.float32)), "W1 is float32 (16, 100)"),
        (with_array("W2", np.full((16, 16), np.nan, np.float32)), "W2 contains numbers that are not finite"),
        (with_array("W1", np.full((16, 784), 3e38, np.float32)), None),
        (with_meta(config={"dataset": "cifar"}), "does not record its dataset"),
        (with_meta(config={"data-dir": 5}), "does not record its dataset"),
        (with_meta(config={"data-dir": "a\0b"}), "does not record its dataset"),
        (with_meta(config={"data-dir": "\ud800"}), "does not record its dataset"),
    ],
)
def test_a_model_file_that_is_not_one_is_one_line_and_2(cli, run, change, said):
    """Never a traceback, and nothing in the file is executed."""
    Path("other.npz").write_bytes(change((run / "model.npz").read_bytes()))
    done = cli("evaluate", "other.npz", "--json")
    if said is None:  # enormous weights are a bad network, and no error
        assert done.code == 0
    else:
        assert (done.code, done.out) == (2, "")
        assert len(done.err.splitlines()) == 1
        assert said in done.err
    assert not Path("exploded").exists()


def test_a_cost_that_overflows_is_refused(cli, idx_folder, rng):
    """A finite model whose outputs are not: one line, exit 2, no NaN in the JSON."""
    network = Network([784, 10], cost="cross-entropy", rng=rng, dtype=np.float32)
    network.parameters[...] = 3e38
    network.save("large.npz")
    done = cli("evaluate", "large.npz", "--data-dir", idx_folder, "--json")
    assert (done.code, done.out) == (2, "")
    assert done.err == "mnist-bp: large.npz: the cost is not finite; the parameters are too large for float32\n"


def test_a_network_of_other_sizes_is_refused(cli, idx_folder, rng):
    """Images that do not fit its inputs: both sizes are named."""
    Network([100, 10], rng=rng).save("small.npz")
    done = cli("evaluate", "small.npz", "--data-dir", idx_folder)
    assert (done.code, done.out) == (2, "")
    assert "few has images of 784 pixels" in done.err
    assert "takes 100 inputs" in done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [([], "create one with mnist-bp train"), (["nowhere"], "nowhere is not a model: expected a model.npz")],
)
def test_without_a_model_it_is_one_line_and_2(cli, arguments, said):
    """No run yet, or none of that name."""
    done = cli("evaluate", *arguments)
    assert (done.code, done.out) == (2, "")
    assert len(done.err.splitlines()) == 1
    assert said in done.err


def test_confusion_table_shows_every_count():
    """A dot for none; a row for each true class, with what was answered rightly in bold."""
    table = confusion_table(np.array([[980, 0], [12, 1123]]), DIGITS)
    labels, *answers = [list(column.cells) for column in table.columns]
    assert labels == ["0", "1"]
    assert [[str(cell) for cell in cells] for cells in answers] == [["980", "12"], [".", "1123"]]
    assert [answers[0][0].style, answers[1][1].style] == ["bold", "bold"]


def backgrounds(confusion):
    """Return the background of each cell, row by row, or None."""
    columns = [list(column.cells) for column in confusion_table(np.array(confusion), DIGITS).columns[1:]]
    return [[getattr(cell.style, "bgcolor", None) for cell in row] for row in zip(*columns, strict=True)]


def test_the_more_often_a_mistake_was_made_the_more_it_is_shaded():
    """Shades go from grey to orange. Correct predictions and errors that are rare compared with others have none."""
    shown = backgrounds([[999, 100, 51, 50], [26, 999, 25, 11], [10, 1, 999, 0], [76, 75, 100, 0]])
    orange, light, tan, grey = (shown[row][column] for row, column in ((0, 1), (0, 2), (1, 0), (1, 2)))
    assert len({orange, light, tan, grey, None}) == 5
    assert shown == [
        [None, orange, light, tan],
        [tan, None, grey, grey],
        [None, None, None, None],
        [orange, light, orange, None],
    ]


@pytest.mark.parametrize("confusion", [[[5, 0], [0, 7]], [[5]]])
def test_without_mistakes_nothing_is_shaded(confusion):
    """Nor with a single class."""
    assert all(background is None for row in backgrounds(confusion) for background in row)


def test_shades_are_among_the_colours_of_a_terminal_of_256():
    """Rounded to them, they would be of other hues; the text upon them is black."""
    steps = {0, 95, 135, 175, 215, 255}
    for shade in SHADES:
        assert set(shade.bgcolor.triplet) <= steps
        assert set(shade.color.triplet) == {0}


def test_shades_are_seen_on_a_terminal_and_only_there(terminal, capsys):
    """A pipe gets the same characters, and no control character."""
    Console().print_table(confusion_table(np.array([[980, 5], [12, 1123]]), DIGITS))
    piped = capsys.readouterr().out
    screen = terminal()
    Console().print_table(confusion_table(np.array([[980, 5], [12, 1123]]), DIGITS))
    assert re.search(r"\x1b\[38;5;16;48;5;208m *12\x1b\[0m", screen.getvalue())
    assert re.sub(r"\x1b\[[\d;]*m", "", screen.getvalue()) == piped


def test_mistakes_are_recorded_where_they_are_asked_for(cli, run, few_digits):
    """Four of them, and each is one: the label is that of the example, the answer that of the network."""
    (record,) = cli("evaluate", run, "--mistakes", 4, "--json").records
    assert [key for key in record if key not in KEYS] == ["mistakes"]
    test, network = few_digits[1], Network.load(run / "model.npz")
    outputs = network.forward(test.rows.astype(np.float32) / 255)
    for mistake in record["mistakes"]:
        example, label, answer, output = mistake.values()
        assert list(mistake) == ["example", "label", "answer", "output"]
        assert label == test.labels[example] != answer == outputs[example].argmax()
        assert output == pytest.approx(outputs[example].max(), rel=1e-5)
    shares = [mistake["output"] for mistake in record["mistakes"]]
    assert len(shares) == 4
    assert shares == sorted(shares, reverse=True)


def test_mistakes_are_drawn_as_many_beside_each_other_as_fit(cli, run):
    """In a pipe, two images of 28 pixels; the result stays the last line."""
    (record,) = cli("evaluate", run, "--mistakes", 3, "--json").records
    done = cli("evaluate", run, "--mistakes", 3, "--no-confusion")
    captions = [line for line in done.out.splitlines() if "example " in line or "predicted as" in line]
    first, second, third = record["mistakes"]
    assert captions[0].split("  ")[0] == f"example {first['example']}: {DIGITS.called(first['label'])}"
    assert captions[0].rstrip().endswith(f"  example {second['example']}: {DIGITS.called(second['label'])}")
    assert captions[1].startswith(f"predicted as {DIGITS.called(first['answer'])}, {first['output']:.2f}  ")
    assert captions[2].rstrip() == f"example {third['example']}: {DIGITS.called(third['label'])}"
    assert captions[3].rstrip() == f"predicted as {DIGITS.called(third['answer'])}, {third['output']:.2f}"
    assert sum("@" in line for line in done.out.splitlines()) > 5
    assert max(map(len, done.out.splitlines())) <= 80
    assert done.out.splitlines()[-1].startswith("test accuracy ")


def test_a_network_without_mistakes_has_none_to_draw(cli, rng):
    """It says so, and the list is there and empty."""
    for name in FILE_NAMES:
        with Path(name).open("wb") as file:
            idx.write(file, np.zeros((3, 2, 2) if "images" in name else 3, np.uint8))
    network = Network([4, 10], rng=rng)
    network.biases[0][0] = 9
    network.save("right.npz")
    assert "misclassified examples: none" in cli("evaluate", "right.npz", "--data-dir", ".", "--mistakes", 3).out
    (record,) = cli("evaluate", "right.npz", "--data-dir", ".", "--mistakes", 3, "--json").records
    assert record["mistakes"] == []


@pytest.mark.parametrize("number", ["0", "-1", "many"])
def test_mistakes_wants_a_number_above_0(cli, number):
    """Bad usage, before anything is looked for."""
    done = cli("evaluate", "--mistakes", number)
    assert done.code == 2
    assert "--mistakes" in done.err


def test_per_class_table_shows_four_digits():
    """Ratios with four decimals, examples with thousands set apart."""
    table = per_class_table([ClassScore(3, 0.5, 1.0, 2 / 3, 1010)], DIGITS)
    assert [next(iter(column.cells)) for column in table.columns] == ["3", "0.5000", "1.0000", "0.6667", "1,010"]


def test_a_disk_that_takes_no_pictures_takes_no_measurement_away(cli, idx_folder, monkeypatch):
    """The results are printed and recorded before exit code 3."""
    assert cli("train", "--data-dir", idx_folder, "--epochs", 1, "--output", "run", "--quiet").code == 0

    def full(*_):
        raise StorageError("cannot write run/confusion.png: No space left on device")

    monkeypatch.setattr("mnist_bp.cli.evaluate.plot_evaluation", full)
    done = cli("evaluate", "run", "--plot", "--json")
    assert done.code == 3
    assert done.records[0]["examples"] == 250
    assert done.records[0]["plots"] == []
    assert done.err.splitlines()[-1] == "mnist-bp: cannot write run/confusion.png: No space left on device"


def test_adversarial_examples_have_figures_of_their_own(cli, run, few_digits):
    """A key in the record and a line for people; the clean figures and the keys of the contract stay."""
    network, examples, ε = Network.load(run / "model.npz"), few_digits[1], 0.1
    (clean,) = cli("evaluate", run, "--json").records
    (record,) = cli("evaluate", run, "--adversarial", ε, "--json").records
    lines = cli("evaluate", run, "--adversarial", ε).out.splitlines()
    X = examples.inputs(np.float32)
    attacked = X + np.float32(ε) * np.sign(network.input_gradient(X, examples.labels)[1])
    outputs = network.forward(attacked)

    assert {**record, "adversarial": None} == {**clean, "adversarial": None}
    found = record["adversarial"]
    assert list(found) == ["epsilon", "cost", "accuracy"]
    assert found["epsilon"] == ε
    assert found["accuracy"] == (outputs.argmax(axis=1) == examples.labels).mean() < record["accuracy"]
    assert found["cost"] == pytest.approx(((outputs - np.eye(10)[examples.labels]) ** 2).sum(axis=1).mean(), rel=1e-5)
    words = f"; adversarial, ε = 0.1: test accuracy {100 * found['accuracy']:.2f} %, test cost {found['cost']:.4f}"
    assert lines[-1].startswith("test accuracy ")
    assert lines[-1].endswith(words)
    assert cli("evaluate", run, "--adversarial", ε, "--quiet").out.splitlines() == [lines[-1]]


def test_adversarial_examples_by_zero_are_the_clean_ones(cli, run):
    """So that a script can sweep ε from 0."""
    (record,) = cli("evaluate", run, "--adversarial", "0", "--json").records
    assert record["adversarial"] == {"epsilon": 0, "cost": record["cost"], "accuracy": record["accuracy"]}


@pytest.mark.parametrize("number", ["-0.1", "1.1", "nan", "much"])
def test_adversarial_wants_a_number_from_0_to_1(cli, number):
    """Bad usage, before anything is read."""
    done = cli("evaluate", "--adversarial", number)
    assert done.code == 2
    assert "expected a number from 0 to 1" in done.err
