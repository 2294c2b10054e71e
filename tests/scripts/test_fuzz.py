"""``scripts/fuzz``: the memory that it measures for a case, and that it takes itself."""

import gc
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from _fuzz import main, targets
from _fuzz.targets import TARGETS, Failure, Target, check

LARGE = 3_000_000
SMALL = 100_000


@pytest.fixture
def sizes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Return the bytes that each case of the target "cycles" takes, and leaves as garbage for the next to release."""
    sizes = [0]  # read first, before memory is traced

    def read(_: Path) -> None:
        gc.collect()
        cycle: list[object] = [bytearray(sizes.pop(0))]
        cycle.append(cycle)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(TARGETS, "cycles", Target(lambda _: b"", read, memory=2 * LARGE, times=0))
    targets._prepare.cache_clear()
    gc.disable()
    yield sizes
    gc.enable()
    gc.unfreeze()
    tracemalloc.stop()


def test_the_memory_of_a_case_includes_nothing_of_earlier_cases(sizes: list[int]):
    """Garbage of an earlier case, released in this one, neither adds to its memory nor hides it."""
    sizes += [LARGE, 0, LARGE, LARGE, 0]
    measured = [check("cycles", seed).bytes for seed in range(5)]
    assert [round(size, -5) for size in measured] == [LARGE, 0, LARGE, LARGE, 0]


def test_a_case_that_takes_too_much_memory_fails_and_the_next_one_does_not(sizes: list[int]):
    """The limit applies to each case."""
    sizes += [3 * LARGE, LARGE]
    with pytest.raises(Failure, match="took 9,"):
        check("cycles", 0)
    assert check("cycles", 1).bytes < LARGE + SMALL


def test_tracing_continues_from_case_to_case(sizes: list[int], monkeypatch: pytest.MonkeyPatch):
    """Some versions of Python leak memory whenever tracing stops or its traces are cleared."""
    sizes += [0, 0]
    with monkeypatch.context() as patched:
        for name in ("stop", "clear_traces"):
            patched.delattr(tracemalloc, name)
        check("cycles", 0)
        check("cycles", 1)


def test_the_results_of_many_cases_take_no_memory(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """The report needs a few numbers, however many cases there are."""
    count = 20_000
    outcomes = ((seed, targets.Case(seed % 4 == 0, seed / 1e4, seed * 100), 90_000_000) for seed in range(count))
    monkeypatch.setattr(main, "outcomes", lambda *_: outcomes)
    tracemalloc.start()
    try:
        assert main.run("labels", range(count)) == 0
        assert tracemalloc.get_traced_memory()[1] < SMALL
    finally:
        tracemalloc.stop()
    assert capsys.readouterr().out == (
        "labels: 20,000 cases: 5,000 read, 15,000 refused, 0 failed; longest 2.00 s (seed 19999), "
        "most memory 2.0 MB (seed 19999); peak memory of the process 90 MB\n"
    )
