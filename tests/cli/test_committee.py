"""Committees: several models given to ``evaluate`` and ``predict``."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mnist_bp import Committee, Network


@pytest.fixture(scope="module")
def networks(few_digits):
    """Three networks that differ in all that members may differ in, each trained for some steps."""
    train = few_digits[0]
    found = []
    for seed, (hidden, look) in enumerate(
        (
            ([], {"cost": "cross-entropy"}),
            ([12], {"activation": "relu", "cost": "cross-entropy", "dtype": np.float64}),
            ([8, 8], {"activation": "tanh", "cost": "squared-error"}),
        )
    ):
        network = Network([784, *hidden, 10], rng=np.random.default_rng(seed), **look)
        X, Y = train.inputs(network.dtype), network.one_hot(train.labels)
        for _ in range(40):
            network.parameters -= 0.3 * network.backpropagate(X, Y)[1].vector
        found.append(network)
    return found


@pytest.fixture
def saved(networks, idx_folder):
    """Their files, which record the folder of the few digits."""
    meta = {"dataset": "few", "config": {"dataset": "own", "data-dir": str(idx_folder)}, "image_shape": [28, 28]}
    for name, network in zip("abc", networks, strict=True):
        network.save(f"{name}.npz", meta)
    return ["a.npz", "b.npz", "c.npz"]


def test_a_committee_averages_the_outputs_of_its_members(cli, saved, networks, few_digits):
    """Accuracy and confusion matrix are those of the averaged outputs; each member has its own figures."""
    done = cli("evaluate", *saved, "--json")
    assert done.code == 0
    (record,) = done.records
    test = few_digits[1]
    outputs = Committee(networks).forward(test.inputs(np.float32))
    confusion = np.zeros((10, 10), int)
    np.add.at(confusion, (test.labels, outputs.argmax(axis=1)), 1)
    assert record["confusion"] == confusion.tolist()
    assert record["accuracy"] == confusion.trace() / 250
    assert record["model"] is None
    assert record["members"] == [
        {"model": name, "cost": alone["cost"], "accuracy": alone["accuracy"]}
        for name in saved
        for alone in cli("evaluate", name, "--json").records
    ]


def test_the_cost_is_that_of_the_averaged_outputs_if_the_members_have_one(cli, saved, networks, few_digits):
    """Cross-entropy of the mean of two softmaxes; no cost beside a squared error, which a line states."""
    (record,) = cli("evaluate", *saved[:2], "--json").records
    outputs = Committee(networks[:2]).forward(few_digits[1].inputs(np.float32))
    right = outputs[np.arange(250), few_digits[1].labels]
    assert record["cost"] == pytest.approx(-np.log(right).mean(), rel=1e-6)
    assert record["cost"] < np.mean([member["cost"] for member in record["members"]])
    assert cli("evaluate", *saved, "--json").records[0]["cost"] is None
    last = cli("evaluate", *saved).out.splitlines()[-1]
    assert last.endswith(" on few: committee of 3 networks, without a cost, because the members have different costs")
    assert " cost 0" not in last


def test_the_order_of_the_members_changes_nothing_but_rounding(cli, saved):
    """Averages are in float64."""
    (one,), (other,) = (cli("evaluate", *names, "--json").records for names in (saved[:2], saved[1::-1]))
    assert one["confusion"] == other["confusion"]
    assert one["cost"] == pytest.approx(other["cost"], rel=1e-14)
    assert one["members"] == other["members"][::-1]


def test_min_accuracy_applies_to_the_committee(cli, saved):
    """Not to its worst or best member."""
    (record,) = cli("evaluate", *saved, "--json").records
    accuracies = [member["accuracy"] for member in record["members"]]
    assert record["accuracy"] != max(accuracies)
    assert cli("evaluate", *saved, "--min-accuracy", record["accuracy"]).code == 0
    assert cli("evaluate", *saved, "--min-accuracy", record["accuracy"] + 0.001).code == 1


def test_misclassified_examples_show_what_the_members_predict(cli, saved, networks, few_digits):
    """In JSON in the order of the members; in text a line for each predicted class."""
    (record,) = cli("evaluate", *saved, "--mistakes", 3, "--json").records
    inputs = few_digits[1].inputs(np.float32)
    for mistake in record["mistakes"]:
        answers = [int(network.forward(inputs[mistake["example"]][None]).argmax()) for network in networks]
        assert mistake["members"] == answers
    text = cli("evaluate", *saved, "--mistakes", 3).out
    assert all(f"example {mistake['example']}: " in text for mistake in record["mistakes"])
    first = record["mistakes"][0]["members"]
    assert f"{first.count(first[0])} member" in text


def test_people_read_a_table_of_the_members_within_60_columns(cli, saved, monkeypatch):
    """One row for each member, their mean, and the committee; no cell is cut."""
    monkeypatch.setenv("COLUMNS", "60")
    lines = cli("evaluate", *saved[:2], "--no-confusion").out.splitlines()
    assert [line.split(maxsplit=2)[:2] for line in lines[:2]] == [["member", "1"], ["member", "2"]]
    assert lines[0] == "member 1  a.npz: 784-10, sigmoid, cross-entropy"
    start = next(number for number, line in enumerate(lines) if line.split() == ["member", "cost", "accuracy", "error"])
    table = [line for line in lines[start:-2] if line.strip(" ─-")]
    assert [line.split()[0] for line in table] == ["member", "1", "2", "mean", "committee"]
    assert max(map(len, table)) <= 60
    assert lines[-1].startswith("test accuracy ")
    assert lines[-1].endswith(" on few: committee of 2 networks")


# --- one member -----------------------------------------------------------------------------------------------------


def test_a_committee_of_one_is_its_member_bit_for_bit(cli, idx_folder):
    """The folder of a single seed gives the record of its run, without added keys."""
    assert cli("train", "--data-dir", idx_folder, "--epochs", 1, "--output", "all/seed-0").code == 0
    Path("all/config.toml").write_text("seeds = 1\n", encoding="utf-8")
    alone, series = cli("evaluate", "all/seed-0", "--json"), cli("evaluate", "all", "--json")
    assert alone.code == 0
    assert series.out == alone.out
    assert "members" not in series.records[0]


# --- the folder of train --seeds ------------------------------------------------------------------------------------


@pytest.fixture
def series(cli, idx_folder):
    """The folder of trainings with two seeds."""
    options = ("--data-dir", idx_folder, "--hidden", 8, "--epochs", 2, "--seed", 9)
    for seed in (9, 10):
        assert cli("train", *options, "--seed", seed, "--output", f"all/seed-{seed}").code == 0
    text = (Path("all/seed-9") / "config.toml").read_text(encoding="utf-8")
    Path("all/config.toml").write_text(text + "seeds = 2\n", encoding="utf-8")
    return Path("all")


def test_the_folder_of_several_seeds_is_a_committee_of_all_of_them(cli, series):
    """In the order of their numbers, not of their names."""
    done = cli("evaluate", series, "--json")
    assert done.code == 0
    assert [member["model"] for member in done.records[0]["members"]] == [
        str(series / f"seed-{seed}/model.npz") for seed in (9, 10)
    ]


def test_a_seed_without_a_model_is_refused_with_the_command_that_finishes_it(cli, series):
    """A committee is not silently smaller."""
    shutil.rmtree(series / "seed-10")
    done = cli("evaluate", series)
    assert done.code == 2
    assert done.err == (
        f"mnist-bp: no model.npz in {series / 'seed-10'} yet: its training was not finished; "
        "to resume it: mnist-bp train --resume all\n"
    )


def test_a_member_whose_training_has_not_finished_is_reported(cli, series, idx_folder):
    """Its model is that of its last finished epoch; a finished member is not reported."""
    lines = (series / "seed-10/history.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (series / "seed-10/history.jsonl").write_text(lines[0], encoding="utf-8")
    (series / "seed-10/run.json").unlink()
    done = cli("evaluate", series, "--json")
    assert done.code == 0
    assert [line for line in done.err.splitlines() if line.startswith("warning")] == [
        "warning  Member 2 is not finished (interrupted): it had 1 of 2 epochs."
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[", "is not a TOML file"),
        ("seeds = 'x'", "does not list the seeds"),
        ("seeds = -1", "does not list the seeds"),
        ("seeds = 9000000000", "does not list the seeds"),
    ],
)
def test_a_damaged_config_of_several_seeds_is_named(cli, series, text, why):
    """It exits with 2."""
    (series / "config.toml").write_text(text, encoding="utf-8")
    done = cli("evaluate", series)
    assert done.code == 2
    assert f"{series / 'config.toml'} " in done.err
    assert why in done.err


# --- what is refused ------------------------------------------------------------------------------------------------


def test_a_damaged_member_is_named(cli, saved):
    """It exits with 2, and evaluates nothing."""
    data = Path("b.npz").read_bytes()
    Path("b.npz").write_bytes(data[: len(data) // 2])
    done = cli("evaluate", *saved, "--json")
    assert (done.code, done.out) == (2, "")
    assert "b.npz" in done.err


def test_a_member_with_parameters_that_are_too_large_is_named(cli, saved, networks):
    """It exits with 2."""
    large = networks[0].astype(np.float32)
    large.parameters[...] = 3e38
    large.save("large.npz")
    done = cli("evaluate", "a.npz", "large.npz")
    assert done.code == 2
    assert done.err.startswith("mnist-bp: large.npz: the cost is not finite")


DIFFERENCES = {
    "dataset": ({"dataset": "other"}, "few and other"),
    "class names": ({"class_names": list("abcdefghiX")}, "j and X"),
    "image shape": ({"image_shape": [14, 56]}, "(28, 28) and (14, 56)"),
    "invert": ({"invert": True}, "False and True"),
    "dark_on_light": ({"dark_on_light": True}, "False and True"),
    "input scaling": ({"input_scaling": [-1, 1]}, "(0.0, 1.0) and (-1.0, 1.0)"),
    "transpose": ({"config": {"transpose": True}}, "False and True"),
}
"""Changes of the metadata by the difference that is reported, and what is reported of it."""


@pytest.mark.parametrize("command", ["evaluate", "predict"])
@pytest.mark.parametrize("what", DIFFERENCES)
def test_members_with_other_data_are_refused_with_the_difference(cli, networks, command, what):
    """One line names both models and what differs."""
    changes, values = DIFFERENCES[what]
    meta = {"dataset": "few", "class_names": list("abcdefghij"), "image_shape": [28, 28]}
    networks[0].save("a.npz", meta)
    networks[0].save("b.npz", meta | changes)
    Image.fromarray(np.eye(28, dtype=np.uint8) * 255).save("x.png")
    models = ["a.npz", "b.npz"] if command == "evaluate" else ["--model", "a.npz", "--model", "b.npz", "x.png"]
    done = cli(command, *models, "--json")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        f"mnist-bp: a.npz and b.npz differ in {what}: {values}; the members of a committee share their data\n"
    )


@pytest.mark.parametrize(("sizes", "what"), [([100, 10], "number of inputs"), ([784, 4], "number of outputs")])
def test_members_with_other_inputs_or_outputs_are_refused(cli, saved, rng, sizes, what):
    """Also if their files record nothing else."""
    Network(sizes, rng=rng).save("other.npz")
    done = cli("evaluate", "a.npz", "other.npz")
    assert done.code == 2
    assert f"a.npz and other.npz differ in {what}" in done.err


def test_members_of_two_folders_need_the_data_named(cli, saved, networks, idx_folder, tmp_path):
    """Which of the two would be evaluated depends on their order otherwise."""
    shutil.copytree(idx_folder, tmp_path / "elsewhere" / "few")
    config = {"dataset": "own", "data-dir": str(tmp_path / "elsewhere" / "few")}
    networks[1].save("b.npz", {"dataset": "few", "config": config})
    done = cli("evaluate", *saved)
    assert done.code == 2
    assert "a.npz and b.npz differ in --data-dir: " in done.err
    assert done.err.endswith("choose with --data-dir\n")
    assert cli("evaluate", *saved, "--data-dir", idx_folder).code == 0


def test_a_member_that_records_nothing_joins_those_that_do(cli, saved, networks):
    """The data are those of the others, wherever it stands."""
    networks[2].save("bare.npz")
    first, last = (cli("evaluate", *names, "--json") for names in (("bare.npz", "a.npz"), ("a.npz", "bare.npz")))
    assert (first.code, last.code) == (0, 0)
    assert first.records[0]["confusion"] == last.records[0]["confusion"]
    assert first.records[0]["dataset"] == "few"


def test_a_model_that_is_given_twice_is_reported(cli, saved):
    """It counts twice, which changes no average of one."""
    done = cli("evaluate", "a.npz", "a.npz", "--json")
    assert "a.npz is given 2 times, and counts 2 times." in done.err
    (alone,) = cli("evaluate", "a.npz", "--json").records
    assert done.records[0]["confusion"] == alone["confusion"]
    assert done.records[0]["cost"] == pytest.approx(alone["cost"])


@pytest.mark.parametrize("command", ["explain", "gradcheck", "page"])
def test_commands_about_one_network_refuse_several(cli, saved, command):
    """With what they expect."""
    done = cli(command, *saved[:2])
    assert done.code == 2
    assert done.err == (
        f"mnist-bp: {command} takes one RUN or MODEL, and several were given; for a committee: mnist-bp evaluate\n"
    )


def test_adversarial_examples_are_of_one_network(cli, saved):
    """A committee is refused, with what to do."""
    done = cli("evaluate", *saved, "--adversarial", 0.1)
    assert (done.code, done.out) == (2, "")
    assert done.err.endswith("several models were given: name one RUN or MODEL\n")


@pytest.mark.usefixtures("blank_figures")
def test_figures_of_a_committee_need_a_folder(cli, saved):
    """Its members may be in several; the weights of one of them are not drawn."""
    done = cli("evaluate", *saved, "--plot")
    assert (done.code, done.out) == (2, "")
    assert "--plot of several models requires --output DIR" in done.err
    done = cli("evaluate", *saved, "--plot", "--output", "plots", "--json")
    assert done.code == 0
    assert done.records[0]["plots"] == [str(Path("plots") / name) for name in ("confusion.png", "mistakes.png")]


# --- predict --------------------------------------------------------------------------------------------------------


@pytest.fixture
def pictures(few_digits):
    """A folder of 20 of the few digits, in a folder for each class."""
    test = few_digits[1]
    for number, (image, label) in enumerate(zip(test.images[:20], test.labels[:20], strict=True)):
        Path(f"pictures/{label}").mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(f"pictures/{label}/{number}.png")
    return Path("pictures")


def models(*names):
    """Return the options of ``predict`` for these models."""
    return [word for name in names for word in ("--model", name)]


def test_predict_averages_the_outputs_of_several_models(cli, saved, networks, pictures):
    """And lists what each of them predicts; the accuracy of the folder is the committee's."""
    done = cli("predict", pictures, *models(*saved), "--json")
    assert done.code == 0
    *records, summary = done.records
    assert len(records) == 20
    for record in records:
        each = [member["outputs"] for member in record["members"]]
        np.testing.assert_allclose(record["outputs"], np.mean(each, axis=0), rtol=1e-12)
        assert record["prediction"] == int(np.argmax(record["outputs"]))
        assert [member["prediction"] for member in record["members"]] == np.argmax(each, axis=1).tolist()
        assert [member["model"] for member in record["members"]] == saved
        assert record["model"] is None
        single = cli("predict", record["image"], "--model", "a.npz", "--json").records[0]
        assert single["outputs"] == each[0]
    right = [record["prediction"] == record["label"] for record in records]
    assert summary["accuracy"] == np.mean(right)
    for place, member in enumerate(summary["members"]):
        alone = cli("predict", pictures, *models(saved[place]), "--json").records[-1]
        assert member == {"model": saved[place], "cost": None, "accuracy": alone["accuracy"]}


