"""The history of a run: whole lines, on disk, from one writer at a time."""

import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import mnist_bp
from mnist_bp.errors import InputError
from mnist_bp.training import history as history_module
from mnist_bp.training.history import History, read_epochs

PATH = Path("history.jsonl")
EPOCH = {
    "epoch": 1,
    "train_cost": 0.5,
    "train_accuracy": 0.9,
    "test_cost": 0.4,
    "test_accuracy": 0.92,
    "health": {"gradient_norm": [0.1, 0.2]},
}


def epochs():
    """The numbers that the file holds."""
    return [json.loads(line)["epoch"] for line in PATH.read_text(encoding="utf-8").splitlines()]


def history(*records):
    """An open history of these epochs."""
    made = History(PATH)
    for epoch in records:
        made.append({"epoch": epoch})
    return made


def test_a_record_is_a_line_that_is_there_at_once():
    """Records are appended when the file is opened again."""
    first = history(1)
    assert PATH.read_bytes() == b'{"epoch": 1}\n'
    first.close()
    history(2).close()
    assert epochs() == [1, 2]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows limits no files")
def test_a_line_that_does_not_fit_on_the_disk_leaves_no_half_of_it():
    """The error goes through, the lines before it stay whole; with room again, the next one follows them."""
    import resource

    made = history(1)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (PATH.stat().st_size + 5, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            made.append({"epoch": 2})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert epochs() == [1]
    made.append({"epoch": 3})
    assert epochs() == [1, 3]
    made.close()


@pytest.mark.parametrize("rest", [b"", b'{"epo', b"\xff\x00"])
@pytest.mark.parametrize("lines", [0, 1, 2, 3, 4])
def test_what_is_behind_the_lines_that_are_kept_goes(lines, rest):
    """Also the torn end of one, if it is among those to be kept."""
    made = history(1, 2, 3)
    with PATH.open("ab") as file:
        file.write(rest)
    made.keep(lines)
    assert epochs() == [1, 2, 3][:lines]
    made.append({"epoch": 9})
    assert epochs() == [*[1, 2, 3][:lines], 9]
    made.close()


def test_it_is_forced_to_the_disk_now_and_then_and_in_the_end(monkeypatch):
    """At the start; then once a second at most, however short the epochs are: it may take longer than they do."""
    now, forced = 0.0, []
    monkeypatch.setattr(history_module.time, "monotonic", lambda: now)
    monkeypatch.setattr(os, "fsync", lambda _: forced.append(len(epochs())))
    made = history(1)
    for epoch, now in ((2, 0.6), (3, 1.2), (4, 1.9), (5, 2.3), (6, 2.4)):  # noqa: B007 - the clock looks at it
        made.append({"epoch": epoch})
    assert forced == [0, 3, 5]
    made.close()
    assert forced == [0, 3, 5, 6]


# --- one writer at a time --------------------------------------------------------------------------------------------


def test_a_second_writer_is_refused_until_the_first_has_closed():
    """It holds in one process as between processes, and does not disturb the first writer."""
    first = history(1)
    with pytest.raises(InputError, match="another training is writing to"):
        History(PATH)
    first.append({"epoch": 2})
    first.close()
    first.close()  # again is no error
    history(3).close()
    assert epochs() == [1, 2, 3]


def test_one_that_nobody_closed_is_closed_with_the_last_who_knew_it():
    """A history without references does not lock out other trainings."""
    history(1)
    history(2).close()
    assert epochs() == [1, 2]


def test_everyone_may_read_meanwhile():
    """Programs look at the history of a training that runs."""
    made = history(1)
    program = "import sys; print(open(sys.argv[1]).read(), end='')"
    done = subprocess.run([sys.executable, "-c", program, PATH], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {"epoch": 1}
    made.close()


def test_a_lock_dies_with_its_process():
    """One that is killed leaves nothing locked."""
    program = (
        "from mnist_bp.training.history import History, Path; "
        f"history = History(Path({str(PATH)!r})); print('locked', flush=True); input()"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(mnist_bp.__file__).parents[1])}
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout.readline().strip() == b"locked"
        with pytest.raises(InputError):
            History(PATH)
        process.kill()
        process.wait()
        history(1).close()


def test_what_an_epoch_left_is_read_back(tmp_path):
    """Without a file, there are no epochs."""
    path = tmp_path / "history.jsonl"
    assert read_epochs(path) == []
    path.write_text(f"{json.dumps(EPOCH)}\n" * 2)
    assert read_epochs(path) == [EPOCH, EPOCH]


@pytest.mark.parametrize(
    "line", [b"{", b"[]", b"null", b"\xff", b'{"epoch": 1}', b"[" * 100_000, b'{"epoch": 1' + b"0" * 400 + b"}"]
)
def test_a_line_that_is_no_record_is_refused(tmp_path, line):
    """With the path."""
    path = tmp_path / "history.jsonl"
    path.write_bytes(json.dumps(EPOCH).encode() + b"\n" + line + b"\n")
    with pytest.raises(InputError, match=f"{re.escape(str(path))} is not a valid history of a run"):
        read_epochs(path)


@pytest.mark.parametrize(
    "figures", [{"test_cost": math.nan}, {"test_cost": "low"}, {"health": {}}, {"test_cost": None}]
)
def test_figures_that_cannot_be_drawn_are_refused(tmp_path, figures):
    """Each epoch has all of them, and they are finite."""
    path = tmp_path / "history.jsonl"
    path.write_text(f"{json.dumps(EPOCH)}\n{json.dumps({**EPOCH, **figures})}\n")
    with pytest.raises(InputError, match="is not a valid history of a run"):
        read_epochs(path)


def test_a_later_epoch_may_have_more_figures_but_not_fewer(tmp_path):
    """A newer version resumes a run and adds a figure; a figure that is missing in the middle cannot be drawn."""
    path = tmp_path / "history.jsonl"
    more = {**EPOCH, "validation_cost": 0.3}

    path.write_text(f"{json.dumps(EPOCH)}\n{json.dumps(more)}\n")
    assert read_epochs(path) == [EPOCH, more]

    path.write_text(f"{json.dumps(more)}\n{json.dumps(EPOCH)}\n")
    with pytest.raises(InputError, match="is not a valid history of a run"):
        read_epochs(path)


def test_a_line_that_was_cut_off_is_left_out(tmp_path):
    """By a power failure, say: the epochs before it are whole."""
    path = tmp_path / "history.jsonl"
    path.write_text(f"{json.dumps(EPOCH)}\n{json.dumps(EPOCH)[:30]}")
    assert read_epochs(path) == [EPOCH]
