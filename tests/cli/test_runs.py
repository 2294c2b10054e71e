"""``mnist-bp runs``, and names of runs: lists that no damaged run spoils, states, comparisons, and lookup by name."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mnist_bp.training import run_folder
from mnist_bp.training.history import History

OLD = Path(__file__).parents[1] / "old_runs"
posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX files")


@pytest.fixture
def start(cli, idx_folder):
    """Train a small run below ``runs``, or elsewhere with ``--output``."""

    def run(*options, code=0):
        done = cli(
            "train", "--data-dir", idx_folder, "--hidden", 4, "--epochs", 2, "--limit", 100, "--json", *options
        )  # fmt: skip
        assert done.code == code, done.err
        return Path(done.records[-1]["run"])

    return run


@pytest.fixture
def finished(trained, few):
    """Copy a small run to a folder."""

    def copy(output):
        return trained("--data-dir", few, "--hidden", 4, "--epochs", 2, "--limit", 100, output=output)

    return copy


@pytest.fixture
def listed(cli):
    """Return the records of ``mnist-bp runs``, by folder."""

    def run(*arguments, code=0):
        done = cli("runs", *arguments, "--json")
        assert done.code == code, done.err
        return {record["run"]: record for record in done.records}

    return run


def states(records):
    """Return the states by the name of the folder."""
    return {Path(run).name: record["state"] for run, record in records.items()}


def test_a_run_is_listed_with_its_settings_and_the_figures_of_its_model(start, cli, listed, idx_folder):
    """The figures are those that ``train`` and ``evaluate`` print."""
    folder = start("--learning-rate", 0.5, "--validation", 20)
    (record,) = listed().values()
    found = cli("evaluate", folder, "--data-dir", idx_folder, "--json").records[0]
    assert (record["event"], record["run"], record["state"]) == ("run", str(folder), "finished")
    assert (record["sizes"], record["epochs"], record["planned_epochs"]) == ([784, 4, 10], 2, 2)
    assert record["test_accuracy"] == found["accuracy"]
    assert record["validation_accuracy"] is not None
    assert record["changed"] == {"limit": 100, "validation": 20, "learning-rate": 0.5}
    assert record["settings"]["activation"] == "sigmoid"
    assert record["seconds"] > 0
    out = cli("runs").out
    assert "learning-rate 0.5" in out
    assert out.endswith("1 run in runs: 1 finished\n")


def test_settings_are_compared_with_the_defaults_of_their_optimizer(start, listed):
    """The default learning rate depends on the momentum, which is a setting of two optimizers only."""
    start("--optimizer", "nesterov")
    start("--optimizer", "momentum", "--momentum", 0.5)
    changed = [record["changed"] for record in listed().values()]
    assert changed == [
        {"limit": 100, "optimizer": "nesterov"}, {"limit": 100, "optimizer": "momentum", "momentum": 0.5}
    ]  # fmt: skip


def test_the_figures_are_those_of_the_saved_epoch(start, listed, cli, idx_folder):
    """With --early-stop, that is the best epoch, and keeping it is the default."""
    folder = start("--epochs", 30, "--early-stop", 1, "--validation", 20)
    (record,) = listed().values()
    found = cli("evaluate", folder, "--data-dir", idx_folder, "--json").records[0]
    assert (record["state"], record["test_accuracy"]) == ("early-stop", found["accuracy"])
    assert record["changed"] == {"limit": 100, "validation": 20, "early-stop": 1}


def test_no_run_is_one_line(cli):
    """The folder runs may be missing; so is the case of an empty folder."""
    Path("empty").mkdir()
    assert cli("runs") == (0, "no run in runs yet: create one with mnist-bp train\n", "")
    assert cli("runs", "empty").code == 0
    assert (cli("runs", "--json").code, cli("runs", "--json").out) == (0, "")


def test_a_folder_that_is_not_there_is_exit_2(cli):
    """In one line."""
    assert cli("runs", "nowhere") == (
        2, "", "mnist-bp: nowhere does not exist: expected a run, its name, or a folder of runs\n",
    )  # fmt: skip


def test_runs_of_every_version_are_listed(listed):
    """They have the sizes of their models, and no average."""
    expected = json.loads((OLD / "expected.json").read_text(encoding="utf-8"))
    records = {Path(run).name: record for run, record in listed(OLD).items()}
    assert set(records) == {path.name for path in OLD.iterdir() if path.is_dir() and path.name[0] not in "._"}
    assert {name: record["state"] for name, record in records.items() if record["state"] != "finished"} == {
        "adam": "interrupted", "one-cycle": "interrupted", "regularized": "interrupted",
    }  # fmt: skip
    for name, each in expected.items():
        if "evaluate" in each:
            assert records[name]["test_accuracy"] == pytest.approx(each["evaluate"]["accuracy"])
    assert records["plain"]["sizes"] == [64, 16, 12, 10]
    assert records["plain"]["changed"] == {"learning-rate": 3.0, "batch-size": "10", "average": 0.0}
    assert (records["seeds"]["seeds"], records["seeds"]["sizes"]) == (2, [64, 12, 10])


def test_several_seeds_are_one_run_with_means_and_their_folder_lists_them(listed):
    """Summaries are those of the history of the series."""
    summary = json.loads((OLD / "seeds/history.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    (record,) = (each for each in listed(OLD).values() if Path(each["run"]).name == "seeds")
    assert record["test_accuracy"] == summary["test_accuracy"]["mean"]
    assert states(listed(OLD / "seeds")) == {"seed-0": "finished", "seed-1": "finished"}


def test_an_early_stop_of_an_older_version_is_recognised(start, listed):
    """Nothing but the accuracies in its history says so."""
    folder = start("--epochs", 30, "--early-stop", 1, "--validation", 20)
    assert states(listed()) == {folder.name: "early-stop"}
    (folder / "run.json").unlink()
    assert states(listed()) == {folder.name: "early-stop"}


def test_a_run_has_the_figures_of_its_saved_epoch(start, cli, listed, idx_folder):
    """Those that the training printed; a setting that is not the default is listed as changed."""
    options = ["--validation", 20, "--epochs", 6, "--learning-rate", 9, "--average", 0]
    ends = {}
    for output, more in {"best": ["--early-stop", 2], "last": ["--early-stop", 2, "--keep", "last"]}.items():
        done = cli("train", "--data-dir", idx_folder, "--limit", 100, "--hidden", 4, "--output", output, "--json",
                   *options, *more)  # fmt: skip
        ends[output] = done.records[-1]
    records = listed("best", "last")
    for output, end in ends.items():
        assert records[output]["test_accuracy"] == end["test_accuracy"]
        assert records[output]["epochs"] == end["epochs"]
    assert [records[output]["changed"].get("keep") for output in ("best", "last")] == [None, "last"]


def test_runs_that_ran_out_of_time_are_listed_as_such(start, listed, stopped_seeds):
    """One, and one of several seeds."""
    start("--max-seconds", 1e-6, "--output", "runs/one")
    shutil.copytree(stopped_seeds / "all", "runs/all")
    assert states(listed()) == {"one": "time", "all": "time"}


def test_a_run_that_diverged_is_listed_as_such(start, listed):
    """Its record says so."""
    folder = start(
        "--activation", "relu", "--cost", "cross-entropy", "--learning-rate", "1e30", "--hidden", "8,8", code=1
    )
    assert states(listed()) == {folder.name: "diverged"}


def test_a_run_is_running_as_long_as_it_is_locked(start, listed):
    """A run without an end that is not locked was killed."""
    folder = start()
    run = run_folder.RunFolder(folder)
    run.record_end(None)
    history = History(folder / "history.jsonl")
    assert states(listed()) == {folder.name: "running"}
    history.close()
    (folder / "model.npz").unlink()
    assert states(listed()) == {folder.name: "interrupted"}


@posix
def test_a_killed_training_is_interrupted_and_a_resumed_one_finished(listed, cli, idx_folder):
    """SIGKILL leaves no record of an end; the lock dies with the process."""
    command = [sys.executable, "-m", "mnist_bp", "train", "--data-dir", idx_folder, "--epochs", 1_000_000,
               "--output", "mine", "--json"]  # fmt: skip
    with subprocess.Popen([*map(str, command)], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.readline()
        assert states(listed("mine")) == {"mine": "running"}
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert states(listed("mine")) == {"mine": "interrupted"}
    had = listed("mine")["mine"]["epochs"]
    assert cli("train", "--resume", "mine", "--epochs", had + 1, "--quiet").code == 0
    assert states(listed("mine")) == {"mine": "finished"}


def test_a_reader_does_not_lock_out_a_training(tmp_path, monkeypatch):
    """The lock of a reader lasts for an instant, and a training tries again."""
    locked = iter([False, False, True])
    monkeypatch.setattr("mnist_bp.training.history.lock", lambda _: next(locked))
    monkeypatch.setattr(time, "sleep", lambda _: None)
    History(tmp_path / "history.jsonl").close()


# --- damaged runs ----------------------------------------------------------------------------------------------------

DAMAGES = {
    "no TOML": lambda run: (run / "config.toml").write_bytes(b"\xff\x00 = ["),
    "empty config": lambda run: (run / "config.toml").write_bytes(b""),
    "nan in the config": lambda run: change(run, 'seed = 0', "seed = nan"),
    "a date in the config": lambda run: change(run, "seed = 0", "seed = 2020-01-01"),
    "hidden layers": lambda run: change(run, 'hidden = "4"', 'hidden = "4,x"'),
    "a long number": lambda run: change(run, "seed = 0", f"seed = 0x1{'0' * 5000}"),
    "a large config": lambda run: (run / "config.toml").write_bytes(b"#" * 100_000),
    "no history": lambda run: (run / "history.jsonl").unlink(),
    "history cut off": lambda run: shorten(run / "history.jsonl", 30),
    "history of other things": lambda run: (run / "history.jsonl").write_text("[]\n", encoding="utf-8"),
    "figures of other types": lambda run: change(run, '"test_accuracy": 0', '"test_accuracy": "high", "x": 0'),
    "an accuracy above 1": lambda run: change(run, '"test_accuracy": 0', '"test_accuracy": 10'),
    "no model": lambda run: (run / "model.npz").unlink(),
    "record of other things": lambda run: (run / "run.json").write_text("[]", encoding="utf-8"),
    "an end of other things": lambda run: (run / "run.json").write_text('{"end": {"reason": 5}}', encoding="utf-8"),
    "nested brackets": lambda run: (run / "run.json").write_text("[" * 60_000, encoding="utf-8"),
}  # fmt: skip


def change(run, old, new):
    """Replace a text in the files of a run. At least one has it."""
    texts = {path: path.read_text(encoding="utf-8") for path in run.glob("*.*") if path.suffix != ".npz"}
    assert any(old in text for text in texts.values())
    for path, text in texts.items():
        path.write_text(text.replace(old, new), encoding="utf-8")


def shorten(path, by):
    """Cut off the last bytes of a file."""
    path.write_bytes(path.read_bytes()[:-by])


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_run_is_listed_and_spoils_nothing(finished, cli, listed, damage):
    """With the reason; the other run is listed as before."""
    finished("all/good")
    finished("all/bad")
    DAMAGES[damage](Path("all/bad"))
    records = listed("all")
    assert states(records) == {"good": "finished", "bad": "damaged"}
    assert records[str(Path("all/bad"))]["problem"]
    assert cli("runs", "all", "--csv", "all.csv", "--sort", "test-accuracy").out.endswith("1 finished, 1 damaged\n")
    assert cli("runs", "all/bad", "all/good").code == 0


@posix
@pytest.mark.parametrize("name", ["config.toml", "history.jsonl", "run.json", "model.npz"])
@pytest.mark.parametrize("kind", ["fifo", "device", "loop", "folder"])
def test_only_regular_files_are_read(finished, listed, name, kind):
    """A FIFO would block, /dev/zero would fill the memory."""
    path = finished("all/bad") / name
    path.unlink()
    match kind:
        case "fifo":
            os.mkfifo(path)
        case "device":
            path.symlink_to("/dev/zero")
        case "loop":
            path.symlink_to(path.name)
        case "folder":
            path.mkdir()
    assert states(listed("all")) == {"bad": "damaged"}


@posix
def test_a_folder_without_permission_is_listed_as_damaged(start, listed, ordinary_user, tmp_path):
    """Its files cannot be read."""
    start("--output", "all/good")
    Path("all/bad").mkdir()
    Path("all/bad").chmod(0)
    for path in (tmp_path, *tmp_path.parents):
        if path.stat().st_uid == os.getuid():
            path.chmod(path.stat().st_mode | 0o755)
    try:
        with ordinary_user():
            assert states(listed("all")) == {"good": "finished", "bad": "damaged"}
    finally:
        Path("all/bad").chmod(0o755)


@posix
def test_links_that_form_a_circle_are_followed_once(start, listed):
    """A run is listed once, by whatever paths it can be reached."""
    start("--output", "all/group/run")
    Path("all/group/again").symlink_to("..")
    Path("all/self").symlink_to("self")
    Path("all/other").symlink_to("group/run")
    assert len(listed("all")) == 1


def test_hundreds_of_epochs_are_read_from_the_end(start, listed):
    """The number of epochs is that of the last line, and nothing else is parsed."""
    folder = start("--epochs", 2)
    history = folder / "history.jsonl"
    first, second = history.read_text(encoding="utf-8").splitlines()
    more = [second.replace('"epoch": 2', f'"epoch": {epoch}') for epoch in range(3, 1500)]
    history.write_text("\n".join([first, "damaged", *more, ""]), encoding="utf-8")
    (folder / "run.json").unlink()
    assert next(iter(listed().values()))["epochs"] == 1499


# --- order, CSV, comparison ------------------------------------------------------------------------------------------


def test_runs_are_sorted_by_a_column_or_a_setting(start, cli):
    """A minus sign reverses the order; missing values are last in both."""
    for seed, more in ((1, []), (3, ["--validation", 20]), (2, ["--validation", 10])):
        start("--output", f"all/{seed}", "--seed", seed, *more)

    def order(column):
        return [Path(record["run"]).name for record in cli("runs", "all", "--sort", column, "--json").records]

    assert (order("seed"), order("-seed"), order("started")) == (["1", "2", "3"], ["3", "2", "1"], ["1", "3", "2"])
    assert (order("validation"), order("-validation")) == (["2", "3", "1"], ["3", "2", "1"])
    assert (order("sizes"), order("test_accuracy")) == (["1", "3", "2"], order("test-accuracy"))
    done = cli("runs", "all", "--sort", "acuracy")
    assert (done.code, "there is no column 'acuracy'" in done.err) == (2, True)


def test_the_csv_file_has_all_columns_and_no_formula(start, cli):
    """A name of a folder is no formula in a spreadsheet."""
    start("--output", "all/run")
    shutil.copytree("all/run", "=1+1/x")
    assert cli("runs", "all", "=1+1", "--csv", "runs.csv", "--quiet").out == "2 runs in all, =1+1: 2 finished\n"
    with Path("runs.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["run"] for row in rows) == [f"'{Path('=1+1/x')}", str(Path("all/run"))]
    assert (rows[0]["sizes"], rows[0]["epochs"], rows[0]["hidden"], rows[0]["seed"]) == ("784-4-10", "2", "4", "0")
    assert rows[0]["validation_accuracy"] == ""
    assert cli("runs", "all", "--csv", "no/runs.csv").code == 3


def test_named_runs_are_compared(start, cli):
    """Settings that differ, figures and curves."""
    start("--output", "a")
    start("--output", "b", "--learning-rate", 0.25, "--epochs", 3)
    done = cli("runs", "a", "b", "a")
    assert "settings that differ: learning-rate" in done.out
    assert "\ntest cost\n" in done.out
    assert done.out.splitlines()[3].split()[:4] == ["A", "a", "2", "2"]
    records = cli("runs", "b", "a", "--json").records
    assert [record["run"] for record in records] == ["b", "a"]
    assert [record["curve"]["epochs"] for record in records] == [[1, 2, 3], [1, 2]]
    assert "\nsettings that differ from the defaults: limit" in cli("runs", "a").out


def test_a_plot_draws_runs_and_no_list(start, cli):
    """Equal runs give equal files."""
    start("--output", "all/a")
    start("--output", "all/b", "--seed", 1)
    assert cli("runs", "all/a", "all/b", "--plot", "costs.svg").code == 0
    first = Path("costs.svg").read_bytes()
    assert cli("runs", "all/a", "all/b", "--plot", "costs.svg").code == 0
    assert Path("costs.svg").read_bytes() == first
    assert cli("runs", "all", "--plot", "costs.svg").code == 2
    assert cli("runs", "all/a", "--plot", "costs.gif").code == 2
    assert cli("runs", "all/a", "--plot", "no/costs.svg").code == 3


def test_a_narrow_window_gets_a_block_for_each_run(start, terminal):
    """No line is longer than the window, except for a path."""
    from mnist_bp.cli.main import main

    start("--output", "all/a", "--name", "first")
    stream = terminal(60, NO_COLOR="")
    with pytest.raises(SystemExit):
        main(["runs", "all"])
    lines = stream.getvalue().splitlines()
    assert len(lines) > 3
    assert all(len(line) < 80 for line in lines)


def test_the_list_does_not_import_numpy(start):
    """It is fast."""
    start()
    program = "import sys; from mnist_bp.cli.main import run; run(['runs', '--quiet']); print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"


# --- names -----------------------------------------------------------------------------------------------------------


def test_a_name_is_the_end_of_the_folder_and_in_every_record(cli, idx_folder):
    """With ``--output``, it is only recorded."""
    done = cli("train", "--data-dir", idx_folder, "--hidden", 4, "--epochs", 1, "--name", "base", "--json")
    assert done.records[0]["name"] == done.records[-1]["name"] == "base"
    assert done.records[-1]["run"].endswith("-784-4-10-base")
    assert cli("runs", "--json").records[0]["name"] == "base"


def test_every_command_takes_a_name(start, cli, idx_folder):
    """Also the name of a folder below runs, and ``latest``."""
    folder = start("--name", "base")
    for name in ("base", folder.name, "latest"):
        assert cli("evaluate", name, "--data-dir", idx_folder, "--quiet").code == 0
    assert cli("train", "--resume", "base", "--epochs", 3, "--quiet").code == 0
    assert cli("train", "--config", "base", "--quiet").code == 0
    assert cli("page", "base", "--quiet").code == 0
    assert cli("runs", "base", "--json").records[0]["epochs"] == 3


def test_a_name_of_several_runs_is_refused_with_the_candidates(start, cli):
    """The newest comes first; a path has precedence."""
    folders = [start("--name", "base") for _ in range(2)]
    done = cli("evaluate", "base")
    newest, oldest = sorted(map(str, folders), reverse=True)
    assert (done.code, done.err) == (
        2, f"mnist-bp: base is the name of 2 runs: choose one of {newest}, {oldest}\n",
    )  # fmt: skip
    shutil.copytree(folders[0], "base")
    assert cli("runs", "base").code == 0


@pytest.mark.parametrize("name", ["latest", "Latest", "", ".", "..", ".x", "-x", "x.", "a/b", "a b", "é", "x" * 65])
def test_a_name_that_is_not_valid_is_refused(cli, name):
    """Before anything else happens."""
    done = cli("train", f"--name={name}")
    assert (done.code, done.out, len(done.err.splitlines())) == (2, "", 1)
    assert not Path("runs").exists()


def test_a_resumed_run_keeps_its_name(start, cli):
    """Another name is refused."""
    folder = start("--name", "base")
    assert cli("train", "--resume", folder, "--name", "other").code == 2
    done = cli("train", "--resume", folder, "--epochs", 3, "--json")
    assert done.records[0]["name"] == "base"
