"""The direction of imports: the core knows numpy, and arrows point down only."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import mnist_bp

PACKAGE = Path(mnist_bp.__file__).parent

LIBRARIES = {
    "core": {"numpy"},
    "storage": {"numpy"},
    "network": {"numpy"},
    "gradcheck": {"numpy"},
    "explain": {"numpy"},
    "data": {"numpy", "platformdirs"},
    "data/image_file.py": {"PIL"},
    "data/download/http.py": {"requests", "urllib3"},
    "training": {"numpy", "tomli_w"},
    "cli": {"numpy", "rich", "threadpoolctl", "typer"},
    "cli/completion.py": {"shellingham"},
    "page": {"numpy"},
    "plots": {"matplotlib", "numpy"},
    "": set(),
}
"""What each part may import from outside the standard library, wherever in a file the import stands."""

PARTS_BELOW = {
    "core": {"core", "errors"},
    "storage": {"core", "errors", "storage"},
    "network": {"core", "errors", "storage"},
    "gradcheck": {"core", "gradcheck", "network", "errors"},
    "explain": {"core", "explain", "gradcheck", "network", "errors"},
    "data": {"core", "data", "environment", "errors", "storage", "shell"},
    "training": {"core", "cores", "data", "network", "training", "errors", "storage", "shell"},
    "page": {"core", "data", "network", "training", "page", "errors", "storage"},
    "plots": {"plots", "errors", "storage"},
    "cli": {
        "cli",
        "core",
        "cores",
        "data",
        "explain",
        "gradcheck",
        "network",
        "page",
        "plots",
        "training",
        "environment",
        "errors",
        "shell",
        "storage",
        "__version__",
    },
    "": {"cli", "network", "errors", "storage"},
}
"""Which parts of the package each part may import."""

FILES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


def imported(file: str) -> set[str]:
    """Every module that a file imports, ``from x import y`` as x.y."""
    names = set()
    for node in ast.walk(ast.parse((PACKAGE / file).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("file", FILES)
def test_every_file_imports_only_what_lies_below_it(file: str) -> None:
    """A part knows the parts below it, and the libraries that it is there for."""
    first = file.split("/", maxsplit=1)[0].removesuffix(".py")
    part = first if first in PARTS_BELOW else ""
    modules = imported(file)

    inside = {name.split(".")[1] for name in modules if name.startswith("mnist_bp.")}
    outside = {name.partition(".")[0] for name in modules} - sys.stdlib_module_names - {"mnist_bp"}

    assert inside <= PARTS_BELOW[part]
    assert outside <= LIBRARIES[part] | LIBRARIES.get(file, set())


def test_the_package_itself_loads_nothing() -> None:
    """``import mnist_bp`` costs no numpy; ``mnist_bp.Network`` brings it."""
    program = (
        "import sys, mnist_bp; before = 'numpy' in sys.modules; mnist_bp.Network; print(before, 'numpy' in sys.modules)"
    )

    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert result.stdout.split() == ["False", "True"]
