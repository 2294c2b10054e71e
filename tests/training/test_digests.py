"""Small trainings give the recorded costs, except for rounding.

If a change is meant to change them, ``python tests/training/test_digests.py`` records them again.
"""

import io
import json
import tempfile
from contextlib import chdir, redirect_stdout
from pathlib import Path

import numpy as np
import pytest

from mnist_bp.cli.main import main
from mnist_bp.data import idx
from mnist_bp.data.names import FILE_NAMES
from mnist_bp.data.synthetic import digits

DIGESTS = Path(__file__).with_name("digests.json")

DIGITS = "digits"
"""The recipe that learns synthetic digits; the others learn pictures that are the same on every machine."""

RECIPES = {
    "defaults": "",
    "all at once": "--batch-size all --hidden none --cost cross-entropy --learning-rate 0.5",
    "momentum": "--optimizer momentum --hidden 12 --activation tanh --l2 0.001 --schedule step --dtype float64",
    "adam": "--optimizer adam --hidden 20 --activation relu --cost cross-entropy --average 0.9 --label-smoothing 0.1 "
    "--l2 0.1 --schedule one-cycle --dropout 0.2 --input-dropout 0.1 --seed 7 --dtype float64",
    "elastic": "--augment elastic --optimizer nesterov --hidden 20 --activation leaky-relu --cost cross-entropy "
    "--schedule cosine --batch-size 30 --validation 50 --dtype float64",
    "elastic, float32": "--augment elastic --hidden 20 --cost cross-entropy --batch-size 30",
    "affine": "--augment affine --augment-strength 0.5 --hidden 10 --activation tanh --cost cross-entropy",
    "shift": "--augment shift --hidden 10 --activation relu --batch-size 70",
    DIGITS: "--hidden 30 --cost cross-entropy --batch-size 10 --dtype float64",
}
"""Options of ``mnist-bp train`` that have all settings take part; those that are not named are at their defaults."""


def tolerance(name):
    """Return the relative tolerance of costs, ten times the measured difference between other kernels.

    Measured with OpenBLAS's kernels for Katmai, Nehalem, Sandy Bridge, Haswell and SkylakeX, and numpy's with and
    without AVX: at most 1e-7 after three epochs in float32 and 5e-16 in float64, but 2e-5 if the synthetic digits were
    drawn with them as well, because some pixels then have another grey level. float64 is allowed more, because a
    library's exp may differ in a few last digits.
    """
    if name == DIGITS:
        return 2e-4
    return 1e-12 if "float64" in RECIPES[name] else 1e-6


def write(folder, *arrays):
    """Four IDX files: images and labels to train on, then to test on."""
    folder.mkdir()
    for name, array in zip(FILE_NAMES, arrays, strict=True):
        with (folder / name).open("wb") as file:
            idx.write(file, array.astype(np.uint8))


def pictures(rng, count):
    """Images and labels: ten pictures of scattered dots, each dot dimmed at random.

    They are whole numbers from beginning to end, and so the same on every machine; synthetic digits are not quite.
    """
    labels = rng.integers(10, size=count)
    dots = np.random.default_rng(0).integers(5, size=(10, 28, 28)) == 0
    return dots[labels] * rng.integers(256, size=(count, 28, 28)), labels


def make_data(folder):
    """300 examples to train on and 100 to test on, of each kind."""
    rng = np.random.default_rng(1)
    write(folder / "pictures", *pictures(rng, 300), *pictures(rng, 100))
    write(folder / DIGITS, *digits(300, seed=1, split="train"), *digits(100, seed=1, split="test"))


def costs(name, folder):
    """The costs of each epoch: of training, test and, where there is one, validation."""
    data = folder / (DIGITS if name == DIGITS else "pictures")
    arguments = ["--data-dir", data, "--epochs", 3, "--threads", 1, "--output", folder / name, "--json"]
    with redirect_stdout(io.StringIO()) as out, pytest.raises(SystemExit, match=r"^0$"):
        main(["train", *RECIPES[name].split(), *map(str, arguments)])
    records = [json.loads(line) for line in out.getvalue().splitlines()]
    kinds = ("train_cost", "test_cost", "validation_cost")
    return [[epoch[kind] for kind in kinds if kind in epoch] for epoch in records if epoch["event"] == "epoch"]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A folder with data of both kinds."""
    folder = tmp_path_factory.mktemp("data")
    make_data(folder)
    return folder


@pytest.mark.parametrize("name", RECIPES)
def test_the_costs_are_those_that_were_written_down(name, data):
    """But for rounding. Wherever a random stream, a default or a formula has changed, they are not."""
    written = json.loads(DIGESTS.read_text(encoding="utf-8"))
    np.testing.assert_allclose(costs(name, data), written[name], rtol=tolerance(name))


def write_down():
    """Make ``digests.json`` anew, a line for each recipe."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder):  # where runs/latest goes
        make_data(Path(folder))
        lines = [f"{json.dumps(name)}: {json.dumps(costs(name, Path(folder)))}" for name in RECIPES]
    DIGESTS.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    write_down()
