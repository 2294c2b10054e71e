"""``mnist-bp search``: trials, the best setting, resume, several processes, and what is refused."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import tomllib
from contextlib import closing
from pathlib import Path

import pytest

import mnist_bp

optuna = pytest.importorskip("optuna")

from mnist_bp.cli import search_jobs  # noqa: E402 - it imports Optuna
from mnist_bp.data import datasets  # noqa: E402
from mnist_bp.search import study as study_module  # noqa: E402
from mnist_bp.search import trials as trials_module  # noqa: E402
from mnist_bp.search.objective import Objective  # noqa: E402

pytestmark = pytest.mark.filterwarnings("error")


BASICS = ("--limit", 120, "--hidden", 8, "--epochs", 2)
VALUES = ("--learning-rate", "0.5:5")


@pytest.fixture
def search(cli, few):
    """Run ``mnist-bp search`` on the few digits, into the folder ``found``: two epochs, 100 examples."""

    def run(*arguments, values=VALUES, output="found", trials=2):
        return cli("search", "--data-dir", few, *BASICS, "--output", output, "--trials", trials, *values, *arguments)

    return run


@pytest.fixture
def one_trial(run_once, few):
    """Put a search that has had one trial into the folder ``found``."""
    made = run_once("search", "--data-dir", few, *BASICS, "--output", "found", "--trials", 1, *VALUES, "--quiet")
    shutil.copytree(made / "found", "found")


def trials_of(done):
    """Return the records of trials without their durations."""
    return [{**each, "seconds": None} for each in done.records if each["event"] == "trial"]


def states(folder="found"):
    """Return the states of the trials in a study's file."""
    with closing(sqlite3.connect(Path(folder, "study.db"))) as file:
        return sorted(state for (state,) in file.execute("SELECT state FROM trials"))


# --- what it finds ---------------------------------------------------------------------------------------------------


def test_the_best_setting_is_a_config_of_train(cli, search):
    """The printed next command works, and trains on the validation set, too."""
    done = search(values=("--learning-rate", "0.5:5", "--optimizer", "sgd|adam"))
    assert (done.code, done.err) == (0, "")
    assert len([line for line in done.out.splitlines() if line.startswith("trial ")]) == 2
    assert "next: mnist-bp train --config found/best.toml" in done.out
    config = tomllib.loads(Path("found/best.toml").read_text(encoding="utf-8"))
    assert (config["hidden"], config["epochs"], "validation" in config) == ("8", 2, False)
    assert 0.5 <= config["learning-rate"] <= 5
    assert cli("train", "--config", "found/best.toml", "--output", "run", "--quiet").code == 0


def test_the_best_setting_has_a_validation_set_if_it_needs_one(search):
    """To stop early, for example."""
    assert search("--early-stop", 1, trials=1).code == 0
    config = tomllib.loads(Path("found/best.toml").read_text(encoding="utf-8"))
    assert (config["validation"], config["early-stop"]) == (20, 1)


def test_json_has_an_object_for_each_trial_and_one_for_the_end(search):
    """The best one is the end's."""
    done = search("--json", trials=4)  # fewer have no importances
    trials = trials_of(done)
    end = done.records[-1]
    assert [each["event"] for each in done.records] == ["trial"] * 4 + ["end"]
    assert [each["trial"] for each in trials] == [0, 1, 2, 3]
    assert (end["reason"], end["complete"], end["pruned"], end["failed"]) == ("finished", 4, 0, 0)
    best = max(trials, key=lambda each: each["validation_accuracy"])
    assert (end["best_trial"], end["settings"]) == (best["trial"], best["settings"])
    assert end["validation_accuracy"] == best["validation_accuracy"]
    assert end["importances"] == {"learning-rate": 1.0}
    assert (end["study"], end["config"]) == ("found", str(Path("found/best.toml")))


def test_the_test_set_is_not_looked_at(search, monkeypatch):
    """It is not loaded, so nothing can evaluate it, and no record has a figure of it."""
    loaded, load = [], datasets.load
    monkeypatch.setattr(datasets, "load", lambda *a, **b: loaded.append(load(*a, **b)) or loaded[-1])
    done = search("--json")
    assert [len(data.test) for data in loaded] == [0]
    assert "test_" not in done.out
    with closing(sqlite3.connect("found/study.db")) as file:
        assert "test_accuracy" not in "\n".join(file.iterdump())


