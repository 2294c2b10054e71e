"""Process that trains with one system. It reads requests, one JSON object per line, and answers each with a line.

``{"do": "prepare", "job": …}`` prepares the system. ``epoch`` returns seconds and the mean number of busy cores,
``cost`` the mean cost over the training examples, and ``memory`` bytes. Between requests, the process sleeps.
"""

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from _shared.memory import peak_memory

from _bench.jobs import Job, Source
from _bench.peers import SYSTEMS
from _bench.systems import System


def main(name: str, dataset: str, data_dir: str) -> None:
    """Serve requests until the end of standard input."""
    answers, sys.stdout = sys.stdout, sys.stderr  # the output of a library must not mix with the answers
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
    """Service with one system at a time and data that is read once."""

    name: str
    source: Source
    system: System | None = None

    def __post_init__(self) -> None:
        self.data = self.source.load()

    def prepare(self, job: Job) -> None:
        """Create the system for a job, in place of the previous one."""
        self.system = None  # frees the memory of the previous system first
        self.system = SYSTEMS[self.name](job, self.data)

    def epoch(self) -> tuple[float, float]:
        """Train an epoch. Return its seconds, and processor time divided by elapsed time."""
        assert self.system
        elapsed, busy = time.perf_counter(), time.process_time()
        seconds = self.system.epoch()
        return seconds, (time.process_time() - busy) / (time.perf_counter() - elapsed)

    def cost(self) -> float:
        """Return the current mean cost over the training examples."""
        assert self.system
        return self.system.evaluate(self.system.examples).cost


if __name__ == "__main__":
    main(*sys.argv[1:])
