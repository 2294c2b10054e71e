"""``--delete`` of runs and datasets: only the program's own files, after asking, and never through links."""

import io
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
from mirrors import published, serving

from mnist_bp.data.choices import DATASETS
from mnist_bp.storage.atomic import lock

SETTINGS = ["--dataset", "synthetic", "--limit", "100", "--hidden", "3", "--epochs", "1"]
posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows needs a privilege for links")


@pytest.fixture(autouse=True)
def _few_digits(few_synthetic_digits):
    few_synthetic_digits(100, 50)


@pytest.fixture
def run(trained):
    """Return the folder of a finished run."""
    return trained(*SETTINGS)


@pytest.fixture
def answer(monkeypatch):
    """Let standard input be a terminal on which the user types an answer."""

    def arrange(text):
        stream = io.StringIO(f"{text}\n")
        stream.isatty = lambda: True
        monkeypatch.setattr(sys, "stdin", stream)

    return arrange


def line_of(done, code):
    """Return the only line of an error."""
    (line,) = done.err.splitlines()
    assert done.code == code
    return line


@pytest.mark.usefixtures("blank_figures")
@pytest.mark.parametrize("plot_format", ["png", "svg"])
def test_a_run_is_deleted_with_all_its_files(cli, trained, plot_format):
    """Also its page, its plots and a part that a killed training left."""
    run = trained(*SETTINGS, "--plot", "--plot-format", plot_format)
    assert cli("page", run).code == 0
    (run / ".model.npz.0123456789abcdef.part").touch()
    count = len([*run.iterdir()])
    [record] = cli("runs", "--delete", run, "--yes", "--json").records
    assert (record["event"], record["folder"], record["files"], record["left"]) == ("deleted", "run", count, [])
    assert record["bytes"] > 0
    assert not run.exists()


def test_a_run_is_found_by_its_name_and_latest_is_forgotten(cli):
    """``runs/latest`` does not name a run that is gone."""
    assert cli("train", *SETTINGS, "--name", "mine").code == 0
    assert cli("runs", "--delete", "mine", "--yes").code == 0
    assert [*Path("runs").iterdir()] == []


def test_all_seeds_are_deleted(cli, series):
    """The folder of several runs goes with them."""
    assert cli("runs", "--delete", "series", "--yes").code == 0
    assert not Path("series").exists()


@posix
def test_other_files_and_links_stay(cli, run, tmp_path):
    """A file of the user, a link with a run's name and its target, a folder."""
    (tmp_path / "theirs").write_text("theirs")
    (run / "notes.txt").write_text("mine")
    (run / "checkpoint.npz").unlink()
    (run / "checkpoint.npz").symlink_to(tmp_path / "theirs")
    (run / "more").mkdir()
    done = cli("runs", "--delete", run, "--yes")
    assert done.code == 0
    assert "left there, because mnist-bp did not write it: checkpoint.npz, more, notes.txt" in " ".join(
        done.out.split()
    )
    assert sorted(path.name for path in run.iterdir()) == ["checkpoint.npz", "more", "notes.txt"]
    assert (tmp_path / "theirs").read_text() == "theirs"


@posix
def test_a_link_to_a_run_is_refused(cli, run):
    """Neither the link nor the run is deleted."""
    Path("link").symlink_to(run)
    assert "link is a link, and links are not followed" in line_of(cli("runs", "--delete", "link", "--yes"), 2)
    assert (run / "model.npz").exists()


@posix
def test_a_seed_that_is_a_link_is_not_followed(cli, run, series):
    """The other run stays whole."""
    Path("series/seed-7").symlink_to(run.resolve())
    before = sorted(run.iterdir())
    assert cli("runs", "--delete", "series", "--yes").code == 0
    assert sorted(run.iterdir()) == before


def test_a_running_run_is_refused(cli, run, trained):
    """Its history is locked; another run that is named is not deleted either."""
    trained(*SETTINGS, output="other")
    with (run / "history.jsonl").open("r+b") as file:
        assert lock(file.fileno())
        assert "run is running" in line_of(cli("runs", "--delete", "other", run, "--yes"), 2)
    assert (run / "model.npz").exists()
    assert Path("other/model.npz").exists()


