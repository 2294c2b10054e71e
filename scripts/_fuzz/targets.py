"""Readers of hostile files, and the check of one case: the file must be read, or rejected by a suitable error."""

import contextlib
import gc
import gzip
import io
import json
import struct
import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import numpy as np
import tomli_w

from _fuzz.archives import SPRUNG, hostile_archive
from _fuzz.datasets import hostile_npz, hostile_pictures, hostile_table, hostile_zip
from _fuzz.mutations import LIMITS, mutated_bytes, mutated_value
from _fuzz.pictures import SHAPE, hostile_image
from _fuzz.responses import hostile_responses, read_responses
from mnist_bp.cli.config import read_config
from mnist_bp.cli.declared import with_options
from mnist_bp.cli.main import run
from mnist_bp.cli.train import train
from mnist_bp.data import idx
from mnist_bp.data.datasets import load
from mnist_bp.data.image_file import read_image
from mnist_bp.data.names import FILE_NAMES
from mnist_bp.data.options import DataOptions
from mnist_bp.errors import Diverged, InputError, MnistBpError
from mnist_bp.network import Network, load_network
from mnist_bp.reports.console import printable
from mnist_bp.storage import model_file, npz
from mnist_bp.training.config_file import LIMIT

__all__ = ["TARGETS", "Case", "Failure", "Target", "check"]

CLASSES = 3


class Failure(Exception):
    """Case that failed; the text is the reason."""


class Case(NamedTuple):
    """Case that passed: ``is_read`` is False if the file was rejected; seconds; and the peak memory in bytes."""

    is_read: bool
    seconds: float
    bytes: int


class Target(NamedTuple):
    """A reader to test.

    Attributes
    ----------
    make
        Function that draws a hostile file.
    read
        Function that reads the file at a path, and raises AssertionError if the result is invalid.
    memory
        Bytes that reading may take, independent of the file.
    times
        Additional bytes that reading may take for each byte of the file.
    """

    make: Callable[[Random], bytes]
    read: Callable[[Path], None]
    memory: int
    times: int


def check(name: str, seed: int) -> Case:
    """Let the reader of this name read the hostile file of this seed, in the working folder.

    Memory is still traced afterwards: before Python 3.12.5, ``tracemalloc.stop`` leaks the tracebacks it collected,
    about 30 KB for each case (CPython issue 121390).

    Raises
    ------
    Failure
        Unless the file is read, or rejected by an error of mnist-bp with a one-line message.
    """
    _prepare(name)
    target = TARGETS[name]
    path = Path("hostile")
    content = _make(name, path, seed)
    refusal: MnistBpError | None = None
    gc.collect()  # garbage of earlier cases, which would hide memory of this one
    tracemalloc.start()  # no effect from the second case on
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    started = time.perf_counter()
    try:
        target.read(path)
    except MnistBpError as error:
        refusal = error
    except (Exception, SystemExit) as error:
        raise Failure(f"{type(error).__name__}: {error}") from error
    seconds = time.perf_counter() - started
    peak = tracemalloc.get_traced_memory()[1] - before
    allowed = target.memory + target.times * len(content)
    if peak > allowed:
        raise Failure(f"took {peak:,} bytes for a file of {len(content):,}; at most {allowed:,} are allowed")
    if SPRUNG:
        raise Failure(SPRUNG.pop())
    if refusal is not None:
        _check_refusal(refusal)
    return Case(refusal is None, seconds, peak)


@cache
def _prepare(name: str) -> None:
    """Read files until one is accepted, so that the memory of imported modules is not counted for a case."""
    path = Path("hostile")
    for seed in count():
        _make(name, path, seed)
        with suppress(MnistBpError):
            TARGETS[name].read(path)
            break
    SPRUNG.clear()
    gc.collect()
    gc.freeze()  # the objects of modules, which would take most of the time of each later gc.collect()


def _make(name: str, path: Path, seed: int) -> bytes:
    content = TARGETS[name].make(Random(f"{name} {seed}"))  # noqa: S311 - nothing is secret
    path.write_bytes(content)
    return content


def _check_refusal(refusal: MnistBpError) -> None:
    if refusal.exit_code not in {2, 3} and not isinstance(refusal, Diverged):
        raise Failure(f"exit code {refusal.exit_code}: {refusal}")
    if not str(refusal) or not printable(str(refusal)).isprintable():
        raise Failure(f"says {str(refusal)!r}")


# --- model files -----------------------------------------------------------------------------------------------------


