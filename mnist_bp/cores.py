"""Number of CPU cores that this process may use, which is often less than the machine has."""

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

__all__ = ["usable_cores"]

OWN_CGROUPS = Path("/proc/self/cgroup")
CGROUPS = Path("/sys/fs/cgroup")

THREAD_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""Variables that limit the threads of a BLAS. OpenMP allows a list, one number for each level of nesting."""


def usable_cores() -> int:
    """Return the smallest of CPU affinity, the CPU quotas of the cgroups, and the user's thread limits; at least 1."""
    return max(1, min([_cores_in_affinity(), *_quotas(), *_thread_limits()]))


def _cores_in_affinity() -> int:
    if hasattr(os, "process_cpu_count"):  # Python 3.13
        return os.process_cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quotas() -> Iterator[int]:
    """Yield the CPU quota of each cgroup that has one, in whole cores: threads wait for one that is throttled."""
    for folder in _cgroup_folders():
        for names in (["cpu.max"], ["cpu.cfs_quota_us", "cpu.cfs_period_us"]):  # version 2, version 1
            try:
                quota, period = (int(word) for name in names for word in (folder / name).read_text("ascii").split())
            except (OSError, ValueError):  # no such file; "max" for no quota; not two numbers
                continue
            if quota > 0 and period > 0:  # version 1 has −1 for no quota
                yield quota // period


def _cgroup_folders() -> Iterator[Path]:
    """Yield the folders of this process's cgroups and of their ancestors, whose quotas hold as well.

    A container may see its path on the host, of which only the root exists inside.
    """
    try:
        lines = OWN_CGROUPS.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return
    for line in lines:
        controllers, _, path = line.partition(":")[2].partition(":")
        mounts = [] if controllers else ["", "unified"]  # version 2 has no list, and may stand beside version 1
        if "cpu" in controllers.split(","):
            mounts = [controllers, "cpu"]
        own = PurePosixPath(path.lstrip("/"))
        yield from (CGROUPS / mount / group for mount in mounts for group in (own, *own.parents))


def _thread_limits() -> Iterator[int]:
    """Yield the limits that are set to a number; like the libraries, ignore anything else."""
    for name in THREAD_LIMITS:
        first = os.environ.get(name, "").partition(",")[0].strip()
        if re.fullmatch("[0-9]{1,9}", first) and int(first) > 0:
            yield int(first)
