"""model.npz."""

import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnist_bp import Network
from mnist_bp.core.network import forward
from mnist_bp.errors import InputError
from mnist_bp.network import load_network


@pytest.fixture
def network(rng: np.random.Generator) -> Network:
    """A small network."""
    return Network([6, 4, 3], activation="tanh", cost="cross-entropy", rng=rng)


def written(arrays: dict[str, Any], path: Path = Path("model.npz")) -> Path:
    """An .npz file of these arrays."""
    np.savez(path, **arrays)
    return path


def members(network: Network, **changed: Any) -> dict[str, Any]:
    """Return the members of a valid file of ``network``, with some of its metadata changed."""
    meta = {"format": 1, "sizes": [6, 4, 3], "activation": "tanh", "cost": "cross-entropy"}
    meta |= {"output_activation": "softmax", "dtype": "float32"} | changed
    return {**network.named_arrays(), "meta": np.array(json.dumps(meta))}


def test_a_network_comes_back_as_it_was_saved(network: Network, rng: np.random.Generator) -> None:
    """Settings, parameters and outputs are equal bit for bit."""
    network.save("model.npz")

    again = Network.load("model.npz")

    x = rng.random((5, 6))
    assert (again.sizes, again.activation, again.cost, again.dtype) == ((6, 4, 3), "tanh", "cross-entropy", np.float32)
    assert (again.parameters == network.parameters).all()
    assert (again.forward(x) == network.forward(x)).all()


@pytest.mark.parametrize(("output_activation", "f"), [("tanh", np.tanh), ("identity", lambda z: z)])
def test_another_output_activation_comes_back_too(output_activation: str, f: Any, rng: np.random.Generator) -> None:
    """In float64, with a single hidden neuron, instead of the sigmoids that go with squared error."""
    Network([6, 1, 3], output_activation=output_activation, rng=rng, dtype=np.float64).save("model.npz")

    again = Network.load("model.npz")

    assert (again.output_activation, again.dtype) == (output_activation, np.float64)
    assert (again.forward(np.ones((1, 6))) == f(forward(again, np.ones((1, 6))).Z)).all()


def test_plain_numpy_opens_it_without_pickle(network: Network) -> None:
    """W1, b1, W2, b2 in the lesson's shapes, and meta, a JSON string."""
    network.save("model.npz", {"dataset": "mnist"})

    with np.load("model.npz", allow_pickle=False) as file:
        shapes = {name: file[name].shape for name in file.files}
        meta = json.loads(str(file["meta"]))

    assert shapes == {"W1": (4, 6), "b1": (4,), "W2": (3, 4), "b2": (3,), "meta": ()}
    assert (meta["sizes"], meta["dataset"]) == ([6, 4, 3], "mnist")


def test_the_same_network_gives_the_same_bytes(network: Network) -> None:
    """No date and no path gets into the file."""
    network.save("one.npz")
    network.save("two.npz")

    assert Path("one.npz").read_bytes() == Path("two.npz").read_bytes()


def test_what_else_was_saved_comes_back_as_meta(network: Network) -> None:
    """Whoever trains can say there on what."""
    network.save("model.npz", {"dataset": "few", "epochs": 3})

    _, meta = load_network("model.npz")

    assert (meta.dataset, meta.epochs) == ("few", 3)


def test_a_complex_network_is_not_saved(network: Network) -> None:
    """It is for checking; no reader would take it."""
    with pytest.raises(InputError, match=r"^cannot save a complex128 network; a model file holds float32 or float64$"):
        network.astype(np.complex128).save("model.npz")

    assert not Path("model.npz").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not a zip file"),
        (b"to whom it may concern", "not a zip file"),
        (pickle.dumps({"W1": [1, 2]}), "not a zip file"),
    ],
)
def test_other_files_are_refused(content: bytes, said: str) -> None:
    """Empty, text, a pickle: one line that names the file and what it should be."""
    Path("model.npz").write_bytes(content)

    with pytest.raises(InputError, match=rf"model\.npz is not a model file that mnist-bp wrote.*{said}"):
        Network.load("model.npz")


