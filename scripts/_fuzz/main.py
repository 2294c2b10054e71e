"""Command line of ``scripts/fuzz``: hostile files for each reader, read in a process that another one monitors."""

import argparse
import multiprocessing
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple, NoReturn

from _shared.memory import peak_memory

from _fuzz.targets import TARGETS, Case, Failure, check

LIMIT = 60.0
"""Timeout for one case in seconds, a thousand times the usual duration, even on a busy machine."""

ADDRESS_SPACE = 8 << 30
"""Largest address space of a process in bytes, on systems that can limit it."""

INTERRUPTED = 130

DESCRIPTION = """\
Let mnist-bp read hostile files: model files, checkpoints (by train --resume), configs, IDX images and labels, images
(predict, explain --image), datasets in CSV and npz files, in pictures and in zip archives, and responses of mirrors.
Each is created from a valid file and a seed: with changed bytes, or well-formed with a correct checksum, but with
changed content. It must be read, or rejected in one line by a suitable error. Reading must not take more memory than a
stated multiple of its size, hang, or run code. The report of each target also has the peak memory of the process that
read its cases, with Python, the libraries and the traces of memory.
"""
EPILOG = """\
Exit codes: 0 all cases passed; 1 a case failed; 130 interrupted.

Example: scripts/fuzz --target model --cases 1 --seed 123      # repeat a case, with its traceback
"""


class _Trouble(NamedTuple):
    """Description of a failed case."""

    text: str
    trace: str


def main(arguments: Sequence[str]) -> NoReturn:
    """Run the command, and exit."""
    parser = argparse.ArgumentParser(
        "scripts/fuzz", description=DESCRIPTION, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--target", choices=[*TARGETS], action="append", help="reader to test; default: all")
    parser.add_argument(
        "--cases", type=int, default=10_000, metavar="N", help="cases for each target; default: %(default)s"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the first case; default: %(default)s")
    options = parser.parse_args(arguments)
    seeds = range(options.seed, options.seed + options.cases)
    try:
        failures = sum([run(target, seeds) for target in options.target or TARGETS])
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    sys.exit(1 if failures else 0)


def run(target: str, seeds: range) -> int:
    """Let a reader read the files of all these seeds, print the results, and return the number of failed cases."""
    totals = _Totals()
    for seed, outcome, memory in outcomes(target, seeds):
        totals.add(seed, outcome, memory)
        if isinstance(outcome, Case):
            continue
        again = f"scripts/fuzz --target {target} --cases 1 --seed {seed}"
        print(f"{target}: seed {seed}: {outcome.text}; again: {again}", flush=True)
        if len(seeds) == 1:
            print(outcome.trace, end="")
    print(f"{target}: {len(seeds):,} cases: {totals}", flush=True)
    return totals.failed


@dataclass
class _Totals:
    """Numbers of cases by result; the longest, and the one with the most memory; and the largest process, in bytes."""

    read: int = 0
    refused: int = 0
    failed: int = 0
    longest: tuple[float, int] | None = None
    largest: tuple[int, int] | None = None
    process: int = 0

    def add(self, seed: int, outcome: Case | _Trouble, memory: int | None) -> None:
        """Count a case. ``memory`` is the peak memory of the process that read it."""
        self.process = max(self.process, memory or 0)
        if isinstance(outcome, _Trouble):
            self.failed += 1
            return
        self.read += outcome.is_read
        self.refused += not outcome.is_read
        self.longest = max(self.longest or (0.0, seed), (outcome.seconds, seed), key=itemgetter(0))
        self.largest = max(self.largest or (0, seed), (outcome.bytes, seed), key=itemgetter(0))

    def __str__(self) -> str:
        parts = [f"{self.read:,} read, {self.refused:,} refused, {self.failed:,} failed"]
        if self.longest and self.largest:
            parts.append(f"; longest {self.longest[0]:.2f} s (seed {self.longest[1]})")
            parts.append(f", most memory {self.largest[0] / 1e6:.1f} MB (seed {self.largest[1]})")
        if self.process:
            parts.append(f"; peak memory of the process {self.process / 1e6:.0f} MB")
        return "".join(parts)


def outcomes(target: str, seeds: range) -> Iterator[tuple[int, Case | _Trouble, int | None]]:
    """Yield the result of each seed, and the peak memory of its process in bytes, if it is known.

    After a case that hangs or crashes, a new process continues with the next.
    """
    while seeds:
        ours, theirs = multiprocessing.Pipe(duplex=False)
        worker = multiprocessing.get_context("spawn").Process(target=work, args=(target, seeds, theirs), daemon=True)
        worker.start()
        theirs.close()
        try:
            while seeds:
                if not ours.poll(LIMIT):
                    yield seeds[0], _Trouble(f"still not read after {LIMIT:g} s", ""), None
                    break
                yield seeds[0], *ours.recv()
                seeds = seeds[1:]
        except EOFError:
            worker.join()
            yield seeds[0], _Trouble(f"the process ended with {worker.exitcode}", ""), None
        finally:
            worker.kill()
            worker.join()
        seeds = seeds[1:]


def work(target: str, seeds: range, results: Connection) -> None:
    """Read the files of these seeds in an empty folder, and send the result of each."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the monitoring process, which then ends this one
    with suppress(ImportError, ValueError, OSError):  # not supported on Windows and some other systems
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, resource.getrlimit(resource.RLIMIT_AS)[1]))
    with tempfile.TemporaryDirectory() as folder:
        before = Path.cwd()
        os.chdir(folder)
        os.environ |= {"MNIST_BP_OFFLINE": "1", "MNIST_BP_DATA": folder}
        for seed in seeds:
            results.send((_outcome(target, seed), peak_memory()))
        os.chdir(before)


def _outcome(target: str, seed: int) -> Case | _Trouble:
    try:
        return check(target, seed)
    except Failure as failure:
        return _Trouble(str(failure), traceback.format_exc())
