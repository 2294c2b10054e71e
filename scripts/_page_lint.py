"""Checks of the page's JavaScript by ESLint and Prettier, in the versions from scripts/page/package.json."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from _environment import ROOT

TOOLS = ROOT / "scripts" / "page"
MODULES = TOOLS / "node_modules"
SOURCES = "mnist_bp/page/js"
CHECKS = (
    (MODULES / "eslint/bin/eslint.js", "--config", TOOLS / "eslint.config.js", "--max-warnings", "0", SOURCES),
    (MODULES / "prettier/bin/prettier.cjs", "--config", TOOLS / ".prettierrc.json", "--check", SOURCES),
)


def check_page() -> None:
    """Lint the page's JavaScript and check its format. Without Node.js or npm, print that this was skipped."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        print("skipped: ESLint and Prettier need Node.js and npm", flush=True)
        return
    if not _is_installed() and not _install(npm):
        print(f"skipped: ESLint and Prettier, because npm could not install them into {TOOLS}", flush=True)
        return
    for tool, *arguments in CHECKS:
        print("$", tool.stem, *arguments, flush=True)
        if subprocess.run([node, str(tool), *map(str, arguments)], cwd=ROOT).returncode:
            sys.exit(1)


def _is_installed() -> bool:
    """Return True if every tool is installed in the version from package.json."""
    wanted = json.loads((TOOLS / "package.json").read_text(encoding="utf-8"))["devDependencies"]
    return all(_version(MODULES / name / "package.json") == version for name, version in wanted.items())


def _version(package: Path) -> str | None:
    return json.loads(package.read_text(encoding="utf-8"))["version"] if package.exists() else None


def _install(npm: str) -> bool:
    print("$ npm install", flush=True)
    command = [npm, "install", "--no-audit", "--no-fund", "--loglevel=error"]
    return subprocess.run(command, cwd=TOOLS).returncode == 0
