"""A process that trains with one system: it reads requests, a JSON object a line, and answers each with a line.

``{"do": "prepare", "job": …}`` makes the system ready, ``epoch`` answers with seconds and the number of cores that it
kept busy, ``cost`` with the mean cost over the training examples, ``memory`` with bytes. Between requests it waits, and
disturbs nobody.
"""

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from _bench.jobs import Job, Source
from _bench.peers import SYSTEMS
from _bench.systems import System


def main(name: str, dataset: str, data_dir: str) -> None:
    """Serve until the requests end."""
    answers, sys.stdout = sys.stdout, sys.stderr  # whatever a library has to say must not be taken for an answer
    before = peak_memory()
    service = Service(name, Source(dataset, Path(data_dir) if data_dir else None))
    for line in sys.stdin:
        request = json.loads(line)
        match request["do"]:
            case "prepare":
                answer: Any = service.prepare(Job.from_json(request["job"]))
            case "epoch":
                answer = service.epoch()
            case "cost":
                answer = service.cost()
            case "memory":
                answer = None if before is None else {"before": before, "peak": peak_memory()}
        print(json.dumps(answer), file=answers, flush=True)


@dataclass
class Service:
    """One system at a time, on data that is read once."""

    name: str
    source: Source
    system: System | None = None

    def __post_init__(self) -> None:
        self.data = self.source.load()

    def prepare(self, job: Job) -> None:
        """Make a system for the job, in place of the one before."""
        self.system = None  # the old one's memory is free before the next one takes its own
        self.system = SYSTEMS[self.name](job, self.data)

    def epoch(self) -> tuple[float, float]:
        """Seconds of an epoch, and processor time by elapsed time: what is asked of the machine besides waiting."""
        assert self.system
        elapsed, busy = time.perf_counter(), time.process_time()
        seconds = self.system.epoch()
        return seconds, (time.process_time() - busy) / (time.perf_counter() - elapsed)

    def cost(self) -> float:
        """Mean cost over the training examples, as trained so far."""
        assert self.system
        return self.system.evaluate(self.system.examples).cost


def peak_memory() -> int | None:
    """Bytes that this process has had in memory at most, where the operating system tells."""
    status = Path("/proc/self/status")
    if status.is_file():  # not getrusage: on Linux a child starts with the peak of its parent
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) * 1024
    try:
        import resource
    except ImportError:  # Windows
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes, on macOS


if __name__ == "__main__":
    main(*sys.argv[1:])
