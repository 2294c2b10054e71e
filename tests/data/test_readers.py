"""Datasets in every format that people have: a small set is written in it, and the same arrays are read."""

import gzip
import os
import pickle
import re
import struct
import zipfile

import numpy as np
import pytest
from written_sets import (
    IN_ARCHIVES,
    SPLITS,
    WRITERS,
    assert_same,
    named_arrays,
    png,
    random_set,
    sorted_by_class,
    write_csv,
    write_idx,
    write_npz,
    write_pictures,
    zipped,
)

from mnist_bp.data import idx
from mnist_bp.data.datasets import Examples, load
from mnist_bp.data.formats import READERS, recognize
from mnist_bp.data.layouts import FORMATS, MANUAL, REFUSED, table_rows
from mnist_bp.data.names import FILE_NAMES
from mnist_bp.data.options import DataOptions
from mnist_bp.errors import InputError
from mnist_bp.training.data_settings import DATA_SETTINGS


@pytest.mark.parametrize(("name", "number", "in_archive"), IN_ARCHIVES)
def test_every_format_gives_the_same_arrays_back(tmp_path, rng, name, number, in_archive):
    """A set is written, in a folder or zipped, and read: equal images, labels and number of classes."""
    sets = random_set(rng)
    place = WRITERS[name][number](sets, tmp_path / "set")
    if in_archive:
        place = zipped(tmp_path / "set")
    dataset = load(None, place)
    assert_same(dataset, sorted_by_class(sets) if name == "pictures" else sets)
    assert (dataset.classes, dataset.name) == (3, place.stem)


def test_every_format_has_a_reader_and_a_test():
    """Descriptions for help, readers and tests name the same formats."""
    assert list(FORMATS) == list(READERS) == list(WRITERS)


def test_tables_in_pieces_are_the_same(tmp_path, rng, monkeypatch):
    """A CSV file is parsed in pieces, which may end after any line."""
    sets = random_set(rng, examples=(50, 20))
    monkeypatch.setattr("mnist_bp.data.readers.csv_files.PIECE", 300)
    assert_same(load(None, write_csv(sets, tmp_path / "set")), sets)


def test_the_header_of_a_table_gives_the_shape_of_its_images(tmp_path, rng):
    """Headings 1x1 to 4x9 are images of 4 × 9; without a header, images are square."""
    sets = random_set(rng, (4, 9))
    assert_same(load(None, write_csv(sets, tmp_path / "set")), sets)
    no_shape = random_set(rng, (4, 8))
    with pytest.raises(InputError, match="32 columns of pixels are no square image"):
        load(None, write_csv(no_shape, tmp_path / "other", header=False))


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("change", [lambda x: x[..., None], lambda x: x[:, None], lambda x: x.reshape(len(x), -1)])
def test_arrays_of_other_layouts_are_images(tmp_path, rng, change, order):
    """A channel of one shade, flattened rows, and Fortran's order."""
    sets = random_set(rng)
    arrays = {name: np.array(change(each) if name[0] == "x" else each, order=order)
              for name, each in named_arrays(sets).items()}  # fmt: skip
    np.savez(tmp_path / "set.npz", **arrays)
    assert_same(load(None, tmp_path / "set.npz"), sets)


def test_folders_of_pictures_name_the_classes(tmp_path, rng):
    """Classes are in alphabetical order; numbers are in theirs and are not names."""
    sets = random_set(rng)
    dataset = load(None, write_pictures(sets, tmp_path / "set", ("ant", "bee", "cat")))
    assert dataset.class_names == ("ant", "bee", "cat")
    numbered = load(None, write_pictures(sets, tmp_path / "numbers", ("2", "10", "30")))
    assert numbered.class_names == ("2", "10", "30")
    assert load(None, write_pictures(sets, tmp_path / "digits")).class_names == ()


ODD = {
    "one class": {"classes": 1},
    "63 classes": {"classes": 63, "examples": (130, 63)},
    "8 × 8": {"shape": (8, 8)},
    "300 × 200": {"shape": (300, 200), "classes": 2, "examples": (2, 1)},
    "one example": {"classes": 1, "examples": (1, 1)},
    "a class without test examples": {"examples": (12, 2)},
}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("write", [write_idx, write_csv, write_npz])
def test_odd_sets_are_read(tmp_path, rng, odd, write):
    """Few and many classes, small and large images, single examples."""
    sets = random_set(rng, **ODD[odd])
    dataset = load(None, write(sets, tmp_path / "set"))
    assert_same(dataset, sets)
    assert dataset.classes == ODD[odd].get("classes", 3)


