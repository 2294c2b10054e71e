"""The examples in the READMEs: each one is run, or parsed, or stands in a table with the reason why not."""

import contextlib
import functools
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from PIL import Image

from mnist_bp.cli import main as main_module
from mnist_bp.data import datasets
from mnist_bp.data.examples import Dataset
from mnist_bp.errors import ExitCode

ROOT = Path(__file__).parent.parent
READMES = sorted(
    path for path in [ROOT / "README.md", *ROOT.glob("[!.]*/**/README.md")] if "node_modules" not in path.parts
)

NO_EXAMPLES = {
    "network  784-16-16-10, 13,002 parameters": "output of train",
    "MISTAKE   all of b1, b2 and b3": "output of gradcheck",
    "function  network.py:Network takes": "output of gradcheck",
    "passed    ada.py": "output of gradcheck --submissions",
    "# mine.py": "a part of a program, without its gradient",
    "# nielsen.py": "needs Nielsen's network.py; run by tests/gradcheck/test_user_function.py",
    "How sensitive is C_0 to w_{8,10}^(3)?": "output of explain",
    "runs/…/page.html": "output of page",
    "T(R, B) = c": "a formula",
    "import gzip, numpy, pickle": "reads mnist.pkl.gz",
    "import numpy, torch": "needs PyTorch",
    "import numpy, scipy.io": "needs SciPy",
}
"""Beginnings of blocks of code that are neither commands nor Python, and what they are."""

ELSEWHERE = (
    *("import torch", "import keras", "import jax", "import onnx"),
    "import numpy as np\nfrom mnist_bp import Network\n\nsizes = [state",
)
"""Beginnings of programs that ``tests/test_other_tools.py`` runs: they continue another one, or need other packages."""

PARSED_ONLY = {
    "--every-combination": "takes half a minute",
    "--submissions": "needs submissions; tests/cli/test_submissions.py",
    "--cost-function": "needs a file mine.py",
    "--trials": "needs Optuna; tests/cli/test_search.py",
    "--seeds": "starts a process for each network",
    "--plot": "takes seconds",
    "--verify": "needs MNIST",
    "--from": "needs MNIST",
    "--mirror": "needs a network",
}
"""Options of ``mnist-bp`` with which a command is not run, and why."""

OTHER_PROGRAMS = {
    "jq": "may be missing",
    "module": "exists only on clusters",
    "mutmut": "takes hours",
    "pip": "needs a network",
    "python": "runs a file of this project, for minutes",
    "python3": "makes an environment",
    "scripts/bench": "takes an hour, and needs PyTorch and JAX",
    "scripts/contact-sheet": "needs MNIST",
    "scripts/fuzz": "takes minutes",
    "scripts/readme-pictures": "needs MNIST and a browser",
    "scripts/reproduce": "takes hours, and needs MNIST",
    "scripts/test": "runs this test",
    "scripts/two-walks": "needs MNIST",
}
"""Programs that the shell finds replaced by one that does nothing, and why. Their options have to exist."""

MNIST_BP = {"mnist-bp", "scripts/mnist-bp"}

LAUNCHERS = {"mpiexec", "srun"}
"""Programs that start the command that follows their own options, which are not checked."""

RECORD = """#!/bin/sh
printf '%s\\n' "${0#"${PATH%%:*}"/}" "$@" "" >> "$CALLS"
case $0 in *mnist-bp) exit "$CODE"; esac
"""
"""A program that writes its name and its arguments into a file; ``mnist-bp`` ends with ``CODE``, others with 0."""

LAUNCH = """#!/bin/sh
while [ "$1" != mnist-bp ]; do shift; done
exec "$@"
"""

IN_PLACE_OF = {"/media/usb": "my-digits", "gzip.zip": "my-digits"}
"""Paths of examples that tests cannot make, and what stands in for them."""


class Block(NamedTuple):
    """A block of code, or a command in a sentence."""

    place: str
    text: str

    @property
    def is_python(self) -> bool:
        """True for a Python program that can run."""
        return self.text.startswith(("import ", "from ")) and not self.text.startswith((*NO_EXAMPLES,))

    @property
    def is_shell(self) -> bool:
        """True if it begins with a command."""
        return self.text.split(maxsplit=1)[0] in {*MNIST_BP, *OTHER_PROGRAMS, *LAUNCHERS, "#!/bin/sh"}


BLOCK = re.compile(r"^```\w*\n(?P<fenced>.*?)^```$|(?<=\n\n)(?P<indented>(?: {4}[^\n]*\n+)+)", re.MULTILINE | re.DOTALL)
STEP_OF_A_JOB = re.compile(r"- run: \|\n")
COMMAND = re.compile(r"`((?:mnist-bp |scripts/|python \w)[^`…]*)`")


