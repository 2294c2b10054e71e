"""The folder of a run, and which run is the latest."""

import json
import os
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from mnist_bp.errors import InputError, StorageError
from mnist_bp.network import Network, load_network
from mnist_bp.training import run_folder
from mnist_bp.training.run_files import LATEST
from mnist_bp.training.run_folder import RunFolder
from mnist_bp.training.run_paths import find_config, find_model, find_run


@pytest.fixture
def network(rng):
    """A network that is quick to save."""
    return Network([4, 3, 2], rng=rng)


def start(folder=None, options=None):
    """A run of that network."""
    return RunFolder.create(None if folder is None else Path(folder), (4, 3, 2), options or {"epochs": 3})


def test_a_run_keeps_its_config_from_the_start():
    """The config is there before the first epoch, and reads back the same."""
    run = start(options={"hidden": "16,16", "learning-rate": 2.0, "seed": 0})
    config = (run.folder / "config.toml").read_text(encoding="utf-8")
    assert tomllib.loads(config) == {"hidden": "16,16", "learning-rate": 2.0, "seed": 0}


def test_history_is_on_disk_after_each_epoch():
    """A run that dies keeps the records of its epochs."""
    run = start()
    for epoch in (1, 2):
        run.record({"epoch": epoch})
        lines = (run.folder / "history.jsonl").read_text(encoding="utf-8").splitlines()
        assert [json.loads(line)["epoch"] for line in lines] == list(range(1, epoch + 1))


def test_the_model_keeps_its_metadata(network):
    """Parameters and metadata are read back as they were saved."""
    run = start()
    run.save(network, {"dataset": "few", "epochs": 2})
    loaded, meta = load_network(run.model)
    np.testing.assert_array_equal(loaded.parameters, network.parameters)
    assert (meta.dataset, meta.epochs) == ("few", 2)


def test_runs_of_the_same_second_do_not_collide(monkeypatch):
    """The name is the time and the sizes; a number behind it tells runs of one second apart."""
    monkeypatch.setattr("time.strftime", lambda _: "20260102-030405")
    names = [start().folder for _ in range(3)]
    stem = "20260102-030405-4-3-2"
    assert names == [Path("runs", stem), Path("runs", f"{stem}.2"), Path("runs", f"{stem}.3")]


def test_a_folder_that_holds_a_run_is_refused():
    """A second run into the same folder is bad input, and the first one stays as it was."""
    run = start("mine", {"seed": 1})
    with pytest.raises(
        InputError,
        match=r"mine already contains a run \(config.toml, history.jsonl, run.json\): .* continue it with --resume",
    ):
        start("mine", {"seed": 2})
    assert (run.folder / "config.toml").read_text(encoding="utf-8") == "seed = 1\n"