def test_equal_seeds_give_equal_trials(search):
    """And other seeds other ones."""
    first, again, other = (
        trials_of(search("--json", "--seed", seed, output=output, trials=trials))
        for output, seed, trials in (("first", 3, 2), ("again", 3, 2), ("other", 4, 1))
    )
    assert first == again
    assert first[0]["settings"] != other[0]["settings"]


def test_quiet_prints_one_line(search):
    """The result, with the best setting."""
    done = search("--quiet", trials=1)
    (line,) = done.out.splitlines()
    assert "best setting: " in line
    assert done.err == ""


def test_a_terminal_shows_a_table(search, terminal, monkeypatch):
    """It has the best trials at the end; a narrow window gets lines."""
    stream = terminal(120)
    search(trials=1)
    assert "learning-rate" in stream.getvalue()
    assert "\ntrial 0: " not in stream.getvalue()
    stream = terminal(30)
    search(trials=1, output="narrow")
    assert "\ntrial 0: " in stream.getvalue()


def test_plot_draws_history_importance_and_each_setting(search):
    """Into the folder of the study."""
    done = search(
        "--plot",
        "--json",
        values=("--learning-rate", "0.5:5", "--optimizer", "sgd|adam", "--l2", "1e-6:0.01"),
        trials=4,
    )
    names = {"best-so-far.png", "settings.png", "importances.png"}
    assert {Path(plot).name for plot in done.records[-1]["plots"]} == names
    assert names <= {path.name for path in Path("found").iterdir()}


# --- trials that fail ------------------------------------------------------------------------------------------------


def test_a_diverged_trial_is_pruned_with_a_word(search):
    """The search continues."""
    done = search(values=("--learning-rate", "1|1e300", "--activation", "relu"), trials=4)
    assert done.code == 0
    assert "pruned: training diverged in epoch 1" in done.out


def test_settings_that_contradict_each_other_prune_a_trial(search):
    """With a word."""
    done = search(values=("--momentum", "0.5", "--optimizer", "sgd|momentum"), trials=5)
    assert done.code == 0
    assert "pruned: --momentum requires --optimizer momentum" in done.out


def test_hopeless_trials_are_pruned(search):
    """After some epochs, if other trials were better after as many."""
    values = ("--learning-rate", "2|1e-9", "--hidden", "none", "--limit", 500)
    done = search("--epochs", 4, "--json", values=values, trials=9)
    pruned = [each for each in trials_of(done) if each["state"] == "pruned"]
    assert pruned
    assert all(2 <= each["epochs"] < 4 and each["settings"]["learning-rate"] == "1e-9" for each in pruned)


def test_without_a_complete_trial_the_answer_is_no(search):
    """Exit 1, in one line, and there is no best setting."""
    done = search(values=("--learning-rate", "1e300:1e301", "--activation", "relu"), trials=2)
    assert done.code == 1
    assert done.err.startswith("mnist-bp: no trial is complete")
    assert not Path("found/best.toml").exists()


# --- interrupted, resumed, killed ------------------------------------------------------------------------------------


@pytest.fixture
def interrupt(monkeypatch):
    """Send Ctrl-C during the training of the n-th trial."""

    def arrange(number):
        count, train = iter(range(100)), Objective._train

        def training(self, trial, settings):
            if next(count) == number:
                signal.raise_signal(signal.SIGINT)
            return train(self, trial, settings)

        monkeypatch.setattr(Objective, "_train", training)

    return arrange


def test_an_interrupted_search_continues_like_an_uninterrupted_one(cli, search, interrupt):
    """Exit 130; the trial that was interrupted is run again, with the same settings."""
    whole = trials_of(search("--json", output="whole", trials=3))
    interrupt(1)
    stopped = search("--json", trials=3)
    assert stopped.code == 130
    assert "next: mnist-bp search --resume found" in stopped.err
    assert stopped.records[-1]["reason"] == "interrupted"
    resumed = cli("search", "--resume", "found", "--json")
    assert resumed.code == 0
    both = [*trials_of(stopped), *trials_of(resumed)]
    same = ("settings", "validation_accuracy", "epochs", "state")
    assert [[each[key] for key in same] for each in both] == [[each[key] for key in same] for each in whole]
    assert states().count("FAIL") == 1


def test_more_trials_can_be_added(cli, one_trial):
    """A finished search that is resumed only reports; --trials raises the number, also of the next resume."""
    assert [each["event"] for each in cli("search", "--resume", "found", "--json").records] == ["end"]
    done = cli("search", "--resume", "found", "--trials", 2, "--json")
    assert [each["trial"] for each in trials_of(done)] == [1]
    assert cli("search", "--resume", "found", "--json").records[-1]["trials"] == 2


