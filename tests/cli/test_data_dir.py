"""Which data a command may use: ``--data-dir`` in every command, the fallback to synthetic digits, and the gate."""

import hashlib
import shutil
import tomllib
import zipfile
from pathlib import Path

import pytest

from mnist_bp import Network
from mnist_bp.data.choices import DATASETS
from mnist_bp.data.names import FILE_NAMES
from mnist_bp.data.registry import PublishedDataset, PublishedFile


@pytest.fixture(autouse=True)
def _few_digits(few_synthetic_digits, monkeypatch):
    """The synthetic dataset is small, and no server is asked."""
    few_synthetic_digits(300, 100)
    monkeypatch.setenv("MNIST_BP_OFFLINE", "1")


@pytest.fixture
def model(rng):
    """A model file that says nothing of its data."""
    Network([784, 4, 10], rng=rng).save("model.npz")
    return "model.npz"


def contents(folder):
    """Every path below a folder, with its time of change."""
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*")}


def tables(folder):
    """A folder of tables, of which one has a name that a dataset could have."""
    folder.mkdir()
    for name in ("train.csv", "cities.csv"):
        (folder / name).write_text("city,country\nParis,France\n", encoding="utf-8")


def sounds(folder):
    """A folder of sounds, with what a failed download of an older version left there."""
    (folder / "7").mkdir(parents=True)
    (folder / "7/a.wav").touch()
    (folder / "mnist").mkdir()


LAYOUTS = {
    "does not exist": lambda _: None,
    "is a file": lambda folder: folder.write_text("text"),
    "2 files: cities.csv, train.csv. Expected ": tables,
    "2 folders: 7, mnist. Expected ": sounds,
}
COMMANDS = {
    "train": ("--epochs", 1, "--output", "run"),
    "evaluate": ("model.npz",),
    "explain": ("model.npz",),
    "explain --fresh": (),
    "gradcheck": (),
    "gradcheck model.npz": (),
    "page": ("model.npz",),
}


@pytest.mark.parametrize("said", LAYOUTS)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_data_folder_that_is_none_is_refused_by_every_command(cli, model, tmp_path, command, said):
    """A typo, a file, other things: exit 2, one line, no other digits, and nothing is written there."""
    folder = tmp_path / "data"
    LAYOUTS[said](folder)
    before = contents(tmp_path)
    done = cli(*command.split(), *COMMANDS[command], "--data-dir", folder)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert f"{folder} " in done.err
    assert said in done.err
    assert contents(tmp_path) == before


@pytest.mark.parametrize("said", [*LAYOUTS][1:])
def test_download_refuses_a_folder_of_other_things(cli, tmp_path, said):
    """It would mix MNIST into them; only a folder that does not exist is created."""
    LAYOUTS[said](tmp_path / "data")
    before = contents(tmp_path)
    for option in ((), ("--list",)):
        done = cli("download", "--data-dir", tmp_path / "data", *option)
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert said in done.err
    assert contents(tmp_path) == before


def test_an_incomplete_dataset_is_reported_as_one(cli, idx_folder):
    """Three of four files: the fourth is named."""
    (idx_folder / FILE_NAMES[3]).unlink()
    done = cli("train", "--data-dir", idx_folder)
    assert done.code == 2
    assert f"few: no {FILE_NAMES[3]}; expected " in done.err


@pytest.mark.parametrize("command", COMMANDS)
def test_an_empty_folder_gets_no_synthetic_digits(cli, model, tmp_path, command):
    """Without a network MNIST is not available: exit 3, and the folder stays empty."""
    (tmp_path / "data").mkdir()
    done = cli(*command.split(), *COMMANDS[command], "--data-dir", tmp_path / "data")
    assert (done.code, done.out) == (3, "")
    assert list((tmp_path / "data").iterdir()) == []


@pytest.mark.parametrize("command", COMMANDS)
def test_synthetic_digits_and_a_data_folder_contradict_each_other(cli, model, idx_folder, command):
    """Exit 2, and nothing is written below the folder."""
    before = contents(idx_folder)
    done = cli(*command.split(), *COMMANDS[command], "--dataset", "synthetic", "--data-dir", idx_folder)
    assert (done.code, done.out) == (2, "")
    assert "omit --data-dir" in done.err
    assert contents(idx_folder) == before


