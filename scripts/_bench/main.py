"""Command line of ``scripts/bench``."""

import argparse
import importlib.util
import inspect
import json
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from _shared import machine
from _shared.mpi import has_mpi
from _shared.tables import markdown

from _bench import commands, epochs, features, ranks, ranks_model, scaling
from _bench.jobs import Source, find_data
from _bench.peers import SYSTEMS
from _bench.pool import installed
from _bench.ranks import RankScaling
from _bench.results import Agreement, Comparison
from _bench.scaling import Series
from mnist_bp.data.datasets import Dataset
from mnist_bp.environment import user_path
from mnist_bp.errors import MnistBpError
from mnist_bp.training.notation import parse_batch_size, parse_hidden

Value = TypeVar("Value")

DESCRIPTION = """\
Measure the speed of mnist-bp and of other ways to train the same network: an epoch (--epochs) and whole commands
(--commands). Default: both. All do the same work (sizes, initial weights, batches, cost, learning rate, shuffling,
float32) and take turns, round by round. Peers that are not installed are skipped.
"""
EPILOG = """\
Exit codes: 0 done; 1 costs that should agree differ; 2 bad usage.

Example: scripts/bench --epochs --hidden 16,16 100 --threads 1 --rounds 3
"""
INSTALL = f"{shlex.quote(sys.executable)} -m pip install -e '.[%s]'"

NOTES = """\
Each ratio is a system's time divided by mnist-bp's time in the same round (median over the rounds). A first round,
which compiles and warms up, is not counted. "Cores" is processor time divided by elapsed time. In "up to N threads",
every system is measured with 1 and with N threads, and the table has the faster of the two, whose number it names.

- mnist-bp: `mnist_bp.training.trainer.train`, which also computes the running cost and accuracy; its peers do not.
- floor: only the sgemm calls and float32 row gathers of an epoch, into preallocated arrays; it learns nothing.
- PyTorch: eager, with the examples as tensors in memory; and with a DataLoader.
- JAX: jit, with the whole epoch in one scan.
- scikit-learn: MLPClassifier.partial_fit. It does not support squared error and minimises cross-entropy instead, so its
  cost is compared only in the check of the first steps.
- single examples, numpy: the lesson's formulas in a loop, timed on some of the examples (200 to 2,000, fewer for larger
  networks) and scaled up, so its cost is also compared only in that check."""


@dataclass
class Results:
    """Results so far."""

    epochs: list[Comparison] = field(default_factory=list)
    commands: list[Comparison] = field(default_factory=list)
    features: list[Comparison] = field(default_factory=list)
    scaling: list[Series] = field(default_factory=list)
    ranks: RankScaling | None = None
    agreements: list[Agreement] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return the results as JSON values."""
        return {
            "epochs": [comparison.as_json() for comparison in self.epochs],
            "commands": [comparison.as_json() for comparison in self.commands],
            "features": [comparison.as_json() for comparison in self.features],
            "scaling": {series.name: [point.as_json() for point in series.points] for series in self.scaling},
            "ranks": self.ranks and self.ranks.as_json(),
            "agreements": [agreement.as_json() for agreement in self.agreements],
        }


def main(arguments: Sequence[str]) -> NoReturn:
    """Run the command, and exit."""
    options = parse(arguments)
    try:
        source, data = find_data(options.data_dir)
    except MnistBpError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    command = shlex.join(["scripts/bench", *arguments])
    about = {"command": command, "data": describe(data), "machine": machine.describe()}
    say_header(about, options.systems)
    if caution := machine.warning(command):
        print(f"\n{caution}", flush=True)
    results = Results()
    options.systems = installed(options.systems)
    try:
        if options.epochs:
            run_epochs(options, source, data, results)
        if options.commands:
            run_commands(options, source, results)
        if options.features:
            run_features(options, data, results)
        if options.scaling:
            run_scaling(options, source, data, results)
        if options.ranks:
            run_ranks(options, source, data, results)
    except KeyboardInterrupt:
        sys.exit(130)
    keep(options, about, results)
    sys.exit(0 if all(agreement.holds for agreement in results.agreements) else 1)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the options, and reject those that would fail after the measurements."""
    parser = argparse.ArgumentParser(
        "scripts/bench", description=DESCRIPTION, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_options(parser)
    options = parser.parse_args(arguments)
    if not (options.epochs or options.commands or options.features or options.scaling or options.ranks):
        options.epochs = options.commands = True
    options.systems = ["mnist-bp", *(name for name in SYSTEMS if name in options.systems and name != "mnist-bp")]
    for path in (options.json, options.picture):
        if path and not path.parent.is_dir():
            parser.error(f"no such folder: {path.parent}")
    if options.ranks and not has_mpi():
        parser.error(f"--ranks needs mpi4py and mpiexec: {INSTALL % 'mpi-bundled'}")
    if options.ranks and max(options.ranks) == 1:
        parser.error("--ranks needs a number above 1, such as --ranks 1 2")
    if options.picture and importlib.util.find_spec("matplotlib") is None:
        parser.error(f"--picture needs matplotlib: {INSTALL % 'plot'}")
    return options


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add all options."""
    part, narrow, output = (
        parser.add_argument_group(name) for name in ("measurements", "selection", "data and output")
    )
    part.add_argument("--epochs", action="store_true", help="an epoch of each system")
    part.add_argument("--commands", action="store_true", help="whole processes, from their start")
    part.add_argument(
        "--features", action="store_true", help="an epoch with dropout, augmentation, … compared with a plain one"
    )
    part.add_argument("--scaling", action="store_true", help="time and memory against width, depth, batch and data")
    part.add_argument(
        "--ranks",
        nargs="+",
        type=positive,
        metavar="N",
        help="steps on these numbers of MPI ranks, and a model for more",
    )
    narrow.add_argument("--full", action="store_true", help="epochs: all combinations (takes hours)")
    hidden, batch = checked(parse_hidden), checked(parse_batch_size)
    narrow.add_argument("--hidden", nargs="+", type=hidden, metavar="N,N", help="epochs, ranks: these networks")
    narrow.add_argument(
        "--batch-size", nargs="+", type=batch, metavar="N", help="epochs: these batch sizes, or all; ranks: these"
    )
    narrow.add_argument(
        "--threads",
        nargs="+",
        type=positive,
        metavar="N",
        help="epochs: largest numbers of threads; default: 1 and all cores; features: number of threads",
    )
    narrow.add_argument(
        "--rounds", type=positive, default=3, metavar="N", help="number of rounds; default: %(default)s"
    )
    names = list(SYSTEMS)
    beside = f"systems to compare with mnist-bp: {', '.join(names[1:])}; default: all"
    narrow.add_argument("--systems", nargs="+", choices=names, default=names, metavar="NAME", help=beside)
    narrow.add_argument("--limit", type=positive, metavar="N", help="all but commands: use the first N examples")
    output.add_argument("--data-dir", type=absolute, metavar="DIR", help="folder of MNIST; default: the cache folder")
    output.add_argument("--json", type=absolute, metavar="FILE", help="write all results as JSON")
    output.add_argument("--picture", type=absolute, metavar="FILE", help='write a plot; requires the extra "plot"')


def checked(read: Callable[[str], Value]) -> Callable[[str], Value]:
    """Return a parser of an option whose errors argparse prints unchanged."""

    def read_option(text: str) -> Value:
        try:
            return read(text)
        except MnistBpError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return read_option


def positive(text: str) -> int:
    """Parse a whole number of 1 or more."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of 1 or more; got {text!r}")
    return int(text)


