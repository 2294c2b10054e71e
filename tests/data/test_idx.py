"""IDX files: read back as they were written, and nothing else is believed."""

import gzip
import io
import os
import struct
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_bp.data import idx
from mnist_bp.errors import InputError

IMAGES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
LABELS = np.array([3, 1, 4, 1, 5, 9], np.uint8)


def idx_bytes(array):
    """Return the IDX file of an array."""
    file = io.BytesIO()
    idx.write(file, array)
    return file.getvalue()


def read(path, content):
    """Read ``content`` from a file at ``path``: as labels or images, whichever its name begins with."""
    path.write_bytes(content)
    return idx.read_labels(path) if path.name.startswith("labels") else idx.read_images(path)


def zipped(content):
    """``content`` as gzip, the same bytes at any time of day."""
    return gzip.compress(content, mtime=0)


def damaged(content, at, value):
    """``content`` with another byte in one place."""
    copy = bytearray(content)
    copy[at] = value
    return bytes(copy)


IMAGE_FILE = idx_bytes(IMAGES)
LABEL_FILE = idx_bytes(LABELS)
QMNIST_LABELS = np.array([[3, 1, 2, 0, 0, 0, 0, 9], [7, 4, 5, 0, 0, 0, 1, 9]], ">i4")
QMNIST_FILE = idx.QMNIST_MAGIC + struct.pack(">2I", 2, 8) + QMNIST_LABELS.tobytes()
FOUR_BILLION = struct.pack(">4s3I", idx.MAGIC[3], 4_000_000_000, 28, 28) + bytes(100)

MALFORMED = {
    "images of another magic": (damaged(IMAGE_FILE, 2, 0x0D), "magic number 0x00000d03; expected 0x00000803 (images)"),
    "images that are labels": (LABEL_FILE, "magic number 0x00000801 (that of labels); expected 0x00000803 (images)"),
    "labels that are images": (IMAGE_FILE, "magic number 0x00000803 (that of images); expected 0x00000801 (labels)"),
    "images empty": (b"", "only 0 bytes; the header of images has 16"),
    "labels empty": (b"", "only 0 bytes; the header of labels has 8"),
    "images of half a header": (IMAGE_FILE[:10], "only 10 bytes; the header of images has 16"),
    "images of a header alone": (IMAGE_FILE[:16], "16 bytes; its header says 2 × 3 × 4, which makes 40"),
    "images one byte short": (IMAGE_FILE[:-1], "39 bytes; its header says 2 × 3 × 4, which makes 40"),
    "images one byte long": (IMAGE_FILE + b"\0", "41 bytes; its header says 2 × 3 × 4, which makes 40"),
    "labels one byte short": (LABEL_FILE[:-1], "13 bytes; its header says 6, which makes 14"),
    "labels one byte long": (LABEL_FILE + b"\0", "15 bytes; its header says 6, which makes 14"),
    "images none": (struct.pack(">4s3I", idx.MAGIC[3], 0, 28, 28), "its header says 0 × 28 × 28; expected sizes of 1"),
    "images without columns": (struct.pack(">4s3I", idx.MAGIC[3], 5, 28, 0), "says 5 × 28 × 0; expected sizes of 1"),
    "labels none": (struct.pack(">4sI", idx.MAGIC[1], 0), "its header says 0; expected sizes of 1 or more"),
    "images four billion": (FOUR_BILLION, "116 bytes; its header says 4,000,000,000 × 28 × 28, which makes 3,136,000"),
    "labels of QMNIST one byte short": (QMNIST_FILE[:-1], "75 bytes; its header says 2 × 8, which makes 76"),
    "labels of QMNIST of half a header": (QMNIST_FILE[:10], "only 10 bytes; the header of labels has 12"),
    "images as HTML": (b"<!DOCTYPE html><html></html>", "0x3c21444f (a web page: '<!DOCTYPE html><'); expected"),
    "images as HTML with a mark": (b"\xef\xbb\xbf\r\n<html>\r\n<head>", " (a web page: '<html> <he'); expected 0x0"),
    "images as text": (
        b"version https://git-lfs.github.com",
        " (text: 'version https://'); expected 0x00000803 (images)",
    ),
    "images as a short text": (
        b"Not Found",
        "magic number 0x4e6f7420 (text: 'Not Found'); expected 0x00000803 (images)",
    ),
    "images as a picture": (b"\x89PNG\r\n\x1a\n" + bytes(99), "magic number 0x89504e47; expected 0x00000803 (images)"),
}
GZIP_MALFORMED = {
    **{name: (zipped(content), told) for name, (content, told) in MALFORMED.items()},
    "images one byte long": (zipped(IMAGE_FILE + b"\0"), "at least 41 bytes; its header says 2 × 3 × 4"),
    "labels one byte long": (zipped(LABEL_FILE + b"\0"), "at least 15 bytes; its header says 6"),
    "images two files long": (zipped(IMAGE_FILE) * 2, "at least 41 bytes; its header says 2 × 3 × 4"),
    "images four billion": (
        zipped(FOUR_BILLION),
        f"at most {len(zipped(FOUR_BILLION)) * 1032:,} bytes; its header says 4,000,000,000 × 28 × 28",
    ),
    "images cut off": (zipped(IMAGE_FILE)[:-12], "the gzip stream is damaged (Compressed file ended"),
    "images of two bytes": (b"\x1f\x8b", "the gzip stream is damaged (Compressed file ended"),
    "images of another sum": (damaged(zipped(IMAGE_FILE), -8, 0), "gzip stream is damaged (CRC check failed"),
    "images of another length": (damaged(zipped(IMAGE_FILE), -4, 0), "gzip stream is damaged (Incorrect length"),
    "images and then a text": (zipped(IMAGE_FILE) + b"text", "the gzip stream is damaged (Not a gzipped file"),
}
EVERY_MALFORMED = [
    *((name, *case) for name, case in MALFORMED.items()),
    *((f"{name}.gz", *case) for name, case in GZIP_MALFORMED.items()),
]


