"""Signals that end a program (Ctrl-C, SIGTERM, …) or suspend it (Ctrl-Z)."""

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
"""Signals of Ctrl-C, of ``kill`` and batch systems, of a closed terminal, and of Ctrl-Break on Windows."""

SUSPEND = _existing("SIGTSTP")
"""Signal of Ctrl-Z; empty on Windows."""


@contextmanager
def all_like_ctrl_c() -> Iterator[None]:
    """Let each of ``SIGNALS`` raise KeyboardInterrupt in this block. Signals that are ignored (nohup) stay ignored."""
    with _handling(_handled_by(signal.SIG_DFL), signal.default_int_handler):
        yield


@contextmanager
def first_interrupt(tell: Callable[[], object]) -> Iterator[None]:
    """Let the first signal in this block only call ``tell``. The next one raises KeyboardInterrupt."""
    signals = _handled_by(signal.default_int_handler)

    def heed(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a handler's signature
        for each in signals:
            signal.signal(each, signal.default_int_handler)
        tell()

    with _handling(signals, heed):
        yield


@contextmanager
def on_suspend(act: Callable[[], object]) -> Iterator[None]:
    """Let Ctrl-Z only call ``act`` in this block. ``act`` is expected to call ``stop_this_process``."""
    with _handling(_handled_by(signal.SIG_DFL, SUSPEND), lambda *_: act()):
        yield


def stop_this_process() -> None:
    """Suspend this process as Ctrl-Z does by default. Return when it is continued (``fg``)."""
    with _handling(SUSPEND, signal.SIG_DFL):
        for each in SUSPEND:
            signal.raise_signal(each)


def _handled_by(handler: Any, signals: Collection[signal.Signals] = SIGNALS) -> list[signal.Signals]:
    """Return the signals with this handler; none in a thread, because only the main thread can set handlers."""
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
