"""The tree of the package: arrows point down only, there is no circle, and no file is long."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import mnist_bp

PACKAGE = Path(mnist_bp.__file__).parent

CORE_STANDARD_LIBRARY = {"collections", "dataclasses", "functools", "math", "typing"}
"""Modules that the core may import besides numpy and ``errors``. None of them accesses files or the system."""

BELOW = {
    "errors": set(),
    "cores": {"errors"},
    "environment": {"errors"},
    "launcher": set(),
    "shell": {"errors"},
    "core": {"errors"},
    "storage": {"core", "errors"},
    "installed": set(),
    "instruction_sets": {"machine", "storage"},
    "machine": {"storage"},
    "network": {"core", "storage", "errors"},
    "committee": {"core", "network", "errors"},
    "gradcheck": {"core", "network", "errors"},
    "explanation": {"core", "gradcheck", "network", "errors"},
    "data": {"core", "environment", "errors", "shell", "storage"},
    "training": {
        "committee", "core", "cores", "data", "environment", "launcher", "machine", "network", "errors", "shell",
        "storage",
    },
    "search": {"core", "data", "errors", "storage", "training"},
    "page": {"core", "data", "network", "training", "errors", "storage"},
    "reports": {
        "core", "data", "environment", "explanation", "gradcheck", "launcher", "network", "search", "training",
        "errors", "shell", "storage",
    },
    "cli": {
        "committee", "core", "cores", "data", "environment", "explanation", "gradcheck", "installed",
        "instruction_sets", "launcher", "machine", "network", "page", "reports", "search", "training", "errors",
        "shell", "storage",
    },
    "api": {"committee", "core", "data", "environment", "explanation", "gradcheck", "network", "training", "errors"},
    "": {"api", "cli", "committee", "errors", "network"},
}  # fmt: skip
"""Parts of the package by the parts that they may import besides themselves; "" is the package itself."""

LIBRARIES = {
    "core": {"numpy"},
    "storage": {"numpy"},
    "machine": {"numpy", "threadpoolctl"},
    "network": {"numpy"},
    "committee": {"numpy"},
    "gradcheck": {"numpy"},
    "explanation": {"numpy"},
    "data": {"numpy", "platformdirs"},
    "data/image_file.py": {"PIL"},
    "data/download/connections.py": {"urllib3"},
    "data/download/http.py": {"requests", "urllib3"},
    "data/download/request.py": {"requests", "urllib3"},
    "training": {"numpy", "tomli_w"},
    "training/follower.py": {"threadpoolctl"},
    "training/mpi_ranks.py": {"mpi4py"},
    "search": {"numpy", "optuna", "sqlalchemy", "threadpoolctl", "tomli_w"},
    "page": {"numpy"},
    "reports": {"numpy", "rich", "threadpoolctl"},
    "reports/figures": {"matplotlib"},
    "api": {"numpy"},
    "cli": {"numpy", "threadpoolctl", "typer"},
    "cli/completion.py": {"shellingham"},
    "cli/search.py": {"optuna"},
    "cli/search_setup.py": {"optuna"},
}
"""Libraries that each part may import, and some files or folders besides, wherever in a file the import stands."""

LONGEST = 300
"""Lines of a file."""

FILES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))


@cache
def imported(file: Path, *, only_run: bool = False) -> set[str]:
    """Return the modules that a file imports, ``from x import y`` as x.y; ``only_run``: not those for types alone."""
    tree = ast.parse((PACKAGE / file).read_text(encoding="utf-8"))
    return {name for node in _nodes(tree, only_run=only_run) for name in _modules(node)}


def _nodes(tree: ast.AST, *, only_run: bool) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if only_run and isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            continue
        yield node
        yield from _nodes(node, only_run=only_run)


def _modules(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names}
    if isinstance(node, ast.ImportFrom):
        return {f"{node.module}.{alias.name}" for alias in node.names}
    return set()


def part_of(file: Path) -> str:
    """Return the part of the package that a file belongs to."""
    first = file.parts[0].removesuffix(".py")
    return first if first in BELOW else ""


def libraries(file: Path) -> set[str]:
    """Return the libraries that a file may import."""
    above = [part_of(file), *(folder.as_posix() for folder in file.parents), file.as_posix()]
    return {library for place in above for library in LIBRARIES.get(place, set())}


def test_every_file_imports_only_what_lies_below_it() -> None:
    """Parts of the package below its own, and the libraries that it is there for."""
    wrong = []
    for file in FILES:
        modules, part = imported(file), part_of(file)
        inside = {name.split(".")[1] for name in modules if name.startswith("mnist_bp.")} - {part, "__version__"}
        outside = {name.partition(".")[0] for name in modules} - sys.stdlib_module_names - {"mnist_bp"}
        wrong += [f"{file}: {name}" for name in (inside - BELOW[part]) | (outside - libraries(file))]
    assert wrong == []


def test_the_parts_are_layers() -> None:
    """Below is below: no two parts may import each other, not even through others."""
    assert len([*TopologicalSorter(BELOW).static_order()]) == len(BELOW)


def test_no_modules_import_each_other() -> None:
    """Imports inside functions count as well; only those for types do not."""
    names = {".".join(["mnist_bp", *file.with_suffix("").parts]).removesuffix(".__init__"): file for file in FILES}
    graph = {}
    for name, file in names.items():
        ends = {end for module in imported(file, only_run=True) for end in (module, module.rpartition(".")[0])}
        graph[name] = {end for end in ends if end in names and end not in {name, "mnist_bp"}}
    assert len([*TopologicalSorter(graph).static_order()]) == len(graph)


def test_the_core_touches_no_files() -> None:
    """It is the calculus: numpy and the pure part of the standard library."""
    core = [file for file in FILES if part_of(file) == "core"]
    modules = {name.partition(".")[0] for file in core for name in imported(file)}
    assert modules & sys.stdlib_module_names <= CORE_STANDARD_LIBRARY


def test_no_file_is_long() -> None:
    """At most 300 lines."""
    lines = {file: (PACKAGE / file).read_text(encoding="utf-8").count("\n") for file in FILES}
    assert {file: length for file, length in lines.items() if length > LONGEST} == {}


def test_the_package_itself_loads_nothing() -> None:
    """``import mnist_bp`` costs no numpy; ``mnist_bp.Network`` brings it."""
    program = (
        "import sys, mnist_bp; before = 'numpy' in sys.modules; mnist_bp.Network; print(before, 'numpy' in sys.modules)"
    )

    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert result.stdout.split() == ["False", "True"]
