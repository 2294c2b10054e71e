"""The sealed .npz file: what is changed in it is noticed, and nothing in it is believed."""

import hashlib
import io
import json
import zipfile
from ast import literal_eval
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnist_bp import Network
from mnist_bp.errors import InputError
from mnist_bp.storage import npz

FILE = Path("file.npz")
ARRAYS = {
    "W1": np.arange(6, dtype=np.float32).reshape(2, 3),
    "upright": np.asfortranarray(np.arange(6.0).reshape(3, 2)),
    "count": np.array(7),
}


def write(**meta: Any) -> None:
    """A file of these arrays."""
    npz.write(FILE, ARRAYS, {"format": 2, **meta})


def read(formats: tuple[int, ...] = (1, 2)) -> npz.Archive:
    """Read the file of the test."""
    return npz.read(FILE, "thing", formats)


def test_what_was_written_comes_back() -> None:
    """Arrays of any order and shape, bit for bit, and meta."""
    write(note="μ", numbers=[0.1, 1e-300])
    arrays, meta = read()
    assert meta == {"format": 2, "note": "μ", "numbers": [0.1, 1e-300]}
    assert set(arrays) == set(ARRAYS)
    for name, array in ARRAYS.items():
        assert (arrays[name].shape, arrays[name].dtype) == (array.shape, array.dtype)
        np.testing.assert_array_equal(arrays[name], array)


def test_it_is_an_ordinary_npz() -> None:
    """numpy opens it without pickle, and a zip program finds no fault with it."""
    write()
    with np.load(FILE, allow_pickle=False) as file:
        np.testing.assert_array_equal(file["W1"], ARRAYS["W1"])
        assert json.loads(str(file["meta"])) == {"format": 2}
    with zipfile.ZipFile(FILE) as file:
        assert file.testzip() is None


def test_a_reader_that_ignores_the_order_of_an_array_reads_it_correctly() -> None:
    """As in C and JavaScript: shape and type from the header, and then the numbers row by row."""
    arrays = ARRAYS | {"transposed": ARRAYS["W1"].T, "strided": ARRAYS["W1"][:, ::2]}
    npz.write(FILE, arrays, {"format": 2})
    with zipfile.ZipFile(FILE) as file:
        for name, array in arrays.items():
            content = file.read(f"{name}.npy")
            begin = 10 + int.from_bytes(content[8:10], "little")
            header = literal_eval(content[10:begin].decode())
            assert header == {"descr": array.dtype.str, "fortran_order": False, "shape": array.shape}
            assert content[begin:] == array.tobytes(order="C")


def test_the_file_ends_in_the_sum_of_all_that_stands_before_it() -> None:
    """So that files of today open tomorrow, and anybody can check one with other tools."""
    write()
    content = FILE.read_bytes()
    assert content.endswith(b"sha256:" + hashlib.sha256(content[:-64]).hexdigest().encode())


