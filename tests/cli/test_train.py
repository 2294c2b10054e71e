"""``mnist-bp train``: what it says to people and to programs, what it leaves behind, and how it ends."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

import mnist_bp
from mnist_bp import Network
from mnist_bp.errors import DataUnavailable, InputError
from mnist_bp.network import load_network
from mnist_bp.reports.training import TrainingReport
from mnist_bp.shell import command_line
from mnist_bp.storage import npz
from mnist_bp.storage.metadata import described
from mnist_bp.training.checkpoint import FORMAT

START = [
    "event", "dataset", "sizes", "parameters", "train_examples", "test_examples", "activation", "cost", "optimizer",
    "learning_rate", "batch_size", "epochs", "seed", "threads",
]  # fmt: skip
EPOCH = [
    "event", "epoch", "train_cost", "train_accuracy", "test_cost", "test_accuracy", "learning_rate", "seconds",
]  # fmt: skip
END = ["event", "reason", "epochs", "test_cost", "test_accuracy", "seconds", "run", "model"]


@pytest.fixture
def train(cli, idx_folder):
    """Run ``mnist-bp train`` on the few digits, into the folder ``run``, for two epochs unless told otherwise."""

    def run(*arguments, output="run"):
        return cli("train", "--data-dir", idx_folder, "--epochs", "2", "--output", output, *arguments)

    return run


def start_process(*arguments, **settings):
    """``mnist-bp`` in a process of its own."""
    env = {**os.environ, "PYTHONPATH": str(Path(mnist_bp.__file__).parents[1]), **settings.pop("env", {})}
    command = [sys.executable, "-m", "mnist_bp", *map(str, arguments)]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **settings)


def arrays(run):
    """The parameters that a run has saved, as bytes."""
    with np.load(Path(run) / "model.npz") as file:
        return {name: file[name].tobytes() for name in file.files if name != "meta"}


# --- what it says ----------------------------------------------------------------------------------------------------


def test_people_read_a_line_for_each_epoch_and_the_next_command(train):
    """In a pipe: what is trained on what, one plain line for each epoch, the result, the next command."""
    done = train()
    assert done.code == 0
    assert done.err == ""
    lines = done.out.splitlines()
    assert lines[0] == "network  784-16-16-10, 13,002 parameters: sigmoid, squared-error, float32"
    assert lines[1] == "data     few: 500 training and 250 test examples"
    assert lines[2] == "recipe   sgd, learning rate 2, batches of 100, 2 epochs, seed 0, 1 thread"
    assert [line.split(":")[0] for line in lines[3:5]] == ["epoch 1/2", "epoch 2/2"]
    assert lines[5].startswith("warning  class 3: never predicted on the test set")  # it has taken ten steps
    assert lines[6].startswith("weights  fingerprint ")
    assert lines[7].startswith("test accuracy ")
    assert "on few (finished after 2 epochs" in lines[7]
    assert lines[8:] == ["next: mnist-bp page run", "or:   mnist-bp evaluate run"]
    assert "\x1b" not in done.out


def test_json_is_one_record_for_the_start_each_epoch_and_the_end(train):
    """Standard output is JSON Lines with the keys of the contract; people's text goes to standard error."""
    done = train("--json")
    assert done.code == 0
    start, *epochs, end = done.records
    assert set(START) <= set(start)
    assert [set(EPOCH) <= set(record) for record in epochs] == [True, True]
    assert set(END) <= set(end)
    assert start["dataset"] == "few"
    assert (start["sizes"], start["parameters"]) == ([784, 16, 16, 10], 13002)
    assert (start["train_examples"], start["test_examples"], start["batch_size"]) == (500, 250, 100)
    assert [record["epoch"] for record in epochs] == [1, 2]
    assert (end["reason"], end["epochs"], end["run"]) == ("finished", 2, "run")
    assert end["test_accuracy"] == epochs[-1]["test_accuracy"]
    assert end["model"] == str(Path("run/model.npz"))
    assert end["seconds"] > sum(record["seconds"] for record in epochs)
    assert "next: mnist-bp page run\nor:   mnist-bp evaluate run\n" in done.err