def test_a_folder_that_a_config_or_a_model_names_follows_the_same_rule(cli, tmp_path, rng):
    """The error names the file, and the option that helps."""
    Path("c.toml").write_text(f"data-dir = '{tmp_path / 'gone'}'", encoding="utf-8")
    Network([784, 10], rng=rng).save("m.npz", {"config": {"data-dir": str(tmp_path / "gone")}})
    for command, named_in in (
        (("train", "--config", "c.toml"), "c.toml"),
        (("evaluate", "m.npz"), "m.npz"),
        (("page", "m.npz"), "m.npz"),
    ):
        done = cli(*command)
        assert (done.code, done.out) == (2, "")
        assert f"{tmp_path / 'gone'}, which {named_in} names, does not exist; " in done.err
        assert "--data-dir" in done.err
    assert not (tmp_path / "gone").exists()


def test_a_variable_that_names_a_folder_of_other_things_is_refused(cli, tmp_path, monkeypatch):
    """MNIST_BP_DATA may be missing or empty, and is then a cache; a folder of other things is exit 2."""
    tables(tmp_path / "data")
    monkeypatch.setenv("MNIST_BP_DATA", str(tmp_path / "data"))
    before = contents(tmp_path / "data")
    for command in (
        ["train"],
        ["train", "--dataset", "synthetic"],
        ["gradcheck"],
        ["download"],
        ["download", "--list"],
    ):
        done = cli(*command)
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert f"MNIST_BP_DATA {tmp_path / 'data'} holds no dataset, but 2 files: " in done.err
    assert contents(tmp_path / "data") == before


def test_a_users_folder_named_by_the_variable_gets_no_synthetic_digits(cli, idx_folder, monkeypatch):
    """They are drawn anew each time."""
    monkeypatch.setenv("MNIST_BP_DATA", str(idx_folder))
    before = contents(idx_folder)
    assert cli("train", "--dataset", "synthetic", "--epochs", 1, "--output", "run").code == 0
    assert contents(idx_folder) == before


def test_explain_gradcheck_and_page_write_nothing_where_data_lie(cli, model, idx_folder, tmp_path, monkeypatch):
    """Neither a note of what they verified nor synthetic digits."""
    root = tmp_path / "cache"
    shutil.copytree(idx_folder, root / "mnist")
    for commands in (["explain", model], ["gradcheck", "--hidden", 4], ["page", model, "--output", "page.html"]):
        before = contents(root)
        assert cli(*commands).code == 0
        assert contents(root) == before
    monkeypatch.setenv("MNIST_BP_DATA", str(tmp_path / "none"))
    for commands in (["explain", model], ["gradcheck", "--hidden", 4], ["page", model, "--output", "page.html"]):
        assert cli(*commands).code == 0
        assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("layout", ["MNIST/raw", "archive.zip"])