def test_people_read_what_the_members_predict(cli, saved, pictures):
    """For one picture above the answer; for a folder in the table of the members."""
    image = min(pictures.rglob("*.png"))
    lines = cli("predict", image, *models(*saved)).out.splitlines()
    assert lines[2].startswith("member 3  c.npz: ")
    assert lines[-2].startswith("members  ")
    lines = cli("predict", pictures, *models(*saved), "--labels", "folders").out.splitlines()
    assert [line.split()[0] for line in lines if line.startswith(("mean", "committee"))] == ["mean", "committee"]


def test_predict_takes_the_folder_of_several_seeds(cli, series, pictures):
    """As ``evaluate`` does."""
    done = cli("predict", pictures, "--model", series, "--json")
    assert done.code == 0
    assert len(done.records[0]["members"]) == 2


def test_a_quiet_prediction_of_a_committee_is_the_digit_alone(cli, saved, pictures):
    """For scripts."""
    image = min(pictures.rglob("*.png"))
    (record,) = cli("predict", image, *models(*saved), "--json").records
    assert cli("predict", image, *models(*saved), "--quiet") == (0, f"{record['prediction']}\n", "")


def test_a_member_with_outputs_that_are_not_finite_is_named(cli, saved, networks, pictures):
    """It is an error of the model, for each picture."""
    large = networks[1].astype(np.float32)
    large.parameters[...] = 3e38
    large.save("large.npz")
    done = cli("predict", min(pictures.rglob("*.png")), *models("a.npz", "large.npz"))
    assert done.code == 2
    assert "mnist-bp: large.npz: the outputs are not finite" in done.err
