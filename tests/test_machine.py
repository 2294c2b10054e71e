"""The processor, its instruction sets, and what BLAS and numpy use of them."""

from pathlib import Path

import pytest
from threadpoolctl import threadpool_limits

from mnist_bp import instruction_sets, machine
from mnist_bp.instruction_sets import KERNELS, ORDER, InstructionSets
from mnist_bp.storage.metadata import Environment

CPU = """processor\t: 0
model name\t: Some CPU @ 2.00GHz
flags\t\t: fpu sse2 avx {}
processor\t: 1
model name\t: Another
"""


@pytest.fixture
def flags(monkeypatch):
    """Set the flags of the processor, besides those of AVX."""

    def write(more):
        Path("cpuinfo").write_text(CPU.format(more), encoding="utf-8")
        monkeypatch.setattr(machine, "CPU_INFO", Path("cpuinfo"))

    return write


def found(simd=("X86_V3",), blas="openblas 0.3", kernel="Haswell", **variables):
    """Return the instruction sets in such an environment."""
    return instruction_sets.instruction_sets(Environment(simd=simd, blas=blas, kernel=kernel, variables=variables))


def test_the_processor_is_the_first_of_proc(flags):
    """Its model and its flags."""
    flags("fma")
    assert machine.processor() == "Some CPU @ 2.00GHz"
    assert machine.processor_flags() == {"fpu", "sse2", "avx", "fma"}


@pytest.mark.parametrize(
    ("more", "level"),
    [
        ("", "AVX"),
        ("avx2", "AVX"),
        ("avx2 fma", "AVX2"),
        ("avx2 fma avx512f", "AVX2"),
        ("avx2 fma avx512f avx512cd avx512bw avx512dq avx512vl amx_tile", "AVX-512"),
    ],
)
def test_an_instruction_set_needs_all_its_flags(flags, more, level):
    """As kernels do."""
    flags(more)
    assert found().processor == level


def test_a_slower_kernel_without_a_variable_is_no_ones_fault(flags):
    """An old library does not know the processor."""
    flags("avx2 fma avx512f avx512cd avx512bw avx512dq avx512vl")
    assert found() == InstructionSets("AVX-512", "AVX2", "AVX2", ())


def test_each_library_has_its_variables(flags):
    """OPENBLAS_CORETYPE does not affect MKL, nor numpy's own loops; the size of a cache forces no kernel."""
    flags("avx2 fma avx512f avx512cd avx512bw avx512dq avx512vl")
    every = {"OPENBLAS_CORETYPE": "Haswell", "OPENBLAS_L2_SIZE": "1", "NPY_DISABLE_CPU_FEATURES": "X86_V4",
             "MKL_ENABLE_INSTRUCTIONS": "AVX2"}  # fmt: skip

    assert found(**every).slowed_by == ("OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES")
    assert found(blas="mkl 2024", kernel=None, **every).slowed_by == (
        "MKL_ENABLE_INSTRUCTIONS",
        "NPY_DISABLE_CPU_FEATURES",
    )
    assert found(simd=("X86_V4",), kernel="SkylakeX", **every).slowed_by == ()


@pytest.mark.parametrize(
    ("variables", "level"),
    [
        ({}, None),
        ({"MKL_CBWR": "COMPATIBLE"}, "SSE"),
        ({"MKL_CBWR": "avx512_e1", "MKL_ENABLE_INSTRUCTIONS": "AVX2"}, "AVX2"),
    ],
)
def test_the_kernel_of_mkl_is_known_by_its_variables(flags, variables, level):
    """The lowest that one of them allows."""
    flags("avx2 fma")
    assert found(blas="mkl 2024", kernel=None, **variables).blas == level


def test_an_unknown_kernel_or_processor_is_not_compared(flags, monkeypatch):
    """ARM, for example."""
    flags("avx2 fma avx512f avx512cd avx512bw avx512dq avx512vl")
    assert found(kernel="neoversen1", OPENBLAS_CORETYPE="NEOVERSEN1").slowed_by == ()
    monkeypatch.setattr(machine, "CPU_INFO", Path("nowhere"))
    assert found(OPENBLAS_CORETYPE="Haswell") == InstructionSets(None, "AVX2", "AVX2", ())


def test_every_kernel_has_an_instruction_set():
    """One of those that are compared."""
    assert {*KERNELS.values()} == {*ORDER}


def test_the_environment_of_this_process_is_described(monkeypatch):
    """Variables that are set are there; those of other programs are not."""
    monkeypatch.setenv("OPENBLAS_L2_SIZE", "4096")
    monkeypatch.setenv("HOME", "/nowhere")
    with threadpool_limits(1):
        found = machine.describe_environment()

    assert found.python.startswith(("CPython 3.", "PyPy 3."))
    assert found.variables["OPENBLAS_L2_SIZE"] == "4096"
    assert "HOME" not in found.variables
    assert found.threads in {1, None}
    assert machine.describe_environment(3).threads == 3


def test_a_library_that_cannot_be_asked_is_unknown(monkeypatch):
    """Then numpy still says with which one it was built."""

    def fails():
        raise RuntimeError

    monkeypatch.setattr(machine, "threadpool_info", fails)
    found = machine.describe_environment()
    assert (found.kernel, found.threads) == (None, None)
    assert found.blas
