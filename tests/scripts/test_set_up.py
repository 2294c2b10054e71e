"""The scripts' environments: built once, whole or not at all, for this checkout and no other.

A stand-in project without dependencies is set up; ``kill_set_up.py`` kills the real set-up.
"""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"
POSIX_ONLY = pytest.mark.skipif(sys.platform == "win32", reason="signals and flock of POSIX")
PATIENCE = 120
"""Seconds until a process that should end, and does not, fails a test."""

STAGES = ("  1/3", "  2/3")
"""Beginnings of the lines that announce the stages of a set-up that take time."""

PYPROJECT = """
[project]
name = "mnist-bp"
dependencies = []
optional-dependencies = {plot = [], dev = ["mnist-bp[plot]"]}
scripts = {mnist-bp = "mnist_bp.__main__:main"}
"""
MAIN = """
import random, sys
import mnist_bp

def main():
    print(sys.argv, mnist_bp.__file__, random.__file__, sep="\\n")
"""
DYING = """if True:
    import os, sys
    sys.path.insert(0, sys.argv[1])
    import _environment
    left, rename = int(sys.argv[2]), os.rename

    def deadly(*args):
        global left
        left -= 1
        return rename(*args) if left >= 0 else os._exit(9)

    os.rename = deadly
    _environment._install = lambda *args: None
    _environment.prepare()
"""
"""Program of a set-up that ends as if killed after a given number of renamed folders."""


