"""Other things than ten digits: a folder with more classes, and classes with names."""

import gzip
import shutil

import numpy as np
import pytest

from mnist_bp.data import idx
from mnist_bp.data.choices import DATASETS
from mnist_bp.data.names import FILE_NAMES

LETTERS = 26


@pytest.fixture
def letters(tmp_path, rng):
    """A folder of images of 3 × 5 pixels with labels from 0 to 25."""
    folder = tmp_path / "letters"
    folder.mkdir()
    for name, count in zip(FILE_NAMES, (260, 260, 52, 52), strict=True):
        array = np.arange(count) % LETTERS if "labels" in name else rng.integers(0, 256, (count, 3, 5))
        with (folder / name).open("wb") as file:
            idx.write(file, array.astype(np.uint8))
    return folder


@pytest.mark.parametrize("options", [(), ("--classes", LETTERS)])
def test_more_classes_make_more_outputs(cli, letters, options):
    """15 pixels and 26 letters: every command takes the network's sizes from them, by itself."""
    trained = cli("train", "--data-dir", letters, *options, "--epochs", 1, "--output", "run", "--json")
    assert (trained.code, trained.err.count("\n") > 0) == (0, True)
    assert trained.records[0]["sizes"] == [15, 16, 16, LETTERS]
    evaluated = cli("evaluate", "run", "--json").records[0]
    assert np.shape(evaluated["confusion"]) == (LETTERS, LETTERS)
    assert "name" not in evaluated["per_class"][0]
    assert cli("train", "--config", "run/config.toml", "--output", "again").code == 0
    fresh = ("--data-dir", letters, *options, "--hidden", 3)
    few = ("--examples", 4)
    assert cli("gradcheck", *fresh, *few).code == 0
    assert cli("gradcheck", "run", *few).code == 0
    assert cli("gradcheck", "--self-test", *fresh[:-2], *few).code == 0
    assert f"requests of all {LETTERS} outputs" in cli("explain", "--fresh", *fresh).out
    assert cli("explain", "run").code == 0


def test_labels_beyond_the_classes_are_bad_input(cli, letters):
    """The error says which option gives their number."""
    done = cli("train", "--data-dir", letters, "--epochs", 1, "--classes", 10)
    assert done.code == 2
    assert "label 10 of example 10; expected labels from 0 to 9 (--classes)" in done.err


@pytest.mark.parametrize(("given", "code"), [(0, 2), (257, 2), (256, 0)])
def test_there_may_be_up_to_256_classes(cli, letters, given, code):
    """A label is one byte."""
    assert cli("train", "--data-dir", letters, "--classes", given, "--epochs", 1, "--hidden", "none").code == code


def test_a_known_dataset_has_ten_classes(cli):
    """``--classes`` is for the user's files."""
    done = cli("train", "--dataset", "synthetic", "--classes", 26, "--epochs", 1)
    assert done.code == 2
    assert "synthetic has 10 classes, not 26" in done.err


def test_clothes_have_names_wherever_they_are_shown(cli, tmp_path, idx_folder):
    """Fashion-MNIST's classes are named in both tables of evaluate, in its record, and by explain."""
    folder = tmp_path / "cache" / "fashion-mnist"
    folder.mkdir(parents=True)
    for name in FILE_NAMES:
        (folder / f"{name}.gz").write_bytes(gzip.compress((idx_folder / name).read_bytes()))
    assert cli("train", "--dataset", "fashion-mnist", "--epochs", 1, "--output", "run").code == 0
    text = cli("evaluate", "run").out
    for name in ("T-shirt/top 0", "Ankle boot 9"):
        assert text.count(name) == 2
    per_class = cli("evaluate", "run", "--json").records[0]["per_class"]
    assert [per_class[label]["name"] for label in (0, 9)] == ["T-shirt/top", "Ankle boot"]
    explained = cli("explain", "run", "--example", 0).out
    label = cli("explain", "run", "--example", 0, "--json").records[0]["label"]
    assert f" set, {DATASETS['fashion-mnist'].class_names[label]} {label}\n" in explained
    assert "by class: T-shirt/top 0: " in explained
    assert "\nAnkle boot 9" in explained  # among the outputs


def test_an_empty_folder_is_named_where_other_classes_are_asked_for(cli, tmp_path):
    """The user sees what is missing there."""
    (tmp_path / "empty").mkdir()
    empty = cli("train", "--data-dir", tmp_path / "empty", "--classes", 26)

    assert empty.code == 2
    assert f"{tmp_path / 'empty'} holds no dataset, and mnist has 10 classes, not 26" in empty.err


def test_a_cache_with_mnist_is_not_said_to_be_empty(cli, tmp_path, idx_folder):
    """Its dataset has 10 classes, and no folder is to blame."""
    shutil.copytree(idx_folder, tmp_path / "cache/mnist")
    full = cli("train", "--data-dir", tmp_path / "cache", "--classes", 26)

    assert full.code == 2
    assert "mnist-bp: mnist has 10 classes, not 26" in full.err
