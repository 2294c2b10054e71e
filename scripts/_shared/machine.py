"""Description of the machine and the software of a measurement."""

import os
import platform
from importlib import metadata

from mnist_bp.cores import usable_cores
from mnist_bp.machine import describe_environment

PEERS = ("torch", "jax", "scikit-learn")


def describe() -> dict[str, str]:
    """Return the properties of the machine and the versions of the software, by name."""
    environment = describe_environment()
    described = {
        "CPU": environment.processor or "unknown",
        "cores": str(usable_cores()),
        "Python": platform.python_version(),
        "numpy": str(environment.numpy),
        "BLAS": " ".join(filter(None, [environment.blas, environment.kernel])) or "unknown",
        **{peer: _version(peer) for peer in PEERS},
    }
    if hasattr(os, "getloadavg"):
        described["load at the start"] = f"{os.getloadavg()[0]:.1f}"
    return described


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "not installed"
