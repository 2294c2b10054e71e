"""Process that trains a peer like ``mnist-bp train --json``, with a record of the test accuracy after each epoch."""

import json
import sys
from pathlib import Path

from _bench.jobs import Job, Source
from _bench.peers import SYSTEMS


def main(name: str, job: str, dataset: str, data_dir: str, epochs: str) -> None:
    """Read the data, train, and print a record after each epoch."""
    data = Source(dataset, Path(data_dir) if data_dir else None).load()
    system = SYSTEMS[name](Job.from_json(json.loads(job)), data)
    for epoch in range(1, int(epochs) + 1):
        system.epoch()
        accuracy = system.evaluate(data.test).accuracy
        print(json.dumps({"event": "epoch", "epoch": epoch, "test_accuracy": accuracy}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
