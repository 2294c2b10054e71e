"""Command line of ``scripts/reproduce``."""

import argparse
import difflib
import shlex
import signal
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from itertools import count, takewhile
from pathlib import Path
from typing import NoReturn

from _environment import ROOT
from _shared import machine
from _shared.tables import counted

from _reproduce import committees, table
from _reproduce import recipes as recipe_files
from _reproduce.committees import Committee
from _reproduce.recipes import Measurement, Recipe
from _reproduce.runs import DATASET, Failed, Run, end_running, error
from mnist_bp.cli.load import load_dataset
from mnist_bp.data.choices import published
from mnist_bp.data.datasets import data_root, inspect_root
from mnist_bp.data.download.verify import Unusable, VerifiedFile, take_file
from mnist_bp.data.names import OWN
from mnist_bp.data.readers.idx_files import standard_name
from mnist_bp.environment import user_path
from mnist_bp.errors import InputError, MnistBpError, StorageError
from mnist_bp.reports.console import Console, prepare_streams
from mnist_bp.training.data_settings import DataSettings

CONFIGS, RESULTS = ROOT / "configs", ROOT / "runs/reproduce"
INTERRUPTED = 130

DESCRIPTION = """\
Train the recipes of configs/ on MNIST, each with several seeds, and write their test errors to the recipes' files and
to the table of configs/README.md. Finished trainings are not repeated. To resume interrupted ones (Ctrl-C, a crash)
from their last finished epoch, repeat the command. A recipe whose settings have changed is trained again.

With --committee, the networks of all named recipes and seeds are one committee, whose outputs are averaged. It is
written to committees.json and to the table, as one row, in place of the recipes' results.
"""
EPILOG = """\
Exit codes: 0 done, every mean at or below its bar; 1 a recipe failed or misses its bar; 2 bad usage or bad input;
3 MNIST is not available, or the results cannot be written; 130 interrupted.

Examples: scripts/reproduce 800-elastic --seeds 1
          scripts/reproduce 800-elastic 800-affine --seeds 3 --committee
"""


def main(arguments: Sequence[str], configs: Path = CONFIGS) -> NoReturn:
    """Run the command, and exit."""
    prepare_streams()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a job that is terminated also saves its finished epochs
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
        print(f"interrupted; finished epochs are saved; to continue: {command}", file=sys.stderr)
        sys.exit(INTERRUPTED)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the options."""
    parser = argparse.ArgumentParser(
        "scripts/reproduce",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="names of recipes; default: all")
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="seeds 0 to N-1; default: %(default)s")
    parser.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="trainings at the same time; default: %(default)s"
    )
    parser.add_argument("--data-dir", type=user_path, metavar="DIR", help="folder of MNIST; default: the cache folder")
    parser.add_argument(
        "--results", type=user_path, default=RESULTS, metavar="DIR", help="folder of the runs; default: runs/reproduce"
    )
    parser.add_argument("--list", action="store_true", help="list the finished seeds of each recipe, and train nothing")
    parser.add_argument("--table", action="store_true", help="write the finished results, and train nothing")
    parser.add_argument("--committee", action="store_true", help="evaluate all networks of the recipes as a committee")
    options = parser.parse_args(arguments)
    for name in ("seeds", "jobs"):
        if getattr(options, name) < 1:
            parser.error(f"--{name}: expected a whole number of 1 or more")
    if options.committee and (options.list or options.table):
        parser.error("--committee trains and evaluates networks: leave out --list and --table")
    if options.committee and len({*options.names}) * options.seeds < 2:
        parser.error("--committee requires NAMEs of recipes, and at least two networks")
    return options


def run(options: argparse.Namespace, configs: Path) -> int:
    """Run the command with these options, and return the exit code."""
    known = recipe_files.read_all(configs)
    chosen = choose(options.names, known)
    seeds = range(options.seeds)
    if options.list:
        width = max(map(len, known))
        for recipe in chosen:
            done = [str(seed) for seed in seeds if Run(recipe, seed, options.results).is_done]
            print(f"{recipe.name:<{width}} bar {recipe.bar:.2f} %   seeds done: {', '.join(done) or 'none'}")
        return 0
    here, failures = describe_machine(), list[str]()
    write_table(configs)  # before the training, because it may raise
    if not options.table:
        require_mnist(options.data_dir)
    if options.committee:
        return measure_committee(chosen, seeds, options, configs, here)
    results = ((recipe, list[str]()) for recipe in chosen) if options.table else trained(chosen, seeds, options, here)
    for recipe, failed in results:
        failures += failed
        write_down(recipe, seeds, options.results)
        write_table(configs)
    return 0 if options.table else report(chosen, failures)


def write_table(configs: Path) -> None:
    """Write the table of all results, which other processes may have written since."""
    table.write(configs / "README.md", recipe_files.read_all(configs), committees.read(configs))


def measure_committee(
    chosen: Sequence[Recipe], seeds: Sequence[int], options: argparse.Namespace, configs: Path, here: str
) -> int:
    """Train all members, write the results of their committee, and return the exit code."""
    failures = [name for _, failed in trained(chosen, seeds, options, here) for name in failed]
    if not failures:
        runs = [Run(recipe, seed, options.results) for recipe in chosen for seed in seeds]
        try:
            measured = Committee.of(runs, len(seeds), options.data_dir)
        except Failed as failure:
            failures.append(str(failure))
        else:
            committees.keep(configs, measured)
            write_table(configs)
            print(measured.text)
    if failures:
        print(f"failed: {'; '.join(failures)}")
    return 1 if failures else 0


def choose(names: Sequence[str], known: dict[str, Recipe]) -> list[Recipe]:
    """Return the recipes with these names, in the table's order. Without names, return all."""
    for name in names:
        if name not in known:
            nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
            hint = f"the nearest is {nearest[0]!r}" if nearest else "there is none yet"
            raise InputError(f"the table has no recipe {name!r}; {hint}")
    return [recipe for name, recipe in known.items() if not names or name in names]