@pytest.mark.parametrize("odd", ODD)
def test_odd_sets_are_trained_on(cli, tmp_path, rng, odd):
    """``train`` and ``evaluate`` end with 0, and letters that fill the frame are images as others."""
    write_idx(random_set(rng, **ODD[odd]), tmp_path / "set")
    done = cli("train", "--data-dir", tmp_path / "set", "--epochs", 1, "--output", tmp_path / "run", "--quiet")
    assert done.code == 0, done.err
    assert cli("evaluate", tmp_path / "run", "--quiet").code == 0


# --- options ---------------------------------------------------------------------------------------------------------


def test_images_can_be_inverted_and_transposed(tmp_path, rng):
    """``--invert`` exchanges black and white, ``--transpose`` rows and columns. The files do not change."""
    sets = random_set(rng, (4, 9))
    folder = write_idx(sets, tmp_path / "set")
    changed = load(None, folder, options=DataOptions(invert=True, transpose=True))
    assert_same(changed, [Examples(255 - each.images.transpose(0, 2, 1), each.labels) for each in sets])
    assert_same(load(None, folder), sets)


def test_a_run_records_how_its_images_are_read(cli, tmp_path, rng):
    """Evaluation of a run inverts and transposes as its training, which its config and model record."""
    folder = write_idx(random_set(rng), tmp_path / "set")
    names = tmp_path / "names.txt"
    names.write_text("ant\nbee\ncat\n", encoding="utf-8")
    options = ("--invert", "--transpose", "--class-names", names, "--data-dir", folder)
    started, *_ = cli("train", "--epochs", 1, "--output", tmp_path / "run", "--json", *options).records
    assert (started["invert"], started["transpose"]) == (True, True)
    config = (tmp_path / "run/config.toml").read_text(encoding="utf-8")
    assert "invert = true\n" in config
    with_options = cli("evaluate", tmp_path / "run", "--json", *options).records[0]
    recorded = cli("evaluate", tmp_path / "run", "--json").records[0]
    assert recorded == with_options
    assert [each["name"] for each in recorded["per_class"]] == ["ant", "bee", "cat"]
    with np.load(tmp_path / "run/model.npz") as model:
        assert '"invert": true' in str(model["meta"])


def test_recorded_names_of_classes_come_before_those_of_the_dataset(cli, tmp_path, rng):
    """A run with ``--class-names`` is evaluated with them, unless the option is given again."""
    folder = write_pictures(random_set(rng), tmp_path / "set", ("a", "b", "c"))
    names, others = tmp_path / "names.txt", tmp_path / "others.txt"
    names.write_text("ant\nbee\ncat\n", encoding="utf-8")
    others.write_text("x\ny\nz\n", encoding="utf-8")
    cli("train", "--data-dir", folder, "--class-names", names, "--epochs", 1, "--output", tmp_path / "run")

    def shown(*options):
        evaluation = cli("evaluate", tmp_path / "run", "--json", *options).records[0]
        return [each["name"] for each in evaluation["per_class"]]

    assert shown() == shown("--data-dir", folder) == ["ant", "bee", "cat"]
    assert shown("--class-names", others) == ["x", "y", "z"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"ant\nbee\n", "2 names of classes for the 3 classes of set"),
        (b"ant\nbee\nant\n", "classes 0 and 2 are both named 'ant'"),
        (b"ant\n\nbee\n", "class 1 is named ''"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"", "0 classes"),
        (None, "no such file"),
    ],
)
def test_names_of_classes_are_checked(cli, tmp_path, rng, content, said):
    """One name for each class, all different, in a text file."""
    folder = write_idx(random_set(rng), tmp_path / "set")
    if content is not None:
        (tmp_path / "names.txt").write_bytes(content)
    done = cli("train", "--data-dir", folder, "--epochs", 1, "--class-names", tmp_path / "names.txt")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert said in done.err