def test_a_flipped_bit_anywhere_in_a_model_is_noticed(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every byte of the file, a bit of each: none is so unimportant that it may change."""
    Network([3, 2], rng=rng).save(FILE)
    content = bytearray(FILE.read_bytes())
    monkeypatch.setattr(npz, "read_whole", lambda *_: bytes(content))  # a thousand files take their time to write
    Network.load(FILE)
    unnoticed = []
    for place in range(len(content)):
        bit = 1 << place % 8
        content[place] ^= bit
        try:
            Network.load(FILE)
            unnoticed.append(place)
        except InputError:
            pass
        content[place] ^= bit
    assert unnoticed == []
    Network.load(FILE)


def test_a_truncated_or_lengthened_file_is_refused() -> None:
    """Wherever it breaks off, and whatever is put before or behind it."""
    write()
    whole = FILE.read_bytes()
    for content in [*(whole[:length] for length in range(0, len(whole), 31)), whole[:-1], whole + b"x", b"x" + whole]:
        FILE.write_bytes(content)
        with pytest.raises(InputError, match=r"file\.npz is not a thing that mnist-bp wrote"):
            read()


def test_a_file_of_the_first_format_has_no_seal_and_opens() -> None:
    """As numpy alone writes it."""
    np.savez(FILE, **ARRAYS, meta=np.array('{"format": 1}'))
    np.testing.assert_array_equal(read().arrays["W1"], ARRAYS["W1"])


def test_a_later_file_without_its_seal_is_refused() -> None:
    """Whoever changes an array and writes the file anew has to say so."""
    np.savez(FILE, **ARRAYS, meta=np.array('{"format": 2}'))
    with pytest.raises(InputError, match=r"wrote: checksum mismatch: the file is damaged$"):
        read()


@pytest.mark.parametrize(("format_", "said"), [(1, "format 1; .* reads 2"), (3, "format 3; .* reads 2")])
def test_another_format_is_refused(format_: int, said: str) -> None:
    """The reader says which it knows."""
    np.savez(FILE, **ARRAYS, meta=np.array(json.dumps({"format": format_})))
    with pytest.raises(InputError, match=said):
        read(formats=(2,))


@pytest.mark.parametrize("meta", ["{}", '{"format": "2"}', '{"format": true}', "[2]", "2", "null", "{"])
def test_meta_that_does_not_record_its_format_is_refused(meta: str) -> None:
    """It has to be a JSON object with a whole number."""
    np.savez(FILE, **ARRAYS, meta=np.array(meta))
    with pytest.raises(InputError, match=r"wrote: (its meta has no format number|Expecting property .*)$"):
        read()


def test_meta_that_is_no_string_is_refused() -> None:
    """A number, or two strings."""
    for meta in (np.array(2), np.array(['{"format": 2}'] * 2)):
        np.savez(FILE, **ARRAYS, meta=meta)
        with pytest.raises(InputError, match=r"wrote: its meta is not a string$"):
            read()


def test_meta_of_more_than_16_megabytes_is_refused() -> None:
    """Whoever reads JSON takes many times its length."""
    np.savez(FILE, **ARRAYS, meta=np.array('{"format": 1, "note": "%s"}' % ("x" * (1 << 22))))
    with pytest.raises(InputError, match=r"wrote: meta claims 16,\d{3},\d{3} bytes; expected at most 16,777,216$"):
        read()


def test_without_meta_it_is_some_other_npz() -> None:
    """Refused in one line."""
    np.savez(FILE, **ARRAYS)
    with pytest.raises(InputError, match=r"not a thing that mnist-bp wrote: it has no meta$"):
        read()


def rewritten(name: str, old: bytes, new: bytes) -> None:
    """The file again, with some bytes of one member changed."""
    with zipfile.ZipFile(FILE) as file:
        content = {member: file.read(member) for member in file.namelist()}
    assert old in content[name]
    content[name] = content[name].replace(old, new)
    with zipfile.ZipFile(FILE, "w") as file:
        for member, data in content.items():
            file.writestr(member, data)


def test_an_array_whose_header_does_not_fit_it_is_refused() -> None:
    """Two numbers announced, three there."""
    np.savez(FILE, W1=np.arange(3.0), meta=np.array('{"format": 1}'))
    rewritten("W1.npy", b"(3,)", b"(2,)")
    with pytest.raises(InputError, match=r"wrote: W1 does not have the size that its header states$"):
        read()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(5, "Input/output error"), r"^cannot read the thing file\.npz: Input/output error$"),
        (OSError("the drive is gone"), r"^cannot read the thing file\.npz: the drive is gone$"),
        (MemoryError(), r"^file\.npz is not a thing that mnist-bp wrote: MemoryError$"),
    ],
)
def test_an_error_is_reported_in_its_own_words_or_by_its_name(
    error: Exception, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without numbers and file names a second time."""

    def fail(*_: object) -> bytes:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(npz, "read_whole", fail)
        with pytest.raises(InputError, match=said):
            read()


def test_an_array_from_an_old_python_is_read_and_nobody_is_warned() -> None:
    """Python 2 wrote lengths as 3L, of which numpy warns; whoever opens a file cannot do anything about that."""
    np.savez(FILE, W1=np.arange(3.0), meta=np.array('{"format": 1}'))
    rewritten("W1.npy", b"(3,), } ", b"(3L,), }")
    np.testing.assert_array_equal(read().arrays["W1"], np.arange(3.0))


def test_a_compressed_file_is_refused() -> None:
    """Nothing is unpacked that could be larger than the file."""
    np.savez_compressed(FILE, **ARRAYS, meta=np.array('{"format": 1}'))
    with pytest.raises(InputError, match="is compressed"):
        read()


class Trap:
    """Object whose pickle runs code when it is loaded."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave a trace."""
        return Path.touch, (Path("sprung"),)


@pytest.mark.parametrize("name", ["W1", "meta"])
def test_a_pickle_is_never_opened(name: str) -> None:
    """An array of objects is refused unseen, also as meta."""
    good = {"W1": ARRAYS["W1"], "meta": np.array('{"format": 1}')}
    np.savez(FILE, **{**good, name: np.array([Trap()], dtype=object)})
    with pytest.raises(InputError):
        read()
    assert not Path("sprung").exists()


def full(*_: Any) -> None:
    """The fsync of a full disk."""
    raise OSError(28, "No space left on device")


def test_an_older_file_stays_where_the_new_one_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole or not at all: an error on the way leaves what was there, and nothing beside it."""
    write(note="old")
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(OSError, match="No space"):
            write(note="new")
    assert read().meta["note"] == "old"
    assert list(Path().iterdir()) == [FILE]


def test_a_failed_write_leaves_no_view_of_a_buffer_in_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Collecting a BytesIO that still has a view of its buffer crashes Python 3.12; closing it raises BufferError."""
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(OSError, match="No space") as error:
            write()
    local = [value for entry in error.traceback for value in entry.locals.values()]
    buffers = [value for value in local if isinstance(value, io.BytesIO)]
    assert buffers
    for buffer in buffers:
        buffer.close()
