"""Exit codes where a command does not end by itself: a reader that leaves, bugs, too little memory, killed workers."""

import io
import json
import os
import shlex
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import mnist_bp
from mnist_bp.cli import seeds as seeds_module
from mnist_bp.errors import InputError, OutputClosed
from mnist_bp.gradcheck.checker import Checker

WRONG = """
def f(weights, biases, x, y):
    return [2 * w for w in weights], [2 * b for b in biases]
"""

needs_a_shell = pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell's pipes")


class Pipe:
    """Standard output as a pipe, whose reader leaves when it has read a line with ``until``; at once without it."""

    def __init__(self, until):
        self.reader, writer = os.pipe()
        self.stream = io.TextIOWrapper(io.FileIO(writer, "w"), encoding="utf-8", write_through=True)
        self.lines = []
        self.thread = threading.Thread(target=self._read, args=[until])
        if until is None:
            os.close(self.reader)
        else:
            self.thread.start()

    def _read(self, until):
        with os.fdopen(self.reader, encoding="utf-8") as lines:
            for line in lines:
                self.lines.append(line)
                if until in line:
                    return

    def close(self):
        """End the writing side, and wait for the reader."""
        self.stream.close()
        if self.thread.ident:
            self.thread.join()


@pytest.fixture
def piped(cli, monkeypatch):
    """Run ``mnist-bp`` in this process into a pipe whose reader leaves; what ``cli`` returns, and the lines read."""

    def run(*arguments, until=None):
        pipe = Pipe(until)
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", pipe.stream)
            done = cli(*arguments)
        pipe.close()
        return done._replace(out="".join(pipe.lines))

    return run


@pytest.fixture
def training(idx_folder):
    """Arguments of a training that takes far longer than any reader stays."""
    return ["train", "--data-dir", idx_folder, "--hidden", 8, "--epochs", 500, "--output", "run"]


# --- a reader that leaves a training ----------------------------------------------------------------------------------


def assert_saved(run, epochs):
    """Assert that the model and the checkpoint exist, after at least ``epochs`` epochs, but not all."""
    history = Path(run, "history.jsonl").read_text(encoding="utf-8").splitlines()
    assert epochs <= len(history) < 500
    assert Path(run, "model.npz").is_file()
    assert Path(run, "checkpoint.npz").is_file()


@pytest.mark.parametrize("how", [[], ["--json"], ["--min-accuracy", "0.99"]], ids=" ".join)
def test_a_training_nobody_reads_stops_like_an_interrupted_one(piped, cli, training, how):
    """141, nothing on standard error, the finished epochs saved; and it resumes."""
    done = piped(*training, *how, until='"epoch": 2,' if "--json" in how else "epoch 2/500")
    assert done.code == 141
    assert "next" not in done.err
    assert "--json" in how or done.err == ""
    assert_saved("run", 2)
    epochs = len(Path("run/history.jsonl").read_text(encoding="utf-8").splitlines())
    assert cli("train", "--resume", "run", "--epochs", epochs + 1).code == 0


def test_a_training_without_any_reader_stops_before_its_second_epoch(piped, training):
    """The first line already finds the pipe closed."""
    done = piped(*training)
    assert (done.code, done.err) == (141, "")
    assert Path("run/model.npz").is_file()
    assert Path("run/history.jsonl").read_text(encoding="utf-8") == ""


@pytest.mark.parametrize(("accuracy", "code"), [("0", 0), ("1", 1)])
def test_a_quiet_training_has_its_verdict_before_it_writes(piped, training, accuracy, code):
    """Its only line comes last, so it exits with the verdict's code."""
    done = piped(*training[:5], "--epochs", 2, "--output", "run", "--quiet", "--min-accuracy", accuracy)
    assert done.code == code
    assert done.err.count("\n") == code


def test_a_reader_that_leaves_at_the_last_epoch_changes_nothing(piped, training):
    """All epochs are done, so the verdict is known."""
    done = piped(*training[:5], "--epochs", 2, "--output", "run", "--min-accuracy", 1, until="epoch 2/2")
    assert done.code == 1
    assert done.err.endswith("is below --min-accuracy 1\n")


def test_a_training_with_a_live_table_stops_without_a_word(piped, training, terminal, monkeypatch):
    """With ``--json``, the table is on standard error, which is still there: its bar goes, and nothing is added."""
    terminal()
    screen = sys.stdout
    monkeypatch.setattr(sys, "stderr", screen)
    done = piped(*training, "--json", until='"epoch": 2,')
    assert done.code == 141
    shown = screen.getvalue()
    assert "epoch" in shown
    assert "interrupted" not in shown
    assert "resume" not in shown