@cache
def _good_model() -> npz.Archive:
    network = Network([6, 4, CLASSES], rng=np.random.default_rng(0))
    network.save("good", {"dataset": "mnist", "config": {"learning-rate": 0.5, "data-dir": "x"}, "epochs": 3})
    return npz.read("good", "model file", [model_file.FORMAT])


def _make_model(random: Random) -> bytes:
    return hostile_archive(*_good_model(), random)


def _read_model(path: Path) -> None:
    network, meta = load_network(path)
    assert np.isfinite(network.parameters).all()
    assert network.sizes == meta.sizes
    with np.errstate(all="ignore"):
        assert network.forward(np.ones((2, network.sizes[0]))).shape == (2, network.sizes[-1])


# --- checkpoints -----------------------------------------------------------------------------------------------------

RUN = Path("run")


@cache
def _good_run() -> dict[str, bytes]:
    """Return the files of a run of one epoch, which can be resumed for another."""
    random = np.random.default_rng(0)
    for name, shape in zip(FILE_NAMES, [(30, 5, 6), (30,), (20, 5, 6), (20,)], strict=True):
        array = random.integers(256 if len(shape) == 3 else CLASSES, size=shape, dtype=np.uint8)
        with Path(name).open("wb") as file:
            idx.write(file, array)
    settings = ["--hidden=3", "--optimizer=adam", "--average=0.9", "--validation=6", "--early-stop=9", "--epochs=1"]
    _run("train", "--data-dir=.", f"--classes={CLASSES}", "--threads=1", f"--output={RUN}", *settings)
    return {path.name: path.read_bytes() for path in RUN.iterdir()}


def _run(*arguments: str) -> list[dict[str, Any]]:
    """Run ``mnist-bp`` in this process, and return its records. Raise its errors."""
    said, told = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(told):
        code = run([*arguments, "--json"])
    assert code == 0, told.getvalue()
    assert all(line.isprintable() for line in told.getvalue().splitlines())
    return [json.loads(line, parse_constant=_refuse) for line in said.getvalue().splitlines()]


def _refuse(constant: str) -> None:
    raise AssertionError(f"a record holds {constant}")


def _make_checkpoint(random: Random) -> bytes:
    _good_run()
    return hostile_archive(*_good_checkpoint(), random)


@cache
def _good_checkpoint() -> npz.Archive:
    Path("good").write_bytes(_good_run()["checkpoint.npz"])
    arrays, meta = npz.read("good", "checkpoint", [model_file.FORMAT])
    return npz.Archive(arrays, {**meta, "last": {**meta["last"], "seconds": 0.25}})  # else another file each time


def _read_checkpoint(path: Path) -> None:
    RUN.mkdir(exist_ok=True)
    for name, content in _good_run().items():
        (RUN / name).write_bytes(content)
    path.replace(RUN / "checkpoint.npz")
    *_, end = _run("train", f"--resume={RUN}", "--epochs=2")
    assert 1 <= end["epochs"] <= 2
    assert 0 <= end["test_accuracy"] <= 1


# --- configs ---------------------------------------------------------------------------------------------------------

GOOD_CONFIG: dict[str, Any] = {
    "hidden": [16, 16], "activation": "relu", "batch-size": 100, "learning-rate": 0.5, "epochs": 3, "seed": 1,
    "dataset": "mnist", "data-dir": "..", "output": "run", "json": True, "min-accuracy": 0.9, "average": 0.999,
}  # fmt: skip
SNIPPETS = [
    "x = 1979-05-27T07:32:00Z", "x = 1979-13-27", "x = 0x" + "f" * 5000, "seed = 0x" + "f" * 5000, "x = 1e99999",
    "epochs = " + "9" * 5000, "hidden = [0b" + "1" * 15_000 + "]", "[a]\n" * 2, "[[a]]\n" * 2000, "x = " + "[" * 8000,
    "x = [" + "1," * 4000 + "]", "x = " + "{a=" * 3000, "a." * 500 + "a = 1", "[" + "a." * 500 + "a]", '"" = 1',
    '"\\u001b[31m" = 1', 'output = "a\\u0000b"', 'data-dir = "\\u202e"', "x = '''" + "'" * 900, 'x = """' + "\\" * 900,
    "x = nan", "learning-rate = -inf", "\ufeff" * 3, "# \0", "x" * 9000 + " = 1", "#" * (LIMIT + 1), "epochs = 1_0_0",
]  # fmt: skip