def test_quiet_prints_the_last_line_only(train):
    """One line: the result, and where the model is."""
    done = train("--quiet")
    (line,) = done.out.splitlines()
    assert line.startswith("test accuracy ")
    assert line.endswith(str(Path("run/model.npz")))
    assert done.err == ""


def test_a_batch_of_all_is_reported_and_counted(train):
    """``--batch-size all`` is true gradient descent: one step an epoch, of all 500 examples."""
    done = train("--batch-size", "all", "--json")
    assert done.records[0]["batch_size"] == 500
    assert "all examples in each step" in done.err


def test_limit_takes_the_first_examples(train):
    """``--limit`` bounds the training set, not the test set."""
    start = train("--limit", "120", "--json").records[0]
    assert (start["train_examples"], start["test_examples"]) == (120, 250)


@pytest.mark.parametrize("name", ["[red]x[/red]", "with space ü", "$HOME;'"])
def test_names_of_folders_print_as_themselves(train, name):
    """Rich's markup in a name is no markup, and the next command can be pasted."""
    done = train(output=name)
    assert done.code == 0
    assert f"model: {Path(name, 'model.npz')}" in done.out
    assert done.out.splitlines()[-1].startswith("or:   mnist-bp evaluate '")


@pytest.mark.skipif(sys.platform == "win32", reason="no such names there")
def test_a_name_cannot_steer_the_terminal(train):
    """Escape sequences in a name are spelled out."""
    done = train(output="\x1b[31m\nx")
    assert done.code == 0
    assert "\x1b" not in done.out
    assert r"\x1b[31m\nx" in done.out


# --- what it leaves behind -------------------------------------------------------------------------------------------


def test_a_run_holds_config_history_and_model(train):
    """The three files of a run, each in its format."""
    records = train("--json", "--hidden", "12", "--seed", "4").records
    history = Path("run/history.jsonl").read_text(encoding="utf-8")
    assert [json.loads(line) for line in history.splitlines()] == records[1:3]
    config = tomllib.loads(Path("run/config.toml").read_text(encoding="utf-8"))
    assert (config["hidden"], config["seed"], config["epochs"]) == ("12", 4, 2)
    network, meta = load_network("run/model.npz")
    assert network.sizes == (784, 12, 10)
    assert (meta.dataset, meta.synthetic, meta.epochs) == ("few", False, 2)
    assert meta.test_accuracy == records[2]["test_accuracy"]


def test_the_same_seed_gives_the_same_arrays_and_another_seed_others(train):
    """Twice in a row, bit for bit."""
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        train("--seed", seed, output=name)
    assert arrays("a") == arrays("b")
    assert arrays("a") != arrays("c")


def test_the_config_of_a_run_repeats_it(cli, train):
    """``train --config`` on a run's config gives the same arrays, bit for bit, with nothing else said."""
    train("--hidden", "12,8", "--activation", "tanh", "--cost", "cross-entropy", "--batch-size", "30",
          "--learning-rate", "0.3", "--seed", "9", "--limit", "333", "--dtype", "float64")  # fmt: skip
    assert cli("train", "--config", "run/config.toml", "--output", "again").code == 0
    assert arrays("run") == arrays("again")
    assert Path("run/config.toml").read_bytes() == Path("again/config.toml").read_bytes()


def test_without_output_a_run_goes_into_runs(cli, idx_folder):
    """``runs/<time>-<sizes>``, and ``evaluate`` without a name finds it."""
    done = cli("train", "--data-dir", idx_folder, "--epochs", "1", "--hidden", "none", "--json")
    folder = Path(done.records[-1]["run"])
    assert folder.parent == Path("runs")
    assert folder.name.endswith("-784-10")
    assert cli("evaluate", "--json").records[0]["model"] == str(folder / "model.npz")


def test_a_folder_that_holds_a_run_is_not_overwritten(train):
    """The second run is bad input; the first one's model stays."""
    train("--seed", "1")
    kept = arrays("run")
    done = train("--seed", "2")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("mnist-bp: run already contains a run")
    assert arrays("run") == kept


def test_a_folder_that_cannot_be_made_is_a_matter_of_the_disk(train):
    """Exit 3, before anything is trained."""
    Path("file").touch()
    done = train(output="file/run")
    assert (done.code, done.out) == (3, "")
    assert done.err.startswith(f"mnist-bp: cannot write {Path('file/run')}")