@pytest.mark.parametrize("write", [write_idx, write_csv, write_npz, write_pictures])
def test_a_fraction_of_the_training_set_can_be_the_test_set(tmp_path, rng, write):
    """It is stratified and does not overlap the rest. Without the option, the error names it."""
    sets = random_set(rng, examples=(60, 6))
    write(sets, tmp_path / "set")
    place = tmp_path / "set"
    for path in [*place.glob("*t10k*"), *place.glob("test*")]:
        path.rename(tmp_path / path.name)
    if write is write_npz:
        np.savez(place / "mnist_like.npz", x_train=sets[0].images, y_train=sets[0].labels)
    with pytest.raises(InputError, match=r"no test set .*--test-split 0\.2 takes 20 % of the training set"):
        load(None, place)
    dataset = load(None, place, options=DataOptions(test_split=0.2))
    assert np.bincount(dataset.test.labels).tolist() == [4, 4, 4]
    together = np.concatenate([dataset.train.rows, dataset.test.rows])
    assert sorted(map(bytes, together)) == sorted(map(bytes, sets[0].rows))
    again = load(None, place, options=DataOptions(test_split=0.2))
    np.testing.assert_array_equal(again.test.images, dataset.test.images)


def test_a_test_split_of_a_set_with_a_test_set_is_refused(tmp_path, rng):
    """Its own test set is the one that others measure with."""
    with pytest.raises(InputError, match="has a test set: omit --test-split"):
        load(None, write_idx(random_set(rng), tmp_path / "set"), options=DataOptions(test_split=0.2))


def test_the_test_table_of_kaggle_has_no_labels(tmp_path, rng):
    """Its 36 columns are pixels, so it is not a test set to measure with, which the error says."""
    train, test = random_set(rng)
    write_csv([train, test], tmp_path / "set")
    heading = ",".join(f"pixel{number}" for number in range(36))
    rows = "".join(",".join(map(str, row)) + "\n" for row in test.rows)
    (tmp_path / "set/test.csv").write_text(f"{heading}\n{rows}", encoding="utf-8")
    with pytest.raises(InputError, match=r"no test set \(test\.csv has no labels\); --test-split"):
        load(None, tmp_path / "set")
    assert len(load(None, tmp_path / "set", options=DataOptions(test_split=0.25)).test) == 3


def test_other_tables_beside_a_dataset_do_not_matter(tmp_path, rng):
    """The tables of Colab's sample_data: two names for one dataset, and numbers that are no images."""
    sets = random_set(rng)
    folder = write_csv(sets, tmp_path / "sample_data", header=False)
    (folder / "train.csv").rename(folder / "mnist_train_small.csv")
    (folder / "test.csv").rename(folder / "mnist_test.csv")
    for split in SPLITS:
        (folder / f"california_housing_{split}.csv").write_text("longitude,latitude\n-114.3,34.2\n", encoding="utf-8")
    (folder / "cities.csv").write_text("city,country\nParis,France\n", encoding="utf-8")
    assert_same(load(None, folder), sets)


# --- EMNIST and QMNIST -----------------------------------------------------------------------------------------------


@pytest.fixture
def emnist(tmp_path, rng):
    """EMNIST's archive with its letters: transposed images, labels from 1, and a mapping; and the sets upright."""
    sets = random_set(rng, (28, 28), classes=26, examples=(52, 26))
    write_idx(sets, tmp_path / "gzip", "emnist-letters-", transpose=True, first=1)
    with zipfile.ZipFile(tmp_path / "gzip.zip", "w") as archive:
        for path in (tmp_path / "gzip").iterdir():
            archive.writestr(f"gzip/{path.name}.gz", gzip.compress(path.read_bytes()))
        mapping = "".join(f"{number} {number + 64} {number + 96}\n" for number in range(1, 27))
        archive.writestr("gzip/emnist-letters-mapping.txt", mapping)
    return tmp_path / "gzip.zip", sets


def test_the_letters_of_emnist_are_imported_upright_from_0_and_named(cli, tmp_path, emnist):
    """``download --from gzip.zip`` stores them; then ``--dataset emnist-letters`` reads the cache."""
    archive, sets = emnist
    done = cli("download", "emnist-letters", "--from", archive, "--data-dir", tmp_path / "cache")
    assert done.code == 0, done.err
    dataset = load("emnist-letters", tmp_path / "cache", fetch=False)
    assert_same(dataset, sets)
    assert (dataset.classes, dataset.class_names[:2], dataset.name) == (26, ("A/a", "B/b"), "emnist-letters")


def test_the_archive_of_emnist_is_also_a_data_folder(emnist):
    """It gives the same arrays, without a copy in the cache."""
    archive, sets = emnist
    assert_same(load("emnist-letters", archive), sets)
    with pytest.raises(InputError, match="turned upright when they are read: omit --transpose"):
        load("emnist-letters", archive, options=DataOptions(transpose=True))


