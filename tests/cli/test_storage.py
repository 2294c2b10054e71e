"""Disks that are full or gone, folders that are taken: a line, an exit code, and no earlier run is lost."""

import errno
import os
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

import mnist_bp
from mnist_bp.cli import seeds
from mnist_bp.errors import StorageError
from mnist_bp.reports.training import TrainingReport
from mnist_bp.shell import command_line
from mnist_bp.training.run_folder import RunFolder

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits and modes")
HINT = "; once it can be written, resume with mnist-bp train --resume run"


@pytest.fixture
def after_epoch(monkeypatch):
    """Return a function that arranges a call after a given number of epochs were printed."""

    def arrange(epoch, happen):
        show, to_come = TrainingReport.epoch, [happen]

        def shown(report, result):
            show(report, result)
            if to_come and result.epoch == epoch:
                to_come.pop()()

        monkeypatch.setattr(TrainingReport, "epoch", shown)

    return arrange


@contextmanager
def little_room():
    """Let no file become larger than 20,000 bytes: the disk takes the config and the history, and no network."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def contents(folder):
    """Every file in it."""
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def assert_refused(done, code, said):
    """With this code, and this line and no other."""
    assert done.code == code
    assert done.err.splitlines()[-1] == f"mnist-bp: {said}"
    assert sum(line.startswith("mnist-bp: ") for line in done.err.splitlines()) == 1
    assert "Traceback" not in done.err


# --- the disk --------------------------------------------------------------------------------------------------------


@posix
@pytest.mark.parametrize("epochs", [0, 1, 2])
def test_a_disk_that_fills_up_costs_no_epoch_that_was_finished(cli, train, after_epoch, epochs):
    """It exits with 3 and leaves no partial file. With free space, it resumes from the last saved epoch."""
    with little_room() as fill:
        after_epoch(epochs, fill)
        if not epochs:
            fill()
        assert_refused(train(), 3, f"cannot write {Path('run/model.npz')}: File too large{HINT}")
    assert set(contents("run")) <= {"config.toml", "run.json", "history.jsonl", "checkpoint.npz"}
    done = cli("train", "--resume", "run", "--json")
    assert done.code == 0
    assert done.records[0]["resumed_after"] == epochs
    train("whole")
    assert Path("run/model.npz").read_bytes() == Path("whole/model.npz").read_bytes()


PROGRAM = [sys.executable, "-P", "-m", "mnist_bp"]


def run_with_little_room(*arguments):
    """Run the program in a process of its own that has ``little_room`` from its start."""
    with little_room() as fill:
        return subprocess.run(
            [*PROGRAM, *arguments],
            env={**os.environ, "PYTHONPATH": str(Path(mnist_bp.__file__).parents[1])},
            preexec_fn=fill,
            check=False,
            capture_output=True,
            text=True,
        )


@posix
def test_a_failed_save_ends_a_process_in_one_line(idx_folder):
    """Exit 3 and nothing else on standard error; Python 3.12 crashed as it cleaned up, 3.13 printed BufferErrors."""
    options = ["--data-dir", idx_folder, "--epochs", "1", "--output", "run", "--quiet"]
    done = run_with_little_room("train", *options)
    hint = HINT.replace("mnist-bp", command_line(*PROGRAM))
    said = f"mnist-bp: cannot write {Path('run/model.npz')}: File too large{hint}\n"
    assert (done.returncode, done.stdout, done.stderr) == (3, "", said)


@posix
def test_a_failed_picture_ends_a_process_in_one_line(train):
    """As a failed save does, after the measurement."""
    train()
    pytest.importorskip("matplotlib.font_manager")  # now it has its cache of fonts
    done = run_with_little_room("evaluate", "run", "--plot", "--json")
    assert (done.returncode, len(done.stdout.splitlines())) == (3, 1)
    _, _, after_measurement = done.stderr.partition("\ntest accuracy ")
    (line,) = after_measurement.splitlines()[1:]
    assert re.match(r"mnist-bp: cannot write run.*\.png: File too large; ", line)


@pytest.fixture
def poor_file_system(monkeypatch):
    """Let every file be on a file system without fsync, O_APPEND and locks."""
    usual = os.open

    def fail(*_):
        raise OSError(errno.EINVAL, "Invalid argument")

    def open_without_append(path, flags, *rest, **keywords):
        return fail() if flags & os.O_APPEND else usual(path, flags, *rest, **keywords)

    monkeypatch.setattr(os, "fsync", fail)
    monkeypatch.setattr(os, "open", open_without_append)
    monkeypatch.setattr("fcntl.flock", fail)


NO_LOCK = "warning  {} is on a file system without locks: do not start another training that writes there"
NO_SYNC = "warning  {} is on a file system without fsync: a power failure may damage this run"


@posix
def test_a_poor_file_system_keeps_nobody_from_training(train, cli, poor_file_system):
    """Each guarantee that it does not give is a warning, once for each training; the run is complete and resumes."""
    done = train()
    assert done.code == 0
    assert [line for line in done.err.splitlines() if "file system" in line] == [
        NO_LOCK.format("run"),
        NO_SYNC.format("run"),
    ]
    assert len(Path("run/history.jsonl").read_text(encoding="utf-8").splitlines()) == 3
    assert {"config.toml", "run.json", "history.jsonl", "checkpoint.npz", "model.npz"} == set(contents("run"))
    resumed = cli("train", "--resume", "run", "--epochs", 4)
    assert resumed.code == 0
    assert resumed.out.count("file system") == 2
    assert len(Path("run/history.jsonl").read_text(encoding="utf-8").splitlines()) == 4


@posix
def test_several_trainings_on_a_poor_file_system_are_warned_of_once(
    cli, idx_folder, poor_file_system, monkeypatch, finished_worker
):
    """By the command that starts them, about the folder of all."""
    monkeypatch.setattr(seeds, "seed_command", lambda *_: finished_worker)
    done = cli("train", "--data-dir", idx_folder, "--hidden", 8, "--epochs", 1, "--seeds", 2, "--output", "all")
    assert done.code == 0
    assert [line for line in done.out.splitlines() if "file system" in line] == [
        NO_LOCK.format("all"),
        NO_SYNC.format("all"),
    ]


@posix
def test_a_good_file_system_is_not_warned_of(train):
    """Nothing is printed where nothing is missing."""
    assert "file system" not in train().err


@posix
def test_a_folder_that_vanishes_is_reported(train, after_epoch):
    """It exits with 3. There is no run to resume, and the folder is not created again."""
    after_epoch(1, lambda: shutil.rmtree("run"))
    done = train()
    assert_refused(done, 3, f"cannot write {Path('run/model.npz')}: No such file or directory")
    assert not Path("run").exists()


@posix
def test_a_folder_without_permission_is_reported(ordinary_user):
    """A run that cannot be written is neither started nor resumed, and stays unchanged."""
    with tempfile.TemporaryDirectory() as temporary:  # not tmp_path: that is in a folder of its owner's alone
        Path(temporary).chmod(0o755)
        folder = Path(temporary) / "run"
        RunFolder.create(folder, (4, 2), {"seed": 0}).close()
        before = contents(folder)
        folder.chmod(0o555)
        (folder / "history.jsonl").chmod(0o444)
        with ordinary_user():
            with pytest.raises(
                StorageError, match=r"^cannot write .*history.jsonl: Permission denied; once .*--resume"
            ):
                RunFolder.reopen(folder).claim()
            with pytest.raises(StorageError, match=r"^cannot write .*inside: Permission denied$"):
                RunFolder.create(folder / "inside", (4, 2), {"seed": 0})
        folder.chmod(0o755)
        assert contents(folder) == before


# --- folders that are taken ------------------------------------------------------------------------------------------


def test_a_run_that_another_training_writes_is_left_alone(cli, train, idx_folder):
    """It is neither resumed nor restarted: exit 2. When the other training has ended, it resumes."""
    train()
    other = RunFolder.reopen(Path("run"))
    other.claim()
    before = contents("run")
    assert_refused(
        cli("train", "--resume", "run", "--epochs", 5),
        2,
        "another training is writing to run: wait until it ends, or choose another folder",
    )
    done = train()
    assert (done.code, done.err.split(" (")[0]) == (2, "mnist-bp: run already contains a run")
    assert contents("run") == before
    other.close()
    assert cli("train", "--resume", "run", "--epochs", 5).code == 0


def test_nothing_is_read_of_a_run_that_another_training_writes(train, cli):
    """Its checkpoint may be another one in a moment: whose turn it is comes first, and then what is wrong with it."""
    train()
    Path("run/checkpoint.npz").write_bytes(b"damaged")
    other = RunFolder.reopen(Path("run"))
    other.claim()
    assert "another training is writing to run" in cli("train", "--resume", "run").err
    other.close()
    assert "is not a checkpoint" in cli("train", "--resume", "run").err


def test_a_file_where_the_folder_should_be(train, cli):
    """Exit 2, and the file is untouched."""
    Path("run").write_text("mine", encoding="utf-8")
    assert_refused(train(), 2, "run is a file: --output requires a folder")
    assert_refused(
        cli("train", "--resume", "run"),
        2,
        "run is not a run: expected a folder with a config.toml, a file or the name of a run, or runs/latest",
    )
    assert Path("run").read_text(encoding="utf-8") == "mine"


# --- runs without a model --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["evaluate", "explain"])
def test_a_run_that_has_no_model_yet_prints_how_to_resume(train, cli, command):
    """It exits with 2 and prints the command to resume, for running and killed trainings alike."""
    train()
    Path("run/model.npz").unlink()
    assert_refused(
        cli(command, "run"),
        2,
        "no model.npz in run yet: its training is still running, or was interrupted; "
        "to resume it: mnist-bp train --resume run",
    )


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("explain", "all contains several runs: choose one of its folders"),
        (
            "evaluate",
            "no model.npz in {} yet: its training was not finished; to resume it: mnist-bp train --resume all".format(
                Path("all/seed-0")
            ),
        ),
    ],
)
def test_a_folder_of_several_runs_has_no_model(cli, idx_folder, command, why):
    """It is no run of its own, and it is not said which one is meant. ``evaluate`` requires those of all its seeds."""
    RunFolder.create(Path("all"), (784, 8, 10), {"seeds": 2, "data-dir": str(idx_folder)}).close()
    RunFolder.create(Path("all/seed-0"), (784, 8, 10), {"epochs": 1}).close()
    assert_refused(cli(command, "all"), 2, why)
