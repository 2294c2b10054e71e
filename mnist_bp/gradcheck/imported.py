"""Import of the user's code by name: ``module:name``, ``file.py:name`` or ``file.py:Class.method``."""

import importlib
import importlib.util
import sys
from contextlib import redirect_stdout
from inspect import isclass, isfunction
from pathlib import Path
from types import ModuleType
from typing import Any, TextIO

from mnist_bp.errors import InputError

__all__ = ["import_object"]


def import_object(name: str, option: str = "--function", printed: TextIO | None = None) -> tuple[Any, str]:
    """Import what ``name`` refers to, and return it with the name of a method, which is empty if none is given.

    A module is searched in the current folder first. ``option`` is named in errors. What the import prints goes to
    ``printed``. Default: standard error, because standard output may be reserved for JSON Lines.

    Raises
    ------
    InputError
        If it cannot be imported, or has no such attribute.
    """
    module, colon, attribute = name.rpartition(":")
    attribute, _, method = attribute.partition(".")
    if not (module and colon and attribute):
        raise InputError(
            f"{option} {name}: expected MODULE:NAME, FILE.py:NAME or FILE.py:CLASS.METHOD, like my.py:backpropagate"
        )
    if module.endswith(".py") and not Path(module).expanduser().is_file():
        raise InputError(f"{option} {name}: there is no file {module} in {Path.cwd()}")
    try:
        with redirect_stdout(printed or sys.stderr):
            imported = _module(module)
    except (Exception, SystemExit) as error:
        raise InputError(
            f"{option} {name} cannot be imported ({type(error).__name__}: {error}); "
            f"searched in {Path.cwd()} and on Python's module path"
        ) from error
    if not hasattr(imported, attribute):
        known = ", ".join(each for each, value in vars(imported).items() if isfunction(value) or isclass(value))
        raise InputError(f"{option} {name}: {module} has no {attribute}; it has {known or 'no function'}")
    found = getattr(imported, attribute)
    if method and not callable(getattr(found, method, None)):
        raise InputError(f"{option} {name}: {attribute} has no method {method}")
    return found, method


def _module(name: str) -> ModuleType:
    """Import NAME.py from the current folder, even if Python has a module of that name; otherwise import module NAME.

    A name that ends in .py is the path of a file. The user's module can import others from its folder. Python searches
    that folder last, so that a ``random.py`` there does not replace Python's in this program.
    """
    own = Path(name).expanduser() if name.endswith(".py") else Path(f"{name}.py")
    own = Path.cwd() / own
    if str(own.parent) not in sys.path:
        sys.path.append(str(own.parent))  # permanently: the function may import more when it runs
    importlib.invalidate_caches()
    if not own.is_file():
        module = importlib.import_module(name)
        _refuse_a_namesake(name, module, own.parent)
        return module
    spec = importlib.util.spec_from_file_location(f"own_{own.stem}", own)  # the plain name could replace Python's
    if spec is None or spec.loader is None:
        raise ImportError(f"{own} is not a Python file")
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _refuse_a_namesake(name: str, module: ModuleType, folder: Path) -> None:
    """Raise ImportError if a package in the current folder is hidden by an installed one of the same name."""
    package = folder / name.partition(".")[0]
    found = Path(module.__file__ or "")
    if package.is_dir() and any(package.glob("**/*.py")) and not found.is_relative_to(folder):
        raise ImportError(f"{package} is hidden by the package of the same name in {found.parent}: rename it")