def test_seeds_nobody_reads_stop_their_workers(piped, training):
    """Each worker saves what it has finished; the summary is in the history: 141."""
    done = piped(*training, "--seeds", 2, "--json", until='"epoch": 2,')
    assert done.code == 141
    assert "interrupted" not in done.err
    *ends, summary = map(json.loads, Path("run/history.jsonl").read_text(encoding="utf-8").splitlines())
    first = max(ends, key=lambda end: end["epochs"])
    assert first["reason"] == "interrupted"
    assert_saved(first["run"], 2)
    assert first["seed"] in summary["unfinished"]


def test_seeds_that_are_finished_have_their_verdict(piped, training, monkeypatch, finished_worker):
    """A reader that leaves after the last worker interrupts nothing."""
    monkeypatch.setattr(seeds_module, "seed_command", lambda *_: finished_worker)
    done = piped(*training[:5], "--epochs", 1, "--output", "run", "--seeds", 2, "--quiet", "--min-accuracy", 1)
    assert done.code == 1
    assert done.err.startswith("mnist-bp: mean test accuracy")


# --- a reader that leaves other commands ------------------------------------------------------------------------------


@pytest.fixture
def model(trained, few):
    """The folder of a run."""
    return trained("--data-dir", few, "--hidden", 8, "--epochs", 1)


def test_a_wrong_gradient_is_1_whoever_reads(piped, idx_folder):
    """``| grep -q MISTAKE`` leaves as soon as it has seen the word."""
    Path("wrong.py").write_text(WRONG, encoding="utf-8")
    check = ["gradcheck", "--data-dir", idx_folder, "--hidden", 4, "--function", "wrong:f"]
    done = piped(*check, until="MISTAKE")
    assert (done.code, done.err) == (1, "mnist-bp: the gradient does not match\n")
    assert "MISTAKE" in done.out


@pytest.mark.parametrize("more", [["--every-combination", "--hidden", "4"], ["--self-test"]], ids=" ".join)
def test_many_checks_stop_when_nobody_reads(piped, idx_folder, more):
    """The verdict on those that are left is not known."""
    done = piped("gradcheck", "--data-dir", idx_folder, *more)
    assert (done.code, done.err) == (141, "")


def test_many_checks_stop_with_1_once_one_has_failed(piped, idx_folder, monkeypatch):
    """No other check can change that."""
    check = Checker.run

    def run(self, *examples):
        report = check(self, *examples)
        monkeypatch.setattr(type(report), "outcome", "failed")
        return report

    monkeypatch.setattr(Checker, "run", run)
    done = piped("gradcheck", "--data-dir", idx_folder, "--hidden", 4, "--every-combination", until="repeat")
    assert done.code == 1


@pytest.mark.parametrize(("accuracy", "code"), [("0", 0), ("1", 1)])
@pytest.mark.parametrize("how", [[], ["--json"]], ids=" ".join)
def test_an_evaluation_is_measured_before_it_is_printed(piped, model, accuracy, code, how):
    """So its verdict counts, whoever reads."""
    assert piped("evaluate", model, "--min-accuracy", accuracy, *how).code == code


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["train", "--help"], ["--version"], ["explain", "run"], ["page", "run"], ["download", "--list"]],
    ids=" ".join,
)
def test_a_command_that_judges_nothing_is_done(piped, model, arguments):
    """It is complete when it prints: exit code 0, and nothing on standard error."""
    done = piped(*arguments)
    assert (done.code, done.err) == (0, "")


def test_predictions_nobody_reads_stop(piped, model):
    """Unless a picture has been refused: then the exit code is known."""
    pytest.importorskip("PIL.Image").new("L", (28, 28), 255).save("blank.png")
    from PIL import Image

    Image.frombytes("L", (2, 28), bytes(56)).resize((28, 28)).save("black.png")
    image = Image.new("L", (28, 28), 255)
    image.paste(0, (10, 5, 14, 22))
    image.save("one.png")
    assert piped("predict", "--model", model, "one.png", "one.png").code == 141
    assert piped("predict", "--model", model, "missing.png", "one.png", "one.png").code in {2, 141}


def test_a_download_nobody_reads_stops(piped, monkeypatch):
    """In the middle of the files."""
    told = []

    def fetch(*args, progress, notice, **kwargs):
        notice("quarantined")
        progress("a", 1, 1)
        told.append("more")
        return []

    monkeypatch.setattr("mnist_bp.data.download.fetch.download", fetch)
    done = piped("download")
    assert (done.code, done.err, told) == (141, "", [])