@pytest.mark.parametrize("compress", [bytes, zipped], ids=["plain", "gzip"])
def test_arrays_come_back_as_they_were_written(tmp_path, compress):
    """Images (2, 3, 4) and labels (6,) are the same bytes after writing and reading, plain and compressed."""
    images = read(tmp_path / "images", compress(IMAGE_FILE))
    labels = read(tmp_path / "labels", compress(LABEL_FILE))
    np.testing.assert_array_equal(images, IMAGES)
    np.testing.assert_array_equal(labels, LABELS)
    assert images.dtype == labels.dtype == np.uint8


def test_bytes_are_those_of_the_format():
    """Two images of 1 × 3 pixels: magic 2051, three big-endian sizes, six bytes row by row."""
    written = idx_bytes(np.array([[[1, 2, 3]], [[4, 5, 6]]], np.uint8))
    assert written == bytes.fromhex("00000803 00000002 00000001 00000003 010203 040506")


def test_an_array_in_another_memory_order_is_written_row_by_row(tmp_path):
    """A transposed view is written as it reads, not as it lies in memory."""
    transposed = IMAGES.T
    np.testing.assert_array_equal(read(tmp_path / "images", idx_bytes(transposed)), transposed)


def test_a_plain_file_can_be_mapped(tmp_path):
    """32 MB of images take next to no memory until they are looked at."""
    path = tmp_path / "images"
    with path.open("wb") as file:
        file.write(struct.pack(">4s3I", idx.MAGIC[3], 32, 1000, 1000))
        file.truncate(16 + 32_000_000)
    images, peak = traced(lambda: idx.read_images(path, mapped=True))
    assert images.shape == (32, 1000, 1000)
    assert peak < 1_000_000


def test_a_mapped_file_cannot_be_written_by_accident(tmp_path):
    """Images of a plain file are read-only: the dataset on disk is safe from the program."""
    (tmp_path / "images").write_bytes(IMAGE_FILE)
    images = idx.read_images(tmp_path / "images", mapped=True)
    with pytest.raises(ValueError, match="read-only"):
        images[0, 0, 0] = 7


def test_what_becomes_of_a_file_that_was_read_does_not_matter(tmp_path):
    """It is emptied, as by cp another.file to.it: a mapped one would end the process by SIGBUS."""
    images, labels = read(tmp_path / "images", IMAGE_FILE), read(tmp_path / "labels", LABEL_FILE)
    for name in ("images", "labels"):
        (tmp_path / name).write_bytes(b"")
    np.testing.assert_array_equal(images, IMAGES)
    np.testing.assert_array_equal(labels, LABELS)


@pytest.mark.parametrize("content", [b"", IMAGE_FILE[:-1], bytes(len(IMAGE_FILE))])
def test_a_file_that_changes_while_it_is_read_is_an_error(tmp_path, monkeypatch, content):
    """Another process empties it, shortens it or writes other bytes into it."""
    path, fromfile = tmp_path / "images", np.fromfile

    def change_then_read(*arguments, **options):
        path.write_bytes(content)
        os.utime(path, ns=(0, 0))
        return fromfile(*arguments, **options)

    monkeypatch.setattr(np, "fromfile", change_then_read)
    with pytest.raises(InputError, match="changed while it was read; run the command again when it is complete"):
        read(path, IMAGE_FILE)


@pytest.mark.parametrize(("name", "content", "told"), EVERY_MALFORMED, ids=[case[0] for case in EVERY_MALFORMED])
def test_a_malformed_file_is_an_error_that_reports_it(tmp_path, name, content, told):
    """One line that names the file, what was found and what was expected."""
    path = tmp_path / name
    with pytest.raises(InputError) as error:
        read(path, content)
    text = str(error.value)
    assert text.startswith(f"{path}: ")
    assert told in text
    assert text.isprintable()


