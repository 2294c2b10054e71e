"""Prefetching of an iterator's items in a thread, while the consumer works on earlier items."""

import sys
import threading
from collections.abc import Iterator
from queue import Empty, SimpleQueue
from typing import Literal, NamedTuple, TypeVar

__all__ = ["prefetch"]

T = TypeVar("T")

Order = Literal["make", "stop"]
"""Order to the thread: produce one more item, or stop."""


class _End(NamedTuple):
    """Marker after the last item, with the exception that ended the items, or None."""

    error: BaseException | None


def prefetch(items: Iterator[T], *, depth: int = 4) -> Iterator[T]:
    """Yield the items in order, while a thread prefetches up to ``depth`` of them.

    numpy releases the interpreter's lock while it computes, so that one core produces items while another uses them.
    The items do not depend on timing, provided that no other thread changes the data behind them.

    The thread starts when the first item is requested. When the items are exhausted or the generator is closed, the
    thread is stopped and joined. Leaving a ``for`` loop early closes the generator only when its last reference is gone
    (a traceback may hold one); ``contextlib.closing`` closes it immediately.

    Parameters
    ----------
    items
        Iterator that only the thread uses. An exception that it raises is raised here, in place of the item.
    depth
        Number of items that are finished or in production before the consumer requests them, at least 1.
    """
    made: SimpleQueue[T | _End] = SimpleQueue()
    orders: SimpleQueue[Order] = SimpleQueue()
    for _ in range(depth):
        orders.put("make")
    # A daemon thread, so that a generator that is never closed does not keep the program running.
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
        if not sys.is_finalizing():  # daemon threads no longer run then, and Python 3.13 would wait forever
            thread.join()


def _produce(items: Iterator[T], made: "SimpleQueue[T | _End]", orders: "SimpleQueue[Order]") -> None:
    """Produce an item for each order until "stop", and an end marker after the last item."""
    try:
        while orders.get() == "make":
            made.put(next(items))
    except StopIteration:
        made.put(_End(None))
    except BaseException as error:  # noqa: BLE001 - any exception is passed to the consumer
        made.put(_End(error))


def _withdraw(orders: "SimpleQueue[Order]") -> None:
    """Remove the orders that the thread has not started yet."""
    try:
        while True:
            orders.get_nowait()
    except Empty:
        pass
