"""Folders of runs and data that the user did not make: links, devices, huge files. Nothing outside them is touched."""

import json
import os
import sys
from pathlib import Path

import pytest

from mnist_bp import Network

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows needs a privilege for links, and has no FIFO")

SETTINGS = ["--dataset", "synthetic", "--limit", "100", "--hidden", "3", "--epochs", "1"]
TRAIN = ["train", *SETTINGS, "--quiet"]
THEIRS = "important\n" * 9


@pytest.fixture(autouse=True)
def _few_digits(few_synthetic_digits):
    few_synthetic_digits(100, 50)


@pytest.fixture
def theirs(tmp_path):
    """Return a file of the user outside of all runs."""
    path = tmp_path / "theirs"
    path.write_text(THEIRS)
    return path


@pytest.fixture
def run(trained):
    """Return the folder of a finished run."""
    return trained(*SETTINGS)


def linked(path, theirs):
    """Put a link to the user's file in the place of a file."""
    path.unlink(missing_ok=True)
    path.symlink_to(theirs)


@pytest.mark.parametrize("name", ["history.jsonl", "model.npz", "checkpoint.npz", "run.json", "config.toml"])
def test_resume_does_not_write_through_a_link(cli, run, theirs, name):
    """The file that the link names keeps its content, whether the link is replaced or the run is refused."""
    theirs.write_bytes((run / name).read_bytes())
    before = theirs.read_bytes()
    linked(run / name, theirs)
    done = cli("train", "--resume", run, "--epochs", "2", "--quiet")
    assert done.code == (2 if name == "history.jsonl" else 0)
    assert theirs.read_bytes() == before
    assert (run / name).is_symlink() == (name == "history.jsonl")


@pytest.mark.parametrize("make", [Path.symlink_to, Path.hardlink_to])
def test_a_new_run_does_not_write_through_a_link(cli, theirs, make):
    """A folder with an empty history counts as new: its link is refused, in one line with exit code 2."""
    Path("run").mkdir()
    theirs.write_text("")
    make(Path("run/history.jsonl"), theirs)
    done = cli(*TRAIN, "--output", "run")
    assert (done.code, theirs.read_text()) == (2, "")
    (line,) = done.err.splitlines()
    assert "history.jsonl is a link to another file; expected a file of the run" in line


def test_a_link_to_a_folder_of_a_run_is_followed(cli, run):
    """The folder itself may be a link: the disk with space may be elsewhere."""
    Path("link").symlink_to(run)
    assert cli("train", "--resume", "link", "--epochs", "2", "--quiet").code == 0
    assert len((run / "history.jsonl").read_text().splitlines()) == 2


def test_a_seed_that_is_a_link_is_refused(cli, series):
    """A folder in the folder of several runs belongs to them, and is no link to another run."""
    Path("series/seed-0").rename("elsewhere")
    Path("series/seed-0").symlink_to(Path("elsewhere").resolve())
    done = cli("train", "--resume", "series", "--epochs", "2")
    assert done.code == 2
    assert "seed-0 is a link to another folder" in done.err
    assert len(Path("elsewhere/history.jsonl").read_text().splitlines()) == 1


@pytest.mark.usefixtures("blank_figures")
def test_pages_pictures_and_latest_replace_links(cli, run, theirs):
    """Files that commands write to a run's folder by default."""
    for name in ("page.html", "confusion.png", "mistakes.png"):
        linked(run / name, theirs)
    Path("runs").mkdir(exist_ok=True)
    linked(Path("runs/latest"), theirs)
    assert cli("page", run).code == 0
    assert cli("evaluate", run, "--plot").code == 0
    assert cli(*TRAIN).code == 0
    assert theirs.read_text() == THEIRS
    assert not any(path.is_symlink() for path in [*run.iterdir(), Path("runs/latest")])


@pytest.mark.parametrize("name", ["history.jsonl", "model.npz", "checkpoint.npz", "run.json", "config.toml"])
@pytest.mark.parametrize("kind", ["fifo", "/dev/zero"])
def test_only_regular_files_are_read(cli, run, name, kind):
    """A FIFO would block, and /dev/zero would fill the memory: each command refuses it in one line, or replaces it."""
    (run / name).unlink()
    if kind == "fifo":
        os.mkfifo(run / name)
    else:
        (run / name).symlink_to(kind)
    for command in (["train", "--resume", run, "--epochs", "2"], ["evaluate", run], ["page", run], ["explain", run]):
        done = cli(*command)
        assert done.code in {0, 2}
        assert "Traceback" not in done.err


