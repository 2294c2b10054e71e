"""``mnist-bp train --resume``: it continues bit for bit, or prints a line that says why it cannot."""

import json
import shutil
import tomllib
from pathlib import Path

import numpy as np
import pytest

from mnist_bp.data import idx
from mnist_bp.reports.training import TrainingReport
from mnist_bp.training import run
from mnist_bp.training.settings import Settings

EVERYTHING = [
    "--hidden", "12,8", "--activation", "relu", "--cost", "cross-entropy", "--optimizer", "nesterov",
    "--learning-rate", "0.02", "--schedule", "one-cycle", "--batch-size", "30", "--l2", "0.001", "--dropout", "0.2",
    "--input-dropout", "0.1", "--label-smoothing", "0.1", "--average", "0.9", "--augment", "elastic",
    "--augment-strength", "0.8", "--validation", "50", "--early-stop", "3", "--seed", "6", "--momentum", "0.8",
    "--max-norm", "1.5", "--weight-init", "he", "--adversarial", "0.1",
]  # fmt: skip
ADAM = ["--hidden", "8", "--optimizer", "adam", "--average", "0.99", "--dtype", "float64", "--augment", "affine"]
PLAIN = ["--hidden", "8"]


@pytest.fixture
def train(cli, idx_folder):
    """Run ``mnist-bp train`` on 150 of the few digits, into the folder ``run``, for three epochs unless told so."""

    def run(*arguments, epochs=3, output="run"):
        return cli("train", "--data-dir", idx_folder, "--limit", 150, "--epochs", epochs, "--output", output,
                   "--json", *arguments)  # fmt: skip

    return run


@pytest.fixture
def resume(cli):
    """Run ``mnist-bp train --resume``."""
    return lambda *arguments, run="run": cli("train", "--resume", run, "--json", *arguments)


@pytest.fixture
def interrupted(train, monkeypatch):
    """Run ``mnist-bp train``, with Ctrl-C once this epoch has been shown; it ends with 130."""

    def run(*arguments, after, **settings):
        show = TrainingReport.epoch

        def stop(report, result):
            show(report, result)
            if result.epoch == after:
                raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(TrainingReport, "epoch", stop)
            done = train(*arguments, **settings)
        assert done.code == 130
        assert done.records[-1]["epochs"] == after
        return done

    return run


def history(run="run"):
    """The records of a run, without the seconds."""
    records = map(json.loads, Path(run, "history.jsonl").read_text(encoding="utf-8").splitlines())
    return [{name: value for name, value in record.items() if name != "seconds"} for record in records]


def contents(run="run"):
    """Every file of a run."""
    return {path.name: path.read_bytes() for path in Path(run).iterdir()}


def assert_is_the_same_run(run="run", whole="whole"):
    """Config, history, model and checkpoint are those of the uninterrupted run, but for the seconds."""
    assert history(run) == history(whole)
    for name in ("config.toml", "model.npz"):
        assert Path(run, name).read_bytes() == Path(whole, name).read_bytes()
    with np.load(Path(run, "checkpoint.npz")) as one, np.load(Path(whole, "checkpoint.npz")) as other:
        assert set(one.files) == set(other.files)
        assert all(one[name].tobytes() == other[name].tobytes() for name in one.files if name != "meta")


def assert_refused(done, said, run="run", before=None):
    """Exit 2, nothing on standard output, one line; nothing in the folder has changed."""
    assert (done.code, done.out) == (2, "")
    (line,) = done.err.splitlines()
    assert line.startswith("mnist-bp: ")
    assert said in line
    assert before is None or contents(run) == before


# --- as if it had never stopped --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recipe", "after"),
    [(PLAIN, 1), (ADAM, 2), (EVERYTHING, 1), (EVERYTHING, 2)],
    ids=["plain", "adam", "everything", "everything but one epoch"],
)
def test_interrupted_and_resumed_it_is_the_uninterrupted_run(train, interrupted, resume, recipe, after):
    """Ctrl-C, and later ``--resume``: the same files, the same fingerprint, the rest of the epochs."""
    whole = train(*recipe, output="whole").records
    broken = interrupted(*recipe, after=after)
    assert "next: mnist-bp train --resume run" in broken.err
    done = resume()
    assert done.code == 0
    start, *epochs, end = done.records
    assert (start["epochs"], start["resumed_after"]) == (3, after)
    assert [record["epoch"] for record in epochs] == list(range(after + 1, 4))
    assert (end["reason"], end["epochs"]) == ("finished", 3)
    assert end["fingerprint"] == whole[-1]["fingerprint"]
    assert_is_the_same_run()


