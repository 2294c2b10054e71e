"""Writer of a wheel that refers to a checkout, like the one that ``pip install --editable`` builds.

Writing it directly is fast, and needs no build backend and no network. pip reads the dependencies from it and creates
the command. Unlike a path in a .pth file, it makes only the package importable: no other file of the checkout, such as
a ``numpy.py``, can be imported through it.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

VERSION = "0+checkout"

FINDER = """\
\"\"\"Finds mnist_bp in the checkout, where nothing else does.\"\"\"

import sys
from importlib.util import spec_from_file_location


class Checkout:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "mnist_bp":
            return spec_from_file_location(name, {init!r}, submodule_search_locations=[{folder!r}])


sys.meta_path.append(Checkout)
"""


def write(folder: Path, checkout: Path) -> Path:
    """Write the wheel to ``folder``, and return its path."""
    import tomllib  # an older Python never gets here

    project = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    package = checkout / "mnist_bp"
    info = f"mnist_bp-{VERSION}.dist-info"
    files = {
        "_mnist_bp_checkout.py": FINDER.format(init=str(package / "__init__.py"), folder=str(package)),
        "_mnist_bp_checkout.pth": "import _mnist_bp_checkout\n",
        f"{info}/METADATA": _metadata(project),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: mnist-bp\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\n" + _lines("{} = {}", project.get("scripts", {}).items()),
    }
    record = f"{info}/RECORD"
    wheel = folder / f"mnist_bp-{VERSION}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
        archive.writestr(record, _lines("{},,", ((name,) for name in [*files, record])))
    return wheel


def _metadata(project: dict) -> str:
    needs = [("", need) for need in project["dependencies"]]
    extras = project.get("optional-dependencies", {})
    needs += [(extra, need) for extra, needed in extras.items() for need in needed]
    return (
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {VERSION}\n"
        + _lines("Provides-Extra: {}", ((extra,) for extra in extras))
        + _lines("Requires-Dist: {}", ((_only_with(extra, need),) for extra, need in needs))
    )


def _only_with(extra: str, need: str) -> str:
    """Return a requirement in the form of the metadata, for an extra or for all."""
    need, _, marker = need.partition(";")
    markers = [f"({marker.strip()})"] * bool(marker) + [f"extra == '{extra}'"] * bool(extra)
    return f"{need} ; {' and '.join(markers)}" if markers else need


def _lines(form: str, rows: object) -> str:
    return "".join(form.format(*row) + "\n" for row in rows)
