"""Fixtures for all tests: separate folders, no network, a small dataset, and the command line in-process."""

import io
import json
import os
import re
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from mnist_bp.cli import main as main_module
from mnist_bp.cli.main import main
from mnist_bp.core.choices import ACTIVATIONS, COSTS, INITIALIZATIONS, OPTIMIZERS, Registry
from mnist_bp.cores import usable_cores
from mnist_bp.data import idx
from mnist_bp.data.choices import AUGMENTATIONS, DATASETS, generated
from mnist_bp.data.datasets import Examples
from mnist_bp.data.names import FILE_NAMES
from mnist_bp.data.synthetic import digits
from mnist_bp.reports.plot_formats import PLOT_FORMATS
from mnist_bp.training.schedules import SCHEDULES

REGISTRIES = (ACTIVATIONS, AUGMENTATIONS, COSTS, DATASETS, INITIALIZATIONS, OPTIMIZERS, PLOT_FORMATS, SCHEDULES)
"""Registries whose names are values of options."""

# Containers often set it. Without bytecode, each command that a test starts compiles the package, and pytest all tests.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return the number of processes for ``-n auto``: one more than cores, because some tests wait for a program."""
    return usable_cores() + 1


class Finished(NamedTuple):
    """Result of a command."""

    code: int
    out: str
    err: str

    @property
    def records(self) -> list[dict[str, Any]]:
        """Standard output, read as JSON Lines."""
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c_works() -> None:
    """A shell that starts the tests in the background ignores Ctrl-C in them, and so would the commands they start."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """Tests run side by side: with threads of their own besides, they would wait for each other."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_sync() -> Iterator[None]:
    """Skip fsync: the files of a test need not survive a power failure."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda _: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def _one_of_each_command() -> Iterator[None]:
    """Create a command again only if other names are registered. It takes half of the time of a short command."""
    create = main_module._Commands.get_command

    @cache
    def created(name: str, *_depends_on: object) -> Any:
        return create(None, None, name)

    def get(_: object, context: object, name: str) -> Any:
        registered = tuple(tuple(registry) for registry in REGISTRIES)
        return created(name, main_module.load_command, main_module.program(), registered)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(main_module._Commands, "get_command", get)
        yield


FOLDERS = count()
"""Numbers of the folders of tests."""


@pytest.fixture
def tmp_path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an empty folder. Pytest's own fixture first reads the names of the folders of all tests before."""
    name = re.sub(r"\W", "_", request.node.name)[:30]
    folder = tmp_path_factory.getbasetemp() / f"{name}{next(FOLDERS)}"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture(autouse=True)
def _place_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test works in an empty folder, with an empty cache beside it and none of the user's settings."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("MNIST_BP_DATA", str(tmp_path / "cache"))
    for variable in ("NO_COLOR", "FORCE_COLOR", "CI", "COLUMNS"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only loopback can be reached."""
    look_up = socket.getaddrinfo

    def loopback_only(host: str | bytes | None, *args: Any, **kwargs: Any) -> Any:
        if host not in {"localhost", "127.0.0.1", "::1"}:
            raise socket.gaierror(f"tests have no network: {host!r}")
        return look_up(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", loopback_only)


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers, the same in every run."""
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def few_digits() -> tuple[Examples, Examples]:
    """Synthetic digits: 500 to train on, 250 to test on."""
    return Examples(*digits(500, seed=1, split="train")), Examples(*digits(250, seed=1, split="test"))


@pytest.fixture(scope="session")
def write_few_digits(few_digits: tuple[Examples, Examples]) -> Callable[[Path], None]:
    """Make a folder that holds ``few_digits`` as four IDX files."""

    def write(folder: Path) -> None:
        folder.mkdir()
        train, test = few_digits
        arrays = (train.images, train.labels, test.images, test.labels)
        for name, array in zip(FILE_NAMES, arrays, strict=True):
            with (folder / name).open("wb") as file:
                idx.write(file, array)

    return write


@pytest.fixture
def idx_folder(tmp_path: Path, write_few_digits: Callable[[Path], None]) -> Path:
    """A folder called ``few`` that holds ``few_digits`` as four IDX files."""
    write_few_digits(tmp_path / "few")
    return tmp_path / "few"


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Callable[..., Finished]:
    """Run ``mnist-bp`` with these arguments, in this process."""

    def run(*arguments: object) -> Finished:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Finished(int(ended.value.code or 0), out, err)

    return run


@pytest.fixture
def ordinary_user() -> Callable[[], AbstractContextManager[None]]:
    """Run the block as a user with restricted permissions, which root does not have. POSIX only."""

    @contextmanager
    def somebody() -> Iterator[None]:
        if os.geteuid() != 0:
            yield
            return
        os.seteuid(65534)
        try:
            yield
        finally:
            os.seteuid(0)

    return somebody


@pytest.fixture
def replace_entry(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Replace a built-in entry of a registry for one test."""

    def replace_one(registry: Registry[Any], name: str, entry: object) -> None:
        assert name in {**registry}  # which loads the entries
        monkeypatch.setitem(registry._entries, name, entry)

    return replace_one


@pytest.fixture
def few_synthetic_digits(replace_entry: Callable[..., None]) -> Callable[..., None]:
    """Let the synthetic dataset have fewer digits, drawn by another function if one is given."""

    def arrange(train: int, test: int, **changes: Any) -> None:
        entry = replace(generated()["synthetic"], examples={"train": train, "test": test}, **changes)
        replace_entry(DATASETS, "synthetic", entry)

    return arrange


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Yes."""
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Terminal]:
    """Standard output as a terminal of 256 colours, 60 columns wide, unless told otherwise."""

    def make(columns: int = 60, **variables: str) -> Terminal:
        monkeypatch.delenv("COLORTERM", raising=False)
        for name, value in {"TERM": "xterm-256color", "COLUMNS": columns, **variables}.items():
            monkeypatch.setenv(name, str(value))
        stream = Terminal()
        monkeypatch.setattr(sys, "stdout", stream)
        return stream

    return make