@pytest.mark.parametrize("kind", ["fifo", "/dev/zero"])
@pytest.mark.parametrize(
    "command", [["train", "--config"], ["predict"], ["explain", "--image"], ["train", "--class-names"], ["evaluate"]]
)
def test_a_device_that_is_named_is_refused(cli, run, kind, command):
    """Configs, pictures, names of classes and models."""
    if kind == "fifo":
        os.mkfifo("fifo")
    path = Path(kind).resolve() if kind != "fifo" else Path("fifo")
    named = [*command, path, *(["--model", run] if command[0] == "predict" else [])]
    done = cli(*named, *(["--data-dir", "."] if "--class-names" in command else []))
    assert done.code == 2
    assert "Traceback" not in done.err


@pytest.mark.parametrize("command", ["evaluate", "explain", "page", "gradcheck"])
@pytest.mark.parametrize("dataset", ["synthetic", "mnist", None])
def test_commands_that_read_write_nothing_where_a_model_says(cli, tmp_path, idx_folder, rng, command, dataset):
    """Its metadata name a folder: nothing in it changes, whatever it holds."""
    folder = tmp_path / "victim"
    idx_folder.rename(tmp_path / "mnist")
    for name in ("mnist", "synthetic-1"):
        (folder / name).mkdir(parents=True)
        (folder / name / "manifest.json").write_text('{"name": "theirs"}')
    for path in (tmp_path / "mnist").iterdir():
        (folder / "mnist" / path.name).write_bytes(path.read_bytes())
    config = {"data-dir": str(folder), **({"dataset": dataset} if dataset else {})}
    Network([784, 3, 10], rng=rng).save("model.npz", {"dataset": dataset or "mnist", "config": config})
    before = contents(folder)
    cli(command, "model.npz")
    assert contents(folder) == before
    cli(command, "model.npz", "--data-dir", folder)
    assert contents(folder) == before


def contents(folder):
    """Return the content of every file below a folder."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_resume_offline_keeps_a_damaged_file(cli, tmp_path, idx_folder, monkeypatch):
    """Nothing can replace it, so it keeps its name."""
    monkeypatch.setenv("MNIST_BP_OFFLINE", "1")
    folder = tmp_path / "data"
    folder.mkdir()
    idx_folder.rename(folder / "mnist")
    assert cli("train", "--data-dir", folder, "--epochs", "1", "--hidden", "3", "--output", "run").code == 0
    path = folder / "mnist" / "train-labels-idx1-ubyte"
    path.write_bytes(path.read_bytes()[:-1])
    before = contents(folder)
    assert cli("train", "--resume", "run", "--epochs", "2").code == 3
    assert contents(folder) == before


@pytest.mark.parametrize("name", ["history.jsonl", "model.npz", "checkpoint.npz", "run.json", "config.toml"])
def test_permissions_of_a_run_survive(cli, run, name):
    """A file that only its owner reads stays so."""
    (run / name).chmod(0o600)
    assert cli("train", "--resume", run, "--epochs", "2", "--quiet").code == 0
    assert (run / name).stat().st_mode & 0o777 == 0o600


def test_a_run_of_many_layers_resumes(cli):
    """More layers than Python's calls may be deep, and a config larger than 16 KB, as that of more layers is."""
    hidden = ",".join(["1"] * 1001)
    size = ["--batch-size", "all", "--output", "deep"]
    assert cli("train", "--dataset", "synthetic", "--limit", "10", "--hidden", hidden, "--epochs", "1", *size).code == 0
    config = Path("deep/config.toml")
    config.write_text(f"# {16 * 1024 * 'x'}\n{config.read_text(encoding='utf-8')}", encoding="utf-8")
    done = cli("train", "--resume", "deep", "--epochs", "2", "--json")
    assert (done.code, json.loads(done.out.splitlines()[-1])["epochs"]) == (0, 2)
    assert cli("evaluate", "deep").code == 0