def test_emnist_without_its_files_says_where_to_get_them(cli, tmp_path):
    """No mirror has the archive: exit 3, and the command that imports it."""
    done = cli("train", "--dataset", "emnist-balanced", "--epochs", 1)
    assert (done.code, done.err.count("\n")) == (3, 1)
    assert "emnist-balanced is not in " in done.err
    assert "download emnist-balanced --from gzip.zip" in done.err


def test_qmnist_has_labels_of_eight_columns(tmp_path, rng):
    """They are 32-bit integers, and the first column is the digit."""
    sets = random_set(rng, (28, 28), classes=10, examples=(20, 10))
    folder = write_idx(sets, tmp_path / "qmnist", "qmnist-")
    for each, split in zip(sets, SPLITS, strict=True):
        columns = np.zeros((len(each), 8), ">i4")
        columns[:, 0], columns[:, 1:] = each.labels, 77_777
        (folder / f"qmnist-{split}-labels-idx1-ubyte").unlink()
        content = idx.QMNIST_MAGIC + struct.pack(">2I", *columns.shape) + columns.tobytes()
        (folder / f"qmnist-{split}-labels-idx2-int.gz").write_bytes(gzip.compress(content))
    dataset = load("qmnist", folder)
    assert_same(dataset, sets)
    assert (dataset.name, dataset.classes) == ("qmnist", 10)


# --- refusals --------------------------------------------------------------------------------------------------------


def _npz(**changes):
    """Return a function that writes mnist.npz with other arrays."""

    def write(sets, folder):
        folder.mkdir()
        np.savez(folder / "mnist.npz", **named_arrays(sets) | changes)
        return folder

    return write


def _pickle(sets, folder):
    folder.mkdir()
    with gzip.open(folder / "mnist.pkl.gz", "wb") as file:
        pickle.dump([each.images for each in sets], file)
    return folder


def _mat(_sets, folder):
    folder.mkdir()
    (folder / "emnist-letters.mat").write_bytes(b"MATLAB 5.0 MAT-file")
    return folder


def _table(edit):
    """Return a function that writes CSV files and edits the text of train.csv."""

    def write(sets, folder):
        path = write_csv(sets, folder) / "train.csv"
        path.write_text(edit(path.read_text(encoding="utf-8")), encoding="utf-8")
        return folder

    return write


def _resized(sets, folder):
    path = write_pictures(sets, folder) / "train/0/zzz.png"
    path.write_bytes(png(np.zeros((3, 5), np.uint8)))
    return folder


def _with_text(sets, folder):
    (write_pictures(sets, folder) / "train/0/notes.txt").write_text("notes", encoding="utf-8")
    return folder


def _truncated(sets, folder):
    path = write_npz(sets, folder)
    path.write_bytes(path.read_bytes()[:-40])
    return folder


def _zipped_npz(sets, folder):
    write_npz(sets, folder)
    return zipped(folder)


def _no_test_labels(sets, folder):
    (write_idx(sets, folder) / FILE_NAMES[3]).unlink()
    return folder


def _last_line(text, change):
    *lines, last = text.splitlines()
    return "\n".join([*lines, change(last)]) + "\n"


REFUSALS = {
    "pickle": (_pickle, "mnist.pkl.gz is a pickle, which is not read; convert it by two lines of"),
    "MATLAB": (_mat, "is a MATLAB file, which is not read; convert it by two lines of Python"),
    "objects": (_npz(x_train=np.array([{}, 1], object)), "holds object, not numbers"),
    "fractions": (_npz(x_train=np.full((12, 6, 6), 0.5)), "0.5; expected grey levels from 0 to 255 as whole numbers"),
    "negative labels": (_npz(y_train=np.arange(12) - 1), "label -1 of example 0; expected labels from 0 to"),
    "labels to 300": (_npz(y_train=np.arange(12) + 289), "label 289 of example 0; expected labels from 0 to 255"),
    "one-hot": (_npz(y_train=np.eye(12)), "numpy.argmax converts one-hot rows"),
    "colours": (_npz(x_train=np.zeros((12, 6, 6, 3), np.uint8)), "expected (examples, rows, columns)"),
    "other counts": (_npz(y_train=np.zeros(11, np.uint8)), "11 labels for the 12 images"),
    "other shapes": (_npz(x_test=np.zeros((6, 5, 5), np.uint8)), "images of 5 × 5 pixels; those of"),
    "damaged": (_truncated, "not a complete zip archive"),
    "an archive in an archive": (_zipped_npz, "mnist_like.npz is an archive in an archive: unzip "),
    "three files": (_no_test_labels, f"no {FILE_NAMES[3]}; expected"),
    "a text": (_table(lambda text: _last_line(text, lambda line: line[:-1] + "x")), "line 13, column 37: "),
    "a level of 256": (_table(lambda text: _last_line(text, lambda _: f"0,256{',0' * 35}")), "column 2: 256; exp"),
    "a short line": (_table(lambda text: _last_line(text, lambda _: "1,2")), "line 13 has 2 columns; expected 37"),
    "no rows": (_table(lambda text: text.splitlines()[0] + "\n"), "train.csv has a header and no rows"),
    "labels inside": (_table(lambda text: text.replace("label,1x1", "index,label", 1)), "labels are in column 2 of"),
    "sizes": (_resized, "3 × 5 pixels, and 000.png 6 × 6: resize all pictures to one size"),
    "another file": (_with_text, "notes.txt is not a picture"),
}


