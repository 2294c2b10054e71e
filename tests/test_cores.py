"""The cores that this process may use: affinity, quotas of cgroups, and limits of the BLAS."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import mnist_bp
from mnist_bp import cores
from mnist_bp.cores import usable_cores
from mnist_bp.training.threads import MANY_NEURONS


@pytest.fixture(autouse=True)
def cgroups(monkeypatch, tmp_path):
    """A machine of 8 cores without limits; write its cgroups with the function that this returns."""
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    monkeypatch.setattr("os.process_cpu_count", lambda: 8, raising=False)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)), raising=False)
    for name in cores.THREAD_LIMITS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(cores, "OWN_CGROUPS", tmp_path / "own")
    monkeypatch.setattr(cores, "CGROUPS", tmp_path / "cgroup")

    def write(own: str, **files: str) -> None:
        (tmp_path / "own").write_text(own)
        for name, content in files.items():
            path = tmp_path / "cgroup" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)

    return write


def test_without_limits_these_are_all_cores():
    """No cgroups and no variables, as on macOS and Windows."""
    assert usable_cores() == 8


def test_python_is_asked_for_the_cores_of_the_process(monkeypatch):
    """By process_cpu_count from Python 3.13 on, else by sched_getaffinity; by cpu_count where there is neither."""
    monkeypatch.setattr("os.process_cpu_count", lambda: 3, raising=False)
    assert usable_cores() == 3
    monkeypatch.delattr("os.process_cpu_count")
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {4, 7}, raising=False)
    assert usable_cores() == 2
    monkeypatch.delattr("os.sched_getaffinity")
    assert usable_cores() == 8
    monkeypatch.setattr("os.cpu_count", lambda: None)
    assert usable_cores() == 1


@pytest.mark.parametrize(
    ("own", "files", "expected"),
    [
        ("0::/\n", {"cpu.max": "200000 100000\n"}, 2),
        ("0::/\n", {"cpu.max": "max 100000\n"}, 8),
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 1),
        ("0::/\n", {"cpu.max": "20000 100000\n"}, 1),
        ("0::/\n", {"cpu.max": "9900000 100000\n"}, 8),
        ("0::/a/b\n", {"a/b/cpu.max": "max 100000\n", "a/cpu.max": "300000 100000\n"}, 3),
        ("0::/a/b\n", {"a/b/cpu.max": "400000 100000\n", "a/cpu.max": "300000 100000\n"}, 3),
        ("0::/docker/0123\n", {"cpu.max": "500000 100000\n"}, 5),
        ("0::/a:b c\n", {"a:b c/cpu.max": "200000 100000\n"}, 2),
        ("1:cpu:/\n0::/\n", {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 8),
        ("1:cpu:/a\n0::/\n", {"cpu/a/cpu.cfs_quota_us": "250000\n", "cpu/a/cpu.cfs_period_us": "50000\n"}, 5),
        (
            "4:cpu,cpuacct:/docker/0123\n",
            {"cpu,cpuacct/cpu.cfs_quota_us": "200000\n", "cpu,cpuacct/cpu.cfs_period_us": "100000\n"},
            2,
        ),
        ("2:cpuset:/\n", {"cpuset/cpu.cfs_quota_us": "100000\n", "cpuset/cpu.cfs_period_us": "100000\n"}, 8),
        ("1:name=systemd:/\n0::/\n", {"unified/cpu.max": "300000 100000\n"}, 3),
        ("0::/\n", {"cpu.max": ""}, 8),
        ("0::/\n", {"cpu.max": "many 100000\n"}, 8),
        ("0::/\n", {"cpu.max": "100000 0\n"}, 8),
        ("0::/\n", {"cpu.max": "ü\n"}, 8),
        ("1:cpu:/\n", {"cpu/cpu.cfs_quota_us": "100000\n"}, 8),
        ("nonsense\n\n", {"cpu.max": "max\n"}, 8),
    ],
)
def test_the_smallest_quota_of_the_own_cgroups_counts(cgroups, own, files, expected):
    """Version 1 and 2, that of a parent and that of a container; rounded down; what makes no sense limits nothing."""
    cgroups(own, **files)
    assert usable_cores() == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("3", 3), (" 3 ", 3), ("4,2", 4), ("99", 8),
        ("", 8), ("0", 8), ("-1", 8), ("all", 8), ("2.5", 8), ("٣", 8), ("9" * 5000, 8), (",2", 8),
    ],
)  # fmt: skip
def test_limits_of_the_blas_count(monkeypatch, value, expected):
    """The first number of a list counts. A value that is not a number is ignored."""
    for name in cores.THREAD_LIMITS:
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            assert usable_cores() == expected, name


def test_the_smallest_limit_of_all_counts(cgroups, monkeypatch):
    """Whichever that is."""
    cgroups("0::/\n", **{"cpu.max": "500000 100000"})
    monkeypatch.setenv("OMP_NUM_THREADS", "6")
    assert usable_cores() == 5
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "4")
    assert usable_cores() == 4


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system has no affinity")
@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one core is all there is")
def test_a_training_on_one_core_has_one_thread_and_seeds_take_turns(idx_folder):
    """As with ``taskset -c 0``: a wide layer, and a second seed, get no core that the process must not use."""
    one_core = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})"
    program = f"{one_core}; from mnist_bp.cli.main import main; main()"
    options = ["--data-dir", str(idx_folder), "--limit", "10", "--epochs", "1", "--hidden", str(MANY_NEURONS), "--json"]
    env = {**os.environ, "PYTHONPATH": str(Path(mnist_bp.__file__).parents[1])}
    command = [sys.executable, "-c", program, "train", *options, "--seeds", "2"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[0])["threads"] == 1
    assert ", 2 of them, 1 at a time" in done.stderr
