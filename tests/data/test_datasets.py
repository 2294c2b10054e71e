"""Datasets: where they are looked for, what is refused, and what the network sees of them."""

import errno
import gzip
import shutil
import sys
from fractions import Fraction

import numpy as np
import pytest
from mirrors import published, serving

from mnist_bp.data import datasets, idx
from mnist_bp.data.choices import DATASETS, generated
from mnist_bp.data.datasets import Examples, data_root, load, stratified_split
from mnist_bp.data.download import cache as cache_module
from mnist_bp.data.names import FILE_NAMES
from mnist_bp.data.options import DataOptions
from mnist_bp.data.synthetic import digits
from mnist_bp.errors import DataUnavailable, InputError

TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = FILE_NAMES
SYNTHETIC_FOLDER = f"synthetic-{generated()['synthetic'].version}"


def write(path, array):
    """Write one IDX file."""
    with path.open("wb") as file:
        idx.write(file, array)


def write_dataset(folder, *, grey, images=(20, 10), labels=(20, 10), train_size=(3, 3), test_size=(3, 3)):
    """Write four files with these numbers of training and test images and labels; all pixels are ``grey``."""
    folder.mkdir(parents=True)
    write(folder / TRAIN_IMAGES, np.full((images[0], *train_size), grey, np.uint8))
    write(folder / TRAIN_LABELS, (np.arange(labels[0]) % 10).astype(np.uint8))
    write(folder / TEST_IMAGES, np.full((images[1], *test_size), grey, np.uint8))
    write(folder / TEST_LABELS, (np.arange(labels[1]) % 10).astype(np.uint8))
    return folder


def compress(folder):
    """Replace the files of a folder by their .gz."""
    for name in FILE_NAMES:
        (folder / f"{name}.gz").write_bytes(gzip.compress((folder / name).read_bytes()))
        (folder / name).unlink()


def contents(folder):
    """Every file below a folder, with what is in it."""
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def assert_same(examples, expected):
    """Both hold the same images and labels."""
    np.testing.assert_array_equal(examples.images, expected.images)
    np.testing.assert_array_equal(examples.labels, expected.labels)


@pytest.fixture
def few_synthetic(few_synthetic_digits):
    """The synthetic dataset is small: 300 digits to train on, 100 to test on."""
    few_synthetic_digits(300, 100)


# Where a dataset is looked for


def test_a_folder_of_four_files_is_a_dataset_of_its_name(idx_folder, few_digits):
    """The folder ``few`` is the dataset few: 500 training and 250 test images, as written."""
    dataset = load(None, idx_folder)
    assert dataset.name == "few"
    assert (len(dataset.train), len(dataset.test)) == (500, 250)
    assert (dataset.pixels, dataset.classes, dataset.is_synthetic) == (784, 10, False)
    assert_same(dataset.train, few_digits[0])
    assert_same(dataset.test, few_digits[1])


def test_a_relative_folder_has_a_name_too(idx_folder, monkeypatch):
    """``--data-dir .`` in the folder ``few`` is called few as well."""
    monkeypatch.chdir(idx_folder)
    assert load(None, idx_folder.__class__()).name == "few"


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist", "kmnist"])
def test_a_named_dataset_is_the_folder_of_its_name(tmp_path, name):
    """Each name stands for its own folder in ``data_dir``."""
    for number, folder in enumerate(("mnist", "fashion-mnist", "kmnist")):
        write_dataset(tmp_path / "root" / folder, grey=number)
    dataset = load(name, tmp_path / "root")
    assert dataset.name == name
    assert dataset.train.images[0, 0, 0] == ("mnist", "fashion-mnist", "kmnist").index(name)


@pytest.mark.parametrize("name", [None, "mnist"])
def test_the_folder_within_comes_before_the_folder_itself(tmp_path, name):
    """If both ``data_dir``/mnist and ``data_dir`` contain four files, the first is read, under the name mnist."""
    root = write_dataset(tmp_path / "root", grey=1)
    write_dataset(root / "mnist", grey=2)
    dataset = load(name, root)
    assert dataset.name == "mnist"
    assert dataset.train.images[0, 0, 0] == 2