def absolute(text: str) -> Path:
    """Return an absolute path, because commands run in other folders."""
    return user_path(text).absolute()


def describe(data: Dataset) -> str:
    """Return a description of the data."""
    kind = "SYNTHETIC digits, not MNIST" if data.is_synthetic else data.name
    return f"{kind}: {len(data.train):,} training and {len(data.test):,} test examples"


def say_header(about: dict[str, Any], systems: Sequence[str]) -> None:
    """Print the machine, the command, the data, and the systems that are not installed."""
    print("; ".join(f"{name} {value}" for name, value in about["machine"].items()))
    print(f"\n    {about['command']}\n\nData: {about['data']}.", flush=True)
    missing = [name for name in systems if name not in installed(systems)]
    if missing:
        print(f"Not installed, and skipped: {', '.join(missing)}. To install: {INSTALL % 'bench'}")


def run_epochs(options: argparse.Namespace, source: Source, data: Dataset, results: Results) -> None:
    """Measure and print the epochs."""
    print(f"\n## Epochs\n\n{NOTES}", flush=True)
    asked_for = options.hidden, options.batch_size, options.threads, options.limit, data
    cases = epochs.choose_cases(*asked_for, full=options.full)
    for result in epochs.measure(cases, options.systems, options.rounds, source, data):
        if isinstance(result, Comparison):
            results.epochs.append(result)
            print(f"\n{result.table()}", flush=True)
        else:
            results.agreements.append(result)
            print(f"\n{result}", flush=True)
    print(f"\n### Summary\n\n{markdown(*epochs.summary(results.epochs))}", flush=True)


def run_commands(options: argparse.Namespace, source: Source, results: Results) -> None:
    """Measure and print the commands."""
    print("\n## Commands, from the start of the process", flush=True)
    for comparison in commands.measure(options.systems, options.rounds, source):
        results.commands.append(comparison)
        print(f"\n{comparison.table()}", flush=True)


def run_features(options: argparse.Namespace, data: Dataset, results: Results) -> None:
    """Measure and print the cost of features."""
    print("\n## Features of the training", flush=True)
    for comparison in features.measure(options.rounds, options.limit, data, options.threads):
        results.features.append(comparison)
        print(f"\n{comparison.table()}", flush=True)


def run_scaling(options: argparse.Namespace, source: Source, data: Dataset, results: Results) -> None:
    """Measure and print the scaling of an epoch."""
    print(f"\n## Scaling of an epoch of mnist-bp, 1 thread\n\n{scaling.NOTES}", flush=True)
    for series in scaling.measure(options.rounds, options.limit, source, data):
        results.scaling.append(series)
        print(f"\n{series.table()}", flush=True)


def run_ranks(options: argparse.Namespace, source: Source, data: Dataset, results: Results) -> None:
    """Measure and print the scaling over ranks, and the model."""
    print(f"\n## Scaling over ranks\n\n{ranks.NOTES}", flush=True)
    results.ranks = ranks.measure(options.ranks, options.hidden, options.batch_size, options.rounds, source)
    print(f"\n{ranks.table(results.ranks, options.ranks)}", flush=True)
    print(f"\n### Model\n\n{inspect.getdoc(ranks_model)}", flush=True)
    for part in ranks.model(results.ranks, data):
        print(f"\n{part}", flush=True)


def keep(options: argparse.Namespace, about: dict[str, Any], results: Results) -> None:
    """Write the requested files."""
    if options.json:
        options.json.write_text(json.dumps(about | results.as_json(), indent=1) + "\n", encoding="utf-8")
    if options.picture:
        from _bench.pictures import draw

        draw(options.picture, [results.epochs, results.commands, results.features], results.scaling)