@pytest.mark.parametrize("target", ["folder", "absent", "file"])
def test_what_is_no_run_is_refused(cli, target):
    """A folder without a config, with model.npz or not."""
    Path("folder").mkdir()
    Path("folder/model.npz").touch()
    Path("file").touch()
    line_of(cli("runs", "--delete", target, "--yes"), 2)
    assert Path("folder/model.npz").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--delete"], "--delete requires RUN"),
        (["--yes"], "--yes requires --delete"),
        (["--delete", "run", "--sort", "epochs"], "leave out --sort"),
        (["--delete", "run"], "there is no terminal: add --yes"),
    ],
)
def test_misuse_is_one_line(cli, run, words, said):
    """Nothing is deleted."""
    assert said in line_of(cli("runs", *words), 2)
    assert (run / "model.npz").exists()


@pytest.mark.parametrize(("text", "code"), [("y", 0), ("n", 1), ("", 1)])
def test_the_user_is_asked(cli, run, answer, text, code):
    """Only yes deletes. The question names what is deleted, and how large it is."""
    answer(text)
    done = cli("runs", "--delete", run)
    assert done.code == code
    assert "Delete 1 run (0.0 MB): run?" in done.err
    assert run.exists() == (code == 1)


# --- datasets --------------------------------------------------------------------------------------------------------


@pytest.fixture
def cache(cli, replace_entry, tmp_path):
    """Return the folder of a dataset that was downloaded."""
    with serving() as server:
        replace_entry(DATASETS, "mnist", published(server.url("good")))
        assert cli("download", "mnist").code == 0
    return tmp_path / "cache" / "mnist"


def test_a_dataset_is_deleted(cli, cache):
    """Its folder goes, too; a file of the user stays."""
    (cache / "train-labels-idx1-ubyte.damaged").touch()
    (cache.parent / "mine").touch()
    assert cli("download", "--delete", "mnist", "--yes").code == 0
    assert [path.name for path in cache.parent.iterdir()] == ["mine"]


def test_files_of_the_user_in_a_cache_stay(cli, cache):
    """The program did not write them."""
    (cache / "notes.txt").touch()
    done = cli("download", "--delete", "mnist", "--yes", "--json")
    assert done.records[0]["left"] == ["notes.txt"]
    assert [path.name for path in cache.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("manifest", [None, '{"name": "theirs"}'])
def test_a_folder_that_was_not_downloaded_is_refused(cli, cache, manifest):
    """It has the files of a dataset, and no manifest of this program."""
    (cache / "manifest.json").unlink()
    if manifest:
        (cache / "manifest.json").write_text(manifest)
    count = len([*cache.iterdir()])
    assert "was not downloaded by mnist-bp" in line_of(cli("download", "--delete", "mnist", "--yes"), 2)
    assert len([*cache.iterdir()]) == count


@posix
def test_a_cache_that_is_a_link_is_refused(cli, cache):
    """The folder that it names stays."""
    cache.rename(cache.parent.parent / "elsewhere")
    cache.symlink_to(cache.parent.parent / "elsewhere")
    assert "is a link, and links are not followed" in line_of(cli("download", "--delete", "mnist", "--yes"), 2)
    assert (cache / "manifest.json").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--delete", "--yes"], "--delete requires DATASET"),
        (["mnist", "--yes"], "--yes requires --delete"),
        (["mnist", "--delete"], "there is no terminal: add --yes"),
    ],
)
def test_misuse_of_download_is_one_line(cli, cache, words, said):
    """Nothing is deleted."""
    assert said in line_of(cli("download", *words), 2)
    assert (cache / "manifest.json").exists()


# --- searches --------------------------------------------------------------------------------------------------------


@pytest.fixture
def found(run_once):
    """Return the folder of a finished search, with its best setting."""
    pytest.importorskip("optuna")
    search = ["search", *SETTINGS, "--learning-rate", "0.5:5", "--trials", "1", "--output", "found", "--quiet"]
    return Path(shutil.copytree(run_once(*search) / "found", "found"))


def let_a_trial_run(folder, seconds):
    """Record a running trial in a study, whose last sign of life is this number of seconds old."""
    with closing(sqlite3.connect(folder / "study.db")) as database, database:
        database.execute("UPDATE trials SET state = 'RUNNING'")
        database.execute("DELETE FROM trial_heartbeats")
        database.execute(
            "INSERT INTO trial_heartbeats (trial_id, heartbeat) SELECT trial_id, datetime('now', ?) FROM trials",
            [f"-{seconds} seconds"],
        )