def test_without_the_folder_within_it_is_the_folder_itself(tmp_path):
    """A dataset that was asked for by name keeps that name, whatever the folder is called."""
    dataset = load("mnist", write_dataset(tmp_path / "elsewhere", grey=1))
    assert dataset.name == "mnist"
    assert dataset.train.images[0, 0, 0] == 1


def test_a_link_does_not_rename_a_dataset(tmp_path):
    """``data_dir``/mnist is MNIST, also where it points to a folder of another name."""
    (tmp_path / "root").mkdir()
    try:
        (tmp_path / "root" / "mnist").symlink_to(write_dataset(tmp_path / "MNIST-raw", grey=1))
    except OSError:
        pytest.skip("this system lets its users make no links")
    assert load(None, tmp_path / "root").name == "mnist"


def test_the_environment_names_the_root(tmp_path, monkeypatch):
    """MNIST_BP_DATA is the root where no folder is given, and only there."""
    write_dataset(tmp_path / "one" / "mnist", grey=1)
    write_dataset(tmp_path / "two" / "mnist", grey=2)
    monkeypatch.setenv("MNIST_BP_DATA", str(tmp_path / "one"))
    assert load("mnist").train.images[0, 0, 0] == 1
    assert load("mnist", tmp_path / "two").train.images[0, 0, 0] == 2


def test_without_either_the_root_is_the_users_cache(tmp_path, monkeypatch):
    """No folder given and MNIST_BP_DATA empty or unset: the folder that the system keeps caches in."""
    monkeypatch.setattr(datasets.platformdirs, "user_cache_path", lambda name: tmp_path / "caches" / name)
    monkeypatch.setenv("MNIST_BP_DATA", "")
    assert data_root(None) == tmp_path / "caches" / "mnist-bp"
    monkeypatch.delenv("MNIST_BP_DATA")
    assert data_root(None) == tmp_path / "caches" / "mnist-bp"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pwd")
