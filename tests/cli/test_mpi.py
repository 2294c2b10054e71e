"""The command under mpiexec: one run, one output, one exit code, and no rank that is left."""

import json
import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
from mpi import PATIENCE, commands_on, mpiexec, needs_mpi, run_on, wait_until

from mnist_bp.launcher import Launch, launch, without_launch

COMMAND = ("-m", "mnist_bp")

LAUNCHERS = {
    "Open MPI": {"OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "2"},
    "MPICH and Intel MPI": {"PMI_RANK": "1", "PMI_SIZE": "2"},
    "srun": {"SLURM_PROCID": "1", "SLURM_STEP_NUM_TASKS": "2", "SLURM_NTASKS": "2"},
}


def pretend(monkeypatch, variables):
    """Let the environment be that of a launcher."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("name", LAUNCHERS)
def test_each_launcher_is_detected(name, monkeypatch):
    """By its variables for the rank and the number of processes."""
    pretend(monkeypatch, LAUNCHERS[name])
    assert launch()[1:] == (1, 2)


def test_a_batch_script_is_no_launcher(monkeypatch):
    """Slurm sets the number of tasks there as well, but only srun starts them."""
    pretend(monkeypatch, {"SLURM_PROCID": "0", "SLURM_NTASKS": "2"})
    assert launch() == Launch("", 0, 1)


@pytest.mark.parametrize("name", LAUNCHERS)
def test_a_process_that_a_rank_starts_is_no_rank(name, monkeypatch):
    """It must not wait for other ranks."""
    pretend(monkeypatch, LAUNCHERS[name])
    for variable in {*os.environ} - {*without_launch()}:
        monkeypatch.delenv(variable)
    assert launch() == Launch("", 0, 1)


@pytest.mark.parametrize("rank", [0, 1])
def test_without_mpi4py_one_line_says_what_to_install(rank, cli, monkeypatch):
    """All ranks return 2, and rank 0 prints."""
    pretend(monkeypatch, LAUNCHERS["Open MPI"] | {"OMPI_COMM_WORLD_RANK": str(rank)})
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    monkeypatch.delitem(sys.modules, "mnist_bp.training.mpi_ranks", raising=False)
    ended = cli("info")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.count("\n") == (1 if rank == 0 else 0)
    assert rank or "mpiexec started 2 processes, which need mpi4py: " in ended.err
    assert rank or "mpi" in ended.err.split()[-1]


def test_a_single_process_of_mpiexec_imports_no_mpi(cli, monkeypatch, idx_folder):
    """It works as without mpiexec."""
    pretend(monkeypatch, {"OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "1"})
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    ended = cli("train", "--data-dir", idx_folder, "--epochs", 1, "--json")
    assert ended.code == 0
    assert ended.records[0]["ranks"] == 1


def parameters(run):
    """All weights and biases of a saved model."""
    with np.load(Path(run) / "model.npz") as model:
        return np.concatenate([model[name].ravel() for name in model if name != "meta"])


def assert_close(run, other):
    """Up to rounding of float64."""
    p, q = parameters(run), parameters(other)
    assert np.linalg.norm(p - q) <= 1e-12 * np.linalg.norm(p)


NETWORK = ["--hidden", 8, "--dtype", "float64", "--dropout", 0.2, "--epochs", 4]
SEEDS = ["--hidden", 8, "--epochs", 2, "--json"]
EVALUATE = ["evaluate", "run", "--mistakes", 3, "--adversarial", 0.1, "--json"]

ON_TWO = {
    "stopped": [*NETWORK, "--max-seconds", 1e-9, "--output", "run", "--json"],  # which rank 0 notices after an epoch
    "refused": ["--epochs", 0],
    "diverged": ["--epochs", 2, "--learning-rate", 1e200, "--activation", "relu"],
    "seeds": [*SEEDS, "--seeds", 3, "--output", "all"],
    "no data": ["--output", "run", "--json"],
    "other data": ["--output", "run", "--json"],
}
"""Options of trainings on two ranks. Each has a folder of its own, and finds the few digits as ``data``."""


@pytest.fixture(scope="module")
def on_two(tmp_path_factory, few, write_few_digits):
    """Run the trainings of ``ON_TWO``, in one launch. Return their folder, and their outcomes by name."""
    folder = tmp_path_factory.mktemp("two")
    places = {name: [folder / name] * 2 for name in ON_TWO}
    for name, (place, _) in places.items():
        place.mkdir()
        (place / "data").symlink_to(few)
        if "data" in name:
            places[name] = [place, place / "other"]
            (place / "other").mkdir()
    write_few_digits(folder / "other data/other/data")
    labels = folder / "other data/other/data/train-labels-idx1-ubyte"
    *before, last = labels.read_bytes()
    labels.write_bytes(bytes([*before, (last + 1) % 10]))
    commands = [(places[name], ["train", "--data-dir", "data", *options]) for name, options in ON_TWO.items()]
    return folder, dict(zip(ON_TWO, commands_on(tmp_path_factory.mktemp("outcomes"), commands), strict=True))


@pytest.fixture(scope="module")
def on_three(tmp_path_factory, on_two, run_once, few):
    """Resume a training of ``on_two`` on three ranks, and evaluate a run. Return the folders and the outcomes."""
    run = run_once("train", "--data-dir", few, "--hidden", 8, "--epochs", 3, "--output", "run", "--quiet")
    folders = [on_two[0] / "stopped", run]
    words = [["train", "--resume", "run", "--quiet"], EVALUATE]
    commands = [([folder] * 3, arguments) for folder, arguments in zip(folders, words, strict=True)]
    return folders, commands_on(tmp_path_factory.mktemp("outcomes"), commands)


def joint(outcomes):
    """Return the exit code of all ranks, and the output of rank 0. The others have none."""
    first, *others = outcomes
    assert {each.code for each in others} == {first.code}
    assert {(each.out, each.err) for each in others} == {("", "")}
    return first


@needs_mpi
def test_two_ranks_print_and_write_one_run_which_any_number_of_ranks_resumes(cli, few, on_two, on_three):
    """The saved model is that of one process, up to rounding."""
    assert cli("train", "--data-dir", few, *NETWORK, "--output", "alone").code == 0
    code, out, err = joint(on_two[1]["stopped"])
    records = [json.loads(line) for line in out.splitlines()]
    assert code == 0, err
    assert [record["event"] for record in records] == ["start", "epoch", "end"]
    assert records[-1]["reason"] == "time"
    assert (records[0]["ranks"], records[0]["train_examples"], records[0]["threads"]) == (2, 500, 1)
    (folder, _), (resumed, _) = on_three
    code, out, err = joint(resumed)
    assert code == 0, err
    assert out.count("\n") == 1
    assert_close("alone", folder / "run")


@needs_mpi
@pytest.mark.parametrize(
    ("name", "code", "line"),
    [
        ("refused", 2, "mnist-bp: Invalid value for '--epochs'"),
        ("diverged", 1, "mnist-bp: training diverged in epoch"),
    ],
)
def test_the_ranks_end_with_one_message_and_one_code(name, code, line, on_two):
    """A refused option, and a divergence that all ranks notice."""
    ended, _, err = joint(on_two[1][name])
    assert ended == code
    assert err.count("mnist-bp: ") == 1
    assert line in err


@needs_mpi
def test_mpiexec_returns_the_code_of_a_verdict_and_passes_its_message(few):
    """All of it, although mpiexec ends the ranks when one returns such a code."""
    settings = ["--data-dir", few, "--output", "run", "--epochs", 1, "--min-accuracy", 1]
    code, _, err = run_on(2, *COMMAND, "train", *settings)
    assert code == 1
    assert err.count("mnist-bp: ") == 1
    assert "is below --min-accuracy 1" in err


FAILING = """
from mnist_bp.cli.main import main
from mnist_bp.training.trainer import Trainer
step = Trainer._step
def fail(self, *arguments):
    if self.ranks.rank == 1 and self.epoch == 1:
        raise MemoryError
    step(self, *arguments)
Trainer._step = fail
main()
"""

WRITES_ITS_NUMBER = """
import os
rank = os.environ.get("OMPI_COMM_WORLD_RANK") or os.environ["PMI_RANK"]
with open(f"{os.getpid()}.pid", "w") as file:
    file.write(rank)
from mnist_bp.cli.main import main
main()
"""

DIFFERENT = FAILING.replace("raise MemoryError", "self.network.parameters[0] += 1")


@needs_mpi
@pytest.mark.parametrize(
    ("program", "message"),
    [(FAILING, "mnist-bp: rank 1 on "), (DIFFERENT, "mnist-bp: parameters after epoch 2 of rank 1 on ")],
)
def test_an_error_of_one_rank_ends_all_and_the_run_resumes(program, message, cli, idx_folder):
    """Out of memory on rank 1; and parameters that are no longer those of rank 0."""
    settings = ["train", "--data-dir", idx_folder, "--hidden", 8, "--epochs", 3]
    code, _, err = run_on(2, "-c", program, *settings, "--output", "run")
    assert code == 4, err
    assert err.count("mnist-bp: ") == 1
    assert message in err
    assert len(Path("run/history.jsonl").read_text("utf-8").splitlines()) == 1
    assert cli("train", "--resume", "run").code == 0


@needs_mpi
@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_ctrl_c_in_mpiexec_ends_all_ranks_and_the_run_resumes(cli, idx_folder):
    """No rank is left, and the last finished epoch is on disk."""
    settings = ["train", "--data-dir", idx_folder, "--hidden", 8, "--epochs", 10**6, "--output", "run"]
    process = mpiexec(2, "-c", WRITES_ITS_NUMBER, *settings)
    wait_until(lambda: has_epochs("run", 3))
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE)
    assert process.returncode != 0
    assert_nobody_lives()
    assert_resumes(cli, "run")


@needs_mpi
@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_killed_rank_ends_the_others_and_the_run_resumes(cli, idx_folder):
    """Rank 1, which writes nothing."""
    settings = ["train", "--data-dir", idx_folder, "--hidden", 8, "--epochs", 10**6, "--output", "run"]
    process = mpiexec(2, "-c", WRITES_ITS_NUMBER, *settings)
    wait_until(lambda: has_epochs("run", 3))
    (killed,) = (path for path in Path().glob("*.pid") if path.read_text("utf-8") == "1")
    os.kill(int(killed.stem), signal.SIGKILL)
    process.communicate(timeout=PATIENCE)
    assert process.returncode != 0
    assert_nobody_lives()
    assert_resumes(cli, "run")


def has_epochs(run, count):
    """Return True if a run has that many epochs on disk."""
    history = Path(run) / "history.jsonl"
    return history.is_file() and len(history.read_text("utf-8").splitlines()) >= count


def assert_nobody_lives():
    """No process that wrote its number to the folder."""
    pids = [int(path.stem) for path in Path().glob("*.pid")]
    assert len(pids) == 2
    wait_until(lambda: not any(map(lives, pids)))


def lives(pid):
    """Return True if there is a process with this number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def assert_resumes(cli, run):
    """By a single process, after the last epoch on disk."""
    epochs = len((Path(run) / "history.jsonl").read_text("utf-8").splitlines())
    ended = cli("train", "--resume", run, "--epochs", epochs + 1, "--json")
    assert ended.code == 0
    assert ended.records[0]["resumed_after"] in {epochs, epochs - 1}  # the record precedes the checkpoint


@needs_mpi
def test_the_ranks_train_whole_networks_of_several_seeds(cli, few, on_two):
    """Each network is that of ``train --seed``, bit for bit; rank 0 prints the records and the summary of all."""
    code, out, err = joint(on_two[1]["seeds"])
    assert code == 0, err
    *records, summary = map(json.loads, out.splitlines())
    assert sorted(record["seed"] for record in records if record["event"] == "epoch") == [0, 0, 1, 1, 2, 2]
    settings = ["train", "--data-dir", few, *SEEDS]
    alone = [cli(*settings, "--seed", seed, "--output", f"alone-{seed}").records[-1] for seed in range(3)]
    assert summary["fingerprints"] == [end["fingerprint"] for end in alone]
    assert summary["seeds"] == [0, 1, 2]


@needs_mpi
def test_the_ranks_split_the_examples_of_an_evaluation(cli, monkeypatch, on_three):
    """The figures are those of one process."""
    (_, folder), (_, outcomes) = on_three
    monkeypatch.chdir(folder)
    (expected,) = cli(*EVALUATE).records
    code, out, err = joint(outcomes)
    assert code == 0, err
    found = json.loads(out)
    assert found["cost"] == pytest.approx(expected["cost"], rel=1e-6)
    assert found["confusion"] == expected["confusion"]
    assert [each["example"] for each in found["mistakes"]] == [each["example"] for each in expected["mistakes"]]
    assert found.keys() == expected.keys()


@needs_mpi
@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_sigterm_to_mpiexec_ends_the_trainings_of_several_seeds(cli, idx_folder):
    """No rank is left, and each training can be resumed."""
    settings = ["train", "--data-dir", idx_folder, "--hidden", 8, "--epochs", 10**6, "--seeds", 2, "--output", "all"]
    process = mpiexec(2, "-c", WRITES_ITS_NUMBER, *settings)
    wait_until(lambda: has_epochs("all/seed-0", 2) and has_epochs("all/seed-1", 2))
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE)
    assert process.returncode != 0
    assert_nobody_lives()
    assert_resumes(cli, "all/seed-1")


@needs_mpi
def test_without_an_mpi_library_one_line_says_what_to_install(monkeypatch):
    """mpi4py is installed, but finds no MPI."""
    monkeypatch.setenv("MPI4PY_LIBMPI", str(Path("missing.so").absolute()))
    code, out, err = run_on(2, *COMMAND, "info")
    assert (code, out) == (2, "")
    assert err.count("mnist-bp: ") == 1
    assert "which need an MPI library: " in err


@needs_mpi
@pytest.mark.parametrize(
    ("name", "message"), [("no data", "mnist-bp: rank 1 on "), ("other data", "mnist-bp: rank 1 has other")]
)
def test_a_rank_with_other_data_refuses_the_training(name, message, on_two):
    """Another machine may lack the folder, or have other files in it. No run is created."""
    folder, outcomes = on_two
    code, out, err = joint(outcomes[name])
    assert (code, out) == (2, "")
    assert err.count("mnist-bp: ") == 1
    assert message in err
    assert not (folder / name / "run").exists()