@pytest.mark.parametrize("refused", REFUSALS)
def test_what_is_not_read_is_refused_in_one_line(cli, tmp_path, rng, refused):
    """Exit 2, the file and the place in it, what was expected; nothing is read as something else."""
    write, said = REFUSALS[refused]
    place = write(random_set(rng), tmp_path / "set")
    done = cli("train", "--data-dir", place, "--epochs", 1)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1), done.err
    assert said in done.err
    assert len(done.err.replace(f"{tmp_path}{os.sep}", "").replace(str(MANUAL), MANUAL.name)) <= 200


def test_the_code_that_converts_refused_files_is_in_the_manual():
    """Two lines of Python for each format, in the file that the error names, which names all endings."""
    manual = MANUAL.read_text(encoding="utf-8")
    for refused in REFUSED:
        code = "".join(f"    {line}\n" for line in refused.code.splitlines())
        assert code.count("\n") == 2
        compile(refused.code, "code", "exec")
        assert f"A {refused.word} ({', '.join(f'`{each}`' for each in refused.endings)}):\n\n{code}" in manual


@pytest.mark.parametrize("missing", [1, 2, 3])
def test_missing_files_with_long_names_are_named_briefly(tmp_path, rng, missing):
    """At most two names of what is missing, and one that shows the others."""
    folder = write_idx(random_set(rng), tmp_path / "set", "emnist-letters-")
    for path in [*sorted(folder.iterdir())][4 - missing :]:
        path.unlink()
    problem = recognize(folder).problem
    assert problem.startswith(f"{folder}: no emnist-letters-")
    assert len(problem.removeprefix(str(folder))) < 170


def test_the_table_of_the_manual_is_that_of_the_formats():
    """Help, errors and manual come from one list of what users have and what they type. All options in it exist."""
    rows = [*table_rows()]
    assert "\n".join(rows) in MANUAL.read_text(encoding="utf-8")
    options = {option for row in rows for option in re.findall(r"--([\w-]+)", row)}
    assert options <= {setting.key for setting in DATA_SETTINGS.values()}
    assert {row for row in rows if "--" not in row} == set()


def test_nothing_is_unpickled(tmp_path, monkeypatch, rng):
    """Recognition of a folder with a pickle does not open it."""
    monkeypatch.setattr("pickle.load", lambda *_: pytest.fail("unpickled"))
    monkeypatch.setattr("pickle.loads", lambda *_: pytest.fail("unpickled"))
    assert not recognize(_pickle(random_set(rng), tmp_path / "set")).datasets


@pytest.mark.parametrize("field", ["1..2", "٣", "1_0", "nan", "-1", "1e999"])
def test_a_field_that_is_no_grey_level_is_refused(tmp_path, rng, field):
    """Spellings that other programs would read as a number, too."""
    write_csv(random_set(rng), tmp_path / "set")
    file = tmp_path / "set/train.csv"
    file.write_text(file.read_text(encoding="utf-8").rpartition(",")[0] + f",{field}\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"train\.csv: line 13.*expected"):
        load(None, tmp_path / "set")


def test_damaged_headers_and_members_without_a_name_are_refused(tmp_path, rng):
    """Errors of numpy's parser of headers and of zipfile become one line."""
    file = write_npz(random_set(rng), tmp_path / "set")
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["x_train.npy"] = members["x_train.npy"].replace(b"}", b" ")
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in {**members, "": b"x"}.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    with pytest.raises(InputError, match=r"x_train\.npy is not an array of numpy"):
        load(None, file)