def _make_config(random: Random) -> bytes:
    config = GOOD_CONFIG
    for _ in range(random.randint(0, 3)):
        changed = mutated_value(config, random)
        config = changed if isinstance(changed, dict) else config
    try:
        text = tomli_w.dumps(config)
    except (TypeError, ValueError, RecursionError):  # None, say, which TOML does not have
        text = tomli_w.dumps(GOOD_CONFIG)
    content = text.encode("utf-8", "surrogatepass")
    what = random.randrange(10)
    if what < 3:
        lines = content.splitlines()
        lines.insert(random.randint(0, len(lines)), random.choice(SNIPPETS).encode())
        return b"\n".join(lines)
    return content if what < 7 else mutated_bytes(content, random)


def _read_config(path: Path) -> None:
    values = read_config(path, with_options(train))
    assert all(
        name.isidentifier() and isinstance(value, bool | int | float | str | Path) for name, value in values.items()
    )


# --- IDX files -------------------------------------------------------------------------------------------------------


UNPACKED = 3 * idx.DEFLATE_LIMIT
"""Bytes of memory allowed for each byte of a .gz file, which may expand by this factor while pieces are joined."""


def _make_images(random: Random) -> bytes:
    return _make_idx([5, 4, 3], random)


def _make_labels(random: Random) -> bytes:
    return _make_idx([12], random)


def _make_idx(shape: list[int], random: Random) -> bytes:
    """Return an IDX file with a changed header, length or bytes, plain or compressed."""
    body = bytes(random.randrange(CLASSES + (random.random() < 0.01)) for _ in range(int(np.prod(shape))))
    sizes = list(shape)
    if random.random() < 0.3:
        sizes[random.randrange(len(sizes))] = random.choice([size for size in LIMITS if size < 2**32])
    if random.random() < 0.1:
        sizes = random.choice([sizes[1:], [*sizes, 1], [*sizes, 0]])
    content = struct.pack(f">3xB{len(sizes)}I", len(sizes), *sizes) + body
    content = content[:2] + random.choice([b"\x08"] * 9 + [b"\x0d"]) + content[3:]
    if random.random() < 0.5:
        content = mutated_bytes(content, random)
    if random.random() < 0.05:
        content += bytes(1_000_000)
    if random.random() < 0.5:
        content = gzip.compress(content, mtime=0)
        if random.random() < 0.5:
            content = mutated_bytes(content, random)
        content *= random.choice([1] * 20 + [2, 100])
    return content


def _read_images(path: Path) -> None:
    images = idx.read_images(path)
    assert (images.dtype, images.ndim, images.size > 0) == (np.uint8, 3, True)


def _read_labels(path: Path) -> None:
    labels = idx.read_labels(path)
    assert (labels.dtype.kind in "ui", labels.ndim, labels.size > 0) == (True, 1, True)


# --- images ----------------------------------------------------------------------------------------------------------


def _read_image(path: Path) -> None:
    image = read_image(path, SHAPE)
    assert (image.dtype, image.shape) == (np.uint8, SHAPE)


# --- datasets --------------------------------------------------------------------------------------------------------

OPTIONS = DataOptions(test_split=0.5, invert=True, transpose=True)


def _read_dataset(path: Path, name: str) -> None:
    """Load the file, which gets a name that states its format, with all options that change images."""
    file = path.replace(name)
    try:
        try:
            data = load(None, file)
        except InputError as error:
            if "--test-split" not in str(error):
                raise
            data = load(None, file, options=OPTIONS)
    finally:
        file.unlink()
    for half in (data.train, data.test):
        assert (half.images.dtype, half.images.ndim, half.labels.dtype) == (np.uint8, 3, np.uint8)
        assert len(half.images) == len(half.labels)
        assert not half.labels.size or half.labels.max() < data.classes


TARGETS = {
    "model": Target(_make_model, _read_model, memory=4_000_000, times=40),
    "checkpoint": Target(_make_checkpoint, _read_checkpoint, memory=6_000_000, times=40),
    "config": Target(_make_config, _read_config, memory=2_000_000, times=100),
    "images": Target(_make_images, _read_images, memory=600_000, times=UNPACKED),
    "labels": Target(_make_labels, _read_labels, memory=600_000, times=UNPACKED),
    "image": Target(hostile_image, _read_image, memory=10_000_000, times=40),
    "csv": Target(hostile_table, partial(_read_dataset, name="train.csv"), memory=2_000_000, times=40),
    "npz": Target(hostile_npz, partial(_read_dataset, name="set.npz"), memory=2_000_000, times=UNPACKED),
    "pictures": Target(hostile_pictures, partial(_read_dataset, name="set.zip"), memory=10_000_000, times=UNPACKED),
    "responses": Target(hostile_responses, read_responses, memory=4_000_000, times=10),
    "zip": Target(hostile_zip, partial(_read_dataset, name="tables.zip"), memory=2_000_000, times=UNPACKED),
}
"""Readers by name, for the command line."""
