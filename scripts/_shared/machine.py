"""Description of the machine and the software of a measurement."""

import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info

from mnist_bp.cores import usable_cores

PEERS = ("torch", "jax", "scikit-learn")


def describe() -> dict[str, str]:
    """Return the properties of the machine and the versions of the software, by name."""
    described = {
        "CPU": _cpu(),
        "cores": str(usable_cores()),
        "Python": platform.python_version(),
        "numpy": np.__version__,
        "BLAS": _blas(),
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


def _blas() -> str:
    """Return the library of numpy's matrix products, and its kernels for this processor."""
    libraries = (
        " ".join([info["internal_api"], info["version"], info.get("architecture", "")]).strip()
        for info in threadpool_info()
        if info["user_api"] == "blas"
    )
    return ", ".join(libraries) or "not known to threadpoolctl"


def _cpu() -> str:
    """Return the processor's name, which each operating system stores in another place."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    if sys.platform == "darwin":
        query = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(query, capture_output=True, text=True, check=False).stdout.strip()
    return platform.processor() or platform.machine()