# --- how it ends -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--hidden", "16,,16"], "like 16,16, or none; got '16,,16'"),
        (["--hidden", "0"], "got '0'"),
        (["--hidden", "-3"], "got '-3'"),
        (["--hidden", ""], "got ''"),
        (["--epochs", "0"], "--epochs"),
        (["--epochs", "2.5"], "--epochs"),
        (["--batch-size", "0"], "1 or more, or all; got '0'"),
        (["--limit", "0"], "--limit"),
        (["--seed", "-1"], "--seed"),
        (["--threads", "0"], "--threads"),
        (["--learning-rate", "nan"], "above 0; got nan"),
        (["--learning-rate", "inf"], "above 0; got inf"),
        (["--learning-rate", "0"], "above 0; got 0"),
        (["--learning-rate", "-1"], "above 0; got -1"),
        (["--min-accuracy", "94"], "0.94, not 94"),
        (["--min-accuracy", "nan"], "from 0 to 1"),
        (["--activation", "swish"], "'leaky-relu'"),
        (["--cost", "mse"], "'cross-entropy'"),
        (["--dataset", "cifar"], "'fashion-mnist'"),
        (["--hiden", "16"], "--hidden"),
        (["surplus"], "surplus"),
    ],
    ids=" ".join,
)
def test_bad_options_are_one_line_and_2(train, arguments, said):
    """Nothing on standard output, one line on standard error that names the trouble and the help, no run."""
    done = train(*arguments)
    assert (done.code, done.out) == (2, "")
    (line,) = done.err.splitlines()
    assert line.startswith("mnist-bp: ")
    assert said in line
    assert line.endswith("See mnist-bp train --help")
    assert not Path("run").exists()


def test_a_network_too_large_for_memory_is_4(train):
    """One line."""
    done = train("--hidden", "999999999")
    assert (done.code, done.out) == (4, "")
    assert done.err.startswith("mnist-bp: out of memory: try a smaller network")


def test_an_accuracy_under_the_wanted_one_is_1(train):
    """The run is finished and saved; the exit code and one line say no."""
    done = train("--min-accuracy", "1", "--json")
    end = done.records[-1]
    assert (done.code, end["reason"]) == (1, "finished")
    assert done.err.splitlines()[-1] == (
        f"mnist-bp: test accuracy {end['test_accuracy']:.4f} is below --min-accuracy 1"
    )
    assert Path("run/model.npz").is_file()
    assert train("--min-accuracy", "0", output="other").code == 0


def test_divergence_is_1_and_reported_in_valid_json(train):
    """The end record says "diverged", holds no NaN, and the untrained network is saved."""
    done = train("--learning-rate", "1e30", "--activation", "relu", "--json")
    assert done.code == 1
    start, end = done.records
    assert start["event"] == "start"
    assert (end["reason"], end["epochs"], end["test_cost"], end["test_accuracy"]) == ("diverged", 0, None, None)
    assert "NaN" not in done.out
    assert done.err.splitlines()[-1].startswith("mnist-bp: training diverged in epoch 1")
    assert np.isfinite(load_network("run/model.npz")[0].parameters).all()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
def test_ctrl_c_is_130_and_keeps_what_was_finished(idx_folder):
    """The end record says "interrupted", the last epoch's model is saved, and the message says how to resume."""
    process = start_process("train", "--data-dir", idx_folder, "--epochs", 1_000_000, "--output", "run", "--json")
    for _ in range(3):
        process.stdout.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    end = json.loads(out.splitlines()[-1])
    assert (end["event"], end["reason"]) == ("end", "interrupted")
    assert end["epochs"] >= 2
    program = command_line(sys.executable, "-m", "mnist_bp")
    assert err.splitlines()[-2:] == [f"next: {program} train --resume run", "mnist-bp: interrupted"]
    _, meta = load_network("run/model.npz")
    assert (meta.epochs, meta.test_accuracy) == (end["epochs"], end["test_accuracy"])
    history = Path("run/history.jsonl").read_text(encoding="utf-8").splitlines()
    assert end["epochs"] == len(history)


