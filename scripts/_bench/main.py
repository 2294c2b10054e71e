"""The command: parse, measure, show."""

import argparse
import importlib.util
import json
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from _shared import machine
from _shared.tables import markdown

from _bench import commands, epochs, features, scaling
from _bench.jobs import Source, find_data
from _bench.peers import SYSTEMS
from _bench.pool import installed
from _bench.results import Agreement, Comparison
from _bench.scaling import Series
from mnist_bp.data.datasets import Dataset
from mnist_bp.environment import user_path
from mnist_bp.errors import MnistBpError
from mnist_bp.training.notation import parse_batch_size, parse_hidden

Value = TypeVar("Value")

DESCRIPTION = """\
Measure how fast mnist-bp is, beside other ways to train the same network: an epoch (--epochs) and whole commands
(--commands); both, if none of these is given. All do the same work (sizes, initial weights, batches, cost, learning
rate, shuffling, float32) and take turns, round after round. Peers that are not installed are skipped.
"""
EPILOG = """\
Exit codes: 0 done; 1 costs that should agree do not; 2 bad usage.

Example: scripts/bench --epochs --hidden 16,16 100 --threads 1 --rounds 3
"""
INSTALL = f"{shlex.quote(sys.executable)} -m pip install -e '.[%s]'"

NOTES = """\
Each ratio is the median over the rounds of a system's time divided by mnist-bp's in the same round. A round before
them, which compiles and warms up, is not counted. "Cores" is processor time by elapsed time.

- mnist-bp: `mnist_bp.training.trainer.train`, which also keeps the running cost and accuracy; its peers do not.
- floor: the bare sgemm calls and float32 row gathers of an epoch, into arrays made once; it learns nothing.
- PyTorch: eager, the examples as tensors in memory; and the same through a DataLoader.
- JAX: jit, the whole epoch in one scan.
- scikit-learn: MLPClassifier.partial_fit, which knows no squared error: it minimises cross-entropy instead, so its cost
  is compared in the check of the first steps only.
- single examples, numpy: the lesson's formulas in a loop, timed on some of the examples (at most 2,000; for larger
  networks fewer, at least 200) and scaled up, so its cost, too, is compared in that check only."""


@dataclass
class Results:
    """All that was measured so far."""

    epochs: list[Comparison] = field(default_factory=list)
    commands: list[Comparison] = field(default_factory=list)
    features: list[Comparison] = field(default_factory=list)
    scaling: list[Series] = field(default_factory=list)
    agreements: list[Agreement] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "epochs": [comparison.as_json() for comparison in self.epochs],
            "commands": [comparison.as_json() for comparison in self.commands],
            "features": [comparison.as_json() for comparison in self.features],
            "scaling": {series.name: [point.as_json() for point in series.points] for series in self.scaling},
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
    except KeyboardInterrupt:
        sys.exit(130)
    keep(options, about, results)
    sys.exit(0 if all(agreement.holds for agreement in results.agreements) else 1)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the options, and refuse what would fail after the measuring."""
    parser = argparse.ArgumentParser(
        "scripts/bench", description=DESCRIPTION, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_options(parser)
    options = parser.parse_args(arguments)
    if not (options.epochs or options.commands or options.features or options.scaling):
        options.epochs = options.commands = True
    options.systems = ["mnist-bp", *(name for name in SYSTEMS if name in options.systems and name != "mnist-bp")]
    for path in (options.json, options.picture):
        if path and not path.parent.is_dir():
            parser.error(f"there is no folder {path.parent}")
    if options.picture and importlib.util.find_spec("matplotlib") is None:
        parser.error(f"--picture needs matplotlib: {INSTALL % 'plot'}")
    return options


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare every option once."""
    part, narrow, output = (parser.add_argument_group(name) for name in ("what", "how much of it", "data and output"))
    part.add_argument("--epochs", action="store_true", help="an epoch of each system")
    part.add_argument("--commands", action="store_true", help="whole processes, from their start")
    part.add_argument(
        "--features", action="store_true", help="an epoch with dropout, distortions, … beside a plain one"
    )
    part.add_argument("--scaling", action="store_true", help="time and memory against width, depth, batch and data")
    narrow.add_argument("--full", action="store_true", help="epochs: every combination; hours")
    hidden, batch = checked(parse_hidden), checked(parse_batch_size)
    narrow.add_argument("--hidden", nargs="+", type=hidden, metavar="N,N", help="epochs: these networks")
    narrow.add_argument("--batch-size", nargs="+", type=batch, metavar="N", help="epochs: these batch sizes, or all")
    narrow.add_argument("--threads", nargs="+", type=positive, metavar="N", help="epochs: else 1 and mnist-bp's own")
    narrow.add_argument("--rounds", type=positive, default=3, metavar="N", help="default: %(default)s")
    names = list(SYSTEMS)
    beside = f"mnist-bp and these: {', '.join(names[1:])}; default: all"
    narrow.add_argument("--systems", nargs="+", choices=names, default=names, metavar="NAME", help=beside)
    narrow.add_argument("--limit", type=positive, metavar="N", help="all but commands: the first so many examples")
    output.add_argument("--data-dir", type=absolute, metavar="DIR", help="where MNIST lies; default: where it is kept")
    output.add_argument("--json", type=absolute, metavar="FILE", help="keep every figure")
    output.add_argument("--picture", type=absolute, metavar="FILE", help='draw it; needs the extra "plot"')


def checked(read: Callable[[str], Value]) -> Callable[[str], Value]:
    """Give an option's reader, with its own words where it refuses."""

    def read_option(text: str) -> Value:
        try:
            return read(text)
        except MnistBpError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return read_option


def positive(text: str) -> int:
    """A whole number of 1 or more."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of 1 or more; got {text!r}")
    return int(text)


def absolute(text: str) -> Path:
    """A path that means the same in every folder: commands run in folders of their own."""
    return user_path(text).absolute()


def describe(data: Dataset) -> str:
    """Say which data it is."""
    kind = "SYNTHETIC digits, not MNIST" if data.is_synthetic else data.name
    return f"{kind}: {len(data.train):,} training and {len(data.test):,} test examples"


def say_header(about: dict[str, Any], systems: Sequence[str]) -> None:
    """The machine, the command, the data, and who is missing."""
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
    """Measure and print what features cost."""
    print("\n## Features of the training", flush=True)
    for comparison in features.measure(options.rounds, options.limit, data):
        results.features.append(comparison)
        print(f"\n{comparison.table()}", flush=True)


def run_scaling(options: argparse.Namespace, source: Source, data: Dataset, results: Results) -> None:
    """Measure and print how it grows."""
    print(f"\n## Scaling of an epoch of mnist-bp, 1 thread\n\n{scaling.NOTES}", flush=True)
    for series in scaling.measure(options.rounds, options.limit, source, data):
        results.scaling.append(series)
        print(f"\n{series.table()}", flush=True)


def keep(options: argparse.Namespace, about: dict[str, Any], results: Results) -> None:
    """Write the files that were asked for."""
    if options.json:
        options.json.write_text(json.dumps(about | results.as_json(), indent=1) + "\n", encoding="utf-8")
    if options.picture:
        from _bench.pictures import draw

        draw(options.picture, [results.epochs, results.commands, results.features], results.scaling)
