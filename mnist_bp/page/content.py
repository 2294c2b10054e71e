"""What the page is about, as plain values: the network, some test digits, the learning curves."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from mnist_bp.data import preprocess
from mnist_bp.data.datasets import Dataset
from mnist_bp.errors import InputError
from mnist_bp.network import Network
from mnist_bp.training.notation import format_sizes

__all__ = ["MOST_EXAMPLES", "learning_curves", "page_content"]

MOST_EXAMPLES = 300
"""Test examples on the page, the first of the test set: their numbers are those of ``explain --example``."""

IMAGE_BYTES = 400_000
"""Those of larger images are fewer, so that all take no more than this."""

PARAMETER_BYTES = 8 << 20
"""Of a network that goes into a page: 2 million parameters in float32, which a browser steps through in a second."""

CURVES = ("epoch", *(f"{name}_{what}" for what in ("cost", "accuracy") for name in ("train", "test", "validation")))
"""What is taken of a run's history."""


def page_content(
    network: Network,
    data: Dataset,
    *,
    name: str,
    trained_on: str | None,
    learning_rate: float,
    explain: str = "mnist-bp explain",
) -> dict[str, Any]:
    """Gather what the page shows of a network and of its data.

    Parameters
    ----------
    network
        In float32 or float64; it is written down in its own dtype.
    data
        Its first test examples come along.
    name
        What the page calls the run.
    trained_on
        The dataset of the training, as far as known.
    learning_rate
        η of a step, until somebody chooses another.
    explain
        The command that explains this network with these data.

    Raises
    ------
    InputError
        If the network is too large for a page.
    """
    parameters = network.parameters
    if parameters.nbytes > PARAMETER_BYTES:
        raise InputError(
            f"{format_sizes(network.sizes)} has {parameters.size:,} parameters, {parameters.nbytes:,} bytes; "
            f"a page holds {PARAMETER_BYTES:,}: look at a smaller network"
        )
    examples = data.test.first(min(MOST_EXAMPLES, max(1, IMAGE_BYTES // data.pixels)))
    rows, columns = examples.images.shape[1:]
    return {
        "name": name,
        "explain": explain,
        "network": {
            "sizes": network.sizes,
            "activation": network.activation,
            "cost": network.cost,
            "output_activation": network.output_activation,
            "dtype": network.dtype.name,
            "parameters": _base64(parameters),
        },
        "learning_rate": learning_rate,
        "trained_on": trained_on,
        "dataset": {
            "name": data.name,
            "is_synthetic": data.is_synthetic,
            "class_names": data.class_names,
            "rows": rows,
            "columns": columns,
        },
        "preprocess": {
            "box": preprocess.BOX,
            "least_contrast": preprocess.LEAST_CONTRAST,
            "faintest": preprocess.FAINTEST,
            "noise": preprocess.NOISE,
        },
        "examples": {"images": _base64(examples.images), "labels": examples.labels.tolist()},
    }


def _base64(array: NDArray[Any]) -> str:
    """The array's numbers, little-endian, in the order of its rows."""
    return base64.b64encode(array.astype(array.dtype.newbyteorder("<")).tobytes()).decode()


def learning_curves(epochs: Sequence[Mapping[str, Any]]) -> dict[str, list[float]]:
    """The curves that the records of a run's epochs tell of: a list for each of ``CURVES`` that they have."""
    return {curve: [epoch[curve] for epoch in epochs] for curve in CURVES if epochs and curve in epochs[0]}
