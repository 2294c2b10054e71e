"""Description of the machine and the software of a measurement."""

import os
import platform
from importlib import metadata

from mnist_bp.cores import usable_cores
from mnist_bp.instruction_sets import instruction_sets
from mnist_bp.machine import describe_environment

PEERS = ("torch", "jax", "scikit-learn")

BLOCK_SIZES = "OPENBLAS_L2_SIZE"
"""Variable that changes how OpenBLAS divides large products. It is often set together with a slower kernel."""


def describe() -> dict[str, str]:
    """Return the properties of the machine and the versions of the software, by name."""
    environment = describe_environment()
    described = {
        "CPU": environment.processor or "unknown",
        "cores": str(usable_cores()),
        "Python": platform.python_version(),
        "numpy": str(environment.numpy),
        "BLAS": environment.blas or "unknown",
        "kernel": kernel(),
        **{peer: _version(peer) for peer in PEERS},
    }
    if hasattr(os, "getloadavg"):
        described["load at the start"] = f"{os.getloadavg()[0]:.1f}"
    return described


def kernel() -> str:
    """Return the kernel that BLAS uses, with its instruction set: SkylakeX (AVX-512)."""
    environment = describe_environment()
    level = instruction_sets(environment).blas
    return (environment.kernel or "unknown") + (f" ({level})" if level else "")


def warning(command: str) -> str | None:
    """Return a warning if environment variables hold numpy to slower kernels than the processor has.

    They do not slow down PyTorch and JAX, which bring matrix products of their own. ``command`` is how to measure
    without these variables.
    """
    environment = describe_environment()
    sets = instruction_sets(environment)
    if not sets.slowed_by:
        return None
    causes = " and ".join(f"{name}={environment.variables[name]}" for name in sets.slowed_by)
    unset = [name for name in (*sets.slowed_by, BLOCK_SIZES) if name in environment.variables]
    return (
        f"WARNING: {causes} holds numpy to slower kernels (BLAS {sets.blas}, numpy {sets.numpy}) than the processor "
        f"has ({sets.processor}), but not PyTorch and JAX. For a fair comparison: "
        f"{' '.join(['env', *(f'-u {name}' for name in unset), command])}"
    )


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "not installed"
