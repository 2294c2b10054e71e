"""Prefetch: a generator's items, produced in a thread of its own while the consumer works on earlier ones."""

import sys
import threading
from collections.abc import Iterator
from queue import Empty, SimpleQueue
from typing import Literal, NamedTuple, TypeVar

__all__ = ["prefetch"]

T = TypeVar("T")

Order = Literal["make", "stop"]
"""To the thread: make one more item, or end."""


class _End(NamedTuple):
    """What stands after the last item: the error that ended the items, or none."""

    error: BaseException | None


def prefetch(items: Iterator[T], *, depth: int = 4) -> Iterator[T]:
    """The same items in the same order, produced by a thread that works up to ``depth`` items ahead.

    numpy lets go of the interpreter's lock while it computes, so the items are made on one core while another uses
    them. What they are does not depend on the timing, as long as nobody else touches what they are made from.

    The thread starts with the first item that is asked for. It ends, and has been waited for, when the items are used
    up or the generator is closed. A ``for`` loop that breaks off leaves the closing to whoever still refers to the
    generator (a traceback, say); ``contextlib.closing`` does it at once.

    Parameters
    ----------
    items
        Iterated over in the thread alone. An exception that it raises is raised here, in its place.
    depth
        Items made, or in the making, that the consumer has not asked for yet; at least 1.
    """
    made: SimpleQueue[T | _End] = SimpleQueue()
    orders: SimpleQueue[Order] = SimpleQueue()
    for _ in range(depth):
        orders.put("make")
    # A daemon, lest a generator that is never closed keep the program from ending.
    thread = threading.Thread(target=_produce, args=(items, made, orders), name="prefetch", daemon=True)
    thread.start()
    try:
        while not isinstance(item := made.get(), _End):
            orders.put("make")
            yield item
        if item.error is not None:
            raise item.error
    finally:
        _withdraw(orders)
        orders.put("stop")
        if not sys.is_finalizing():  # daemons no longer run then, and Python 3.13 would wait for this one forever
            thread.join()


def _produce(items: Iterator[T], made: "SimpleQueue[T | _End]", orders: "SimpleQueue[Order]") -> None:
    """Make an item for each order, until told to stop; an end after the last."""
    try:
        while orders.get() == "make":
            made.put(next(items))
    except StopIteration:
        made.put(_End(None))
    except BaseException as error:  # noqa: BLE001 - whatever it is, the consumer has to know
        made.put(_End(error))


def _withdraw(orders: "SimpleQueue[Order]") -> None:
    """Take back all that nobody has begun on."""
    try:
        while True:
            orders.get_nowait()
    except Empty:
        pass