def test_the_version_is_in_the_start_record_the_model_and_the_checkpoint(train):
    """Whoever reads one knows which version wrote it."""
    start = train("--json").records[0]

    _, meta = load_network("run/model.npz")
    checkpoint = npz.read("run/checkpoint.npz", "checkpoint", [FORMAT])
    assert start["version"] == meta.version == checkpoint.meta["version"] == mnist_bp.__version__


def test_the_model_states_what_is_known_of_its_training(train):
    """All declared keys, but names of classes, which are digits, and what this machine does not tell."""
    train()

    with np.load("run/model.npz") as file:
        meta = json.loads(str(file["meta"]))

    names = {*meta, *(f"environment.{name}" for name in meta["environment"])}
    optional = {f"environment.{name}" for name in ("simd", "blas", "kernel", "processor", "variables")}
    assert {name for name, *_ in described()} - names <= {"class_names", *optional}
    assert (meta["created_by"], meta["invert"], meta["kept"]) == ("mnist-bp", False, "last")
    assert (meta["classes"], meta["image_shape"], meta["input_scaling"]) == (10, [28, 28], [0, 1])
    assert meta["environment"]["numpy"] == np.__version__
    assert meta["environment"]["threads"] == meta["config"]["threads"] == 1


@pytest.mark.parametrize("name", ["model.npz", "checkpoint.npz"])
def test_every_array_of_a_run_is_c_contiguous(train, name):
    """As readers outside numpy expect."""
    train("--optimizer", "adam", "--average", "0.9")

    with np.load(f"run/{name}") as file:
        assert [each for each in file.files if not file[each].flags.c_contiguous] == []


def test_each_line_is_on_its_way_when_its_epoch_ends(idx_folder):
    """In a pipe, an epoch's line can be read while the next ones are still being trained."""
    process = start_process("train", "--data-dir", idx_folder, "--epochs", 1_000_000)
    lines = [process.stdout.readline() for _ in range(5)]
    assert process.poll() is None
    assert lines[3].startswith("epoch 1/1000000: train cost ")
    assert lines[4].startswith("epoch 2/1000000: train cost ")
    process.kill()
    process.communicate()


def test_an_ascii_locale_gets_ascii(idx_folder):
    """Other characters are written as similar ASCII characters, and nothing raises."""
    env = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "1"}
    process = start_process("train", "--data-dir", idx_folder, "--epochs", 1, "--output", "−ü", env=env)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, "")
    assert "model: -?" in out
    assert out.isascii()


def test_a_warning_is_printed_once(train, monkeypatch):
    """Not in each epoch and at the end, although its numbers change."""
    epochs = iter(range(1, 99))
    monkeypatch.setattr(
        "mnist_bp.training.diagnostics.warnings",
        lambda *_, **__: [f"layer 1: {next(epochs)} % of the neurons are dead", "stuck"],
    )
    done = train()
    assert [line for line in done.out.splitlines() if line.startswith("warning")] == [
        "warning  layer 1: 1 % of the neurons are dead",
        "warning  stuck",
    ]


# --- without data ----------------------------------------------------------------------------------------------------


def test_without_data_and_network_it_trains_on_synthetic_digits_and_reports_it(cli, few_synthetic_digits):
    """On top, in every record, in the model, and in what ``evaluate`` says of it."""
    few_synthetic_digits(200, 50)
    done = cli("train", "--limit", "100", "--epochs", "1", "--json")
    assert done.code == 0
    assert [record["synthetic"] for record in done.records] == [True, True, True]
    assert done.records[0]["dataset"] == "synthetic"
    why, *others = done.err.splitlines()
    reason = "no network (tried 2 mirrors)"
    assert why == f"warning  MNIST is not available: {reason}. Training on synthetic digits instead."
    assert not any("SYNTHETIC" in line for line in others)  # one warning is enough
    _, meta = load_network(done.records[-1]["model"])
    assert (meta.dataset, meta.synthetic) == ("synthetic", True)
    config = tomllib.loads(Path(done.records[-1]["run"], "config.toml").read_text(encoding="utf-8"))
    assert config["dataset"] == "synthetic"
    measured = cli("evaluate", "--json")
    assert measured.records[0]["synthetic"] is True
    assert "These are SYNTHETIC digits" in measured.err


