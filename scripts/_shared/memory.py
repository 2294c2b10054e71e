"""Memory of the process that runs."""

from pathlib import Path


def peak_memory() -> int | None:
    """Return the peak memory of this process in bytes, or None if the system does not provide it."""
    status = Path("/proc/self/status")
    if status.is_file():  # not getrusage: on Linux a child starts with the peak of its parent
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) * 1024
    try:
        import resource
    except ImportError:  # Windows
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes, on macOS
