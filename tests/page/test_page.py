"""``mnist-bp page``: one whole file that says what it is of and needs nothing else."""

import base64
import hashlib
import html
import json
import os
import re
import sys
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from page_actions import content_of

from mnist_bp import Network
from mnist_bp.core.choices import ACTIVATIONS, COSTS, OUTPUT_ACTIVATIONS
from mnist_bp.core.constants import LEAKY_SLOPE
from mnist_bp.data.datasets import Dataset, Examples
from mnist_bp.errors import InputError
from mnist_bp.page.assemble import assemble
from mnist_bp.page.content import page_content, zero_runs
from mnist_bp.page.functions import functions_module


def data_of(images: np.ndarray, name: str = "some") -> Dataset:
    """These images as a test set, and as a training set."""
    examples = Examples(images, np.arange(len(images), dtype=np.uint8) % 10)
    return Dataset(name, examples, examples)


def raising(_: str) -> bool:
    """Fail as a browser that cannot be started does."""
    raise webbrowser.Error("could not locate runnable browser")


@pytest.fixture
def run(cli: Callable, idx_folder: Path) -> Path:
    """A run on the few digits, the latest."""
    cli("train", "--data-dir", idx_folder, "--epochs", 2, "--output", "run")
    return Path("run")


def test_the_latest_run_gets_a_page(cli: Callable, run: Path, few_digits: tuple[Examples, Examples]) -> None:
    """Beside its model: with its parameters, test digits in the order of the test set, and learning curves."""
    finished = cli("page")

    page = run.resolve() / "page.html"
    assert finished.code == 0
    assert f"{page} (" in finished.out
    assert page.stat().st_size <= 1_000_000
    content = content_of(page)
    network = Network.load(run / "model.npz")
    assert base64.b64decode(content["network"]["parameters"]) == network.parameters.tobytes()
    assert content["network"]["sizes"] == [784, 16, 16, 10]
    assert content["examples"]["labels"] == few_digits[1].labels.tolist()
    assert base64.b64decode(content["examples"]["images"]) == zero_runs(few_digits[1].images.tobytes())
    assert content["dataset"]["name"] == "few"
    assert content["history"]["epoch"] == [1, 2]
    assert set(content["history"]) == {"epoch", "train_cost", "train_accuracy", "test_cost", "test_accuracy"}


def test_where_it_goes_can_be_said(cli: Callable, run: Path) -> None:
    """In one object, with --json; an older page is replaced."""
    Path("mine.html").write_text("old", encoding="utf-8")

    [record] = cli("page", run, "--output", "mine.html", "--json").records

    size = Path("mine.html").stat().st_size
    assert record == {"event": "page", "page": "mine.html", "bytes": size, "model": str(run / "model.npz")}
    assert not (run / "page.html").exists()
    assert content_of(Path("mine.html"))["explain"] == f"mnist-bp explain {Path('run/model.npz')}"


