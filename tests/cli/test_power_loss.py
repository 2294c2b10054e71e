"""Power failures: the order in which files reach the disk, and histories that lost epochs."""

import json
import math
import os
import sys
from pathlib import Path

import pytest

from mnist_bp.page.content import learning_curves
from mnist_bp.reports.chart import chart
from mnist_bp.storage.atomic import make_folder
from mnist_bp.training.history import read_epochs

TRAIN = ["train", "--dataset", "synthetic", "--limit", "100", "--hidden", "3", "--quiet"]
HISTORY = Path("run/history.jsonl")


@pytest.fixture(autouse=True)
def _few_digits(few_synthetic_digits):
    few_synthetic_digits(100, 50)


@pytest.mark.skipif(sys.platform == "win32", reason="needs inodes")
def test_the_history_is_on_disk_before_the_checkpoint(cli, monkeypatch):
    """With each checkpoint that appears, the record of its epoch has been flushed."""
    flushed, seen = [0], []
    sync, replace = os.fsync, os.replace

    def spied_sync(descriptor):
        sync(descriptor)
        if HISTORY.exists() and os.fstat(descriptor).st_ino == HISTORY.stat().st_ino:
            flushed[0] = len(HISTORY.read_text().splitlines())

    def spied_replace(source, target):
        replace(source, target)
        if Path(target).name == "checkpoint.npz":
            seen.append(flushed[0])

    monkeypatch.setattr(os, "fsync", spied_sync)
    monkeypatch.setattr(os, "replace", spied_replace)
    assert cli(*TRAIN, "--epochs", "3", "--output", "run").code == 0
    assert seen == [1, 2, 3]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows syncs no folders")
def test_new_folders_are_on_disk(tmp_path, monkeypatch):
    """The name of each new folder is in the folder above it."""
    synced = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino))
    inodes = [tmp_path.stat().st_ino]
    make_folder(tmp_path / "a" / "b" / "c")
    inodes += [path.stat().st_ino for path in (tmp_path / "a", tmp_path / "a" / "b")]
    assert sorted(synced) == sorted(inodes)
    synced.clear()
    make_folder(tmp_path / "a" / "b" / "c")
    assert synced == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows syncs no folders")
def test_the_parents_of_an_output_are_on_disk(cli, monkeypatch):
    """``--output a/b/c`` creates three folders."""
    synced = set()
    sync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.add(os.fstat(descriptor).st_ino) or sync(descriptor))
    assert cli(*TRAIN, "--epochs", "1", "--output", "a/b/c").code == 0
    assert {path.stat().st_ino for path in map(Path, (".", "a", "a/b", "a/b/c"))} <= synced


@pytest.fixture
def damaged(cli):
    """Return the run of 5 epochs whose third and fourth record were lost, and whose checkpoint was, too."""
    assert cli(*TRAIN, "--epochs", "4", "--output", "run").code == 0
    checkpoint = Path("run/checkpoint.npz").read_bytes()
    assert cli("train", "--resume", "run", "--epochs", "5", "--quiet").code == 0
    lines = HISTORY.read_text().splitlines(keepends=True)
    HISTORY.write_text("".join([*lines[:2], lines[4]]))
    Path("run/checkpoint.npz").write_bytes(checkpoint)
    return Path("run")


def test_resume_reports_lost_epochs(cli, damaged):
    """The records that are left stay, each epoch once, and a line says how many are lost."""
    done = cli("train", "--resume", damaged, "--epochs", "6")
    assert done.code == 0
    assert f"{HISTORY} has 2 of 4 epochs: the others were lost" in " ".join(done.out.split())
    assert [json.loads(line)["epoch"] for line in HISTORY.read_text().splitlines()] == [1, 2, 5, 6]


def test_resume_of_a_whole_history_reports_nothing(cli):
    """No warning without a loss."""
    assert cli(*TRAIN, "--epochs", "2", "--output", "run").code == 0
    assert "lost" not in cli("train", "--resume", "run", "--epochs", "3").out


def test_curves_show_where_epochs_were_lost(damaged):
    """On the page, in a figure and in the terminal, a curve is interrupted."""
    curves = learning_curves(read_epochs(HISTORY))
    assert curves["epoch"] == [1, 2, 3, 5]
    assert [value is None for value in curves["test_cost"]] == [False, False, True, False]
    pytest.importorskip("matplotlib")
    from mnist_bp.reports.figures.curves import _with_gaps

    epochs, figures = _with_gaps([1, 2, 5], [0.5, 0.4, 0.3])
    assert (epochs, [*map(math.isnan, figures)]) == ([1, 2, 3, 5], [False, False, True, False])
    line = next(line for line in chart([("a", [(1, 1.0), (2, 1.0), (7, 1.0), (8, 1.0)])], 60, 1) if "a" in line)
    assert "a" * 5 + " " in line
