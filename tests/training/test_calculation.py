"""Versions of the calculation: the declared changes are those of the manual."""

import re
from pathlib import Path

import mnist_bp
from mnist_bp.training.calculation import CALCULATION, CHANGES

MANUAL = (Path(mnist_bp.__file__).parent / "README.md").read_text(encoding="utf-8")


def test_the_manual_lists_every_change():
    """By the version of the calculation; the last row is the current one."""
    rows = re.findall(r"^\| (\d+) \| [\d.]+ \| (.*)\|$", MANUAL, re.MULTILINE)
    listed = {int(version): tuple(filter(None, text.strip().split(", "))) for version, text in rows}

    declared = {version: tuple(each.what for each in CHANGES if each.since == version) for version in listed}

    assert [*listed] == list(range(1, CALCULATION + 1))
    assert listed == declared