def read(pattern: re.Pattern[str]) -> Iterator[Block]:
    """Find blocks in the READMEs. Of commands with their output, each paragraph is a block."""
    for path in READMES:
        text = path.read_text(encoding="utf-8")
        for found in pattern.finditer(text):
            place = f"{path.relative_to(ROOT).as_posix()}:{text.count(chr(10), 0, found.start()) + 1}"
            code = textwrap.dedent(found[found.lastindex]).strip()
            block = Block(place, textwrap.dedent(STEP_OF_A_JOB.sub("", code)))
            parts = block.text.split("\n\n") if block.is_shell else [block.text]
            yield from (Block(place, part) for part in parts)


BLOCKS = list(read(BLOCK))
COMMANDS = [*dict.fromkeys(read(COMMAND))]
SHELL = [block for block in BLOCKS if block.is_shell]
by_place = pytest.mark.parametrize("block", SHELL, ids=lambda block: block.place)
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="examples are for a POSIX shell")


@pytest.fixture
def place(prepared, loading, monkeypatch):
    """The working folder, with what examples name: data, runs, pictures. The few digits are every dataset by name."""
    monkeypatch.setattr(datasets, "load", loading)
    shutil.copytree(prepared, Path(), symlinks=True, dirs_exist_ok=True)


@pytest.fixture(scope="session")
def loading(few_digits):
    """Return a function that loads the few digits under the name of any dataset."""
    load = datasets.load

    def few(name, data_dir=None, *, limit=None, test_limit=None, **options):
        if data_dir is not None:
            return load(name, data_dir, limit=limit, test_limit=test_limit, **options)
        train, test = few_digits
        return Dataset(name or "mnist", train.first(limit), test.first(test_limit))

    return few


@pytest.fixture(scope="session")
def prepared(tmp_path_factory, loading, few_digits, write_few_digits):
    """A folder with what examples name, and a run of the lesson's network."""
    folder = tmp_path_factory.mktemp("readme")
    write_few_digits(folder / "my-digits")
    (folder / "configs").symlink_to(ROOT / "configs")
    Image.fromarray(few_digits[1].images[0]).save(folder / "digit.png")
    (folder / "photos").mkdir()
    Image.fromarray(few_digits[1].images[0]).save(folder / "photos/digit.png")
    for program in BLOCKS:
        if program.is_python and "def backpropagate(" in program.text:
            (folder / "my_backprop.py").write_text(program.text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()):
        patch.setattr(datasets, "load", loading)
        patch.chdir(folder)
        patch.setenv("MNIST_BP_DATA", str(folder / "cache"))
        assert main_module.run(["train", "--hidden", "16,16", "--epochs", "1", "--quiet"]) == 0
    (run,) = folder.glob("runs/*-784-16-16-10")
    for name in ("runs/20261122-120000-784-800-10", "RUN", *(f"runs/three/seed-{seed}" for seed in range(3))):
        shutil.copytree(run, folder / name)
    shutil.copy(folder / "RUN/model.npz", folder / "imported.npz")
    (folder / "runs/three/config.toml").write_text("seeds = 3\n", encoding="utf-8")
    return folder


def called(block, *, code=0, options="-e"):
    """Run a block by the shell, with ``RECORD`` for every program; its exit code, and the words of each call."""
    with tempfile.TemporaryDirectory() as folder:
        programs = Path(folder, "programs")
        for name in {*MNIST_BP, *OTHER_PROGRAMS, *LAUNCHERS}:
            program = Path(folder, name) if "/" in name else programs / name
            program.parent.mkdir(exist_ok=True)
            program.write_text(LAUNCH if name in LAUNCHERS else RECORD, encoding="utf-8")
            program.chmod(0o755)
        Path(folder, "env/bin").mkdir(parents=True)
        Path(folder, "env/bin/activate").touch()
        env = {
            "PATH": os.pathsep.join([str(programs), os.environ["PATH"]]),
            "CALLS": f"{folder}/calls",
            "CODE": str(code),
        }
        done = subprocess.run(["sh", options, "-c", block.text], cwd=folder, env=env, check=False, timeout=60)
        calls = Path(folder, "calls").read_text(encoding="utf-8").split("\n\n")[:-1]
    return done.returncode, [call.split("\n") for call in calls]


def options_of(words):
    """The long options among the words of a command."""
    return {word.partition("=")[0] for word in words if word.startswith("--")}


