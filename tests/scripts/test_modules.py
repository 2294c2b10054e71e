"""Packages of the scripts: a name that moves in mnist_bp must not break a script that no test runs."""

import importlib
from pathlib import Path

SCRIPTS = Path(__file__).parents[2] / "scripts"


def test_every_module_of_the_scripts_can_be_imported():
    """PyTorch, JAX and scikit-learn are imported only where they are measured."""
    modules = [path for path in SCRIPTS.glob("_*/*.py") if path.stem != "__init__"]

    imported = [importlib.import_module(f"{path.parent.name}.{path.stem}") for path in modules]

    assert len(imported) > 20