@pytest.mark.parametrize("trial", [None, 100])
def test_a_search_is_deleted_like_a_run(cli, found, run, trial):
    """Study, best setting and figures, also if it was killed a while ago, together with runs; other files stay."""
    if trial is not None:
        let_a_trial_run(found, trial)
    (found / "settings.png").touch()
    (found / "notes.txt").write_text("mine")
    records = cli("runs", "--delete", found, run, "--yes", "--json").records
    assert [each["folder"] for each in records] == ["run", "found"]
    assert (records[1]["files"], records[1]["left"]) == (3, ["notes.txt"])
    assert [path.name for path in found.iterdir()] == ["notes.txt"]
    assert not run.exists()


def test_a_search_that_runs_is_refused(cli, found, run):
    """Nothing is deleted, neither of it nor of a run that is named, too."""
    let_a_trial_run(found, 5)
    assert "found is running, or was killed" in line_of(cli("runs", "--delete", run, found, "--yes"), 2)
    assert (found / "study.db").exists()
    assert (run / "model.npz").exists()


@pytest.mark.parametrize(
    ("trial", "state"),
    [
        (None, "(finished): 1 of 1 trials, best validation accuracy "),
        (5, "(running): 0 of 1 trials"),
        (100, "(unfinished)"),
    ],
)
def test_searches_are_listed(cli, found, trial, state):
    """In a folder of searches, and by their own folder; a damaged one is named."""
    if trial is not None:
        let_a_trial_run(found, trial)
    Path("searches").mkdir()
    found.rename("searches/first")
    first, number = cli("runs", "searches/first").out.splitlines()
    assert first.startswith(f"search    searches/first {state}")
    assert number == "1 search in searches/first"
    [record] = cli("runs", "searches", "--json").records
    assert (record["event"], record["folder"], record["state"]) == (
        "search",
        "searches/first",
        state.strip("()").split(")")[0],
    )
    Path("searches/second").mkdir()
    Path("searches/second/study.db").write_text("text" * 1000)
    lines = cli("runs", "searches").out.splitlines()
    assert lines[1].startswith("search    searches/second (damaged): searches/second/study.db is not the study")
    assert lines[2] == "2 searches in searches"


@pytest.mark.parametrize("kind", ["empty", "text", "foreign", "endless", "folder"])
def test_a_study_of_another_program_is_not_deleted(cli, kind):
    """A database of that name, whatever is in it, even a view without an end."""
    study = Path("found/study.db")
    study.parent.mkdir()
    if kind == "folder":
        study.mkdir()
    elif kind == "text":
        study.write_text("text" * 1000)
    else:
        with closing(sqlite3.connect(study)) as database, database:
            if kind == "foreign":
                database.execute("CREATE TABLE study_user_attributes (key TEXT, value_json TEXT)")
                database.execute("CREATE TABLE trials (trial_id, state)")
                database.execute("CREATE TABLE trial_heartbeats (trial_id, heartbeat)")
                database.execute("INSERT INTO study_user_attributes VALUES ('other', '{}')")
            if kind == "endless":
                database.execute(
                    "CREATE VIEW study_user_attributes AS WITH RECURSIVE n(key) AS (SELECT 1 UNION ALL "
                    "SELECT key + 1 FROM n) SELECT key, key AS value_json FROM n"
                )
    assert "is not the study of a search" in line_of(cli("runs", "--delete", "found", "--yes"), 2)
    assert study.exists()


@posix
def test_a_link_to_a_search_is_refused(cli, found):
    """Also a link in place of its study."""
    Path("link").symlink_to(found)
    assert "link is a link, and links are not followed" in line_of(cli("runs", "--delete", "link", "--yes"), 2)
    Path("other").mkdir()
    Path("other/study.db").symlink_to(Path("found/study.db").resolve())
    assert "is not the study of a search" in line_of(cli("runs", "--delete", "other", "--yes"), 2)
    assert (found / "study.db").exists()


def test_the_question_counts_runs_and_searches(cli, found, run, answer):
    """They are different things."""
    answer("n")
    assert "Delete 1 run and 1 search (" in cli("runs", "--delete", found, run).err
