"""Recognising a dataset on disk: every layout and file name that people have, and what is none."""

import gzip
import zipfile
from pathlib import Path

import numpy as np
import pytest

from mnist_bp.data import idx
from mnist_bp.data.choices import DATASETS
from mnist_bp.data.datasets import load
from mnist_bp.data.formats import recognize
from mnist_bp.data.names import FILE_NAMES
from mnist_bp.errors import InputError

TRAIN_IMAGES = FILE_NAMES[0]
SPELLINGS = {
    "dash": lambda name: name,
    "dot": lambda name: name.replace("-idx", ".idx"),
    "test": lambda name: name.replace("t10k", "test"),
    "test with a dot": lambda name: name.replace("t10k", "test").replace("-idx", ".idx"),
}


def lay_out(source, folder, rename, *, packed=False):
    """Copy the four files of ``source`` into ``folder`` as ``rename`` calls them, as .gz if ``packed``."""
    for name in FILE_NAMES:
        target = folder / rename(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        content = (source / name).read_bytes()
        (target.with_name(f"{target.name}.gz") if packed else target).write_bytes(
            gzip.compress(content) if packed else content
        )
    return folder


def pack(source, archive, rename=lambda name: name, **options):
    """Write the four files into a zip archive."""
    with zipfile.ZipFile(archive, "w", compression=zipfile.ZIP_DEFLATED, **options) as file:
        for name in FILE_NAMES:
            file.writestr(rename(name), (source / name).read_bytes())
    return archive


def files_below(folder):
    """Every path below a folder."""
    return sorted(path.relative_to(folder) for path in folder.rglob("*"))


def assert_is_few(dataset, few_digits):
    """The dataset has the images and labels of ``few_digits``."""
    for found, expected in zip((dataset.train, dataset.test), few_digits, strict=True):
        np.testing.assert_array_equal(found.images, expected.images)
        np.testing.assert_array_equal(found.labels, expected.labels)


@pytest.mark.parametrize(
    ("spelling", "packed", "nested"),
    [(spelling, packed, packed == number % 2) for number, spelling in enumerate(SPELLINGS) for packed in (False, True)],
)
def test_every_spelling_of_the_four_files_is_read(tmp_path, idx_folder, few_digits, packed, spelling, nested):
    """Dash or dot, t10k or test, plain or .gz, also each in a folder of its own name; nothing is written."""
    spell = SPELLINGS[spelling]
    rename = (lambda name: f"{spell(name)}/{spell(name)}") if nested else spell
    folder = lay_out(idx_folder, tmp_path / "mine", rename, packed=packed)
    before = files_below(folder)
    dataset = load(None, folder)
    assert_is_few(dataset, few_digits)
    assert (dataset.name, dataset.option) == ("mine", "own")
    assert files_below(folder) == before


@pytest.mark.parametrize(
    ("place", "name"), [("MNIST/raw", "mnist"), ("FashionMNIST/raw", "fashion-mnist"), ("KMNIST/raw", "kmnist")]
)
def test_the_root_of_torchvision_is_read_under_the_datasets_name(tmp_path, idx_folder, few_digits, place, name):
    """With the dataset asked for or not, and also from one or two folders further down; nothing is written."""
    root = tmp_path / "root"
    lay_out(idx_folder, root / place, lambda file: file)
    before = files_below(root)
    for given, folder in ((None, root), (name, root), (None, root / place), (None, (root / place).parent)):
        dataset = load(given, folder)
        assert dataset.name == name
        assert_is_few(dataset, few_digits)
    assert files_below(root) == before


def test_a_dataset_that_a_torchvision_root_lacks_is_refused(tmp_path, idx_folder):
    """No other dataset replaces it, nothing is downloaded there, and the user must choose between two."""
    lay_out(idx_folder, tmp_path / "root/FashionMNIST/raw", lambda name: name)
    with pytest.raises(InputError, match=r"does not hold mnist, but fashion-mnist; "):
        load("mnist", tmp_path / "root")
    lay_out(idx_folder, tmp_path / "root/KMNIST/raw", lambda name: name)
    with pytest.raises(InputError, match=r"several datasets: fashion-mnist, kmnist; choose one with --dataset"):
        load(None, tmp_path / "root")


@pytest.mark.parametrize("rename", [lambda name: name, lambda name: f"{name}/{name}"], ids=["flat", "nested"])
def test_the_archive_of_kaggle_is_read_in_place(tmp_path, idx_folder, few_digits, rename):
    """Its files are read without unpacking them to disk."""
    (tmp_path / "kaggle").mkdir()
    pack(idx_folder, tmp_path / "kaggle/archive.zip", rename)
    dataset = load(None, tmp_path / "kaggle")
    assert_is_few(dataset, few_digits)
    assert (dataset.name, dataset.option) == ("kaggle", "own")
    assert files_below(tmp_path / "kaggle") == [Path("archive.zip")]


def test_a_zip_of_gz_files_is_read(tmp_path, idx_folder, few_digits):
    """Compressed twice."""
    (tmp_path / "kaggle").mkdir()
    with zipfile.ZipFile(tmp_path / "kaggle/archive.zip", "w") as archive:
        for name in FILE_NAMES:
            archive.writestr(f"{name}.gz", gzip.compress((idx_folder / name).read_bytes()))
    assert_is_few(load(None, tmp_path / "kaggle"), few_digits)


def damage(archive, how):
    """Damage an archive of the four files."""
    content = bytearray(archive.read_bytes())
    if how == "cut":
        content = content[: len(content) // 2]
    elif how == "flipped":
        content[len(content) // 3] ^= 255
    elif how == "encrypted":
        for head, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            at = content.find(head)
            content[at + flags] |= 1
    elif how == "method":
        content[content.find(b"PK\x01\x02") + 10] = zipfile.ZIP_LZMA
    elif how == "size":
        at = content.find(b"PK\x01\x02") + 24
        content[at : at + 4] = (100).to_bytes(4, "little")
    archive.write_bytes(content)


@pytest.mark.parametrize("how", ["cut", "flipped", "encrypted", "method", "size"])
def test_a_damaged_archive_is_refused_in_one_line(tmp_path, idx_folder, how):
    """Cut off, changed, encrypted, compressed by another method, or with a size that is not true."""
    (tmp_path / "kaggle").mkdir()
    damage(pack(idx_folder, tmp_path / "kaggle/archive.zip"), how)
    with pytest.raises(InputError, match=r"archive\.zip") as error:
        load(None, tmp_path / "kaggle")
    assert str(error.value).isprintable()


def test_a_file_in_an_archive_is_read_no_further_than_its_header_states(tmp_path, idx_folder):
    """Ten images by the header and ten megabytes of zeros behind them: refused before they are unpacked."""
    (tmp_path / "kaggle").mkdir()
    head = idx.header_of(np.zeros((10, 28, 28), np.uint8))
    with zipfile.ZipFile(tmp_path / "kaggle/archive.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in FILE_NAMES[1:]:
            archive.writestr(name, (idx_folder / name).read_bytes())
        archive.writestr(TRAIN_IMAGES, head + bytes(10**7))
    with pytest.raises(InputError, match=f"{TRAIN_IMAGES}: at least "):
        load(None, tmp_path / "kaggle")


def test_files_of_the_user_in_a_folder_called_mnist_are_not_mnist(tmp_path, idx_folder):
    """The name of a folder makes no dataset of its content."""
    folder = idx_folder.rename(tmp_path / "mnist")
    dataset = load(None, folder)
    assert (dataset.name, dataset.option) == ("own-mnist", "own")
    assert load("own", folder).name == "own-mnist"


def test_real_mnist_is_recognised_by_its_content(tmp_path, idx_folder, replace_entry):
    """It holds for any name of the folder, and it is refused as another dataset."""
    from mirrors import published, sum_of

    content = {name: (idx_folder / name).read_bytes() for name in FILE_NAMES}
    replace_entry(DATASETS, "mnist", published(content=content, zipped=content))
    assert sum_of(content[TRAIN_IMAGES]) == DATASETS["mnist"].files[0].sha256
    dataset = load(None, idx_folder)
    assert (dataset.name, dataset.option) == ("mnist", "mnist")
    with pytest.raises(InputError, match="few holds mnist, not kmnist"):
        load("kmnist", idx_folder)


@pytest.mark.parametrize(
    ("paths", "is_cache"),
    [
        ([], False),
        (["mnist/"], True),
        (["synthetic-1/"], True),
        (["mnist/manifest.json"], True),
        ([f"mnist/{TRAIN_IMAGES}.gz.damaged", "notes.txt"], True),
        ([f"kmnist/.{TRAIN_IMAGES}.0123456789abcdef.part"], True),
        (["mnist/", "picture.png"], False),
        ([f"synthetic-1/{TRAIN_IMAGES}", "picture.png"], False),
        (["mnist/7/picture.png"], False),
    ],
)
def test_the_cache_of_this_program_is_distinguished_from_other_folders(tmp_path, paths, is_cache):
    """By its files; empty folders, which a failed download left, make no cache of a folder with other things."""
    for path in paths:
        target = tmp_path / "root" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.mkdir() if path.endswith("/") else target.touch()
    assert recognize(tmp_path / "root").is_cache == is_cache


def test_hidden_files_make_no_folder_full(tmp_path):
    """Nor do those that Windows adds."""
    folder = tmp_path / "data"
    folder.mkdir()
    for name in (".DS_Store", ".gitkeep", "Thumbs.db", "desktop.ini"):
        (folder / name).touch()
    assert recognize(folder).is_empty


def test_a_description_counts_and_names_what_is_there(tmp_path):
    """Three names at most."""
    folder = tmp_path / "data"
    folder.mkdir()
    for name in "dacb":
        (folder / f"{name}.png").touch()
    assert recognize(folder).holds == "4 files: a.png, b.png, c.png, …"
    (folder / "sub").mkdir()
    assert recognize(folder).holds == "4 files and 1 folder: a.png, b.png, c.png, …"
