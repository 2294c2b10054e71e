"""``mnist-bp gradcheck --submissions``: whatever one submission does, the others are checked."""

import csv
import sys
from pathlib import Path

import pytest

RIGHT = """
import os, sys
import numpy as np

def backpropagate(weights, biases, x, y):
    n = len(x)
    a = [x]
    for W, b in zip(weights, biases):
        a.append(1 / (1 + np.exp(-(a[-1] @ W.T + b))))
    dC_da, dW, db = 2 * (a[-1] - y) / n, [], []
    for W, out, before in zip(weights[::-1], a[:0:-1], a[-2::-1]):
        dC_dz = out * (1 - out) * dC_da
        dW.insert(0, dC_dz.T @ before)
        db.insert(0, dC_dz.sum(axis=0))
        dC_da = dC_dz @ W
    # end
    return dW, db
"""
FEW = ("--function", "backpropagate", "--hidden", 3, "--examples", 5)


def submit(**endings):
    """Write a folder ``class`` with the right function in each file, and other lines before its end."""
    folder = Path("class")
    folder.mkdir()
    for name, lines in endings.items():
        (folder / f"{name}.py").write_text(RIGHT.replace("# end", lines), encoding="utf-8")
    return folder


def test_each_submission_has_its_own_result(cli):
    """Sorted by name; a line, a record and a row for each; exit code 1 if one does not pass."""
    folder = submit(
        right="pass",
        fails="db = [n * b for b in db]",
        exits="os._exit(0)",
        loops="while True: pass",
        floods="print('x' * (1 << 20)); sys.stdout.close()",
        raises="x[n]",
        untidy="print('passed'); weights[0] += 1; sys.modules['torch'] = sys; import mnist_bp, right",
    )
    (folder / "=none.py").write_text("backpropagate = 3", encoding="utf-8")
    (folder / ".hidden.py").write_text("", encoding="utf-8")

    done = cli("gradcheck", "--submissions", folder, *FEW, "--time-limit", 0.5, "--csv", "marks.csv", "--json")

    *records, end = done.records
    found = {record["file"].removesuffix(".py"): record for record in records}
    assert [*found] == sorted(["=none", "right", "fails", "exits", "loops", "floods", "raises", "untidy"])
    assert {name: record["verdict"] for name, record in found.items()} == {
        "=none": "error",
        "exits": "crashed",
        "fails": "failed",
        "floods": "output",
        "loops": "timeout",
        "raises": "error",
        "right": "passed",
        "untidy": "passed",
    }
    assert found["exits"]["reason"] == "exited with code 0 before it returned a gradient"
    assert "5 times too large" in found["fails"]["reason"]
    assert found["raises"]["reason"].startswith("IndexError: ")
    assert found["raises"]["reason"].endswith("(line 16)")
    assert found["untidy"]["warnings"] == [
        "imports mnist_bp", "imports right", "imports torch", "changes W1 in place", "prints",
    ]  # fmt: skip
    assert found["right"]["warnings"] == []
    assert end == {"event": "end", "submissions": 8, "passed": 2}
    assert done.code == 1
    lines = done.err.splitlines()
    assert "passed    right.py" in lines
    assert "TIMEOUT   loops.py   no result after 0.5 s: an endless loop?" in lines
    with Path("marks.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["file"] == "'=none.py"  # not a formula
    assert [row["verdict"] for row in rows] == [record["verdict"] for record in records]
    assert not (folder / "__pycache__").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems may not limit memory")
def test_memory_is_limited(cli):
    """The reason names the limit."""
    done = cli("gradcheck", "--submissions", submit(large="big = np.ones(1 << 29)"), *FEW)

    assert "MEMORY    large.py  needs more than 2 GB of memory" in done.out.splitlines()


def test_all_right_is_exit_code_0(cli):
    """Each may have its own convention; --quiet prints the total alone."""
    folder = submit(ada="pass")
    by_columns = RIGHT.replace("def backpropagate", "def rows") + (
        "\ndef backpropagate(x, y, weights, biases):\n"
        "    dW, db = rows(weights, [b[:, 0] for b in biases], x.T, y.T)\n"
        "    return db, dW\n"
    )
    (folder / "Ben - home work.py").write_text(by_columns, encoding="utf-8")

    done = cli("gradcheck", "--submissions", folder, *FEW, "--quiet")

    assert done == (0, "2 of 2 submissions passed\n", "")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--submissions", "nowhere", *FEW], 2, "--submissions nowhere: there is no such folder"),
        (["--submissions", ".", *FEW], 2, "--submissions .: there is no file *.py in it"),
        (["--submissions", "."], 2, "--submissions requires the name in each file: --function NAME"),
        (["--submissions", ".", "--function", "a.py:f"], 2, "--submissions requires the name in each file"),
        (["--submissions", ".", *FEW, "--csv", "no/marks.csv"], 3, "cannot write no/marks.csv: there is no folder no"),
        (["--csv", "marks.csv"], 2, "--csv requires --submissions"),
        (["--time-limit", "3"], 2, "--time-limit requires --submissions"),
        (["--submissions", ".", "--function", "f", "--l2", "0.1"], 2, "check the plain cost: leave out --l2"),
        (["--submissions", ".", "--function", "f", "--self-test"], 2, "--self-test checks fresh networks"),
    ],
)
def test_bad_usage_is_one_line(cli, arguments, code, said):
    """Nothing is checked."""
    done = cli("gradcheck", *arguments)

    assert (done.code, done.err.count("\n")) == (code, 1)
    assert said in done.err
