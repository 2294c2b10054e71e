"""Output of ``mnist-bp info``."""

from collections.abc import Iterator, Mapping
from typing import Any

from mnist_bp.reports.console import Console
from mnist_bp.training.threads import MANY_NEURONS

__all__ = ["print_info"]

UNKNOWN = "unknown"

LABEL = 10
"""Width of the labels."""


def print_info(record: Mapping[str, Any], console: Console) -> None:
    """Print the record of ``info``, a line for each fact, and a line about the kernels as the result."""
    for label, text in (*_machine(record), *_packages(record), *_data(record["cache"])):
        console.print(f"{label:{LABEL}} {text}")
    console.print()
    console.print_result(_kernels(record), style="bold")


def _machine(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    known, threads = record["environment"], record["default_threads"]
    sets = {name: level or UNKNOWN for name, level in record["instruction_sets"].items()}
    variables = known.get("variables", {})
    yield "mnist-bp", f"{record['version']}, calculation {record['calculation']}"
    yield "Python", known["python"]
    yield "system", record["platform"] or UNKNOWN
    yield "processor", f"{known.get('processor', UNKNOWN)}; instruction set {sets['processor']}"
    yield "cores", f"{record['cores']} of {record['machine_cores'] or UNKNOWN}"
    yield "threads", f"{threads['narrow']} by default; {threads['wide']} from {MANY_NEURONS} neurons on"
    yield "numpy", f"{known['numpy']}; {' '.join(known.get('simd', ['baseline']))}; instruction set {sets['numpy']}"
    yield "BLAS", f"{known.get('blas', UNKNOWN)}; kernel {known.get('kernel', UNKNOWN)}; instruction set {sets['blas']}"
    yield "variables", " ".join(f"{name}={value}" for name, value in variables.items()) or "none"


def _packages(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if record["dependencies"] is None:
        yield "packages", UNKNOWN
        return
    versions = record["dependencies"].items()
    yield "packages", ", ".join(f"{name} {version or '(not installed)'}" for name, version in versions)
    for extra in record["extras"]:
        missing = ", ".join(name for name, version in extra["packages"].items() if version is None)
        yield "extra", f"{extra['name']}: {f'not installed ({missing})' if missing else 'installed'}"


def _data(cache: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "data", cache["folder"] or UNKNOWN
    if cache["problem"]:
        yield "dataset", f"{UNKNOWN}: {cache['problem']}"
    for entry in cache["datasets"] or ():
        yield "dataset", f"{entry['dataset']}: {entry['state']}{_size(entry)}"
    for entry in cache["damaged"] or ():
        yield "damaged", f"{entry['file']}{_size(entry)}"


def _size(entry: Mapping[str, Any]) -> str:
    return f", {entry['bytes'] / 1e6:.1f} MB" if entry["bytes"] else ""


def _kernels(record: Mapping[str, Any]) -> str:
    """Return a line that compares the instruction sets in use with the processor's."""
    sets, variables = record["instruction_sets"], record["environment"].get("variables", {})
    has = f"the processor has {sets['processor']}"
    if causes := " and ".join(f"{name}={variables[name]}" for name in record["slowed_by"]):
        return f"slower because of {causes}: BLAS uses {sets['blas']}, numpy {sets['numpy']}; {has}"
    if sets["processor"] is None or sets["blas"] is None:
        return f"kernel {record['environment'].get('kernel', UNKNOWN)}; the best of this processor is unknown"
    return f"kernel {record['environment']['kernel']} uses {sets['blas']}; {has}"