@needs_a_shell
@pytest.mark.parametrize(
    ("command", "codes"),
    [
        ("gradcheck --data-dir few --hidden 4 --function wrong:f | grep -q MISTAKE", "1 0"),
        ("train --data-dir few --epochs 200 --hidden 4 --output run | head -4 >&2", "141 0"),
        ("train --help | head -1 >&2", "0 0"),
    ],
)
def test_pipes_of_a_shell(idx_folder, command, codes):
    """The exit codes of both sides; no traceback, and no "Exception ignored" when Python exits."""
    Path("wrong.py").write_text(WRONG, encoding="utf-8")
    Path("few").symlink_to(idx_folder)
    done = bash(f"python -m mnist_bp {command}; echo ${{PIPESTATUS[@]}}")
    assert done.stdout == f"{codes}\n"
    assert not any(word in done.stderr for word in ("Traceback", "ignored", "BrokenPipe"))


@needs_a_shell
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux's disk that is always full")
@pytest.mark.parametrize(
    ("command", "code"),
    [("train --help >/dev/full", 3), ("train --nonsense 2>/dev/full", 2), ("--version 2>&1 >&- | true", 0)],
)
def test_other_streams_keep_their_codes(command, code):
    """A full disk is 3; a message that cannot be written, or output that is closed from the start, changes nothing."""
    done = bash(f"python -m mnist_bp {command}; exit ${{PIPESTATUS[0]}}")
    assert done.returncode == code
    assert "Traceback" not in done.stderr


def bash(command):
    """Run a command with this Python as ``python``, in bash."""
    command = command.replace("python", shlex.quote(sys.executable), 1)
    env = {**os.environ, "PYTHONPATH": str(Path(mnist_bp.__file__).parents[1])}
    return subprocess.run(["bash", "-c", command], env=env, capture_output=True, text=True, check=False, timeout=60)


def test_a_reader_of_standard_error_that_leaves_is_not_missed(cli, model, monkeypatch):
    """The exit code is about standard output."""
    pipe = Pipe(None)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", pipe.stream)
        assert cli("evaluate", model, "--json").code == 0
    pipe.close()


# --- internal errors --------------------------------------------------------------------------------------------------


@pytest.fixture
def raising(monkeypatch):
    """Let ``evaluate`` raise an error."""

    def arrange(error):
        def fail(*_):
            raise error

        monkeypatch.setattr("mnist_bp.training.run_paths.find_model", fail)

    return arrange


class Strange(BaseException):
    """An exception that no handler expects."""


INTERNAL = [
    (RuntimeError("oops"), "internal error: RuntimeError: oops (please report it; --debug shows the traceback)"),
    (SystemExit(0), "internal error: SystemExit: 0 (please report it; --debug shows the traceback)"),
    (SystemExit(1), "internal error: SystemExit: 1 (please report it; --debug shows the traceback)"),
    (EOFError("end"), "internal error: EOFError: end (please report it; --debug shows the traceback)"),
    (Strange("x"), "internal error: Strange: x (please report it; --debug shows the traceback)"),
]
NO_MEMORY = "out of memory: try a smaller network, smaller batches (--batch-size) or less data (--limit)"


@pytest.mark.parametrize(("error", "said"), INTERNAL, ids=lambda value: type(value).__name__)
def test_what_nothing_handles_is_4(cli, raising, error, said):
    """Also what would make Python or Typer exit with another code."""
    raising(error)
    assert cli("evaluate") == (4, "", f"mnist-bp: {said}\n")


def caused_by(error):
    """An error of input that another error caused."""
    failure = InputError("cannot read x")
    failure.__cause__ = error
    return failure


@pytest.mark.parametrize(
    "error",
    [MemoryError(), OSError(12, "Cannot allocate memory"), caused_by(MemoryError()), caused_by(OSError(12, "no"))],
    ids=["memory", "enomem", "caused by memory", "caused by enomem"],
)
def test_too_little_memory_is_4_wherever_it_is_noticed(cli, raising, error):
    """Also in code that takes any error for damaged input."""
    raising(error)
    assert cli("evaluate") == (4, "", f"mnist-bp: {NO_MEMORY}\n")


def test_a_closed_pipe_that_is_not_standard_output_is_an_error(cli, raising):
    """A socket or a FIFO; Typer would exit with 1."""
    raising(BrokenPipeError(32, "Broken pipe", "fifo"))
    assert cli("evaluate") == (3, "", "mnist-bp: cannot read or write fifo: Broken pipe\n")


