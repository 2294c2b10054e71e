"""Content of the page as plain values: the network, test digits and learning curves."""

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnist_bp.data import ink, preprocess, threshold
from mnist_bp.data.datasets import Dataset, Examples
from mnist_bp.errors import InputError
from mnist_bp.network import Network
from mnist_bp.page.selection import drawn_neurons
from mnist_bp.page.training_set import training_content
from mnist_bp.training.notation import format_sizes

__all__ = ["MOST_EXAMPLES", "learning_curves", "page_content", "zero_runs"]

MOST_EXAMPLES = 300
"""Largest number of test examples on the page, from the first, numbered as for ``explain --example``."""

IMAGE_BYTES = 400_000
"""Largest total size of the images in bytes, before compression. A page with large images has fewer of them."""

PARAMETER_BYTES = 8 << 20
"""Largest size of a network's parameters in bytes, 2 million in float32. A browser computes a step of it in 1 s."""

STEP_RATE = 0.1
"""Initial learning rate of the steps for one example. A run's own rate, for the mean of a mini-batch, is too large."""

CURVES = ("epoch", *(f"{name}_{what}" for what in ("cost", "accuracy") for name in ("train", "test", "validation")))
"""Values of a run's history that the page shows."""


def page_content(
    network: Network,
    data: Dataset,
    *,
    name: str,
    trained_on: str | None,
    learning_rate: float,
    explain: str = "mnist-bp explain",
    train: Examples | None = None,
) -> dict[str, Any]:
    """Return the content of the page for a network and a dataset.

    Parameters
    ----------
    network
        Network in float32 or float64, stored in its dtype.
    data
        Dataset whose first test examples are included.
    name
        Name of the run on the page.
    trained_on
        Dataset of the training, or None if unknown.
    learning_rate
        Initial learning rate of the run.
    explain
        Command that explains this network with this data.
    train
        Training set of which the page gets a sample, to train a network in the browser.

    Raises
    ------
    InputError
        If the network is too large for a page.
    """
    parameters = network.parameters
    if parameters.nbytes > PARAMETER_BYTES:
        raise InputError(
            f"{format_sizes(network.sizes)} has {parameters.size:,} parameters, {parameters.nbytes:,} bytes; "
            f"a page holds at most {PARAMETER_BYTES:,}: choose a smaller network"
        )
    examples = data.test.first(min(MOST_EXAMPLES, max(1, IMAGE_BYTES // data.pixels)))
    rows, columns = examples.images.shape[1:]
    exact = network.astype(np.float64)
    x = examples.inputs(np.float64)
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
            "drawn": drawn_neurons(exact, x, examples.labels),
        },
        "learning_rate": learning_rate,
        "step_rate": STEP_RATE,
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
            "bins": threshold.BINS,
            "edge": threshold.EDGE,
            **{name.lower(): getattr(ink, name) for name in ink.LIMITS},
        },
        "examples": {
            "images": base64.b64encode(zero_runs(examples.images.tobytes())).decode(),
            "labels": examples.labels.tolist(),
            "predictions": exact.forward(x).argmax(axis=1).tolist(),
        },
        "training": None if train is None else training_content(train, network),
    }


def zero_runs(data: bytes) -> bytes:
    """Return the bytes with each run of 1 to 255 zeros as a zero and its length: a quarter, for images of MNIST.

    Unlike zlib's, this format is decoded synchronously in the browser, by content.js.
    """
    return re.sub(rb"\0{1,255}", lambda run: bytes([0, len(run[0])]), data)


def _base64(array: NDArray[Any]) -> str:
    """Return the array's values in base64, little-endian, in C order."""
    return base64.b64encode(array.astype(array.dtype.newbyteorder("<")).tobytes()).decode()


def learning_curves(epochs: Sequence[Mapping[str, Any]]) -> dict[str, list[float | None]]:
    """Return the learning curves in the records of a run's epochs: a list for each of ``CURVES`` that they contain.

    Where epochs are missing, lost in a power failure, there is one more epoch without values: curves have a gap.
    """
    with_gaps: list[Mapping[str, Any]] = []
    for epoch in epochs:
        if with_gaps and epoch["epoch"] > with_gaps[-1]["epoch"] + 1:
            with_gaps.append({"epoch": with_gaps[-1]["epoch"] + 1})
        with_gaps.append(epoch)
    return {curve: [epoch.get(curve) for epoch in with_gaps] for curve in CURVES if epochs and curve in epochs[0]}