def test_a_user_without_a_home_reads_what_to_do(monkeypatch, few_synthetic):
    """Without a home folder, data requires --data-dir; synthetic digits do not, and are drawn each time."""

    def unknown(number):
        raise KeyError(number)

    for variable in ("MNIST_BP_DATA", "HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr("pwd.getpwuid", unknown)
    with pytest.raises(DataUnavailable, match=r"home directory.*--data-dir"):
        load("mnist")
    assert len(load("synthetic").train) == 300


@pytest.mark.parametrize("name", [None, "mnist"])
def test_nothing_is_fetched_where_that_is_not_wanted(tmp_path, name):
    """``fetch=False`` and no data: one line that names the folder and the command that would fetch it."""
    with pytest.raises(DataUnavailable) as error:
        load(name, fetch=False)
    assert str(error.value) == f"mnist is not in {tmp_path / 'cache'}; to download it: mnist-bp download mnist"
    assert not (tmp_path / "cache").exists()


def test_the_command_to_fetch_goes_where_was_looked(tmp_path):
    """With a folder given, the command in the message names it."""
    (tmp_path / "other").mkdir()
    with pytest.raises(DataUnavailable, match="to download it: mnist-bp download kmnist --data-dir "):
        load("kmnist", tmp_path / "other", fetch=False)


def test_without_a_network_a_dataset_is_not_available(tmp_path):
    """The error gives the reason once for all mirrors."""
    (tmp_path / "root").mkdir()
    no_network = r"does not hold mnist; cannot download .*: no network \(tried 2 mirrors\); "
    with pytest.raises(DataUnavailable, match=no_network):
        load("mnist", tmp_path / "root")
    assert list((tmp_path / "root").iterdir()) == []


@pytest.mark.parametrize("where", ["x" * 5000, "file/inside"])
def test_a_folder_that_cannot_be_is_reported_in_one_line(tmp_path, where, monkeypatch):
    """A path that no system takes, or that leads through a file: it does not exist, and no cache can be made there."""
    (tmp_path / "file").write_text("text")
    with pytest.raises(InputError, match=r"^--data-dir .* does not exist; expected ") as error:
        load("mnist", tmp_path / where)
    assert str(error.value).isprintable()
    monkeypatch.setenv("MNIST_BP_DATA", str(tmp_path / where))
    with pytest.raises(DataUnavailable, match=r"cannot write to .*--data-dir") as error:
        load("mnist")
    assert str(error.value).isprintable()


# What is on disk


def test_compressed_files_are_read_as_well(idx_folder, few_digits):
    """A folder of four .gz is the same dataset."""
    compress(idx_folder)
    assert_same(load(None, idx_folder).train, few_digits[0])


def test_plain_and_compressed_files_may_be_mixed(idx_folder, few_digits):
    """Three plain files and one .gz are a dataset."""
    (idx_folder / f"{TEST_IMAGES}.gz").write_bytes(gzip.compress((idx_folder / TEST_IMAGES).read_bytes()))
    (idx_folder / TEST_IMAGES).unlink()
    assert_same(load(None, idx_folder).test, few_digits[1])


def test_a_plain_file_comes_before_its_gz(idx_folder, few_digits):
    """A download beside a damaged .gz heals a folder: the plain file is the one that is read."""
    (idx_folder / f"{TRAIN_IMAGES}.gz").write_bytes(b"damaged")
    assert_same(load(None, idx_folder).train, few_digits[0])


def test_reading_writes_nothing(idx_folder):
    """A read-only folder is read like any other, and looks afterwards as it did before."""
    before = contents(idx_folder)
    idx_folder.chmod(0o555)
    try:
        assert len(load(None, idx_folder).train) == 500
    finally:
        idx_folder.chmod(0o755)
    assert contents(idx_folder) == before


@pytest.mark.parametrize("size", [(1, 1), (14, 56), (28, 28), (5, 3)])
def test_images_may_have_any_size(tmp_path, size):
    """Images of 14 × 56 pixels make 784 inputs, those of 5 × 3 make 15."""
    dataset = load(None, write_dataset(tmp_path / "own", grey=255, train_size=size, test_size=size))
    assert dataset.pixels == size[0] * size[1]
    assert dataset.train.inputs(np.float32).shape == (20, size[0] * size[1])


@pytest.mark.parametrize(("limit", "kept"), [(None, 500), (1, 1), (499, 499), (500, 500), (10**9, 500)])
def test_a_limit_keeps_the_first_training_examples(idx_folder, few_digits, limit, kept):
    """A limit of 1 is the first training example with its label; the test set stays whole."""
    dataset = load(None, idx_folder, limit=limit)
    assert len(dataset.train) == len(dataset.train.images) == kept
    assert_same(dataset.train, Examples(few_digits[0].images[:kept], few_digits[0].labels[:kept]))
    assert len(dataset.test) == 250


# What is refused


def test_a_folder_with_three_of_four_files_is_refused(idx_folder):
    """The error names the folder, the missing file and what a dataset is."""
    (idx_folder / TEST_LABELS).unlink()
    with pytest.raises(InputError) as error:
        load(None, idx_folder)
    assert str(error.value).startswith(f"{idx_folder}: no {TEST_LABELS}; expected {TRAIN_IMAGES} and three ")


def test_every_missing_file_is_named(idx_folder):
    """Two of four files are missing: both are named."""
    (idx_folder / TRAIN_IMAGES).unlink()
    (idx_folder / TEST_LABELS).unlink()
    with pytest.raises(InputError, match=f"no {TRAIN_IMAGES} and no {TEST_LABELS};"):
        load(None, idx_folder)


def test_a_hundred_images_with_99_labels_are_refused(tmp_path):
    """The error names the file and both numbers."""
    folder = write_dataset(tmp_path / "own", grey=0, images=(100, 10), labels=(99, 10))
    with pytest.raises(InputError) as error:
        load(None, folder)
    assert str(error.value) == f"{folder / TRAIN_LABELS}: 99 labels for the 100 images of {TRAIN_IMAGES}"


def test_too_many_test_labels_are_refused(tmp_path):
    """The test set's images and labels have to agree as well."""
    folder = write_dataset(tmp_path / "own", grey=0, images=(20, 10), labels=(20, 11))
    with pytest.raises(InputError, match=f"{TEST_LABELS}: 11 labels for the 10 images of {TEST_IMAGES}"):
        load(None, folder)


def test_swapped_images_and_labels_are_refused(idx_folder):
    """The error says that labels lie where images should."""
    (idx_folder / TRAIN_IMAGES).rename(idx_folder / "aside")
    (idx_folder / TRAIN_LABELS).rename(idx_folder / TRAIN_IMAGES)
    (idx_folder / "aside").rename(idx_folder / TRAIN_LABELS)
    with pytest.raises(InputError, match=rf"{TRAIN_IMAGES}: magic number 0x00000801 \(that of labels\)"):
        load(None, idx_folder)


def test_training_and_test_images_of_other_sizes_are_refused(tmp_path):
    """3 × 4 pixels are as many as 4 × 3, but another size."""
    folder = write_dataset(tmp_path / "own", grey=0, train_size=(3, 4), test_size=(4, 3))
    with pytest.raises(InputError, match=f"{TEST_IMAGES}: images of 4 × 3 pixels; those of {TRAIN_IMAGES} are 3 × 4"):
        load(None, folder)


@pytest.mark.parametrize("options", [None, DataOptions(classes=10)])
def test_a_label_over_9_is_refused(tmp_path, idx_folder, few_digits, options):
    """Digits have ten classes, and so has a dataset for which the user says so."""
    labels = few_digits[1].labels.copy()
    labels[7] = 37
    write(idx_folder / TEST_LABELS, labels)
    if options is None:
        shutil.copytree(idx_folder, tmp_path / "root/kmnist")
        refuse = lambda: load("kmnist", tmp_path / "root", fetch=False)  # noqa: E731
    else:
        refuse = lambda: load(None, idx_folder, options=options)  # noqa: E731
    with pytest.raises((InputError, DataUnavailable), match="label 37 of example 7; expected labels from 0 to 9"):
        refuse()


@pytest.mark.parametrize("given", [True, False])
def test_a_damaged_file_of_a_known_dataset_that_is_not_to_be_fetched_comes_with_a_remedy(tmp_path, given):
    """The error ends with the command that fetches the dataset anew, to where it was read from."""
    root = tmp_path / "cache"
    folder = write_dataset(root / "fashion-mnist", grey=0)
    (folder / TRAIN_IMAGES).write_bytes((folder / TRAIN_IMAGES).read_bytes()[:-1])
    with pytest.raises(DataUnavailable) as error:
        load("fashion-mnist", root if given else None, fetch=False)
    text = str(error.value)
    assert text.startswith(f"{folder / TRAIN_IMAGES}: 195 bytes; its header says 20 × 3 × 3, which makes 196; ")
    assert text.endswith("; to download it: mnist-bp download fashion-mnist" + (f" --data-dir {root}" if given else ""))


def test_a_damaged_file_of_the_user_has_no_such_remedy(idx_folder):
    """No command can download the user's files."""
    (idx_folder / TRAIN_IMAGES).write_bytes(b"")
    with pytest.raises(InputError) as error:
        load(None, idx_folder)
    assert "download" not in str(error.value)


@pytest.mark.parametrize("classes", [1, 37, 38, 256])
def test_labels_of_the_user_lie_below_the_classes(idx_folder, classes):
    """A label 37 is one of 38 classes, and not of 37."""
    labels = (np.arange(250) % 38).astype(np.uint8)
    write(idx_folder / TEST_LABELS, labels)
    if classes > 37:
        dataset = load(None, idx_folder, options=DataOptions(classes=classes))
        assert dataset.classes == classes
        np.testing.assert_array_equal(dataset.test.labels, labels)
    else:
        with pytest.raises(InputError, match=f"expected labels from 0 to {classes - 1}"):
            load(None, idx_folder, options=DataOptions(classes=classes))


@pytest.mark.parametrize("name", [None, "mnist", "synthetic"])
def test_a_dataset_with_a_name_has_ten_classes(name):
    """Another number is refused; the message says that it is for the user's files."""
    with pytest.raises(InputError, match=f"{name or 'mnist'} has 10 classes, not 26; a folder of your own"):
        load(name, options=DataOptions(classes=26))


def test_clothes_have_names(tmp_path):
    """Fashion-MNIST's labels are ten kinds of clothes; a digit is its own name."""
    for name in ("fashion-mnist", "mnist"):
        write_dataset(tmp_path / "root" / name, grey=0)
    names = load("fashion-mnist", tmp_path / "root").class_names
    assert (len(names), names[0], names[9]) == (10, "T-shirt/top", "Ankle boot")
    assert load("mnist", tmp_path / "root").class_names == ()


# What heals itself


@pytest.fixture
def served(replace_entry):
    """MNIST is small and is served on loopback; a function that takes it off the network."""
    with serving() as server:
        dataset = published(server.url("good"))
        replace_entry(DATASETS, "mnist", dataset)
        yield server


@pytest.fixture
def cache(tmp_path, served):
    """The folder of a dataset that has been downloaded."""
    load("mnist")
    served.forget()
    return tmp_path / "cache" / "mnist"


def image_bytes(dataset):
    """All its images, training and test."""
    return dataset.train.images.tobytes() + dataset.test.images.tobytes()


def change(path, at=-1):
    """Flip a bit of a file."""
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(bytes(content))


def cut(path):
    """Leave half of a file."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def is_mapped(images):
    """Return True if the array is mapped from a file."""
    while images is not None and not isinstance(images, np.memmap):
        images = images.base
    return images is not None


def test_only_verified_files_of_the_cache_are_mapped(cache, idx_folder, monkeypatch):
    """Those are never rewritten in place. Files that the user has put there, or elsewhere, are read into memory."""
    assert is_mapped(load("mnist").train.images)
    assert not is_mapped(load(None, idx_folder).train.images)
    monkeypatch.setattr(cache_module.os, "access", lambda *_: False)
    (cache / "manifest.json").unlink()
    assert not is_mapped(load("mnist").train.images)


DAMAGES = {"a flipped bit": change, "cut in half": cut, "emptied": lambda path: path.write_bytes(b"")}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("noted", [True, False])
def test_a_damaged_file_heals_as_it_is_loaded(cache, served, damage, noted):
    """A damaged file in the cache is quarantined, downloaded again and loaded in one call, without the others."""
    whole = image_bytes(load("mnist"))
    DAMAGES[damage](cache / TRAIN_IMAGES)
    damaged = (cache / TRAIN_IMAGES).read_bytes()
    if not noted:
        (cache / "manifest.json").unlink()
    told = []
    assert image_bytes(load("mnist", notice=told.append)) == whole
    assert [name for _, name, _ in served.asked] == [f"{TRAIN_IMAGES}.gz"]
    assert (cache / f"{TRAIN_IMAGES}.damaged").read_bytes() == damaged
    assert len(told) == 1
    assert told[0].startswith(f"{cache / TRAIN_IMAGES}: ")


def test_a_damaged_gz_heals_as_well(cache, served):
    """A .gz put there by hand that turns out to be damaged is replaced by the plain file."""
    whole = image_bytes(load("mnist"))
    compress(cache)
    change(cache / f"{TEST_IMAGES}.gz")
    assert image_bytes(load("mnist")) == whole
    assert [name for _, name, _ in served.asked] == [f"{TEST_IMAGES}.gz"]


def test_a_lost_file_is_fetched(cache, served):
    """Three of four files are there: the fourth one comes."""
    (cache / TEST_LABELS).unlink()
    assert len(load("mnist").test) == 40
    assert [name for _, name, _ in served.asked] == [f"{TEST_LABELS}.gz"]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_offline_is_reported_and_never_read(cache, damage, monkeypatch):
    """The file cannot be downloaded: one line names the damage and the remedy, now and the next time."""
    monkeypatch.setenv("MNIST_BP_OFFLINE", "1")
    DAMAGES[damage](cache / TRAIN_IMAGES)
    for _ in range(2):
        with pytest.raises(DataUnavailable, match=rf"^{cache / TRAIN_IMAGES}: .*MNIST_BP_OFFLINE.*--from") as error:
            load("mnist")
        assert str(error.value).isprintable()
    assert (cache / TRAIN_IMAGES).exists()


def test_what_has_not_changed_is_not_hashed(cache, monkeypatch):
    """Size and time as noted: loading looks at nothing but those."""
    monkeypatch.setattr(cache_module, "take_file", None)
    load("mnist")


@pytest.mark.parametrize("manifest", [None, '{"name": "theirs"}'])
def test_loading_from_a_folder_that_the_user_names_writes_nothing(cache, tmp_path, manifest):
    """A manifest of another program stays, and there is no new one: only a download writes it."""
    cache.parent.rename(tmp_path / "root")
    held = tmp_path / "root" / "mnist"
    (held / "manifest.json").unlink()
    if manifest:
        (held / "manifest.json").write_text(manifest)
    before = {path: path.read_bytes() for path in held.iterdir()}
    load("mnist", tmp_path / "root")
    assert {path: path.read_bytes() for path in held.iterdir()} == before


def test_files_put_there_by_hand_are_hashed_once(cache, monkeypatch):
    """Without a manifest the first load writes one."""
    (cache / "manifest.json").unlink()
    load("mnist")
    monkeypatch.setattr(cache_module, "take_file", None)
    load("mnist")


def test_files_put_there_by_hand_where_nothing_can_be_noted_are_not_hashed(cache, monkeypatch):
    """In a read-only folder each load would hash again: there, their form has to do."""
    (cache / "manifest.json").unlink()
    monkeypatch.setattr(cache_module.os, "access", lambda *_: False)
    monkeypatch.setattr(cache_module, "take_file", None)
    load("mnist")
    assert not (cache / "manifest.json").exists()


def test_the_users_own_files_under_a_known_name_are_let_be(tmp_path, served):
    """Well-formed files with other sizes than the published ones are read without a request to a mirror."""
    folder = write_dataset(tmp_path / "cache" / "mnist", grey=7)
    before = contents(folder)
    assert load("mnist").train.images[0, 0, 0] == 7
    assert contents(folder) == before
    assert served.asked == []


# Synthetic digits


def test_synthetic_digits_are_made_once_and_then_read(tmp_path, few_synthetic):
    """The first load writes four files below the root, the second reads those and makes nothing."""
    made = load("synthetic")
    folder = tmp_path / "cache" / SYNTHETIC_FOLDER
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILE_NAMES)
    assert made.is_synthetic
    assert (len(made.train), len(made.test)) == (300, 100)
    write(folder / TRAIN_IMAGES, np.full((300, 28, 28), 7, np.uint8))
    assert (load("synthetic").train.images == 7).all()


@pytest.mark.parametrize(
    ("name", "is_synthetic"), [("synthetic-1", True), ("synthetic-2", True), ("synthetic-x", False)]
)
def test_a_folder_of_synthetic_digits_is_known_by_its_name(idx_folder, name, is_synthetic):
    """A folder of any version is recognised if given directly. Other folders named synthetic-… are the user's."""
    assert load(None, idx_folder.rename(idx_folder.with_name(name))).is_synthetic == is_synthetic


def test_synthetic_digits_are_the_same_made_and_read(few_synthetic):
    """The digits that are read equal those that were drawn, the generator's digits for seed 0."""
    made, again = load("synthetic"), load("synthetic")
    assert_same(again.train, made.train)
    assert_same(again.test, made.test)
    assert_same(made.train, Examples(*digits(300, seed=0, split="train")))
    assert_same(made.test, Examples(*digits(100, seed=0, split="test")))


def test_a_few_synthetic_digits_are_not_kept(tmp_path, few_synthetic):
    """A limit of 20 makes the first 20 of the training digits, and leaves nothing behind that is not whole."""
    limited = load("synthetic", limit=20)
    assert (len(limited.train), len(limited.test)) == (20, 100)
    assert not (tmp_path / "cache").exists()
    assert_same(limited.train, load("synthetic").train.first(20))


def test_a_limit_holds_for_kept_synthetic_digits(few_synthetic):
    """20 of 300 kept training digits are the first 20."""
    whole = load("synthetic")
    assert_same(load("synthetic", limit=20).train, whole.train.first(20))


@pytest.mark.parametrize("limit", [300, 10**9])
def test_a_limit_that_leaves_all_keeps_all(tmp_path, few_synthetic, limit):
    """A limit of 300 or more of the 300 digits is none."""
    assert len(load("synthetic", limit=limit).train) == 300
    assert (tmp_path / "cache" / SYNTHETIC_FOLDER / TRAIN_IMAGES).exists()


def test_where_synthetic_digits_cannot_be_kept_they_are_made_each_time(tmp_path, few_synthetic, monkeypatch):
    """A cache that cannot be a folder is no reason to have no digits."""
    (tmp_path / "file").write_text("text")
    monkeypatch.setenv("MNIST_BP_DATA", str(tmp_path / "file" / "cache"))
    made, again = load("synthetic"), load("synthetic")
    assert_same(again.train, made.train)
    assert (tmp_path / "file").read_text() == "text"


def test_a_disk_that_fills_up_is_no_error(tmp_path, few_synthetic, monkeypatch):
    """Two of four files kept, then no space: the digits are there all the same, and the next load keeps the rest."""
    write_whole, written = idx.write, []

    def full_after_two(file, array):
        if len(written) == 2:
            file.write(b"a part")
            raise OSError(errno.ENOSPC, "No space left on device")
        write_whole(file, array)
        written.append(array)

    with monkeypatch.context() as patch:
        patch.setattr(idx, "write", full_after_two)
        made = load("synthetic")
    folder = tmp_path / "cache" / SYNTHETIC_FOLDER
    assert sorted(path.name for path in folder.iterdir()) == sorted([TRAIN_IMAGES, TRAIN_LABELS])
    assert_same(load("synthetic").test, made.test)
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILE_NAMES)