def test_a_truncated_file_is_refused(network: Network) -> None:
    """Wherever it breaks off."""
    network.save("model.npz")
    whole = Path("model.npz").read_bytes()

    for length in range(0, len(whole), 97):
        Path("model.npz").write_bytes(whole[:length])
        with pytest.raises(InputError):
            Network.load("model.npz")


def test_a_missing_file_and_a_folder_are_refused() -> None:
    """Each by its name."""
    Path("folder.npz").mkdir()

    with pytest.raises(InputError, match=r"there is no model file none\.npz"):
        Network.load("none.npz")
    with pytest.raises(InputError, match=r"cannot read the model file folder\.npz"):
        Network.load("folder.npz")


@pytest.mark.parametrize(
    ("meta", "said"),
    [
        ({"format": 3}, "it has format 3; this version of mnist-bp reads 1 and 2"),
        ({"sizes": [6, 5, 3]}, r"W1 is float32 \(4, 6\); sizes \[6, 5, 3\] require float32 \(5, 6\)"),
        ({"sizes": [6, 4]}, "expected exactly the arrays W1, b1 and meta"),
        ({"sizes": [10**12, 10**12]}, "expected exactly the arrays W1, b1 and meta"),
        ({"sizes": [10**12, 4, 3]}, "W1 is float32"),
        ({"sizes": [6, 4.0, 3]}, "expected a list of whole numbers"),
        ({"sizes": [6, -4, 3]}, "expected a list of whole numbers"),
        ({"sizes": "6-4-3"}, r"its sizes are '6-4-3'; expected a list of whole numbers$"),
        ({"sizes": [6, 0, 3]}, r"its sizes are \[6, 0, 3\]; expected a list of whole numbers$"),
        ({"sizes": [6]}, r"its sizes are \[6\]; expected a list of whole numbers$"),
        ({"dtype": "float64"}, "require float64"),
        ({"dtype": "complex128"}, "its dtype is 'complex128'; expected one of float32, float64$"),
        ({"activation": "swish"}, "unknown activation 'swish'"),
        ({"cost": ["x"]}, r"unknown cost \['x'\]$"),
        ({"output_activation": None}, "unknown output activation None$"),
    ],
)
def test_a_file_that_does_not_agree_with_itself_is_refused(network: Network, meta: dict[str, Any], said: str) -> None:
    """The metadata is compared with the arrays before a network is created."""
    with pytest.raises(InputError, match=said):
        Network.load(written(members(network, **meta)))


def test_numbers_that_are_not_finite_are_refused(network: Network) -> None:
    """A network that diverged is not a model."""
    network.biases[0][1] = np.nan

    with pytest.raises(InputError, match="b1 contains numbers that are not finite"):
        Network.load(written(members(network)))


def test_a_pickle_inside_is_never_opened(network: Network) -> None:
    """Arrays of objects would run code when they are read."""
    arrays = members(network) | {"W1": np.array([[print] * 6] * 4, dtype=object)}

    with pytest.raises(InputError, match="W1 does not have the size that its header states"):
        Network.load(written(arrays))


def test_a_member_that_is_no_string_is_no_meta(network: Network) -> None:
    """Nor is a string that is no JSON object."""
    for meta in (np.zeros(3), np.array("[1, 2]"), np.array("{")):
        with pytest.raises(InputError):
            Network.load(written(members(network) | {"meta": meta}))


def test_a_bomb_is_not_unpacked(network: Network) -> None:
    """A member that claims to be larger than the file is refused for that."""
    with zipfile.ZipFile("model.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in members(network).items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.asanyarray(array), allow_pickle=False)
            archive.writestr(f"{name}.npy", buffer.getvalue() if name != "W1" else bytes(10_000_000))

    with pytest.raises(InputError, match="is compressed"):
        Network.load("model.npz")