def test_checks_work_without_assertions(tmp_path):
    """``python -O`` gives the very same errors."""
    expected = []
    for name, content, _ in EVERY_MALFORMED:
        with pytest.raises(InputError) as error:
            read(tmp_path / name, content)
        expected.append(str(error.value))
    script = """if True:
        import sys
        from pathlib import Path
        from mnist_bp.data import idx
        from mnist_bp.errors import InputError
        assert False, "assertions are on"
        sys.stdout.reconfigure(encoding="utf-8", newline="")
        for path in map(Path, sys.argv[1:]):
            try:
                idx.read_labels(path) if path.name.startswith("labels") else idx.read_images(path)
            except InputError as error:
                print(error)
    """
    paths = [str(tmp_path / name) for name, _, _ in EVERY_MALFORMED]
    ran = subprocess.run([sys.executable, "-O", "-c", script, *paths], capture_output=True, check=False)
    assert ran.stderr == b""
    assert ran.stdout.decode().splitlines() == expected


@pytest.mark.parametrize("compress", [bytes, zipped], ids=["plain", "gzip"])
def test_a_header_that_claims_four_billion_images_allocates_nothing(tmp_path, compress):
    """3.1 TB are claimed; less than 1 MB is ever taken."""

    def refuse():
        with pytest.raises(InputError, match="4,000,000,000"):
            read(tmp_path / "images", compress(FOUR_BILLION))

    assert traced(refuse)[1] < 1_000_000


def test_a_stream_that_never_ends_is_not_read_to_its_end(tmp_path):
    """64 MB of zeros behind a header of 40 bytes: reading stops one byte after the 40."""
    content = gzip.compress(IMAGE_FILE + bytes(64_000_000), compresslevel=1)

    def refuse():
        with pytest.raises(InputError, match="at least 41 bytes"):
            read(tmp_path / "images", content)

    assert traced(refuse)[1] < 2_000_000


@pytest.mark.parametrize("compress", [bytes, zipped], ids=["plain", "gzip"])
def test_the_labels_of_qmnist_are_the_first_of_eight_columns(tmp_path, compress):
    """They are 32-bit integers; the other columns say who wrote the digit, and where."""
    labels = read(tmp_path / "labels", compress(QMNIST_FILE))
    np.testing.assert_array_equal(labels, [3, 7])


def test_a_missing_file_is_an_error_that_names_it(tmp_path):
    """No file: one line with its path."""
    with pytest.raises(InputError) as error:
        idx.read_images(tmp_path / "absent")
    assert str(error.value) == f"{tmp_path / 'absent'}: no such file"


def test_a_folder_is_no_file(tmp_path):
    """A folder in a file's place: one line with its path."""
    with pytest.raises(InputError, match="cannot be read") as error:
        idx.read_images(tmp_path)
    assert str(tmp_path) in str(error.value)


places = st.integers(0, 80)
edits = st.one_of(
    st.tuples(st.just("change"), places, st.binary(min_size=1, max_size=4)),
    st.tuples(st.just("insert"), places, st.binary(min_size=1, max_size=4)),
    st.tuples(st.just("cut"), places, st.just(b"")),
)


READING = 600_000
"""Bytes that the reading of a .gz takes, whatever is in it."""

MUTATIONS = int(os.environ.get("MNIST_BP_MUTATIONS", "150"))
"""Number of mutations of a file's bytes. 20,000 take one or two minutes."""


@settings(max_examples=MUTATIONS, derandomize=True, deadline=None)
@given(st.sampled_from(["images", "labels"]), st.booleans(), st.lists(edits, max_size=3), st.booleans())
def test_whatever_the_bytes_there_is_an_array_or_an_input_error(tmp_path_factory, name, is_labels, changes, compressed):
    """Files with bytes changed, inserted or cut off are read as valid arrays, or refused; nothing else happens.

    Nor is ever more memory taken than twice the honest file's size, and what any reading of a .gz takes.
    """
    content = bytearray(LABEL_FILE if is_labels else IMAGE_FILE)
    if compressed:
        content = bytearray(zipped(content))
    for change, at, piece in changes:
        if change == "cut":
            del content[at:]
        else:
            content[at : at + (len(piece) if change == "change" else 0)] = piece
    path = tmp_path_factory.getbasetemp() / name
    tracemalloc.start()
    try:
        array = read(path, content)
    except InputError as error:
        array, refusal = None, str(error)
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 2 * len(content) + READING
    if array is None:
        assert refusal.startswith(f"{path}: ")
        assert refusal.isprintable()
    else:
        assert array.dtype == np.uint8
        assert array.ndim == (1 if name == "labels" else 3)
        assert array.size > 0
        assert name == "images" or array.max() < 10


def traced(function, *arguments):
    """Return the result of a function and its peak memory in bytes."""
    tracemalloc.start()
    try:
        return function(*arguments), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