def test_the_page_has_no_absolute_path(
    cli: Callable, run: Path, idx_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """People publish it: neither the folder of the data, of the model, of the program nor of the user is on it."""
    (tmp_path / "names.txt").write_text("".join(f"class {number}\n" for number in range(10)))
    monkeypatch.setattr(sys, "argv", ["/home/user/venv/bin/mnist-bp"])
    given = ["--data-dir", idx_folder.resolve(), "--class-names", tmp_path / "names.txt"]
    assert cli("page", run.resolve(), "--output", "page.html", *given).code == 0
    text = Path("page.html").read_text(encoding="utf-8")
    assert "…/names.txt" in content_of(Path("page.html"))["explain"].replace(os.sep, "/")
    assert not any(str(path) in text for path in (tmp_path, Path.home(), "/home/user", sys.prefix))


def test_a_path_below_the_working_folder_is_relative_on_the_page(cli: Callable, idx_folder: Path) -> None:
    """The command works where the page was made."""
    idx_folder.rename("few")
    Network([784, 10], rng=np.random.default_rng(0)).save("model.npz")
    assert cli("page", Path("model.npz").resolve(), "--data-dir", Path("few").resolve()).code == 0
    assert content_of(Path("page.html"))["explain"] == "mnist-bp explain model.npz --data-dir=few"


def test_a_model_without_a_run_has_no_learning_curves(cli: Callable, idx_folder: Path) -> None:
    """Everything else is there."""
    Network([784, 10], rng=np.random.default_rng(0)).save("model.npz")

    finished = cli("page", "model.npz", "--data-dir", idx_folder)

    assert finished.code == 0
    assert content_of(Path("page.html"))["history"] == {}


def test_300_examples_at_most_and_less_than_a_megabyte(few_digits: tuple[Examples, Examples]) -> None:
    """It holds for images of MNIST's shape; a page with larger images has fewer."""
    network = Network([784, 16, 16, 10], rng=np.random.default_rng(0))
    many = data_of(np.tile(few_digits[1].images, (2, 1, 1)))
    large = data_of(np.zeros((200, 100, 80), np.uint8))

    content = page_content(network, many, name="run", trained_on=None, learning_rate=2.0)
    content_of_large = page_content(
        Network([8000, 10], rng=np.random.default_rng(0)), large, name="run", trained_on=None, learning_rate=2.0
    )

    assert len(content["examples"]["labels"]) == 300
    assert len(assemble({**content, "history": {}}, "run")) <= 1_000_000
    assert len(content_of_large["examples"]["labels"]) == 50


def test_runs_of_zeros_are_stored_as_their_lengths() -> None:
    """A run is a zero and its length, up to 255; a longer one is several runs."""
    assert zero_runs(bytes([7, 0, 0, 0, 9, 0])) == bytes([7, 0, 3, 9, 0, 1])
    assert zero_runs(bytes(600)) == bytes([0, 255, 0, 255, 0, 90])


def test_a_page_without_training_is_small(few_digits: tuple[Examples, Examples]) -> None:
    """The lesson's network with 300 digits and the learning curves of ten epochs."""
    network = Network([784, 16, 16, 10], rng=np.random.default_rng(0))
    content = page_content(network, data_of(few_digits[0].images), name="run", trained_on="mnist", learning_rate=2.0)
    curves = {name: [0.123456789] * 10 for name in ("epoch", "train_cost", "test_cost", "train_accuracy")}

    assert len(content["examples"]["labels"]) == 300
    assert len(assemble({**content, "history": curves}, "run")) <= 450_000


def test_a_float64_network_keeps_its_numbers(few_digits: tuple[Examples, Examples]) -> None:
    """As they are, in the byte order of a browser."""
    network = Network([784, 10], rng=np.random.default_rng(0), dtype=np.float64)

    content = page_content(network, data_of(few_digits[1].images), name="run", trained_on="mnist", learning_rate=2.0)

    assert content["network"]["dtype"] == "float64"
    held = np.frombuffer(base64.b64decode(content["network"]["parameters"]), "<f8")
    assert np.array_equal(held, network.parameters)


def test_nothing_is_fetched_and_nothing_but_our_scripts_may_run(few_digits: tuple[Examples, Examples]) -> None:
    """No address to load from; a policy that names the SHA-256 sum of each script and of the style."""
    network = Network([784, 10], rng=np.random.default_rng(0))
    content = page_content(network, data_of(few_digits[1].images), name="run", trained_on=None, learning_rate=2.0)
    page = assemble({**content, "history": {}}, "run").decode()

    policy = html.unescape(re.search(r'Content-Security-Policy" content="(.*?)"', page)[1])
    texts = re.findall(r"<(script|style)>(.*?)</\1>", page, re.DOTALL)
    sums = {kind: [] for kind in ("script", "style")}
    for kind, text in texts:
        sums[kind].append(f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'")

    assert len(sums["script"]) == 1
    assert policy.split("; ") == [
        "default-src 'none'",
        f"script-src {' '.join(sums['script'])}",
        f"style-src {sums['style'][0]}",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    links = set(re.findall(r"https?://[^\s\"'`)]+", page))
    assert links == {"http://www.w3.org/2000/svg", "http://www.w3.org/1998/Math/MathML"}  # names, not addresses
    assert re.findall(r"(?:src|href)=\"?([^\s\">]*)", re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)) == [
        "data:,"
    ]
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest|WebSocket|sendBeacon|\beval\b|innerHTML", page)


def test_no_text_ends_a_script_or_the_title(few_digits: tuple[Examples, Examples]) -> None:
    """Names of folders may hold anything, also what is no Unicode."""
    evil = "</script></title><script>alert(1)</script>\u2028\udcff{{policy}}"
    network = Network([784, 10], rng=np.random.default_rng(0))
    content = page_content(network, data_of(few_digits[1].images, evil), name=evil, trained_on=evil, learning_rate=2.0)

    page = assemble({**content, "history": {}}, evil).decode()

    assert "<script>alert" not in page
    assert page.count("</title>") == 1
    assert page.count("default-src") == 1
    found = re.search(r'id="content">(.*?)</script>', page)
    assert json.loads(found[1])["dataset"]["name"] == evil


def test_synthetic_digits_are_called_synthetic(cli: Callable, idx_folder: Path) -> None:
    """On the page, in the record and in the terminal, also where only the folder's name tells."""
    folder = idx_folder.rename(idx_folder.with_name("synthetic-1"))
    Network([784, 10], rng=np.random.default_rng(0)).save("model.npz")

    [record] = cli("page", "model.npz", "--data-dir", folder, "--json").records
    finished = cli("page", "model.npz", "--data-dir", folder)

    assert record["synthetic"] is True
    assert "SYNTHETIC" in finished.out
    assert content_of(Path("page.html"))["dataset"]["is_synthetic"] is True


def test_a_network_that_is_too_large_is_refused_with_the_numbers(few_digits: tuple[Examples, Examples]) -> None:
    """Before anything is written."""
    network = Network([784, 3000, 10], rng=np.random.default_rng(0))

    with pytest.raises(
        InputError, match=r"784-3000-10 has 2,385,010 parameters, 9,540,040 bytes; a page holds at most 8,388,608"
    ):
        page_content(network, data_of(few_digits[1].images), name="run", trained_on=None, learning_rate=2.0)


@pytest.mark.parametrize(
    ("registry", "name", "kind"),
    [
        (ACTIVATIONS, "tanh", "activation"),
        (OUTPUT_ACTIVATIONS, "softmax", "activation"),
        (COSTS, "cross-entropy", "cost"),
    ],
)
def test_a_function_without_javascript_is_refused_by_name(
    cli: Callable, idx_folder: Path, monkeypatch: pytest.MonkeyPatch, registry: dict, name: str, kind: str
) -> None:
    """Nothing is written; a network that does not use it gets its page."""
    Network([784, 5, 10], activation="tanh", cost="cross-entropy", rng=np.random.default_rng(0)).save("model.npz")
    Network([784, 10], rng=np.random.default_rng(0)).save("other.npz")
    monkeypatch.setitem(registry._entries, name, registry[name]._replace(javascript=None))

    refused = cli("page", "model.npz", "--data-dir", idx_folder)

    assert refused.code == 2
    assert refused.err.startswith(f"mnist-bp: a page cannot compute the {kind} '{name}': its registry entry has no ")
    assert refused.err.count("\n") == 1
    assert not Path("page.html").exists()
    assert cli("page", "other.npz", "--data-dir", idx_folder).code == 0


def test_a_page_holds_the_functions_of_its_network_and_no_others() -> None:
    """Constants come from Python."""
    module = functions_module(["leaky-relu", "softmax"], ["cross-entropy"])

    assert f"Math.max(z, {LEAKY_SLOPE} * z)" in module
    assert re.findall(r'^"(.*)": {$', module, re.MULTILINE) == ["leaky-relu", "softmax", "cross-entropy"]


def test_the_page_is_there_whole_or_not_at_all(cli: Callable, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fails at the last moment leaves the page that was there."""
    (run / "page.html").write_text("the old one", encoding="utf-8")
    before = sorted(run.iterdir())

    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", fail)
        finished = cli("page", run)

    assert finished.code == 3
    assert finished.err == f"mnist-bp: cannot write {run / 'page.html'}: No space left on device\n"
    assert (run / "page.html").read_text(encoding="utf-8") == "the old one"
    assert sorted(run.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["nowhere"], 2, "nowhere is not a model: expected a model.npz"),
        (["run", "--output", "run"], 2, "run is a folder; expected a file"),
        (["run", "--output", "none/page.html"], 3, "cannot write none/page.html: No such file or directory"),
        (["run", "--dataset", "kmnist"], 3, "kmnist"),
    ],
)
def test_what_is_wrong_is_one_line(cli: Callable, run: Path, arguments: list[str], code: int, said: str) -> None:
    """And an exit code."""
    finished = cli("page", *arguments)

    assert finished.code == code
    assert said in finished.err
    assert finished.err.count("\n") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
def test_what_is_no_file_is_not_replaced_by_one(cli: Callable, run: Path) -> None:
    """A pipe or a device would be one no longer; a link stays a link."""
    os.mkfifo("pipe")
    done = cli("page", run, "--output", "pipe")
    assert (done.code, done.err) == (
        2,
        "mnist-bp: pipe is a device or a pipe; expected a regular file for --output\n",
    )
    Path("target.html").write_text("old", encoding="utf-8")
    Path("link.html").symlink_to("target.html")
    assert cli("page", run, "--output", "link.html").code == 0
    assert Path("link.html").is_symlink()
    assert content_of(Path("target.html"))


def test_another_place_for_the_data_has_to_have_them(cli: Callable, run: Path) -> None:
    """No page of synthetic digits takes the place of one of the right ones."""
    assert cli("page", run, "--data-dir", "nowhere").code == 2
    Path("empty").mkdir()
    assert cli("page", run, "--dataset", "mnist", "--data-dir", "empty").code == 3
    assert list(Path("empty").iterdir()) == []
    assert not (run / "page.html").exists()


@pytest.mark.parametrize(
    ("display", "opens", "said"),
    [
        (":0", lambda _: True, "opened in the browser"),
        (":0", lambda _: False, "no browser is available here"),
        (":0", raising, "no browser is available here"),
        ("", pytest.fail, "no browser is available here"),
    ],
)
def test_open_shows_the_page_in_the_browser_and_its_absence_is_no_error(
    cli: Callable, run: Path, monkeypatch: pytest.MonkeyPatch, display: str, opens: Callable, said: str
) -> None:
    """One line says so, also without a display, where a browser of the terminal is not started."""
    opened = []
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("webbrowser.open", lambda address: opened.append(address) or opens(address))
    for name in ("WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DISPLAY", display)

    finished = cli("page", run, "--open")
    [record] = cli("page", run, "--open", "--json").records

    assert finished.code == 0
    assert said in finished.out + finished.err
    assert (finished.out + finished.err).count("browser") <= 2
    assert opened == 2 * [(run.resolve() / "page.html").as_uri()] * bool(display)
    assert record["opened"] is (said == "opened in the browser")