def test_no_trial_starts_after_the_time_limit(search):
    """The search can be resumed."""
    done = search("--timeout", 1e-9, "--json")
    assert (done.code, done.records[-1]["reason"]) == (1, "time")
    assert "next: mnist-bp search --resume found" in done.err


SLEEPING = """
import sys, time
from mnist_bp.cli.main import main
from mnist_bp.search.objective import Objective
Objective._train = lambda *_: time.sleep(60)
main(sys.argv[1:])
"""
"""A process that runs a command, and whose trials do not end."""


def test_a_killed_process_loses_only_its_trial(cli, one_trial):
    """Another trial takes its place, once it has given no sign of life for a while."""
    place = str(Path(mnist_bp.__file__).parents[1])
    command = [sys.executable, "-c", SLEEPING, "search", "--resume", "found", "--trials", "3"]
    with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": place}) as process:
        with closing(sqlite3.connect("found/study.db", timeout=60)) as file:
            while not file.execute("SELECT * FROM trial_heartbeats WHERE trial_id = 2").fetchall():
                assert process.poll() is None
                time.sleep(0.05)
        process.kill()
    assert states() == ["COMPLETE", "RUNNING"]
    with closing(sqlite3.connect("found/study.db")) as file:  # as if time had passed
        file.execute("UPDATE trial_heartbeats SET heartbeat = '2000-01-01 00:00:00'")
        file.commit()
    done = cli("search", "--resume", "found", "--json")
    assert done.code == 0
    assert [each["trial"] for each in trials_of(done)] == [2, 3]
    assert states() == ["COMPLETE", "COMPLETE", "COMPLETE", "FAIL"]


def test_a_search_ends_while_another_process_runs_the_last_trial(cli, one_trial, monkeypatch):
    """After a time in which it would have given a sign of life, or would have failed."""
    monkeypatch.setattr(trials_module, "GRACE", 0)
    monkeypatch.setattr(trials_module, "HEARTBEAT", 0.01)
    running = optuna.create_trial(state=optuna.trial.TrialState.RUNNING)
    study_module.load_study(Path("found"), None).add_trial(running)
    done = cli("search", "--resume", "found", "--trials", 2, "--json")
    assert done.code == 0
    assert (done.records[-1]["reason"], done.records[-1]["running"]) == ("running", 1)


def test_a_process_that_was_held_for_dead_does_not_count_its_trial(cli, one_trial, monkeypatch):
    """It was suspended, and another process has marked its trial as failed."""
    study, train, is_first = study_module.load_study(Path("found"), None), Objective._train, iter([True])

    def training(self, trial, settings):
        if next(is_first, False):
            study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
        return train(self, trial, settings)

    monkeypatch.setattr(Objective, "_train", training)
    done = cli("search", "--resume", "found", "--trials", 2, "--json")
    assert [each["trial"] for each in trials_of(done)] == [2]
    assert states() == ["COMPLETE", "COMPLETE", "FAIL"]


def test_two_processes_lose_and_double_no_trial(cli, search):
    """On one SQLite file: 6 trials, each with settings of its own."""
    done = search("--jobs", 2, "--json", trials=6)
    assert done.code == 0, done.err
    trials = trials_of(done)
    assert sorted(each["trial"] for each in trials) == [*range(6)]
    assert len({each["settings"]["learning-rate"] for each in trials}) == 6
    assert len(states()) - states().count("FAIL") == 6


