"""Ctrl-C and its like: once, twice, at any moment of a training."""

import signal
import threading
from pathlib import Path

import numpy as np
import pytest

from mnist_bp.cli import main as main_module
from mnist_bp.cli.signals import SIGNALS, all_like_ctrl_c, first_interrupt
from mnist_bp.network import Network, load_network
from mnist_bp.reports.training import TrainingReport
from mnist_bp.training import checkpoint, run


@pytest.fixture(autouse=True)
def _nothing_is_ignored():
    """Handle each signal as a terminal's programs do, also where the tests run under nohup or in the background."""
    ignored = [number for number in SIGNALS if signal.getsignal(number) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


@pytest.fixture
def signals_at(monkeypatch):
    """Return a function that makes another one raise signals, ``times`` of them, during its n-th call."""

    def arrange(owner, name, *, call, number=signal.SIGINT, times=1):
        usual, calls = getattr(owner, name), 0

        def interrupted(*args, **kwargs):
            nonlocal calls
            calls += 1
            for _ in range(times if calls == call else 0):
                signal.raise_signal(number)
            return usual(*args, **kwargs)

        monkeypatch.setattr(owner, name, interrupted)

    return arrange


@pytest.fixture
def goes_on(cli, train):
    """Return an assertion that the interrupted run, when resumed, equals an uninterrupted one."""

    def assert_it():
        assert cli("train", "--resume", "run").code == 0
        train("whole")
        for name in ("model.npz", "config.toml"):
            assert Path("run", name).read_bytes() == Path("whole", name).read_bytes()
        assert len(Path("run/history.jsonl").read_text(encoding="utf-8").splitlines()) == 3
        with np.load("run/checkpoint.npz") as one, np.load("whole/checkpoint.npz") as other:
            assert all(one[name].tobytes() == other[name].tobytes() for name in one.files if name != "meta")

    return assert_it


# --- once ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_in_the_middle_of_an_epoch_the_last_whole_one_is_kept(train, signals_at, goes_on, number):
    """A signal at the third mini-batch of the second epoch gives 130, the first epoch's model, and how to resume."""
    signals_at(TrainingReport, "step", call=8, number=number)
    done = train()
    assert done.code == 130
    assert (done.records[-1]["reason"], done.records[-1]["epochs"]) == ("interrupted", 1)
    assert done.err.splitlines()[-2:] == ["next: mnist-bp train --resume run", "mnist-bp: interrupted"]
    assert load_network("run/model.npz")[1].epochs == 1
    goes_on()


@pytest.mark.parametrize(
    ("owner", "name"), [(checkpoint, "save"), (run.RunFolder, "record"), (TrainingReport, "epoch")]
)
def test_what_an_epoch_leaves_is_finished_first(train, signals_at, goes_on, owner, name):
    """While the second epoch is written down and told of: all of it is, and then it stops."""
    signals_at(owner, name, call=2)
    done = train()
    assert done.code == 130
    assert [record.get("epoch") for record in done.records] == [None, 1, 2, None]
    assert (done.records[-1]["reason"], done.records[-1]["epochs"]) == ("interrupted", 2)
    assert len(Path("run/history.jsonl").read_text(encoding="utf-8").splitlines()) == 2
    goes_on()


def test_after_the_last_mini_batch_of_all_there_is_nothing_to_interrupt(train, signals_at):
    """The training is finished, and says so."""
    signals_at(checkpoint, "save", call=3)
    done = train()
    assert (done.code, done.records[-1]["reason"]) == (0, "finished")


# --- twice -----------------------------------------------------------------------------------------------------------


def test_the_second_one_ends_it_at_once(train, signals_at, goes_on):
    """During the second epoch's checkpoint, that of the first is kept, and the run resumes from it."""
    signals_at(checkpoint, "save", call=2, times=2)
    done = train()
    assert done.code == 130
    assert [record.get("epoch") for record in done.records] == [None, 1, None]
    goes_on()


def test_the_second_one_ends_the_saving_of_the_model_too(train, signals_at, goes_on):
    """Nothing is said of a model that is not there."""
    signals_at(TrainingReport, "step", call=8)
    signals_at(Network, "save", call=1)
    done = train()
    assert done.code == 130
    assert [record["event"] for record in done.records] == ["start", "epoch"]
    assert done.err.splitlines()[-1] == "mnist-bp: interrupted"
    assert not Path("run/model.npz").exists()
    goes_on()


# --- the handlers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_outside_of_trainings_each_is_ctrl_c(cli, monkeypatch, number):
    """Any command that is interrupted says so in a line: 130; afterwards everything is handled as before."""
    before = [signal.getsignal(each) for each in SIGNALS]
    monkeypatch.setattr(main_module.typer.main, "get_command", lambda _: signal.raise_signal(number))
    done = cli("gradcheck")
    assert (done.code, done.err) == (130, "mnist-bp: interrupted\n")
    assert [signal.getsignal(each) for each in SIGNALS] == before


def test_what_is_ignored_stays_ignored():
    """Under nohup, or in the background of a script."""
    told = []
    before = signal.signal(SIGNALS[-1], signal.SIG_IGN)
    try:
        with all_like_ctrl_c(), first_interrupt(lambda: told.append(1)):
            signal.raise_signal(SIGNALS[-1])
            assert signal.getsignal(SIGNALS[-1]) == signal.SIG_IGN
    finally:
        signal.signal(SIGNALS[-1], before)
    assert told == []


def test_two_different_ones_are_two():
    """The first tells, the second raises, whichever they are."""
    told = []
    with pytest.raises(KeyboardInterrupt), all_like_ctrl_c(), first_interrupt(lambda: told.append(1)):  # noqa: PT012
        signal.raise_signal(SIGNALS[-1])
        assert told == [1]
        signal.raise_signal(signal.SIGINT)
    assert told == [1]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_thread_sets_no_handlers():
    """It may not; commands run in one all the same."""
    ended = []

    def run():
        with all_like_ctrl_c(), first_interrupt(lambda: None):
            ended.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert ended == [signal.getsignal(signal.SIGTERM)]
