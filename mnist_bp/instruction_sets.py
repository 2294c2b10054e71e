"""Vector instructions of the processor, and those that BLAS and numpy use of them.

An environment variable can hold a library to the kernel of an older processor, which computes other last bits at a
fraction of the speed. Only x86 processors are known.
"""

from dataclasses import dataclass

from mnist_bp.machine import processor_flags, simd
from mnist_bp.storage.metadata import Environment

__all__ = ["InstructionSets", "instruction_sets"]

LEVELS = {
    "SSE": set[str](),
    "AVX": {"avx"},
    "AVX2": {"avx2", "fma"},
    "AVX-512": {"avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"},
}
"""Instruction sets from old to new, and the flags of a processor that has them, as Linux spells them."""

ORDER = [*LEVELS]

KERNELS = {
    **dict.fromkeys(("SapphireRapids", "Cooperlake", "SkylakeX"), "AVX-512"),
    **dict.fromkeys(("Haswell", "Zen", "Excavator"), "AVX2"),
    **dict.fromkeys(("Sandybridge", "Bulldozer", "Piledriver", "Steamroller"), "AVX"),
    **dict.fromkeys(("Nehalem", "Dunnington", "Penryn", "Core2", "Prescott", "Katmai", "Barcelona"), "SSE"),
}
"""Instruction sets of OpenBLAS's kernels, by their names in threadpoolctl."""

SIMD = {
    **dict.fromkeys(("X86_V4", "AVX512_SKX"), "AVX-512"),
    **dict.fromkeys(("X86_V3", "AVX2"), "AVX2"),
    "AVX": "AVX",
    **dict.fromkeys(("X86_V2", "SSE2"), "SSE"),
}
"""Instruction sets of numpy's own loops, by its names for groups of them."""

MKL = {"AVX512": "AVX-512", "AVX2": "AVX2", "AVX": "AVX", "SSE": "SSE", "COMPATIBLE": "SSE"}
"""Instruction sets of MKL, which does not report its kernel, by the beginning of its variables' values."""

BLAS_VARIABLES = {"openblas": ("OPENBLAS_CORETYPE",), "mkl": ("MKL_ENABLE_INSTRUCTIONS", "MKL_CBWR")}
"""Environment variables that select the kernel of a BLAS library."""

NUMPY_VARIABLES = ("NPY_DISABLE_CPU_FEATURES", "NPY_ENABLE_CPU_FEATURES")


@dataclass(frozen=True)
class InstructionSets:
    """The highest instruction set of the processor, and those that BLAS and numpy use; None if unknown.

    Attributes
    ----------
    slowed_by
        Environment variables that hold a library below the processor.
    """

    processor: str | None
    blas: str | None
    numpy: str | None
    slowed_by: tuple[str, ...]


def instruction_sets(environment: Environment) -> InstructionSets:
    """Return the instruction sets that are used in an environment of this machine."""
    flags = processor_flags()
    processor = max((level for level in ORDER if LEVELS[level] <= flags), key=ORDER.index) if flags else None
    used = [SIMD[name] for name in (*simd("baseline"), *environment.simd) if name in SIMD]
    numpy, blas = max(used, key=ORDER.index, default=None), _of_blas(environment)
    library = (environment.blas or "").partition(" ")[0]
    slowed_by: list[str] = []
    for level, names in ((blas, BLAS_VARIABLES.get(library, ())), (numpy, NUMPY_VARIABLES)):
        if level and processor and ORDER.index(level) < ORDER.index(processor):
            slowed_by += [name for name in names if name in environment.variables]
    return InstructionSets(processor, blas, numpy, tuple(slowed_by))


def _of_blas(environment: Environment) -> str | None:
    if not (environment.blas or "").startswith("mkl"):
        return KERNELS.get(environment.kernel or "")
    levels = (_level_of_mkl(environment.variables.get(name, "")) for name in BLAS_VARIABLES["mkl"])
    return min(filter(None, levels), key=ORDER.index, default=None)


def _level_of_mkl(value: str) -> str | None:
    return next((level for begin, level in MKL.items() if value.upper().startswith(begin)), None)
