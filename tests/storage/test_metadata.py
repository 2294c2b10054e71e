"""Metadata of model files: one declaration, from which writing, reading and the documentation follow."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mnist_bp
from mnist_bp import Network
from mnist_bp.errors import InputError
from mnist_bp.network import load_network
from mnist_bp.storage import npz
from mnist_bp.storage.metadata import UNKNOWN, Environment, Metadata, described

ROOT = Path(mnist_bp.__file__).parents[1]

ALL: dict[str, Any] = {
    "created_by": "a test",
    "dataset": "few",
    "synthetic": True,
    "fallback": True,
    "classes": 2,
    "class_names": ("cat", "dog"),
    "image_shape": (5, 6),
    "input_scaling": (0.0, 0.5),
    "invert": True,
    "config": {"seed": 3},
    "epochs": 4,
    "kept": "best",
    "test_accuracy": 0.5,
    "environment": Environment(python="3", numpy="2", threads=2, simd=("AVX2",), variables={"OMP_NUM_THREADS": "2"}),
}
"""Values that are not the default, for every key that a training knows."""


@pytest.fixture
def network(rng: np.random.Generator) -> Network:
    """A network for images of 5 × 6 pixels and two classes."""
    return Network([30, 2], rng=rng)


def meta_of(path: str) -> dict[str, Any]:
    """Return ``meta`` as plain numpy reads it."""
    with np.load(path, allow_pickle=False) as file:
        return json.loads(str(file["meta"]))


def test_the_table_in_the_manual_is_the_declaration() -> None:
    """Every key has one row, in order: name, kind, meaning, default."""
    text = (ROOT / "mnist_bp/README.md").read_text(encoding="utf-8")
    head = "| key | value | meaning | if missing |\n| --- | --- | --- | --- |\n"
    table = text.partition(head)[2].partition("\n\n")[0]
    rows = [
        f"| `{name}` | {kind} | {meaning} | {'' if _is_unknown(default) else f'`{json.dumps(default)}`'} |"
        for name, kind, meaning, default in described()
    ]
    assert table.splitlines() == rows


def _is_unknown(default: Any) -> bool:
    return default in UNKNOWN or default == Environment()


def test_what_is_known_comes_back(network: Network) -> None:
    """Every key with another value than its default; lists come back as tuples."""
    network.save("model.npz", Metadata(**ALL).record())

    _, meta = load_network("model.npz")

    assert {name: getattr(meta, name) for name in ALL} == ALL
    assert (meta.sizes, meta.dtype, meta.version) == ((30, 2), "float32", mnist_bp.__version__)


def test_only_what_is_known_is_written(network: Network) -> None:
    """A network that was not trained by the program has no dataset, no config and no environment."""
    network.save("model.npz")

    assert meta_of("model.npz").keys() == {
        "created_by", "format", "version", "sizes", "activation", "cost", "output_activation", "dtype"
    }  # fmt: skip
    assert Metadata(dataset="few").record() == {
        "dataset": "few", "synthetic": False, "fallback": False, "input_scaling": (0, 1), "invert": False,
        "dark_on_light": False, "kept": "last",
    }  # fmt: skip


@pytest.mark.parametrize("run", ["plain", "mnist", "regularized"])
def test_a_file_of_an_older_version_reads_with_defaults(run: str) -> None:
    """Commit d9461f2 wrote no polarity, no kept epoch, no environment and no version."""
    _, meta = load_network(ROOT / "tests/old_runs" / run / "model.npz")

    assert (meta.invert, meta.kept, meta.input_scaling) == (False, "last", (0, 1))
    assert (meta.version, meta.created_by, meta.environment) == (None, None, Environment())
    assert meta.config["batch-size"] in {"10", "20"}


WRONG: dict[str, Any] = {
    "created_by": 3,
    "dataset": ["mnist"],
    "synthetic": "yes",
    "classes": 10.0,
    "class_names": "cats",
    "image_shape": [28],
    "input_scaling": [False, True],
    "config": [1],
    "epochs": True,
    "kept": "first",
    "test_accuracy": "0.9",
    "environment": "Linux",
}
"""Values of other kinds than the declared ones."""


def test_an_invalid_value_in_a_file_counts_as_missing(network: Network) -> None:
    """A file may come from anywhere; keys that are not declared are ignored."""
    network.save("good.npz")
    arrays, meta = npz.read("good.npz", "model file", [2])
    environment = {"python": 3, "numpy": "2.0", "colour": "blue"}
    npz.write("odd.npz", arrays, {**meta, **WRONG, "environment": environment, "mine": 1})

    _, found = load_network("odd.npz")

    assert found == Metadata.read(meta | {"created_by": None, "environment": {"numpy": "2.0"}})
    assert Metadata.read(WRONG) == Metadata()


@pytest.mark.parametrize("name", WRONG)
def test_an_invalid_value_is_not_saved(network: Network, name: str) -> None:
    """The error names the key and what it should be."""
    with pytest.raises(InputError, match=f"metadata {name} is .*; expected "):
        network.save("model.npz", {name: WRONG[name]})

    assert not Path("model.npz").exists()


def test_keys_of_your_own_are_saved_as_they_are(network: Network) -> None:
    """They stand in the file for whoever wrote them."""
    network.save("model.npz", {"dataset": "few", "author": ["me"]})

    assert meta_of("model.npz")["author"] == ["me"]