@pytest.mark.parametrize("is_all", [False, True])
def test_a_worker_that_fails_is_a_warning_unless_all_do(search, monkeypatch, is_all):
    """Its last words say why; the exit code is the highest."""
    words = "import sys; sys.stderr.write('mnist-bp: disk full'); sys.exit(3)" if is_all else "pass"
    bad = [sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"]
    commands = iter([bad, [sys.executable, "-c", words]])
    monkeypatch.setattr(search_jobs, "_command", lambda *_: next(commands))
    done = search("--jobs", 2)
    assert "process 1 of 2: killed by SIGTERM" in done.out
    assert done.code == (4 if is_all else 1)
    assert "--resume found" in done.out


# --- storage ---------------------------------------------------------------------------------------------------------


def test_another_machine_joins_a_study_in_a_database(cli, search, tmp_path, monkeypatch):
    """By its name; the folder is made there."""
    url = f"sqlite:///{tmp_path / 'all.db'}"
    done = search("--storage", url, trials=1)
    assert done.code == 0
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    joined = cli("search", "--resume", "found", "--storage", url, "--trials", 2, "--json")
    assert [each["trial"] for each in trials_of(joined)] == [1]
    assert Path("found/best.toml").is_file()
    again = search("--storage", url)
    assert again.code == 2
    assert "join it with --resume" in search("--storage", url, output="sub/found").err


def test_passwords_are_not_printed(search):
    """Not in an error."""
    done = search("--storage", "sqlite://user:secret@host/x.db")
    assert done.code in {2, 3}
    assert "secret" not in done.out + done.err


@pytest.mark.parametrize(
    ("url", "code"),
    [("nothing", 2), ("sqlite:////nowhere/x.db", 3), ("oracle://host/x", 2)],
    ids=["text", "path", "driver"],
)
def test_a_storage_that_cannot_be_used_is_an_error_in_one_line(search, url, code):
    """Bad usage, or not available."""
    done = search("--storage", url)
    assert (done.code, len(done.err.splitlines())) == (code, 1)
    assert url in done.err
    assert not Path("found").exists()


def test_a_file_that_is_no_database_is_bad_input(cli):
    """Exit 2, one line."""
    Path("bad").mkdir()
    Path("bad/study.db").write_text("no database, but long enough to have a header\n" * 9, encoding="utf-8")
    done = cli("search", "--resume", "bad")
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert "study.db is not the storage of a search" in done.err


def test_a_study_of_another_program_is_refused(cli):
    """It has no record of a search."""
    Path("other").mkdir()
    url = study_module.local_storage(Path("other"))
    optuna.create_study(storage=url, study_name="search")
    done = cli("search", "--resume", "other")
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert "none of mnist-bp" in done.err


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--epochs", "3"], "nothing to search"),
        (["--learning-rate", "5:1"], "--learning-rate': expected LOW:HIGH with LOW below HIGH"),
        (["--hidden", "8|x"], "--hidden': expected neurons"),
        (["--learning-rate", "1:2", "--validation", "120"], "--validation 120: expected fewer than the 120"),
        (["--schedule", "cosine|constant"], "--schedule cosine|constant requires --epochs"),
        (["--resume", "nothing"], "nothing has no study.db"),
        (["--learning-rate", "1:2", "--plot-format", "svg"], "--plot-format requires --plot"),
    ],
)
def test_bad_usage_is_one_line(cli, idx_folder, arguments, error):
    """Exit 2, with the setting and the form."""
    more = [] if "--resume" in arguments else ["--data-dir", idx_folder, "--limit", 120]
    done = cli("search", *more, *arguments)
    assert (done.code, done.out) == (2, "")
    assert error in done.err
    assert len(done.err.splitlines()) == 1
    assert not Path("searches").exists()


def test_a_study_keeps_its_settings_and_data(cli, one_trial, search, tmp_path, write_few_digits):
    """Other settings or other training data are another search."""
    assert "--seed cannot be combined with --resume" in cli("search", "--resume", "found", "--seed", 1).err
    assert "is not empty" in search().err
    write_few_digits(tmp_path / "other")
    labels = tmp_path / "other" / "train-labels-idx1-ubyte"
    labels.write_bytes(labels.read_bytes()[:8] + labels.read_bytes()[8:][::-1])
    done = cli("search", "--resume", "found", "--data-dir", tmp_path / "other")
    assert done.code == 2
    assert "other training data" in done.err


def test_values_of_a_config(cli, idx_folder):
    """Ranges and choices are texts, fixed values have their types; a wrong type is an error."""
    Path("space.toml").write_text(
        'learning-rate = "0.5:5"\nhidden = [8, 8]\nepochs = 2\ntrials = 2\nlimit = 120\n', encoding="utf-8"
    )
    done = cli("search", "--config", "space.toml", "--data-dir", idx_folder, "--output", "found", "--json")
    assert done.code == 0, done.err
    assert done.records[-1]["trials"] == 2
    Path("space.toml").write_text("learning-rate = true\n", encoding="utf-8")
    assert "learning-rate = true; expected a string, a number" in cli("search", "--config", "space.toml").err


def test_without_optuna_the_extra_is_named(search, monkeypatch):
    """Exit 2, one line."""
    monkeypatch.setitem(sys.modules, "optuna", None)
    done = search()
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert "search requires Optuna" in done.err
    assert "mnist-bp[search]" in done.err or "search" in done.err
