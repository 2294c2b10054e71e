"""Every command has --json and --quiet; the keys of the records are those of mnist_bp/cli/README.md."""

import re
from pathlib import Path

import pytest

import mnist_bp
from mnist_bp.cli.main import COMMANDS
from mnist_bp.cli.predict import SAMPLE
from mnist_bp.training.settings import SETTINGS

DOCUMENT = (Path(mnist_bp.__file__).parent / "cli" / "README.md").read_text(encoding="utf-8")

BY_NAME = {
    "norms", "batch.by_label", "environment.variables", "dependencies", "extras[].packages", "settings", "changed",
    "importances",
}  # fmt: skip
"""Objects whose keys are names of arrays, classes, variables, packages or settings."""

NEEDED = {"evaluate": ["run"], "page": ["run"], "explain": ["run"], "gradcheck": ["run", "--method", "complex"],
          "predict": ["--model", "run", SAMPLE], "download": ["--list"], "info": [], "runs": ["run"],
          "search": ["--dataset", "synthetic", "--limit", 60, "--trials", 1, "--l2", "1e-5:0.1"]}  # fmt: skip
"""Arguments of the commands that follow a training."""


def documented(event, command):
    """Return the keys in the section about an event of a command, and those of every object."""
    sections = re.split(r"^### ", DOCUMENT, flags=re.MULTILINE)
    general, found = sections[0], [text for text in sections if re.match(rf"`{event}` \({command}\b", text)]
    assert len(found) == 1, (event, command)
    return {key for text in (general, *found) for key in re.findall(r"`([^`\s]+)`", text)}


def keys(record, above=""):
    """Yield the keys of a record, and of objects in it."""
    for name, value in record.items():
        yield above + name
        if isinstance(value, dict) and above + name not in BY_NAME:
            yield from keys(value, f"{above}{name}.")
        if isinstance(value, list):
            for each in value:
                if isinstance(each, dict):
                    yield from keys(each, f"{above}{name}[].")


@pytest.fixture
def run(trained, few):
    """Return the folder of a small run, called ``run``."""
    return trained("--data-dir", few, "--hidden", 4, "--epochs", 1)


def assert_documented(done, command):
    """Every record has an event, and every key of it stands in its section."""
    assert done.records, done.err
    for record in done.records:
        found = {key.replace("central[]", "layers[]").replace("inputs.central.", "inputs.") for key in keys(record)}
        assert found - documented(record["event"], command) == set()


@pytest.mark.parametrize(
    ("command", "more"),
    [
        ("train", ["--epochs", 1, "--validation", 20, "--plot"]),
        ("train", ["--epochs", 1, "--validation", 20, "--early-stop", 1, "--max-seconds", 60]),
        ("train", ["--dry-run"]),
        ("train", ["--epochs", 1, "--limit", 40, "--validation", 20, "--keep", "best", "--seeds", 2]),
        ("evaluate", ["run", "--mistakes", 2, "--plot", "--adversarial", 0.1]),
        ("evaluate", ["run", "run", "--mistakes", 2]),
        ("gradcheck", ["--hidden", 3, "--examples", 3]),
        ("gradcheck", ["--self-test", "--examples", 3]),
        ("explain", ["run", "--weight", "1:0,300"]),
    ],
)
@pytest.mark.usefixtures("run", "blank_figures")
def test_every_key_of_a_record_is_documented(cli, few, command, more):
    """The table of its event names it."""
    assert_documented(cli(command, *more, "--data-dir", few, "--json"), command)


def test_every_key_of_the_other_records_is_documented(cli, run):
    """Those of commands without examples."""
    assert_documented(cli("predict", "--model", "run", SAMPLE, "--json"), "predict")
    Path("pictures/7").mkdir(parents=True)
    Path("pictures/7/x.png").write_bytes(SAMPLE.read_bytes())
    assert_documented(cli("predict", "--model", "run", "pictures", "--json"), "predict")
    assert_documented(cli("predict", "--model", "run", "--model", "run", "pictures", "--json"), "predict")
    assert_documented(cli("page", "run", "--json"), "page")
    assert_documented(cli("download", "--list", "--json"), "download")
    assert_documented(cli("info", "--json"), "info")
    assert_documented(cli("runs", "run", "--json"), "runs")


@pytest.mark.usefixtures("blank_figures")
def test_every_key_about_a_search_is_documented(cli, few):
    """One object for each trial, and the end."""
    pytest.importorskip("optuna")
    values = ("--learning-rate", "0.5:5", "--limit", 60, "--epochs", 1)
    assert_documented(cli("search", *values, "--trials", 5, "--data-dir", few, "--plot", "--json"), "search")


def test_every_key_about_submissions_is_documented(cli):
    """One object for each file, and the end."""
    Path("class").mkdir()
    Path("class/ada.py").write_text("def f(weights, biases, x, y):\n    return weights, biases\n", encoding="utf-8")
    assert_documented(
        cli("gradcheck", "--submissions", "class", "--function", "f", "--hidden", 3, "--json"), "gradcheck"
    )


def test_the_keys_of_searches_in_a_list_are_documented(cli):
    """A finished one and a damaged one."""
    pytest.importorskip("optuna")
    assert cli("search", *NEEDED["search"], "--output", "searches/first").code == 0
    Path("searches/second").mkdir()
    Path("searches/second/study.db").touch()
    done = cli("runs", "searches", "--json")
    assert [record["state"] for record in done.records] == ["finished", "damaged"]
    assert_documented(done, "runs")


def test_the_document_names_every_setting():
    """Each is in the start record."""
    assert {*SETTINGS} <= documented("start", "train")


def test_quiet_prints_the_result_of_a_training_alone(cli, few):
    """One line."""
    done = cli("train", "--data-dir", few, "--hidden", 4, "--epochs", 1, "--quiet")
    assert (done.code, len(done.out.splitlines())) == (0, 1)


@pytest.mark.parametrize("command", [command for command in COMMANDS if command != "train"])
def test_quiet_prints_the_result_alone(cli, run, command):
    """One line; the list of the datasets is a result of several."""
    if command == "search":
        pytest.importorskip("optuna")
    done = cli(command, *NEEDED[command], "--quiet")
    lines = done.out.splitlines()
    assert (done.code, done.err) == (0, "")
    assert all(lines)
    assert len(lines) == 1 or command == "download"