def test_where_one_was_killed_as_it_began_another_can_begin():
    """An empty history is no run; one with records, whatever has become of the rest, is not written over."""
    Path("mine").mkdir()
    Path("mine/history.jsonl").touch()
    start("mine").close()
    assert Path("mine/config.toml").is_file()
    Path("other").mkdir()
    Path("other/history.jsonl").write_text("{}\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"other already contains a run \(history.jsonl\): choose .* remove it first$"):
        start("other")


@pytest.mark.parametrize(
    ("is_over", "said"), [(False, "another training is writing to"), (True, "already contains a run")]
)
def test_of_two_that_begin_in_a_folder_at_once_one_does(monkeypatch, is_over, said):
    """Both have seen that there is no run: the second is refused, while the first trains and when it has let go."""
    look, first = run_folder._given_folder, []

    def look_and_wait(folder):
        found = look(folder)
        monkeypatch.setattr(run_folder, "_given_folder", look)
        first.append(RunFolder.create(found, (4, 3, 2), {"seed": 1}))
        if is_over:
            first[0].close()
        return found

    folder = Path("mine")
    monkeypatch.setattr(run_folder, "_given_folder", look_and_wait)
    with pytest.raises(InputError, match=said):
        RunFolder.create(folder, (4, 3, 2), {"seed": 2})
    assert (folder / "config.toml").read_text(encoding="utf-8") == "seed = 1\n"
    first[0].record({"epoch": 1})  # it is not disturbed, or can claim it again
    first[0].close()


def test_a_run_that_has_lost_its_checkpoint_does_not_start_over():
    """Before its first epoch has ended, it has none and restarts; later, finished epochs would be lost."""
    run = start("mine")
    run.record({"epoch": 1})
    assert RunFolder.reopen(Path("mine")).folder == Path("mine")
    run.record({"epoch": 2})
    with pytest.raises(InputError, match=r"cannot resume .*mine: history.jsonl has several epochs"):
        RunFolder.reopen(Path("mine"))


def test_an_existing_folder_with_other_things_is_taken():
    """Only a run is in the way; a parent that is missing is made."""
    Path("mine").mkdir()
    Path("mine/notes.txt").touch()
    assert start("mine").folder == Path("mine")
    assert start("new/deep").folder.is_dir()


def test_a_file_in_the_folders_place_is_refused():
    """A file cannot be the folder of a run, nor hold one."""
    Path("file").touch()
    with pytest.raises(InputError, match="file is a file"):
        start("file")
    with pytest.raises(StorageError, match="cannot write file"):
        start("file/run")


def test_an_option_that_toml_cannot_hold_is_refused():
    """A path that is no UTF-8 has no place in config.toml: said before anything is trained."""
    with pytest.raises(InputError, match="not UTF-8"):
        start("mine", {"data-dir": "data\udcff"})
    assert not Path("mine").exists()


def test_the_latest_run_is_the_one_saved_last(network):
    """Without a target, the model is that of the last run, in runs/ or elsewhere."""
    first = start()
    first.save(network, {})
    assert find_model(None) == first.model
    second = start("else where/ü")
    second.save(network, {})
    assert find_model(None) == second.model.resolve()
    assert os.fsdecode(Path("runs/latest").read_bytes()) == str(second.folder.resolve())


@pytest.mark.skipif(sys.platform != "linux", reason="a file system that takes any bytes as a name")
def test_a_folder_whose_name_is_not_utf8(network):
    """Such a run is saved and found like any other."""
    run = start(os.fsdecode(b"\xff"))
    run.save(network, {})
    assert find_model(None) == run.model.resolve()


def test_a_run_elsewhere_needs_no_place_for_latest(network):
    """If runs/ cannot be created, a run in another folder is still saved."""
    Path("runs").touch()
    run = start("mine")
    run.save(network, {})
    assert run.model.is_file()


def test_a_target_is_a_folder_or_a_file(network):
    """A run's folder stands for its model; a model file for itself."""
    run = start("mine")
    run.save(network, {})
    assert find_model(Path("mine")) == run.model
    assert find_model(run.model) == run.model


@pytest.mark.parametrize("target", ["missing", "empty"])
def test_a_target_without_a_model_is_refused(target):
    """Neither a missing path nor an empty folder has a model."""
    Path("empty").mkdir()
    with pytest.raises(
        InputError,
        match=rf"{target} is not a model: expected a model.npz, the folder of a run, a file or the name of",
    ):
        find_model(Path(target))


@pytest.mark.parametrize("name", ["", "config.toml", "history.jsonl", "checkpoint.npz", "model.npz", "page.html",
                                  "confusion.png", "mistakes.svg"])  # fmt: skip
def test_a_folder_and_every_file_of_a_run_name_the_run(network, name):
    """So does ``latest``, also from another working folder; other files stand for themselves."""
    run = start("mine")
    run.save(network, {})
    target = run.folder / name
    if name:
        target.touch()
    assert (find_run(target), find_model(target), find_config(target)) == (run.folder, run.model, run.config)
    other = run.folder / "other.toml"
    other.touch()
    assert find_model(other) == find_config(other) == other
    with pytest.raises(InputError, match=r"other.toml is not a run: expected a folder with a config.toml, a file"):
        find_run(other)


@pytest.mark.parametrize("folder", [None, "else/where"])
def test_latest_names_the_latest_run(network, monkeypatch, folder):
    """A run in ``runs`` or elsewhere; from any working folder."""
    run = start(folder)
    run.save(network, {})
    folder, work = run.folder.resolve(), Path.cwd()
    for place, latest in ((work, "runs/latest"), (work / "runs", "latest"), (work.parent, "work/runs/latest")):
        monkeypatch.chdir(place)
        found = [find(Path(latest)).resolve() for find in (find_run, find_model, find_config)]
        assert found == [folder, folder / "model.npz", folder / "config.toml"]


def test_files_outside_of_a_run_name_none(network):
    """A model that was copied stands for itself, whatever lies beside it."""
    for name in ("model.npz", "checkpoint.npz", "page.html"):
        Path(name).touch()
        assert find_model(Path(name)) == Path(name)
        with pytest.raises(InputError, match="is not a run"):
            find_run(Path(name))


def test_latest_that_is_a_folder_is_reported(network):
    """Training again would not help: another run may be named."""
    Path("runs/latest").mkdir(parents=True)
    start("mine").save(network, {})
    with pytest.raises(InputError, match="is a folder; expected a file with the latest run: give a RUN or a MODEL"):
        find_model(None)


def test_what_killed_trainings_left_beside_latest_goes(network):
    """But not what another training may be writing right now."""
    Path("runs").mkdir()
    old, new = (Path(f"runs/.latest.0123456789abcde{end}.part") for end in "01")
    for part in (old, new):
        part.touch()
    os.utime(old, (0, 0))
    start("mine").save(network, {})
    assert (old.exists(), new.exists()) == (False, True)


@pytest.mark.parametrize("latest", [b"gone", b"\xff\xfe", b"", b"a\0b", b"x" * 100_000])
def test_latest_that_leads_nowhere_is_refused(latest):
    """A run that was deleted, or a damaged file, is bad input."""
    Path("runs").mkdir()
    Path("runs/latest").write_bytes(latest)
    for find, target in ((find_model, None), (find_model, LATEST), (find_run, LATEST), (find_config, LATEST)):
        with pytest.raises(InputError, match=r"latest names .* not a folder: give a RUN|latest \(runs\) is not a "):
            find(target)


def test_without_a_run_it_is_reported_how_to_make_one():
    """The message names the command."""
    with pytest.raises(InputError, match="create one with mnist-bp train"):
        find_model(None)