def require_mnist(data_dir: Path | None) -> None:
    """Download MNIST if necessary, and verify that it is MNIST, before any training.

    Raises
    ------
    DataUnavailable
        If MNIST is not available.
    InputError
        If a folder named mnist, or the given one, contains something else, which train would use under that name.
    """
    load_dataset(DataSettings(dataset=DATASET, data_dir=data_dir), Console())
    finding = inspect_root(data_dir)
    found = finding.named(DATASET) or finding.named(OWN)
    held = {standard_name(stored.name): stored for stored in found.source.files} if found else {}
    for file in published()[DATASET].files:
        stored = held.get(file.name, data_root(data_dir))
        try:
            take_file(stored, VerifiedFile(file))
        except Unusable as reason:
            raise InputError(f"the table requires MNIST, but {stored}: {reason}") from reason


def trained(
    recipes: Iterable[Recipe], seeds: Iterable[int], options: argparse.Namespace, here: str
) -> Iterator[tuple[Recipe, list[str]]]:
    """Train each recipe with each seed, ``--jobs`` at a time. Yield each recipe that is done, and its failed runs."""
    with ThreadPoolExecutor(options.jobs) as pool:
        runs = [(recipe, [Run(recipe, seed, options.results) for seed in seeds]) for recipe in recipes]
        started = [
            (recipe, [pool.submit(train, pool, run, options.data_dir, here) for run in each]) for recipe, each in runs
        ]
        try:
            for recipe, trainings in started:
                yield recipe, [failed for training in trainings if (failed := training.result())]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            while not all(training.done() for _, trainings in started for training in trainings):
                end_running()
                time.sleep(0.1)
            raise


def train(pool: Executor, run: Run, data_dir: Path | None, here: str) -> str | None:
    """Train, and return the name of the run if it fails. If it is interrupted, no other training of the pool begins."""
    try:
        run.finish(data_dir, here)
    except Failed as failure:
        print(failure, flush=True)
        return run.name
    except KeyboardInterrupt:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    return None


def write_down(recipe: Recipe, seeds: Sequence[int], results: Path) -> None:
    """Write the results to the recipe's file, if all requested seeds are finished. Further finished seeds are included.

    Otherwise the file keeps its results, which may be from another machine.
    """
    runs = (Run(recipe, seed, results) for seed in count())
    done = [kept for run in takewhile(lambda run: run.is_done, runs) if (kept := run.kept())]
    if len(done) < len(seeds):
        return
    errors, seconds = [error(kept["end"]["test_accuracy"]) for kept in done], [kept["seconds"] for kept in done]
    measured = Measurement.of(errors, seconds, recipe.digest, [kept["machine"] for kept in done])
    if measured != recipe.measured:
        recipe_files.keep_measurement(recipe, measured)


def report(trained: Iterable[Recipe], failures: Sequence[str]) -> int:
    """Print for each recipe whether it meets its bar, and return the exit code."""
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
    """Return a line about the machine, the kernel and the software, on which the minutes depend."""
    about = machine.describe()
    cores, versions = counted(int(about["cores"]), "core"), f"Python {about['Python']}, numpy {about['numpy']}"
    return f"{about['CPU']}, {cores}, kernel {about['kernel']}, {versions}"
