"""The command: parse, train, write down."""

import argparse
import difflib
import shlex
import signal
import sys
from collections.abc import Iterable, Sequence
from itertools import count, takewhile
from pathlib import Path
from typing import NoReturn

from _environment import ROOT
from _shared import machine
from _shared.tables import counted

from _reproduce import recipes as recipe_files
from _reproduce import table
from _reproduce.recipes import Measurement, Recipe
from _reproduce.runs import DATASET, Failed, Run, error
from mnist_bp.cli.load import load_dataset
from mnist_bp.data.choices import published
from mnist_bp.data.datasets import data_root, inspect_root
from mnist_bp.data.download.verify import Unusable, VerifiedFile, take_file
from mnist_bp.data.names import OWN
from mnist_bp.environment import user_path
from mnist_bp.errors import InputError, MnistBpError, StorageError
from mnist_bp.reports.console import Console, prepare_streams

CONFIGS, RESULTS = ROOT / "configs", ROOT / "runs/reproduce"
INTERRUPTED = 130

DESCRIPTION = """\
Train the recipes of configs/ on MNIST, each with several seeds, and write their test errors into the recipes' files and
into the table of configs/README.md. What is done is not done again, and what was cut short (Ctrl-C, a crash) goes on
from its last finished epoch: give the same command once more. A recipe whose settings have changed is trained anew.
"""
EPILOG = """\
Exit codes: 0 done, every mean at or under its bar; 1 a recipe failed or misses its bar; 2 bad usage or bad input;
3 MNIST could not be had, or the disk does not take the results; 130 interrupted.

Example: scripts/reproduce 800-elastic --seeds 1
"""


def main(arguments: Sequence[str], configs: Path = CONFIGS) -> NoReturn:
    """Run the command, and exit."""
    prepare_streams()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a job that is ended from outside also saves what it has
    options = parse(arguments)
    try:
        sys.exit(run(options, configs))
    except MnistBpError as failure:
        print(f"scripts/reproduce: {failure}", file=sys.stderr)
        sys.exit(failure.exit_code)
    except OSError as failure:
        print(f"scripts/reproduce: {failure}", file=sys.stderr)
        sys.exit(StorageError.exit_code)
    except KeyboardInterrupt:
        command = shlex.join(["scripts/reproduce", *arguments])
        print(f"interrupted; what was finished is kept, and the same command goes on: {command}", file=sys.stderr)
        sys.exit(INTERRUPTED)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(
        "scripts/reproduce",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="recipes, as their files are called; default: all")
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="seeds 0 to N-1; default: %(default)s")
    parser.add_argument("--data-dir", type=user_path, metavar="DIR", help="where MNIST lies; default: where it is kept")
    parser.add_argument(
        "--results", type=user_path, default=RESULTS, metavar="DIR", help="of the runs; default: runs/reproduce"
    )
    parser.add_argument("--list", action="store_true", help="say of each recipe what is done, and train nothing")
    parser.add_argument("--table", action="store_true", help="write down what is done, and train nothing")
    options = parser.parse_args(arguments)
    if options.seeds < 1:
        parser.error("--seeds: expected a whole number of 1 or more")
    return options


def run(options: argparse.Namespace, configs: Path) -> int:
    """Do what was asked for; the exit code."""
    known = recipe_files.read_all(configs)
    chosen = choose(options.names, known)
    seeds = range(options.seeds)
    if options.list:
        width = max(map(len, known))
        for recipe in chosen:
            done = [str(seed) for seed in seeds if Run(recipe, seed, options.results).is_done]
            print(f"{recipe.name:<{width}} bar {recipe.bar:.2f} %   seeds done: {', '.join(done) or 'none'}")
        return 0
    readme, here, failures = configs / "README.md", describe_machine(), list[str]()
    table.write(readme, known.values())  # first of all, because it may refuse to
    if not options.table:
        require_mnist(options.data_dir)
    for recipe in chosen:
        if not options.table:
            failures += train(recipe, seeds, options, here)
        write_down(recipe, seeds, options.results)
        table.write(readme, recipe_files.read_all(configs).values())  # others may have been written down meanwhile
    return 0 if options.table else judge(chosen, failures)


def choose(names: Sequence[str], known: dict[str, Recipe]) -> list[Recipe]:
    """Find the recipes of these names, in the table's order; without a name, all of them."""
    for name in names:
        if name not in known:
            nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
            hint = f"the nearest is {nearest[0]!r}" if nearest else "there is none yet"
            raise InputError(f"the table has no recipe {name!r}; {hint}")
    return [recipe for name, recipe in known.items() if not names or name in names]


def require_mnist(data_dir: Path | None) -> None:
    """Have MNIST on disk before anything is trained, fetched if need be, and be sure that it is MNIST.

    Raises
    ------
    DataUnavailable
        If it is not to be had.
    InputError
        If a folder called mnist, or the one given, holds something else: train takes it for what it is called.
    """
    load_dataset(DATASET, data_dir, Console())
    finding = inspect_root(data_dir)
    found = finding.named(DATASET) or finding.named(OWN)
    for file in published()[DATASET].files:
        stored = found.files[file.name] if found else data_root(data_dir)
        try:
            take_file(stored, VerifiedFile(file))
        except Unusable as reason:
            raise InputError(f"the table is about MNIST alone, but {stored}: {reason}") from reason


def train(recipe: Recipe, seeds: Iterable[int], options: argparse.Namespace, here: str) -> list[str]:
    """Train a recipe with each seed; what failed."""
    failures = []
    for seed in seeds:
        try:
            Run(recipe, seed, options.results).finish(options.data_dir, here)
        except Failed as failure:
            print(failure, flush=True)
            failures.append(f"{recipe.name}, seed {seed}")
    return failures


def write_down(recipe: Recipe, seeds: Sequence[int], results: Path) -> None:
    """Write into the recipe's file what came of it, if the seeds asked for are done; more of them count, too.

    Where some are not, the file keeps what it tells, be it from another machine.
    """
    runs = (Run(recipe, seed, results) for seed in count())
    done = [kept for run in takewhile(lambda run: run.is_done, runs) if (kept := run.kept())]
    if len(done) < len(seeds):
        return
    machines = ", and ".join(dict.fromkeys(kept["machine"] for kept in done))
    errors, seconds = [error(kept["end"]) for kept in done], [kept["seconds"] for kept in done]
    measured = Measurement.of(errors, seconds, recipe.digest, machines)
    if measured != recipe.measured:
        recipe_files.keep_measurement(recipe, measured)


def judge(trained: Iterable[Recipe], failures: Sequence[str]) -> int:
    """Say of each recipe whether it meets its bar; the exit code."""
    is_met = not failures
    for recipe in trained:
        now = recipe_files.read(recipe.path)
        if now is None or now.measured is None or now.is_outdated:
            print(f"{recipe.name}: not measured")
            is_met = False
            continue
        missed = "" if now.meets_its_bar else f" misses it: {now.measured.mean:.3f} %"
        print(f"{recipe.name}: {now.measured.spread} %, bar {now.bar:.2f} %;{missed or ' met'}")
        is_met &= now.meets_its_bar
    if failures:
        print(f"failed: {'; '.join(failures)}")
    return 0 if is_met else 1


def describe_machine() -> str:
    """In a line, what the minutes depend on."""
    about = machine.describe()
    return f"{about['CPU']}, {counted(int(about['cores']), 'core')}, Python {about['Python']}, numpy {about['numpy']}"