@pytest.fixture
def parse(cli, monkeypatch):
    """Assert that the command line accepts these words, without running the command."""

    def assert_accepted(words):
        load = main_module.load_command
        with monkeypatch.context() as patch:
            patch.setattr(main_module, "load_command", lambda name: functools.wraps(load(name))(lambda **_: None))
            assert cli(*words) == (0, "", "")

    return assert_accepted


@pytest.fixture
def run(cli, parse):
    """Assert that a command works, with less work for a training; if it takes too long all the same, parse it."""

    def assert_it_works(words):
        if options_of(words) & PARSED_ONLY.keys():
            return parse([IN_PLACE_OF.get(word, word) for word in words])
        if words[0] == "train" and "--resume" not in words:
            parse(words)
            words = [*words, "--epochs=1", "--limit=100", "--min-accuracy=0"]
        assert cli(*words).code == 0
        return None

    return assert_it_works


def assert_script_exists(script, words):
    """And that the options among the words stand in its source; scripts/test hands them on to pytest."""
    path = ROOT / script
    package = path.with_name(f"_{path.name.replace('-', '_')}")
    source = "".join(each.read_text(encoding="utf-8") for each in [path, *package.glob("*.py")])
    assert path.name == "test" or all(f'"{option}"' in source for option in options_of(words))


def test_every_block_of_code_is_an_example_or_stands_in_the_table():
    """And all of the table is needed."""
    others = [block for block in BLOCKS if not (block.is_shell or block.is_python)]
    known = {block: [begin for begin in NO_EXAMPLES if block.text.startswith(begin)] for block in others}
    assert [block for block, begins in known.items() if not begins] == []
    assert {begin for begins in known.values() for begin in begins} == {*NO_EXAMPLES}


@posix_only
@by_place
def test_commands_work(place, run, block):
    """One after the other, as a shell reads them."""
    code, calls = called(block)
    assert code == 0
    for program, *words in calls:
        if program in MNIST_BP:
            run(words)
        elif program.startswith("scripts/"):
            assert_script_exists(program, words)


@posix_only
@by_place
def test_a_command_that_fails_fails_the_example(block):
    """In a CI job, whose shell stops at the first error; a gate by accuracy does not need that."""
    assert called(block, code=1)[0] == ("mnist-bp" in block.text)
    if "--min-accuracy" in block.text:
        assert called(block, code=1, options="+e")[0] == 1


@pytest.mark.parametrize("block", COMMANDS, ids=lambda block: f"{block.place} {block.text}")
def test_commands_in_sentences_are_parsed(place, parse, cli, block):
    """Those without an ellipsis. A single word is the name of a command or of an option."""
    program, *words = shlex.split(block.text)
    if program == "python":
        assert (ROOT / words[0]).is_file()
    elif program == "mnist-bp" and len(words) == 1:
        assert f" {words[0]} " in cli("--help").out
    elif program == "mnist-bp":
        parse([IN_PLACE_OF.get(word, word) for word in words])
    else:
        assert_script_exists(program, words)


@pytest.mark.parametrize(
    "block",
    [block for block in BLOCKS if block.is_python and not block.text.startswith(ELSEWHERE)],
    ids=lambda block: block.place,
)
def test_python_programs_run(place, block):
    """On the few digits."""
    exec(block.text, {})


def test_every_exit_code_is_listed():
    """The table has all of ``ExitCode``, in order, and nothing else."""
    text = (ROOT / "mnist_bp/cli/README.md").read_text(encoding="utf-8")
    table = text.partition("| exit code | meaning |\n| --- | --- |\n")[2].partition("\n\n")[0]
    assert [int(row.split("|")[1]) for row in table.splitlines()] == [*ExitCode]


def test_the_first_page_is_short():
    """At most 150 lines; the first screen has a picture and the first command."""
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 150
    assert "![" in "".join(lines[:10])
    assert "scripts/mnist-bp train --hidden 16,16" in "".join(lines[:20])


def test_links_lead_to_files_of_the_project():
    """Also those of pictures; addresses on the web are not opened."""
    link = re.compile(r"\]\(([^)#\s]+)\)")
    found = [(path, target) for path in READMES for target in link.findall(path.read_text(encoding="utf-8"))]
    local = [(path, target) for path, target in found if "://" not in target]
    assert [target for path, target in local if not (path.parent / target).exists()] == []
    assert len(local) > 20


def test_tests_that_the_manual_names_exist():
    """The table of the lesson's claims follows the tests."""
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "tests/README.md").read_text(encoding="utf-8")))
    lesson = (ROOT / "tests/test_lesson.py").read_text(encoding="utf-8")
    assert [name for name in sorted(named) if f"def {name}(" not in lesson] == []
    assert len(named) > 20
