"""``mnist-bp info``: what there is on this machine, and "unknown" where that cannot be found out."""

import json
import os
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

import mnist_bp
from mnist_bp import machine
from mnist_bp.cores import usable_cores
from mnist_bp.data.choices import downloadable
from mnist_bp.storage.metadata import Environment


@pytest.fixture
def info(cli):
    """Return the record of ``info``."""

    def run():
        done = cli("info", "--json")
        assert (done.code, len(done.records)) == (0, 1), done.err
        return done.records[0]

    return run


@pytest.fixture
def cache(tmp_path):
    """The cache of the test, which exists."""
    (tmp_path / "cache").mkdir()
    return tmp_path / "cache"


def test_it_has_versions_cores_and_default_threads(info):
    """Those that the process itself sees."""
    record = info()

    assert (record["version"], record["environment"]["numpy"]) == (mnist_bp.__version__, np.__version__)
    assert record["dependencies"]["rich"] == metadata.version("rich")
    assert (record["cores"], record["machine_cores"]) == (usable_cores(), os.cpu_count())
    assert record["default_threads"] == {"narrow": 1, "wide": usable_cores()}


def test_its_environment_is_the_one_that_a_model_records(info, train):
    """A difference between two models is a difference between two outputs of ``info``, but for the threads."""
    train("run")
    with np.load("run/model.npz") as file:
        recorded = Environment.read(json.loads(str(file["meta"]))["environment"])

    assert {**info()["environment"], "threads": 1} == {**recorded.record(), "simd": list(recorded.simd)}


FLAGS = {"fpu", "sse2", "avx", "fma", "avx2", "avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"}
"""Flags of a processor with AVX-512."""


@pytest.fixture
def skylake(monkeypatch):
    """A processor with AVX-512, and a BLAS library with this kernel."""

    def arrange(kernel, simd=("X86_V3", "X86_V4")):
        monkeypatch.setattr("mnist_bp.instruction_sets.processor_flags", lambda: FLAGS)
        monkeypatch.setattr("mnist_bp.instruction_sets.simd", lambda _: ("X86_V2",))
        environment = machine.describe_environment()
        known = Environment(
            **{**vars(environment), "kernel": kernel, "simd": simd, "blas": "openblas 0.3", "processor": "Xeon"}
        )
        monkeypatch.setattr(machine, "describe_environment", lambda: known)

    return arrange


def test_a_variable_that_forces_a_slower_kernel_is_named(cli, info, skylake, monkeypatch):
    """With the instruction sets that are used and the one that the processor has; --quiet prints this line."""
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    skylake("Haswell")

    record = info()

    assert record["slowed_by"] == ["OPENBLAS_CORETYPE"]
    assert record["instruction_sets"] == {"processor": "AVX-512", "blas": "AVX2", "numpy": "AVX-512"}
    assert cli("info", "--quiet").out == (
        "slower because of OPENBLAS_CORETYPE=Haswell: BLAS uses AVX2, numpy AVX-512; the processor has AVX-512\n"
    )


def test_a_fast_kernel_is_said_to_be_one(cli, skylake, monkeypatch):
    """Also if the variable is set, but forces nothing slower."""
    monkeypatch.setenv("OPENBLAS_CORETYPE", "SkylakeX")
    skylake("SkylakeX")

    assert cli("info", "--quiet").out == "kernel SkylakeX uses AVX-512; the processor has AVX-512\n"


def test_datasets_are_listed_with_state_and_size(cli, info, cache):
    """A file that was replaced because it was damaged is listed, too."""
    (cache / "mnist").mkdir()
    (cache / "mnist/train-images-idx3-ubyte.gz.damaged").write_bytes(bytes(1000))

    found = info()["cache"]

    assert (found["folder"], found["problem"]) == (str(cache), None)
    assert {each["dataset"]: each["state"] for each in found["datasets"]} == {
        **dict.fromkeys(downloadable(), "absent"), "synthetic": "embedded",
    }  # fmt: skip
    assert found["damaged"] == [{"file": str(cache / "mnist/train-images-idx3-ubyte.gz.damaged"), "bytes": 1000}]
    assert "\ndataset    mnist: absent\n" in cli("info").out


@pytest.mark.parametrize("folder", ["~nobody-of-that-name", "file", "\0"])
def test_an_unreadable_data_folder_is_unknown(cli, info, monkeypatch, folder):
    """Exit 0; the reason is printed."""
    Path("file").touch()
    monkeypatch.setattr(os, "environ", {**os.environ, "MNIST_BP_DATA": folder})

    found = info()["cache"]

    assert found["datasets"] is None
    assert found["problem"]
    assert "dataset    unknown: " in cli("info").out


def test_without_proc_the_processor_is_unknown(cli, info, monkeypatch):
    """As in some containers, and on other systems than Linux."""
    monkeypatch.setattr(machine, "CPU_INFO", Path("nowhere"))
    monkeypatch.setattr("platform.processor", lambda: "")

    record = info()

    assert "processor" not in record["environment"]
    assert (record["instruction_sets"]["processor"], record["slowed_by"]) == (None, [])
    out = cli("info").out
    assert "processor  unknown; instruction set unknown\n" in out
    assert out.splitlines()[-1].endswith("; the best of this processor is unknown")


def test_a_package_that_is_not_installed_has_unknown_extras(cli, info, monkeypatch):
    """Python runs the source in the working folder."""

    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "metadata", missing)

    assert (info()["dependencies"], info()["extras"]) == (None, None)
    assert "packages   unknown\n" in cli("info").out