def make_project(folder: Path) -> Path:
    """Write the stand-in, with the real scripts."""
    (folder / "mnist_bp").mkdir(parents=True)
    (folder / "scripts").mkdir()
    (folder / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    (folder / "mnist_bp/__init__.py").touch()
    (folder / "mnist_bp/__main__.py").write_text(MAIN, encoding="utf-8")
    for name in ("_environment.py", "_checkout_wheel.py", "mnist-bp", "set-up"):
        shutil.copy(SCRIPTS / name, folder / "scripts")
    return folder


def start(project: Path, script: str = "mnist-bp", *arguments: str) -> subprocess.Popen:
    """Start a script of the project in the current folder, with a pip that installs nothing from elsewhere."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))}
    return subprocess.Popen(
        [sys.executable, project / "scripts" / script, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=own | {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_CONFIG_FILE": os.devnull},
    )


def finish(process: subprocess.Popen) -> tuple[list[str], str]:
    """Wait for a script that has to succeed; the lines of its standard output, and its standard error."""
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    return out.splitlines(), err


def interrupt(project: Path, stage: str, number: int) -> tuple[int, str]:
    """Start the set-up, and send it a signal at a stage. Return its exit code and its messages after that."""
    with start(project) as process:
        while not process.stderr.readline().startswith(stage):
            assert process.poll() is None
        process.send_signal(number)
        _, err = process.communicate(timeout=PATIENCE)
    return process.returncode, err


def remains(project: Path) -> set[str]:
    """Return the files that a set-up left in the project."""
    return {path.name for path in project.glob(".venv*")}


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A project whose set-up was killed twice. Then two at once begin by waiting, and one sets it up."""
    import fcntl

    project = make_project(tmp_path_factory.mktemp("installed") / "my project")
    for stage in STAGES:
        interrupt(project, stage, signal.SIGKILL)
    with (project / ".venv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # waits for the pip of the killed one
        both = [start(project), start(project)]
        assert all(process.stderr.readline().startswith("Waiting for another process") for process in both)
    stages = sorted([line.strip()[:3] for line in finish(process)[1].splitlines()] for process in both)
    assert stages == [[], ["Set", "1/3", "2/3", "3/3", "Rea"]]
    return project


@pytest.fixture
def environment(tmp_path, monkeypatch):
    """The module of a project in ``one``; it installs the project without pip, which takes seconds."""
    return load(make_project(tmp_path / "one"), monkeypatch)


def load(project, monkeypatch):
    """Import ``_environment.py`` of a project, as a script of it does."""
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.syspath_prepend(str(project / "scripts"))
    monkeypatch.delitem(sys.modules, "_checkout_wheel", raising=False)
    spec = importlib.util.spec_from_file_location("_environment", project / "scripts/_environment.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def install(building, extras, lock):
        site = sysconfig.get_path("purelib", "venv", {"base": str(building), "platbase": str(building)})
        zipfile.ZipFile(module._checkout_wheel.write(building, module.ROOT)).extractall(site)

    monkeypatch.setattr(module, "_install", install)
    return module


def package_found(module) -> Path:
    """Return the path from which a project's environment imports mnist_bp."""
    look = [module.PYTHON, "-P", "-c", "import mnist_bp; print(mnist_bp.__file__)"]
    return Path(subprocess.run(look, capture_output=True, text=True, check=True).stdout.strip())


@POSIX_ONLY
def test_of_two_at_once_one_waits_and_the_next_call_sets_nothing_up(installed):
    """Nor does that print anything of its own; its program and pip's are there, and name the place that they have."""
    out, err = finish(start(installed, "mnist-bp", "train", "--quiet"))
    assert out[0] == str([str(installed / "scripts/mnist-bp"), "train", "--quiet"])
    assert err == ""
    programs = Path(sysconfig.get_path("scripts", "venv", {"base": str(installed / ".venv")}))
    subprocess.run([shutil.which("mnist-bp", path=programs)], check=True, capture_output=True)
    assert str(installed).encode() in Path(shutil.which("pip", path=programs)).read_bytes()
    assert remains(installed) == {".venv", ".venv.lock"}


@POSIX_ONLY
def test_python_files_of_the_working_folder_are_not_run(installed):
    """Neither those of names that Python has, nor those of the checkout itself."""
    Path("random.py").write_text("raise SystemExit(0)\n", encoding="utf-8")
    (installed / "simplejson.py").touch()
    out, _ = finish(start(installed))
    assert Path(out[2]).parent == Path(sysconfig.get_path("stdlib"))
    look = "import importlib.util; print(importlib.util.find_spec('simplejson'))"
    finder = [installed / ".venv/bin/python", "-P", "-c", look]
    assert subprocess.run(finder, capture_output=True, text=True, check=True).stdout == "None\n"


@POSIX_ONLY
def test_after_a_set_up_that_was_killed_at_any_stage_the_next_works(installed):
    """A killed one's pip is waited for, and what it left is removed."""
    finish(start(installed))
    assert remains(installed) == {".venv", ".venv.lock"}


@POSIX_ONLY
@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_set_up_that_is_interrupted_at_any_stage_leaves_nothing(tmp_path, stage, number):
    """The exit code of Ctrl-C and SIGTERM is 130."""
    code, err = interrupt(make_project(tmp_path / "project"), stage, number)
    assert code == 130
    assert "Traceback" not in err
    assert remains(tmp_path / "project") == {".venv.lock"}


@POSIX_ONLY
def test_a_terminals_ctrl_c_reaches_the_script_alone(environment, tmp_path, capfd):
    """Each of its steps is in a group of its own: pip would print a traceback."""
    with (tmp_path / "lock").open("w") as lock:
        environment._run(lock.fileno(), sys.executable, "-c", "import os; print(os.getpgrp())")
    assert int(capfd.readouterr().err) != os.getpgrp()


@POSIX_ONLY
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_a_step_starts_ends_that_step(environment, tmp_path, monkeypatch, number):
    """No pip process is left running."""
    steps, start_step = [], subprocess.Popen

    def interrupted(*words, **options):
        steps.append(start_step(*words, **options))
        signal.raise_signal(number)
        return steps[0]

    monkeypatch.setattr(subprocess, "Popen", interrupted)
    with (
        (tmp_path / "lock").open("w") as lock,
        pytest.raises(KeyboardInterrupt),
        environment._terminated_like_ctrl_c(),
    ):
        environment._run(lock.fileno(), sys.executable, "-c", f"import time; time.sleep({PATIENCE})")
    is_over = steps[0].poll() is not None
    steps[0].kill()
    steps[0].wait()
    assert is_over


@pytest.mark.parametrize("renamed", [0, 1])
def test_killed_while_it_replaces_an_environment_the_next_works(environment, renamed):
    """Before the old one is renamed, or between that and the new one's renaming."""
    environment.prepare()
    with (environment.ROOT / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    scripts = environment.ROOT / "scripts"
    killed = subprocess.run([sys.executable, "-c", DYING, scripts, str(renamed)], stderr=subprocess.PIPE, check=False)
    assert killed.returncode == 9, killed.stderr
    environment.prepare()
    assert package_found(environment).is_relative_to(environment.ROOT)
    assert remains(environment.ROOT) == {".venv", ".venv.lock"}


@pytest.mark.parametrize("move", [shutil.move, shutil.copytree])
def test_a_moved_or_copied_checkout_runs_its_own_code(environment, tmp_path, monkeypatch, capfd, move):
    """Its environment still leads to where it was built."""
    environment.prepare()
    move(str(tmp_path / "one"), str(tmp_path / "two"), **({"symlinks": True} if move is shutil.copytree else {}))
    capfd.readouterr()
    second = load(tmp_path / "two", monkeypatch)
    second.prepare()
    assert "the checkout was moved or copied" in capfd.readouterr().err
    assert package_found(second) == tmp_path / "two/mnist_bp/__init__.py"


def lose_python(module):
    """Remove the interpreter."""
    module.PYTHON.unlink()


def break_python(module):
    """Replace the interpreter with a program that fails."""
    module.PYTHON.unlink()
    module.PYTHON.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    module.PYTHON.chmod(0o755)


def lose_packages(module):
    """Remove all that is installed."""
    shutil.rmtree(sysconfig.get_path("purelib", "venv", dict.fromkeys(("base", "platbase"), str(module.ENVIRONMENT))))


def change_version(module):
    """Have the stamp name another version, as after an update of the interpreter in its place."""
    stamp = module.ENVIRONMENT / module.STAMP
    stamp.write_text(stamp.read_text(encoding="utf-8").replace('"version": "3.', '"version": "2.'), encoding="utf-8")


@POSIX_ONLY
@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lose_python, "its Python is gone"),
        (break_python, "its Python is gone"),
        (lose_packages, "it does not find mnist_bp"),
        (change_version, "its Python has changed"),
    ],
)
def test_an_environment_that_does_not_work_is_built_again(environment, capfd, damage, reason):
    """And keeps its extras."""
    environment.prepare("plot")
    damage(environment)
    capfd.readouterr()
    environment.prepare()
    assert reason in capfd.readouterr().err
    assert package_found(environment).is_relative_to(environment.ROOT)
    assert environment._stamp(environment.ENVIRONMENT)["extras"] == ["plot"]
    environment.prepare("plot")
    assert capfd.readouterr().err == ""


def test_an_environment_for_another_python_is_built_with_it(environment, tmp_path, capfd):
    """One that is not asked for any Python is left as it is."""
    environment.prepare()
    environment.prepare(python=sys.executable)
    capfd.readouterr()
    other = tmp_path / "no-such-python"
    with pytest.raises(SystemExit) as ended:
        environment.prepare(python=str(other))
    assert ended.value.code == 3
    assert "another Python is required" in capfd.readouterr().err
    environment.prepare()
    assert capfd.readouterr().err == ""


def test_an_environment_that_no_script_made_is_kept_aside(environment, capfd):
    """The user may have installed more packages into it."""
    (environment.ENVIRONMENT / "precious").mkdir(parents=True)
    environment.prepare()
    (kept,) = environment.ROOT.glob(".venv.kept-*")
    assert (kept / "precious").is_dir()
    assert f"it is now {kept}" in capfd.readouterr().err
    assert package_found(environment).is_relative_to(environment.ROOT)


def test_another_mnist_bp_on_the_python_path_is_refused(environment, tmp_path, monkeypatch, capfd):
    """It would run in place of this checkout's."""
    environment.prepare()
    other = make_project(tmp_path / "other")
    monkeypatch.setenv("PYTHONPATH", str(other))
    with pytest.raises(SystemExit) as ended:
        environment.prepare()
    assert ended.value.code == 2
    assert str(other / "mnist_bp") in capfd.readouterr().err


def test_the_python_that_is_given_is_used_only_if_it_has_this_checkout(environment, tmp_path, monkeypatch):
    """Another clone that is installed there is not run in its place."""
    monkeypatch.delitem(sys.modules, "mnist_bp")
    monkeypatch.syspath_prepend(str(make_project(tmp_path / "other")))
    assert not environment.has("mnist_bp")
    monkeypatch.syspath_prepend(str(environment.ROOT))
    assert environment.has("mnist_bp", "json")
    assert not environment.has("mnist_bp", "no_such_module")


def test_where_nothing_can_be_written_a_line_reports_it(environment, capfd):
    """And the exit code is that of a full disk."""
    (environment.ROOT / ".venv.lock").mkdir()
    with pytest.raises(SystemExit) as ended:
        environment.prepare()
    assert ended.value.code == 3
    assert capfd.readouterr().err.startswith("The set-up failed: ")


def test_requirements_keep_their_markers(environment):
    """An extra's, too."""
    wheel = environment._checkout_wheel
    assert wheel._only_with("", "numpy>=2") == "numpy>=2"
    assert wheel._only_with("", "a; os_name == 'nt'") == "a ; (os_name == 'nt')"
    assert wheel._only_with("dev", "a; os_name == 'nt'") == "a ; (os_name == 'nt') and extra == 'dev'"