def test_damaged_synthetic_digits_are_made_anew(tmp_path, few_synthetic):
    """A kept file that was cut off is replaced, without an error."""
    made = load("synthetic")
    path = tmp_path / "cache" / SYNTHETIC_FOLDER / TEST_IMAGES
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    assert_same(load("synthetic").test, made.test)
    assert path.read_bytes() == whole


def test_a_folder_of_synthetic_digits_states_what_it_is(tmp_path, few_synthetic):
    """Pointed at directly, the kept digits are still called synthetic."""
    load("synthetic")
    assert load(None, tmp_path / "cache" / SYNTHETIC_FOLDER).is_synthetic


def test_few_synthetic_digits_are_the_first_of_the_dataset(few_synthetic):
    """Five examples drawn alone are the training set's first five."""
    assert_same(load("synthetic", limit=5, fetch=False).train, load("synthetic").train.first(5))


# What the network sees


def test_grey_levels_are_scaled_to_0_to_1():
    """Each grey level x becomes x / 255, up to two roundings: 0 is 0, 255 is 1."""
    greys = Examples(np.arange(256, dtype=np.uint8).reshape(1, 16, 16), np.zeros(1, np.uint8))
    inputs = greys.inputs(np.float32)
    assert inputs.dtype == np.float32
    assert inputs.shape == (1, 256)
    assert (inputs[0, 0], inputs[0, 255]) == (0, 1)
    for grey, scaled in enumerate(inputs[0]):
        assert abs(Fraction(float(scaled)) - Fraction(grey, 255)) <= 2 * Fraction(float(np.spacing(scaled)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_inputs_come_in_the_dtype_asked_for(few_digits, dtype):
    """One row of 784 numbers for each image, in the precision that the network works in."""
    inputs = few_digits[0].first(3).inputs(dtype)
    assert inputs.dtype == dtype
    exact = few_digits[0].images[:3].reshape(3, 784).astype(dtype) / dtype(255)
    np.testing.assert_allclose(inputs, exact, rtol=2 * np.finfo(dtype).eps, atol=0)


def test_inputs_of_a_file_equal_those_of_memory(idx_folder, few_digits):
    """Memory-mapped images scale like any others, and the result is an ordinary array of its own."""
    inputs = load(None, idx_folder).train.inputs(np.float32)
    np.testing.assert_array_equal(inputs, few_digits[0].inputs(np.float32))
    assert type(inputs) is np.ndarray
    assert inputs.flags.writeable
    shutil.rmtree(idx_folder)
    np.testing.assert_array_equal(inputs, few_digits[0].inputs(np.float32))


# What is held out


def numbered(labels):
    """An example for each label, its image holding its number; no two are alike."""
    labels = np.asarray(labels, np.uint8)
    return Examples(np.arange(len(labels), dtype=np.uint16).view(np.uint8).reshape(-1, 1, 2), labels)


def numbers(examples):
    """Those numbers."""
    return examples.images.reshape(-1).view(np.uint16).tolist()


SKEWED = [0] * 500 + [1] * 7 + [2] * 90 + [9] * 3


@pytest.mark.parametrize("count", [1, 2, 10, 59, 60, 61, 300, 599])
@pytest.mark.parametrize("seed", [0, 7])
def test_what_is_held_out_and_what_is_left_are_all_examples_once(count, seed):
    """The numbers are exact. Each example is in one of the parts, with its label and in the original order."""
    examples = numbered(np.random.default_rng(1).permutation(SKEWED))
    rest, held = stratified_split(examples, count, seed=seed)
    assert (len(held), len(rest)) == (count, 600 - count)
    assert sorted(numbers(held) + numbers(rest)) == list(range(600))
    for part in (held, rest):
        assert numbers(part) == sorted(numbers(part))
        np.testing.assert_array_equal(part.labels, examples.labels[numbers(part)])


@pytest.mark.parametrize("count", [1, 2, 10, 59, 60, 61, 300, 599])
def test_a_validation_set_is_stratified_by_class(count):
    """Within one example: a tenth of each class, where a tenth of all is held out."""
    _, held = stratified_split(numbered(np.random.default_rng(1).permutation(SKEWED)), count, seed=0)
    for label in set(SKEWED):
        assert abs((held.labels == label).sum() - SKEWED.count(label) * count / 600) < 1


def test_who_is_held_out_depends_on_the_seed_alone():
    """Equal seeds give equal examples. Different seeds have no more in common than by chance."""
    examples = numbered([0, 1] * 500)
    first, again, other = (set(numbers(stratified_split(examples, 200, seed=seed)[1])) for seed in (3, 3, 4))
    assert first == again
    assert 20 <= len(first & other) <= 60  # 40, with a standard deviation of 5


def test_every_example_can_be_in_the_validation_set():
    """Over many seeds, each example is in the validation set, and the first and last of a class as often as others."""
    examples = numbered([0] * 10 + [1] * 10)
    counts = np.zeros(20, np.int64)
    for seed in range(300):
        counts[numbers(stratified_split(examples, 4, seed=seed)[1])] += 1
    assert counts.sum() == 1200
    assert 35 <= counts.min() <= counts.max() <= 85  # 60, with a standard deviation of 7


@pytest.mark.parametrize("count", [20, 21, 10**9])
def test_something_must_be_left_to_train_on(count):
    """All examples, or more, cannot be held out."""
    with pytest.raises(
        InputError, match=f"cannot hold out {count:,} of 20 training examples as a validation set: none would be left"
    ):
        stratified_split(numbered([0, 1] * 10), count, seed=0)
