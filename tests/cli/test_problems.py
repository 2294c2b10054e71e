"""Problems of the user's data are reported before training, and the curve is not blamed for them."""

import numpy as np
import pytest

from mnist_bp.data import idx
from mnist_bp.data.names import FILE_NAMES


@pytest.fixture
def write(tmp_path, few_digits):
    """Write the few digits with other images or labels as IDX files, and return their folder."""

    def make(images=lambda x: x, labels=lambda y: y):
        folder = tmp_path / "changed"
        folder.mkdir()
        arrays = [array for each in few_digits for array in (images(each.images), labels(each.labels))]
        for name, array in zip(FILE_NAMES, arrays, strict=True):
            with (folder / name).open("wb") as file:
                idx.write(file, array)
        return folder

    return make


def test_light_images_are_reported_before_training_and_learned_with_invert(cli, write):
    """The curve gives no other advice; the run records how it reads them, and nothing is left to report."""
    folder = write(images=lambda x: 255 - x)
    done = cli("train", "--data-dir", folder, "--learning-rate", 20, "--epochs", 2, "--json")
    warnings = [line for line in done.err.splitlines() if line.startswith("warning")]
    assert len(done.records[0]["problems"]) == 1
    assert "images are light" in warnings[0]
    assert "see the problems of the data" in warnings[-1]
    assert not any("learning-rate" in line for line in warnings)
    inverted = cli("train", "--data-dir", folder, "--invert", "--epochs", 1, "--json")
    assert (inverted.records[0]["problems"], inverted.records[0]["invert"]) == ([], True)


def test_the_seeds_of_a_series_share_the_warning(cli, write, monkeypatch, finished_worker):
    """It is printed once, above the networks."""
    monkeypatch.setattr("mnist_bp.cli.seeds.seed_command", lambda *_: finished_worker)
    folder = write(labels=lambda y: np.random.default_rng(3).permutation(y))
    done = cli("train", "--data-dir", folder, "--epochs", 1, "--seeds", 2)
    assert (done.out + done.err).count("labels of the training set do not follow the images") == 1
