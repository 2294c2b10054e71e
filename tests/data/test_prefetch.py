"""Prefetch: the same items in the same order, errors in their place, and no thread left behind."""

import contextlib
import subprocess
import sys
import threading
import time

import pytest

from mnist_bp.data.prefetch import prefetch


@pytest.fixture(autouse=True)
def _no_thread_left():
    """Every test here ends without a thread of its own. Threads of earlier tests may still end meanwhile."""
    before = threading.enumerate()
    yield
    assert set(threading.enumerate()) <= set(before)


def counted(made, items=1_000_000):
    """0, 1, 2 …, each noted in ``made`` when it is made."""
    for item in range(items):
        made.append(item)
        yield item


def test_items_come_in_their_order():
    """1,000 items arrive, each once, none out of its place."""
    assert list(prefetch(iter(range(1000)))) == list(range(1000))


@pytest.mark.parametrize("depth", [1, 2, 100])
@pytest.mark.parametrize(("producing", "consuming"), [(0.002, 0), (0, 0.002), (0, 0)])
def test_the_timing_changes_nothing(depth, producing, consuming):
    """It holds if either side is slower, and for any number of prefetched items."""

    def items():
        for item in range(20):
            time.sleep(producing)
            yield item

    received = []
    for item in prefetch(items(), depth=depth):
        time.sleep(consuming)
        received.append(item)

    assert received == list(range(20))


def test_no_items_are_no_items():
    """An empty iterator ends at once."""
    assert list(prefetch(iter(()))) == []


@pytest.mark.parametrize("falsy", [None, 0, ()])
def test_any_item_is_an_item(falsy):
    """No possible item is confused with the end of the items."""
    assert list(prefetch(iter([falsy, 1, falsy]))) == [falsy, 1, falsy]


def test_items_are_made_in_another_thread():
    """The producer's work is off the consumer's thread."""
    threads = list(prefetch(threading.current_thread() for _ in range(3)))
    assert threading.current_thread() not in threads
    assert len(set(threads)) == 1


def test_the_producer_goes_ahead_while_the_consumer_works():
    """While the first item is in use, the next ones are made."""
    second_made = threading.Event()

    def items():
        yield 1
        second_made.set()
        yield 2

    with contextlib.closing(prefetch(items())) as made_ahead:
        next(made_ahead)
        assert second_made.wait(timeout=30)


def test_the_producer_goes_no_further_than_it_may():
    """There are at most 3 items that were not requested, and one in use."""
    made = []
    with contextlib.closing(prefetch(counted(made), depth=3)) as items:
        for item in range(100):
            assert next(items) == item
            time.sleep(0.0002)
            assert len(made) <= item + 1 + 3


def test_nothing_is_made_before_it_is_asked_for():
    """A generator without iteration starts no thread."""
    made = []
    items = prefetch(counted(made))
    assert not made
    items.close()
    assert not made


@pytest.mark.parametrize("error", [ValueError("the third item"), KeyboardInterrupt(), MemoryError()])
def test_an_error_is_raised_in_the_place_of_its_item(error):
    """The items before it arrive, then the error is raised, and nothing follows."""

    def items():
        yield 1
        yield 2
        raise error

    made_ahead = prefetch(items())

    assert [next(made_ahead), next(made_ahead)] == [1, 2]
    with pytest.raises(type(error)) as caught:
        next(made_ahead)
    assert caught.value is error
    assert list(made_ahead) == []


@pytest.mark.parametrize("taken", [1, 2, 5, 50])
@pytest.mark.parametrize("depth", [1, 4])
def test_closing_ends_the_thread(taken, depth):
    """Wherever the producer is when the consumer has had enough, it stops, and long before the last item."""
    made = []
    items = prefetch(counted(made), depth=depth)
    for _ in range(taken):
        next(items)

    items.close()

    assert "prefetch" not in {thread.name for thread in threading.enumerate()}
    assert len(made) <= taken + depth


def test_closing_beside_a_busy_producer():
    """Closed while an item is in the making, it waits for that one and no other."""
    made, started = [], threading.Event()

    def items():
        for item in counted(made):
            yield item
            started.set()
            time.sleep(0.05)

    made_ahead = prefetch(items())
    next(made_ahead)
    started.wait()
    made_ahead.close()

    assert len(made) <= 2


def test_an_error_behind_a_closed_generator_goes_with_it():
    """An error that would occur later is never raised."""

    def items():
        yield 1
        raise ValueError("too late")

    made_ahead = prefetch(items())
    assert next(made_ahead) == 1
    made_ahead.close()


def test_a_loop_that_is_broken_off_ends_the_thread():
    """Nothing needs to be closed by hand where nothing refers to the generator."""
    for item in prefetch(iter(range(1000))):
        if item == 3:
            break


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_a_consumer_that_fails_ends_the_thread(error):
    """Ctrl-C in the middle of a step, say."""

    def consume():
        with contextlib.closing(prefetch(iter(range(1000)))) as items:
            for item in items:
                if item == 3:
                    raise error

    with pytest.raises(error):
        consume()


def test_a_generator_that_is_never_closed_does_not_keep_the_program():
    """A program that still refers to one when it ends, ends."""
    program = (
        "import itertools; from mnist_bp.data.prefetch import prefetch; x = prefetch(itertools.count()); print(next(x))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert (result.stdout, result.stderr) == ("0\n", "")
