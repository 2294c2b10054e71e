"""Number of CPU cores that this process may use, which is often less than the machine has."""

import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath

__all__ = ["core_set", "share_of_cores", "usable_cores"]

OWN_CGROUPS = Path("/proc/self/cgroup")
CGROUPS = Path("/sys/fs/cgroup")

THREAD_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""Environment variables that limit BLAS threads. OpenMP allows a list, one number for each level of nesting."""


def usable_cores() -> int:
    """Return the minimum of CPU affinity, cgroup CPU quotas and the user's thread limits, but at least 1."""
    return max(1, min([_cores_in_affinity(), *_quotas(), *_thread_limits()]))


def core_set() -> set[int]:
    """Return the numbers of the cores in the CPU affinity of this process."""
    if hasattr(os, "sched_getaffinity"):  # Linux
        return set(os.sched_getaffinity(0))
    return set(range(_cores_in_affinity()))


def share_of_cores(core_sets: Collection[set[int]]) -> int:
    """Return the number of cores for each of several processes on this machine, this one among them.

    ``core_sets`` are their ``core_set``: mpiexec may have bound each process to other cores. A quota is for all of
    them, a thread limit for each.
    """
    together = min([len(set().union(*core_sets)), *_quotas()])
    return max(1, min(usable_cores(), together // len(core_sets)))


def _cores_in_affinity() -> int:
    if hasattr(os, "process_cpu_count"):  # Python 3.13
        return os.process_cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quotas() -> Iterator[int]:
    """Yield the CPU quota of each cgroup that has one, rounded down: threads would wait for a throttled one."""
    for folder in _cgroup_folders():
        for names in (["cpu.max"], ["cpu.cfs_quota_us", "cpu.cfs_period_us"]):  # cgroup versions 2 and 1
            try:
                quota, period = (int(word) for name in names for word in (folder / name).read_text("ascii").split())
            except (OSError, ValueError):  # the file is missing, contains "max" (no quota), or is malformed
                continue
            if quota > 0 and period > 0:  # version 1 uses −1 for no quota
                yield quota // period


def _cgroup_folders() -> Iterator[Path]:
    """Yield the folders of this process's cgroups and of their ancestors, whose quotas apply as well.

    A container may see its path on the host. Only the root of that path exists inside the container.
    """
    try:
        lines = OWN_CGROUPS.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return
    for line in lines:
        controllers, _, path = line.partition(":")[2].partition(":")
        mounts = [] if controllers else ["", "unified"]  # version 2 lists no controllers and may coexist with version 1
        if "cpu" in controllers.split(","):
            mounts = [controllers, "cpu"]
        own = PurePosixPath(path.lstrip("/"))
        yield from (CGROUPS / mount / group for mount in mounts for group in (own, *own.parents))


def _thread_limits() -> Iterator[int]:
    """Yield the limits that are set to a positive number. Other values are ignored, as BLAS libraries do."""
    for name in THREAD_LIMITS:
        first = os.environ.get(name, "").partition(",")[0].strip()
        if re.fullmatch("[0-9]{1,9}", first) and int(first) > 0:
            yield int(first)