def test_interrupted_twice(train, interrupted, resume, monkeypatch):
    """A resumed run can be resumed again."""
    train(*EVERYTHING, output="whole")
    interrupted(*EVERYTHING, after=1)
    with monkeypatch.context() as patch:

        def stop(*_):
            raise KeyboardInterrupt

        patch.setattr(TrainingReport, "epoch", stop)
        assert resume().code == 130
    assert resume().records[0]["resumed_after"] == 2
    assert_is_the_same_run()


def test_people_see_that_it_continues(cli, interrupted):
    """From where, and after how much; epochs count on."""
    interrupted(*PLAIN, after=1)
    lines = cli("train", "--resume", "run").out.splitlines()
    assert lines[3] == "resumed  run, after 1 epoch"
    assert lines[4].startswith("epoch 2/3: ")


@pytest.mark.parametrize("left", ["a whole line", "half a line"])
def test_killed_between_history_and_checkpoint(train, interrupted, resume, left):
    """Excess records of the history are removed: an epoch that was not saved, or an incomplete line."""
    train(*EVERYTHING, output="whole")
    interrupted(*EVERYTHING, after=1)
    line = Path("whole/history.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)[1]
    with Path("run/history.jsonl").open("a", encoding="utf-8") as file:
        file.write(line if left == "a whole line" else line[: len(line) // 2])
    Path("run/model.npz").unlink()  # who is killed saves none
    assert resume().code == 0
    assert_is_the_same_run()


def test_a_checkpoint_that_cannot_be_written_leaves_the_one_before(train, resume, monkeypatch):
    """If the disk is full after the second epoch, it exits with 3 and resumes later after the first."""
    train(*PLAIN, output="whole")
    save = run.checkpoint.save

    def full(path, trainer, *args):
        if trainer.epoch == 2:
            raise OSError(28, "No space left on device", str(path))
        save(path, trainer, *args)

    with monkeypatch.context() as patch:
        patch.setattr(run.checkpoint, "save", full)
        assert train(*PLAIN).code == 3
    assert len(history()) == 2
    assert resume().records[0]["resumed_after"] == 1
    assert_is_the_same_run()


@pytest.mark.parametrize("named", ["run/checkpoint.npz", "run/history.jsonl", "runs/latest"])
def test_a_run_is_resumed_by_any_of_its_files_and_by_latest(train, resume, named):
    """The result is that of its folder, which is printed."""
    train(*PLAIN)
    done = resume("--epochs", "4", run=named)
    assert done.code == 0
    assert [record["epoch"] for record in done.records[1:-1]] == [4]
    assert Path(done.records[-1]["run"]).resolve() == Path("run").resolve()


@pytest.mark.parametrize("named", ["run", "run/model.npz", "runs/latest"])
def test_a_run_stands_for_its_config(cli, train, named):
    """``train --config RUN`` repeats the run."""
    *_, end = train(*PLAIN).records
    *_, again = cli("train", "--config", named, "--output", "again", "--json").records
    assert again["fingerprint"] == end["fingerprint"]


def test_a_finished_run_prints_its_result_again(train, resume):
    """Exit 0, no epoch, the same result; nothing in the folder changes."""
    *_, end = train(*EVERYTHING).records
    before = contents()
    done = resume()
    assert done.code == 0
    start, again = done.records
    assert start["resumed_after"] == end["epochs"]
    assert {**again, "seconds": 0} == {**end, "seconds": 0}
    assert contents() == before
    assert resume("--min-accuracy", "1").code == 1


def test_a_run_that_stopped_early_stays_stopped(train, resume):
    """Its patience is at an end; more epochs do not change that."""
    *_, end = train(*PLAIN, "--learning-rate", "1e-9", "--validation", "50", "--early-stop", "1").records
    assert (end["reason"], end["epochs"]) == ("early-stop", 2)
    for more in ([], ["--epochs", "9"]):
        done = resume(*more)
        assert {**done.records[-1], "seconds": 0} == {**end, "seconds": 0}
        stopped = "stopped early, 1 epoch without a better validation accuracy: raise --early-stop to continue"
        assert [line for line in done.err.splitlines() if line.startswith("resumed")] == (
            ["resumed  run, after 2 epochs; " + stopped]
        )


def test_more_epochs_with_a_constant_rate_are_one_long_run(train, resume):
    """3 epochs, and on to 5: the run of 5 epochs, its config too."""
    train(*ADAM, output="whole", epochs=5)
    train(*ADAM)
    done = resume("--epochs", "5")
    assert [record["epoch"] for record in done.records[1:-1]] == [4, 5]
    assert_is_the_same_run()


def test_data_that_have_moved_are_found_where_they_are_now(train, resume, idx_folder):
    """The config tells where they lay; the same data elsewhere make the same run."""
    train(*ADAM, output="whole", epochs=5)
    train(*ADAM)
    idx_folder.rename(idx_folder.with_name("moved"))
    done = resume("--epochs", "5", "--data-dir", str(idx_folder.with_name("moved")))
    assert done.code == 0
    assert done.records[-1]["epochs"] == 5


def test_the_config_of_a_run_repeats_it_with_everything_switched_on(cli, train):
    """It holds for a resumed run, too: fingerprint, history and files are equal."""
    *_, end = train(*EVERYTHING).records
    *_, again = cli("train", "--config", "run/config.toml", "--output", "whole", "--json").records
    assert again["fingerprint"] == end["fingerprint"]
    assert_is_the_same_run()
    config = tomllib.loads(Path("run/config.toml").read_text(encoding="utf-8"))
    assert {name.removeprefix("--") for name in EVERYTHING[::2]} <= set(config)


@pytest.mark.parametrize("recorded_by", ["this version", "0.1.0"])
def test_another_number_of_threads_is_allowed_and_warned_of(cli, train, resume, recorded_by, monkeypatch):
    """Bits may differ; the config records the new number. Checkpoints of version 0.1.0 hold the old one."""
    with monkeypatch.context() as patch:
        if recorded_by == "0.1.0":
            patch.setattr(Settings, "resumable", {"data-dir", "epochs"})
        train(*PLAIN)
    config = Path("run/config.toml").read_text(encoding="utf-8")
    assert "differ" not in resume("--epochs", "4", "--threads", "1").err
    done = resume("--epochs", "5", "--threads", "2")
    assert done.code == 0
    assert [record["epoch"] for record in done.records[1:-1]] == [5]
    assert done.records[0]["threads"] == 2
    assert "--threads 2: the run was trained with 1. Results may differ from those of an uninterrupted" in done.err
    changed = config.replace("threads = 1", "threads = 2").replace("epochs = 3", "epochs = 5")
    assert Path("run/config.toml").read_text(encoding="utf-8") == changed


# --- runs that cannot be resumed -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "option",
    [
        ["--seed", "0"], ["--hidden", "8"], ["--optimizer", "adam"], ["--learning-rate", "1"], ["--average", "0.9"],
        ["--limit", "100"], ["--output", "other"], ["--validation", "9"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_another_option_does_not_go_with_resume(train, resume, option):
    """It holds even for the run's own value: a run resumes with its settings."""
    train(*PLAIN)
    assert_refused(resume(*option), f"{option[0]} cannot be combined with --resume", before=contents())
    assert not Path("other").exists()


def test_a_config_does_not_go_with_resume(train, resume):
    """Whichever comes first."""
    train(*PLAIN)
    Path("c.toml").write_text("seed = 3", encoding="utf-8")
    assert_refused(resume("--config", "c.toml"), "--config cannot be combined with --resume", before=contents())


def test_a_run_cannot_be_resumed_by_a_config(train):
    """``resume`` is no key."""
    train(*PLAIN)
    Path("c.toml").write_text('resume = "run"', encoding="utf-8")
    assert_refused(train("--config", "c.toml", output="other"), "there is no option 'resume'")


def test_more_epochs_with_another_schedule_are_refused(train, resume):
    """The rates of the epochs that are over would have been others."""
    train(*PLAIN, "--schedule", "one-cycle")
    assert_refused(resume("--epochs", "5"), "epochs 3, not 5", before=contents())


def test_fewer_epochs_than_there_have_been_are_refused(train, resume):
    """The config would no longer repeat the run."""
    train(*PLAIN)
    assert_refused(resume("--epochs", "2"), "3 epochs", before=contents())


def test_a_folder_that_is_no_run_is_refused(resume):
    """Missing, empty, or a file."""
    Path("empty").mkdir()
    Path("file").touch()
    assert_refused(resume(run="empty"), "empty is not a run folder: it has no config.toml")
    for name in ("missing", "file"):
        assert_refused(
            resume(run=name),
            f"{name} is not a run: expected a folder with a config.toml, a file or the name of a run, or",
        )


def test_a_run_without_a_finished_epoch_restarts(train, resume):
    """One that diverged in its first epoch does so again, in the same words."""
    first = train("--activation", "relu", "--learning-rate", "1e30")
    before = contents()
    again = resume()
    assert (again.code, again.err.splitlines()[-1]) == (first.code, first.err.splitlines()[-1])
    assert again.records[-1]["reason"] == "diverged"
    assert contents() == before


def edit(old, new):
    """Change the run's config."""
    config = Path("run/config.toml")
    text = config.read_text(encoding="utf-8")
    assert old in text
    config.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "file", "said"),
    [
        ("seed = 0", "seed = 1", "checkpoint.npz", ": it was trained with seed 0, not 1"),
        ("l2 = 0.0", "l2 = 0.1", "checkpoint.npz", ": it was trained with l2 0.0, not 0.1"),
        ("limit = 150", "limit = 149", "checkpoint.npz", ": it was trained with "),
        ('hidden = "8"', 'hidden = "9"', "checkpoint.npz", ": it was trained with hidden '8', not '9'"),
        ("seed = 0", "sead = 0", "config.toml", ": there is no option 'sead'; the nearest is 'seed'"),
        ("epochs = 3", "epochs = 0", "config.toml", ": Invalid value for '--epochs'"),
        ("seed = 0", "seed =", "config.toml", " is not a TOML file"),
    ],
)
def test_a_config_that_was_edited_is_noticed(train, resume, old, new, file, said):
    """Nothing is trained by half one recipe and half another."""
    train(*PLAIN)
    edit(old, new)
    assert_refused(resume(), f"{Path('run', file)}{said}", before=contents())


def test_a_damaged_checkpoint_is_refused(train, resume):
    """A bit of it is another; or it is the model."""
    train(*PLAIN)
    path = Path("run/checkpoint.npz")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert_refused(resume(), "is not a checkpoint that mnist-bp wrote", before=contents())
    shutil.copy("run/model.npz", path)
    assert_refused(resume(), "its metadata does not identify the training", before=contents())


def test_other_data_in_the_same_place_are_refused(train, resume, idx_folder, few_digits):
    """The labels of the training set are others now."""
    train(*PLAIN)
    with (idx_folder / "train-labels-idx1-ubyte").open("wb") as file:
        idx.write(file, few_digits[0].labels[::-1].copy())
    assert_refused(resume(), "training data", before=contents())


def test_data_may_move(train, resume, interrupted, idx_folder):
    """The config contains the data folder. After editing it, the run continues bit for bit."""
    *_, end = train(*PLAIN, output="whole").records
    interrupted(*PLAIN, after=1)
    moved = idx_folder.rename(idx_folder.with_name("moved"))
    edit(json.dumps(str(idx_folder)), json.dumps(str(moved)))
    *_, again = resume().records
    assert again["fingerprint"] == end["fingerprint"]


def test_a_history_that_is_no_text_does_not_matter(train, interrupted, resume):
    """Behind the epochs that were kept, a crash may have left anything."""
    train(*PLAIN, output="whole")
    interrupted(*PLAIN, after=1)
    with Path("run/history.jsonl").open("ab") as file:
        file.write(b"\xff\x00")
    assert resume().code == 0
    assert_is_the_same_run()


def test_a_finished_run_needs_more_epochs(train, cli):
    """Resumed with the epochs that it has had, it has nothing to do."""
    assert train().code == 0

    assert "nothing is left to train: give more with --epochs" in cli("train", "--resume", "run").out
    assert "nothing is left" not in cli("train", "--resume", "run", "--epochs", 4).out
