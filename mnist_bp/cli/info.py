"""``mnist-bp info``."""

import os
import platform
from typing import Any

from mnist_bp import __version__
from mnist_bp.cli.options import Json, Quiet, help_text
from mnist_bp.cores import usable_cores
from mnist_bp.errors import MnistBpError
from mnist_bp.reports.console import Console
from mnist_bp.reports.info import print_info
from mnist_bp.training.threads import MANY_NEURONS, default_threads

__all__ = ["info"]


@help_text("""Include the output in bug reports. If two machines give networks with different fingerprints, compare it.

Example: mnist-bp info
""")
def info(*, json: Json = False, quiet: Quiet = False) -> None:
    console = Console(json=json, quiet=quiet)
    record = _collect()
    console.emit_json({"event": "info", **record})
    print_info(record, console)


def _collect() -> dict[str, Any]:
    """Return everything that is known, as JSON values. An unknown value is None."""
    from mnist_bp.installed import declared_packages
    from mnist_bp.instruction_sets import instruction_sets
    from mnist_bp.machine import describe_environment
    from mnist_bp.training.calculation import CALCULATION

    environment, packages = describe_environment(), declared_packages()
    sets = instruction_sets(environment)
    return {
        "version": __version__,
        "calculation": CALCULATION,
        "environment": environment.record(),
        "platform": platform.platform() or None,
        "cores": usable_cores(),
        "machine_cores": os.cpu_count(),
        "default_threads": {"narrow": default_threads(()), "wide": default_threads((MANY_NEURONS,))},
        "instruction_sets": {"processor": sets.processor, "blas": sets.blas, "numpy": sets.numpy},
        "slowed_by": list(sets.slowed_by),
        "dependencies": None if packages is None else packages.dependencies,
        "extras": None
        if packages is None
        else [
            {"name": name, "installed": None not in versions.values(), "packages": versions}
            for name, versions in packages.extras.items()
        ],
        "cache": _cache(),
    }


def _cache() -> dict[str, Any]:
    """Return the data folder and its contents. What cannot be read is None, and ``problem`` says why."""
    from mnist_bp.data.catalogue import catalogue, quarantined
    from mnist_bp.data.datasets import data_root

    found: dict[str, Any] = {"folder": None, "datasets": None, "damaged": None, "problem": None}
    try:
        root = data_root(None)
        found["folder"] = str(root)
        found["damaged"] = [{"file": str(path), "bytes": path.stat().st_size} for path in quarantined(root)]
        found["datasets"] = [
            {"dataset": each.dataset, "state": each.state, "bytes": each.bytes, "folder": str(each.folder)}
            for each in catalogue(root)
        ]
    except (MnistBpError, OSError) as error:
        found["problem"] = str(error)
    return found