def test_download_takes_a_dataset_from_every_layout_that_train_reads(cli, idx_folder, tmp_path, replace_entry, layout):
    """And --list finds it there."""
    contents = {name: (idx_folder / name).read_bytes() for name in FILE_NAMES}
    files = [PublishedFile(name, len(held), "", hashlib.sha256(held).hexdigest()) for name, held in contents.items()]
    replace_entry(DATASETS, "mnist", PublishedDataset("mnist", "its makers", tuple(files), (), "MNIST"))
    source = tmp_path / "source"
    if layout == "archive.zip":
        source.mkdir()
        with zipfile.ZipFile(source / layout, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in FILE_NAMES:
                archive.write(idx_folder / name, f"{name}/{name}")
    else:
        shutil.copytree(idx_folder, source / layout)
    assert cli("download", "--from", source).code == 0
    assert {path.name for path in (tmp_path / "cache/mnist").iterdir()} == {*FILE_NAMES, "manifest.json"}
    listed = {
        record.get("dataset"): record for record in cli("download", "--list", "--data-dir", source, "--json").records
    }
    found = listed["mnist" if layout == "MNIST/raw" else "own"]
    assert (found["state"], found["folder"]) == (
        ("intact", str(source / layout)) if layout == "MNIST/raw" else ("unverified", str(source))
    )
    if layout == "archive.zip":
        assert cli("download", "--from", source / layout, "--force").code == 0


def test_a_place_that_holds_no_dataset_is_not_taken_from(cli, tmp_path):
    """``--from`` a folder of other things: what it holds and what was expected."""
    tables(tmp_path / "data")
    done = cli("download", "--from", tmp_path / "data")
    assert done.code == 2
    assert "2 files: cities.csv, train.csv" in done.err


@pytest.mark.parametrize("command", [["download"], ["train", "--dataset", "mnist"], ["download", "--data-dir", "new"]])
def test_a_failed_download_leaves_no_folder(cli, tmp_path, command):
    """Neither in the cache nor where it was to be created."""
    assert cli(*command).code == 3
    assert not (tmp_path / "cache").exists()
    assert not Path("new").exists()


def test_a_run_records_which_data_it_is_about(cli, idx_folder, tmp_path):
    """mnist for MNIST, own for the user's files; with both, the config repeats the run."""
    shutil.copytree(idx_folder, tmp_path / "cache/mnist")
    for options, dataset, folder in (
        ((), "mnist", None),
        (("--data-dir", idx_folder), "own", str(idx_folder)),
        (("--dataset", "own", "--data-dir", idx_folder), "own", str(idx_folder)),
    ):
        shutil.rmtree("run", ignore_errors=True)
        assert cli("train", *options, "--epochs", 1, "--output", "run").code == 0
        config = tomllib.loads(Path("run/config.toml").read_text(encoding="utf-8"))
        assert (config["dataset"], config.get("data-dir")) == (dataset, folder)
        shutil.rmtree("again", ignore_errors=True)
        assert cli("train", "--config", "run/config.toml", "--output", "again").code == 0
        assert Path("again/config.toml").read_bytes() == Path("run/config.toml").read_bytes()
        assert cli("evaluate", "run").code == 0


def test_a_users_folder_that_the_variable_names_is_recorded(cli, idx_folder, monkeypatch):
    """The config repeats the run also where the variable is not set."""
    monkeypatch.setenv("MNIST_BP_DATA", str(idx_folder))
    assert cli("train", "--epochs", 1, "--output", "run").code == 0
    monkeypatch.delenv("MNIST_BP_DATA")
    assert cli("train", "--config", "run/config.toml", "--output", "again").code == 0


def test_own_files_need_a_folder_that_holds_them(cli, tmp_path):
    """``--dataset own`` without one: exit 2, and the option that is missing."""
    done = cli("train", "--dataset", "own")
    assert done.code == 2
    assert "--dataset own requires --data-dir" in done.err
    assert not (tmp_path / "cache").exists()


def old_run_on_mnist(cli, idx_folder, cache):
    """Train on MNIST and make the run one that records no dataset, as versions up to 0.1.0 wrote it."""
    from mnist_bp.storage import npz
    from mnist_bp.training import checkpoint

    shutil.copytree(idx_folder, cache / "mnist")
    assert cli("train", "--epochs", 1, "--output", "run").code == 0
    config = Path("run/config.toml")
    lines = config.read_text(encoding="utf-8").splitlines(keepends=True)
    config.write_text("".join(line for line in lines if not line.startswith("dataset")), encoding="utf-8")
    held = npz.read(Path("run/checkpoint.npz"), "checkpoint", [checkpoint.FORMAT])
    del held.meta["identity"]["dataset"]
    npz.write(Path("run/checkpoint.npz"), held.arrays, held.meta)


def test_an_older_run_that_records_no_dataset_resumes_and_then_records_it(cli, idx_folder, tmp_path):
    """The new key alone does not make it another training; other data do."""
    old_run_on_mnist(cli, idx_folder, tmp_path / "cache")
    other = shutil.copytree(idx_folder, tmp_path / "other")
    labels = bytearray((other / FILE_NAMES[1]).read_bytes())
    labels[-1] = (labels[-1] + 1) % 10
    (other / FILE_NAMES[1]).write_bytes(labels)
    done = cli("train", "--resume", "run", "--epochs", 2, "--data-dir", other)
    assert done.code == 2
    assert "training data (its digest)" in done.err
    assert cli("train", "--resume", "run", "--epochs", 2).code == 0
    assert tomllib.loads(Path("run/config.toml").read_text(encoding="utf-8"))["dataset"] == "mnist"
    assert cli("train", "--resume", "run", "--epochs", 3).code == 0


@pytest.mark.parametrize("place", ["run/config.toml", "copy.toml"])
def test_the_config_of_an_older_run_never_falls_back(cli, idx_folder, tmp_path, place):
    """Without MNIST, its config (also a copy) and --resume exit with 3; a config by the user falls back."""
    old_run_on_mnist(cli, idx_folder, tmp_path / "cache")
    shutil.copy("run/config.toml", "copy.toml")
    shutil.rmtree(tmp_path / "cache")
    for command in (("--config", place, "--output", "again"), ("--resume", "run", "--epochs", 2)):
        done = cli("train", *command)
        assert (done.code, done.out) == (3, "")
        assert not Path("again").exists()
    assert not (tmp_path / "cache").exists()
    Path("mine.toml").write_text("hidden = 'none'\nepochs = 1", encoding="utf-8")
    assert cli("train", "--config", "mine.toml", "--output", "mine").code == 0


def test_a_resume_without_data_does_not_make_its_config_synthetic(cli, idx_folder, tmp_path):
    """The data folder has moved: neither command trains, and neither leaves a folder there."""
    shutil.copytree(idx_folder, tmp_path / "dd/mnist")
    assert cli("train", "--data-dir", tmp_path / "dd", "--epochs", 1, "--output", "run").code == 0
    (tmp_path / "dd").rename(tmp_path / "moved")
    assert cli("train", "--resume", "run", "--epochs", 2).code == 2
    assert cli("train", "--config", "run/config.toml", "--output", "again").code == 2
    (tmp_path / "dd/mnist").mkdir(parents=True)  # what older versions left there
    assert cli("train", "--resume", "run", "--epochs", 2).code == 3
    assert cli("train", "--config", "run/config.toml", "--output", "again").code == 3
    assert not Path("again").exists()
    assert cli("train", "--resume", "run", "--epochs", 2, "--data-dir", tmp_path / "moved").code == 0


def test_an_older_run_that_fell_back_in_a_data_folder_resumes(cli, tmp_path):
    """Its config names synthetic digits and the folder in which MNIST was not found; the folder no longer matters."""
    assert cli("train", "--epochs", 1, "--output", "run").code == 0
    config = Path("run/config.toml")
    config.write_text(f"data-dir = '{tmp_path / 'typo'}'\n" + config.read_text(encoding="utf-8"), encoding="utf-8")
    assert cli("train", "--resume", "run", "--epochs", 2).code == 0
    assert not (tmp_path / "typo").exists()


def test_a_gate_refuses_the_fallback(cli, tmp_path):
    """In train and in evaluate, at once and later: exit 3, unless synthetic digits were asked for."""
    done = cli("train", "--epochs", 1, "--min-accuracy", 0, "--output", "run")
    assert (done.code, done.out) == (3, "")
    assert "--min-accuracy requires MNIST, or --dataset synthetic" in done.err
    assert not Path("run").exists()
    Path("gate.toml").write_text("min-accuracy = 0\nepochs = 1", encoding="utf-8")
    assert cli("train", "--config", "gate.toml").code == 3
    assert cli("train", "--seeds", 2, "--epochs", 1, "--min-accuracy", 0).code == 3

    assert cli("train", "--epochs", 1, "--output", "fallen").code == 0
    assert cli("evaluate", "fallen", "--min-accuracy", 0).code == 3
    assert cli("train", "--resume", "fallen", "--epochs", 2, "--min-accuracy", 0).code == 3
    assert cli("train", "--resume", "fallen", "--epochs", 2).code == 0
    assert cli("evaluate", "fallen", "--min-accuracy", 0).code == 3
    assert cli("evaluate", "fallen", "--min-accuracy", 0, "--dataset", "synthetic").code == 0

    said = ("--dataset", "synthetic", "--epochs", 1, "--output", "said", "--min-accuracy", 0)
    assert cli("train", *said).code == 0
    assert cli("evaluate", "said", "--min-accuracy", 0).code == 0
