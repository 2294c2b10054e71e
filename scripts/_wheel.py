"""Check of the wheel in an environment that has only its dependencies."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from _environment import ENVIRONMENT, PYTHON, ROOT, prepare, program

WITHOUT_EXTRAS = ENVIRONMENT.with_name(".venv.without-extras")
PIP = ("-m", "pip", "--quiet", "--disable-pip-version-check")
SMOKE = (
    ("--help",),
    ("train", "--config", ROOT / "configs/smoke.toml", "--output", "smoke"),
    ("gradcheck", "smoke"),
    ("page", "smoke"),
)


def check_wheel() -> None:
    """Build the wheel, install it without a network, and run its commands in an empty folder."""
    prepare(environment=WITHOUT_EXTRAS)
    with tempfile.TemporaryDirectory() as temporary:
        folder, empty = Path(temporary), Path(temporary, "empty")
        empty.mkdir()
        _run(folder, PYTHON, *PIP, "wheel", "--no-deps", "--no-build-isolation", ROOT)
        (wheel,) = folder.glob("*.whl")
        site = folder / "site"  # before the environment's own link to the checkout
        python = program("python", WITHOUT_EXTRAS)
        _run(folder, python, *PIP, "install", "--target", site, "--no-deps", "--no-index", wheel)
        (command,) = (site / "bin").glob("mnist-bp*")
        for arguments in SMOKE:
            _run(empty, command, *arguments, PYTHONPATH=str(site))


def _run(folder: Path, *command: object, **variables: str) -> None:
    """Run a command in a folder. Print its output only if it fails."""
    words = [str(word) for word in command]
    print("$", Path(words[0]).stem, *words[1:], flush=True)
    own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"MNIST_BP_OFFLINE": "1"}
    done = subprocess.run(words, cwd=folder, env=own | variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        sys.stdout.buffer.write(done.stdout)
        sys.exit(1)