def test_a_folder_that_holds_a_run_is_refused_before_data_are_fetched(train, cli):
    """The message comes before any download."""
    train()
    done = cli("train", "--output", "run")  # without --data-dir: MNIST, which is not here
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert "run already contains a run" in done.err


def test_the_users_own_data_that_are_gone_are_reported_and_nothing_takes_their_place(train, cli, idx_folder):
    """It holds for commands that resume, repeat or evaluate the run. --data-dir gives the new folder."""
    train()
    moved = idx_folder.rename(idx_folder.with_name("moved"))
    for command in (
        ("train", "--resume", "run", "--epochs", 3),
        ("train", "--config", "run/config.toml", "--output", "again"),
        ("evaluate", "run"),
    ):
        done = cli(*command)
        assert (done.code, done.out) == (InputError.exit_code, "")
        assert done.err.startswith(f"mnist-bp: {idx_folder}, which run")
        assert done.err.endswith("with --data-dir\n")
        assert not idx_folder.exists()
    assert cli("train", "--resume", "run", "--epochs", 3, "--data-dir", moved).code == 0
    assert cli("evaluate", "run", "--data-dir", moved).code == 0


def test_digits_stand_in_for_data_that_are_gone_only_where_they_fit(cli):
    """For MNIST that is not here, explain and gradcheck use synthetic digits, and say so; other sizes cannot."""
    meta = {"dataset": "mnist", "config": {"dataset": "mnist"}}
    Network([784, 10], rng=np.random.default_rng(0)).save("large.npz", meta)
    Network([4, 10], rng=np.random.default_rng(0)).save("small.npz", meta)
    done = cli("explain", "large.npz", "--json")
    assert (done.code, done.records[0]["synthetic"]) == (0, True)
    assert "SYNTHETIC digits are used instead of the training's dataset: mnist is not in " in done.err
    done = cli("gradcheck", "small.npz")
    assert (done.code, done.out) == (DataUnavailable.exit_code, "")


def test_nothing_stands_in_for_a_folder_of_data_that_is_gone(train, cli, idx_folder):
    """explain, gradcheck and page name the folder that the model was trained in."""
    train()
    shutil.rmtree(idx_folder)
    for command in ("explain", "gradcheck", "page"):
        done = cli(command, "run")
        assert (done.code, done.out) == (InputError.exit_code, "")
        assert f"{idx_folder}, which run" in done.err
    assert cli("explain", "run", "--dataset", "synthetic").code == 0


@pytest.mark.skipif(os.name == "nt", reason="links")
def test_links_that_run_in_a_circle_are_a_folder_that_is_not_there(cli, tmp_path):
    """One line, as for any other, or none where it does not matter."""
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    done = cli("train", "--data-dir", loop, "--dataset", "mnist", "--epochs", 1)
    assert (done.code, len(done.err.splitlines())) == (InputError.exit_code, 1)
    assert "does not exist" in done.err


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_a_dataset_asked_for_by_name_and_not_available_is_3(cli, name):
    """No other digits in its place: one line, exit 3, no run."""
    done = cli("train", "--dataset", name)
    assert (done.code, done.out) == (DataUnavailable.exit_code, "")
    assert len(done.err.splitlines()) == 1
    assert not Path("runs").exists()


def test_real_data_are_not_marked_synthetic(train):
    """No record of theirs has the key."""
    assert not any("synthetic" in record for record in train("--json").records)


def test_own_files_that_are_rewritten_during_a_training_do_not_change_it(train, idx_folder, monkeypatch):
    """As by cp other own/train-images-idx3-ubyte, which empties the file first: the numbers are those of the start."""
    undisturbed = train("--json", output="one").records[-1]
    start = TrainingReport.start

    def start_and_rewrite(report, *limit):
        start(report, *limit)
        for path in idx_folder.iterdir():
            path.write_bytes(b"")

    monkeypatch.setattr(TrainingReport, "start", start_and_rewrite)
    disturbed = train("--json", output="two")
    assert (disturbed.code, disturbed.err.count("Traceback")) == (0, 0)
    assert disturbed.records[-1]["fingerprint"] == undisturbed["fingerprint"]