def test_a_broken_installation_is_4():
    """An import that fails is one line, too."""
    Path("typer.py").write_text("raise ImportError('no such thing')", encoding="utf-8")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([".", str(Path(mnist_bp.__file__).parents[1])])}
    command = [sys.executable, "-m", "mnist_bp", "train"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 4
    assert done.stderr.startswith("mnist-bp: internal error: ImportError: no such thing (")
    assert done.stderr.count("\n") == 1
    done = subprocess.run([*command, "--debug"], env=env, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 4
    assert done.stderr.startswith("Traceback")


# --- workers of --seeds -----------------------------------------------------------------------------------------------


@pytest.fixture
def workers(cli, idx_folder, monkeypatch):
    """Run ``train --seeds 2`` with programs in place of its workers."""

    def run(*programs, options=()):
        commands = iter(programs)
        monkeypatch.setattr(seeds_module, "seed_command", lambda *_: [sys.executable, "-I", "-S", "-c", next(commands)])
        return cli("train", "--data-dir", idx_folder, "--output", "all", "--seeds", len(programs), "--quiet", *options)

    return run


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends no process by a signal")
@pytest.mark.parametrize(("name", "how"), [("SIGKILL", "SIGKILL (out of memory?)"), ("SIGSEGV", "SIGSEGV")])
def test_a_killed_worker_is_4(workers, name, how):
    """By the system, for example, when memory runs out; the line says how to resume."""
    done = workers(f"import os; os.kill(os.getpid(), {signal.Signals[name]:d})", "raise SystemExit(2)")
    assert done.code == 4
    assert f"seed 0: worker killed by {how}; resume with: mnist-bp train --resume all" in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize("code", [0, 4, 77, 139])
def test_a_worker_that_ends_without_a_result_is_4(workers, code):
    """Whatever it exits with that is no exit code of a failure."""
    done = workers(*[f"raise SystemExit({code})"] * 2)
    assert done.code == 4
    assert "seeds 0, 1: worker ended with exit code" in done.err


@pytest.mark.parametrize(("codes", "code"), [((1, 3), 3), ((3, 2), 3), ((4, 130), 130), ((2, 4), 4)])
def test_the_highest_exit_code_of_the_workers_wins(workers, codes, code):
    """An internal error above missing data, above bad input, above no."""
    done = workers(*(f"import sys; print('mnist-bp: because', file=sys.stderr); sys.exit({each})" for each in codes))
    assert (done.code, done.err) == (code, "mnist-bp: seeds 0, 1: because\n")


def test_debug_shows_the_traceback_of_a_worker(workers):
    """The line says so, so it has to."""
    program = "import sys; print('Traceback of it\\nmnist-bp: because', file=sys.stderr); sys.exit(4)"
    done = workers(program, program, options=["--debug"])
    assert done.code == 4
    assert "seed 1: Traceback of it\n" in done.err
    assert done.err.splitlines()[-1] == "mnist-bp: seeds 0, 1: because"


# --- --debug ----------------------------------------------------------------------------------------------------------

KINDS = [
    *(error for error, _ in INTERNAL),
    InputError("bad file"),
    OSError(28, "No space left on device"),
    MemoryError(),
    KeyboardInterrupt(),
    OutputClosed(),
]


@pytest.mark.parametrize("error", KINDS, ids=lambda error: type(error).__name__)
def test_debug_adds_the_traceback_and_changes_nothing_else(cli, raising, error):
    """The exit code and the last line are unchanged."""
    raising(error)
    usual = cli("evaluate")
    for arguments in (["--debug", "evaluate"], ["evaluate", "--debug"]):
        done = cli(*arguments)
        assert (done.code, done.out) == (usual.code, usual.out)
        assert done.err.startswith("Traceback (most recent call last):\n")
        assert done.err.endswith(usual.err)
        assert type(error).__name__ in done.err


@pytest.mark.parametrize("arguments", [["train", "--epochs", "0"], ["--bogus"], ["tran"], ["evaluate", "missing"]])
def test_debug_changes_nothing_else_of_bad_usage(cli, arguments):
    """Neither what Typer finds nor what a command finds."""
    usual, done = cli(*arguments), cli("--debug", *arguments)
    assert (usual.code, done.code) == (2, 2)
    assert done.err.startswith("Traceback")
    assert done.err.endswith(f"\n{usual.err}")


def test_debug_shows_the_traceback_of_each_picture(cli, model):
    """Which ``predict`` skips."""
    pytest.importorskip("PIL")
    usual, done = (cli(*debug, "predict", "--model", model, "a.png", "b.png") for debug in ([], ["--debug"]))
    assert (usual.code, done.code) == (2, 2)
    assert done.err.count("Traceback") >= 2
    assert [line for line in done.err.splitlines() if line.startswith("mnist-bp: ")] == usual.err.splitlines()


def test_debug_without_an_error_shows_nothing(cli):
    """It adds the traceback of an error, and there is none."""
    assert cli("--debug", "--version") == cli("--version")
