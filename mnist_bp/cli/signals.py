"""Ctrl-C, and the signals by which other programs end one: all of them mean the same. And Ctrl-Z."""

import signal
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

__all__ = ["all_like_ctrl_c", "first_interrupt", "on_suspend", "stop_this_process"]


def _existing(*names: str) -> list[signal.Signals]:
    return [signal.Signals[name] for name in names if name in signal.Signals.__members__]


SIGNALS = _existing("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
"""Ctrl-C; what ``kill`` and batch systems send; a closed terminal; Windows' Ctrl-Break: those that exist here."""

SUSPEND = _existing("SIGTSTP")
"""Ctrl-Z, where it exists: not on Windows."""


@contextmanager
def all_like_ctrl_c() -> Iterator[None]:
    """Let each of ``SIGNALS`` raise KeyboardInterrupt in this block; what is ignored, under nohup, say, stays so."""
    with _handling(_handled_by(signal.SIG_DFL), signal.default_int_handler):
        yield


@contextmanager
def first_interrupt(tell: Callable[[], object]) -> Iterator[None]:
    """Let the first of the signals that raise KeyboardInterrupt only ``tell`` in this block; the next one raises it."""
    signals = _handled_by(signal.default_int_handler)

    def heed(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a handler's signature
        for each in signals:
            signal.signal(each, signal.default_int_handler)
        tell()

    with _handling(signals, heed):
        yield


@contextmanager
def on_suspend(act: Callable[[], object]) -> Iterator[None]:
    """Let Ctrl-Z only ``act`` in this block, which then calls ``stop_this_process``."""
    with _handling(_handled_by(signal.SIG_DFL, SUSPEND), lambda *_: act()):
        yield


def stop_this_process() -> None:
    """Stop as Ctrl-Z does by default; return when the process is continued (``fg``)."""
    with _handling(SUSPEND, signal.SIG_DFL):
        for each in SUSPEND:
            signal.raise_signal(each)


def _handled_by(handler: Any, signals: Collection[signal.Signals] = SIGNALS) -> list[signal.Signals]:
    """The signals that this handler is set for; none in a thread, which may set no other."""
    if threading.current_thread() is not threading.main_thread():
        return []
    return [each for each in signals if signal.getsignal(each) == handler]


@contextmanager
def _handling(signals: Collection[signal.Signals], handler: Any) -> Iterator[None]:
    usual = {each: signal.getsignal(each) for each in signals}
    for each in signals:
        signal.signal(each, handler)
    try:
        yield
    finally:
        for each, was in usual.items():
            signal.signal(each, was)
