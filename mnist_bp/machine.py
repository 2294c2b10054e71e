"""Description of the machine and of the software that computes on it: processor, kernels, and what selects them.

What cannot be found out is None or empty. Nothing here raises an exception.
"""

import os
import platform
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import numpy as np
from threadpoolctl import threadpool_info

from mnist_bp.storage.metadata import Environment

__all__ = [
    "available_memory",
    "describe_environment",
    "processor",
    "processor_flags",
    "resident_memory",
    "simd",
]

CPU_INFO = Path("/proc/cpuinfo")
MEMORY_OF_PROCESS, MEMORY_OF_MACHINE = Path("/proc/self/statm"), Path("/proc/meminfo")

VARIABLES = re.compile(r"(OPENBLAS|GOTO|OMP|MKL|BLIS|VECLIB)_\w+|NPY_(DISABLE|ENABLE)_CPU_FEATURES")
"""Environment variables that select kernels and threads of numpy and of BLAS libraries."""


def describe_environment(threads: int | None = None) -> Environment:
    """Return the environment of this process. ``threads`` are those of its matrix products; default: the present ones.

    Two processes whose environments are equal compute equal numbers.
    """
    blas = _blas()
    return Environment(
        python=f"{platform.python_implementation()} {platform.python_version()}",
        numpy=np.__version__,
        simd=simd("found"),
        blas=" ".join(filter(None, [blas.get("internal_api"), blas.get("version")])) or None,
        kernel=blas.get("architecture"),
        threads=threads or blas.get("num_threads"),
        processor=processor(),
        system=f"{platform.system()} {platform.machine()}".strip() or None,
        variables={name: value for name, value in sorted(os.environ.items()) if VARIABLES.fullmatch(name)},
    )


def _blas() -> dict[str, Any]:
    """Return what threadpoolctl knows about numpy's BLAS library, or the name that numpy was built with."""
    with suppress(Exception):  # threadpoolctl calls functions of whatever libraries the process has loaded
        found = [info for info in threadpool_info() if info["user_api"] == "blas"]
        if found:
            return min(found, key=lambda info: "numpy" not in info["filepath"])
    with suppress(KeyError):
        return {"internal_api": np.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"]}
    return {}


def simd(group: Literal["baseline", "found"]) -> tuple[str, ...]:
    """Return numpy's names of the SIMD extensions that it uses: always, or because the processor has them."""
    with suppress(KeyError):
        return tuple(np.show_config(mode="dicts")["SIMD Extensions"][group])
    return ()


def processor() -> str | None:
    """Return the model of the processor, which each operating system stores in another place."""
    if sys.platform == "darwin":
        with suppress(OSError, subprocess.SubprocessError):
            query = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
            found = subprocess.run(query, capture_output=True, text=True, check=True, timeout=5)  # noqa: S603 - no input
            return found.stdout.strip() or None
    return _cpu_info("model name") or platform.processor() or None


def processor_flags() -> set[str]:
    """Return the names of the processor's instruction sets as Linux spells them, or an empty set."""
    return set((_cpu_info("flags") or "").split())


def _cpu_info(name: str) -> str | None:
    """Return the first value with this name in Linux's description of the processor."""
    with suppress(OSError):
        found = re.search(rf"^{name}\s*: *(.+)$", CPU_INFO.read_text(errors="replace"), re.MULTILINE)
        return found[1].strip() if found else None
    return None


def resident_memory() -> int | None:
    """Return the bytes of memory that this process occupies, or None on systems that have no such file."""
    with suppress(OSError, ValueError, IndexError):
        return int(MEMORY_OF_PROCESS.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return None


def available_memory() -> int | None:
    """Return the bytes of memory that programs can still get without swapping, or None if that is unknown."""
    with suppress(OSError, ValueError, IndexError, StopIteration):
        lines = MEMORY_OF_MACHINE.read_text().splitlines()
        return 1024 * int(next(line for line in lines if line.startswith("MemAvailable:")).split()[1])
    return None
