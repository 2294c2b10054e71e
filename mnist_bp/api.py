"""Python API: a training, an evaluation, a gradient check and an explanation on arrays of your own.

Every name here can be imported from ``mnist_bp``. Images are grey levels, uint8 from 0 to 255, or network inputs of any
float type; labels are integers. ``Examples``, as a dataset has them, can stand for the pair (images, labels).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from mnist_bp.committee import Committee
from mnist_bp.core.choices import COSTS
from mnist_bp.core.inputs import refuse_non_finite
from mnist_bp.data import datasets
from mnist_bp.data.batches import normalize
from mnist_bp.data.examples import Dataset, Examples
from mnist_bp.environment import user_path
from mnist_bp.errors import InputError
from mnist_bp.explanation import chain_rule
from mnist_bp.explanation.result import Address, Explanation
from mnist_bp.gradcheck.checker import Checker, Report
from mnist_bp.gradcheck.numerical_gradient import Method
from mnist_bp.gradcheck.signatures import split_words
from mnist_bp.network import Network
from mnist_bp.training import evaluation, trainer
from mnist_bp.training.committee_evaluation import evaluate_committee
from mnist_bp.training.data_settings import DataSettings
from mnist_bp.training.epoch_inputs import LabelledImages
from mnist_bp.training.evaluation import Evaluation
from mnist_bp.training.learning_rates import default_learning_rate
from mnist_bp.training.settings import Settings

__all__ = ["Trainer", "check_gradient", "evaluate", "explain", "load_dataset"]

Labelled = Examples | tuple[ArrayLike, ArrayLike]
"""Images, (n, rows, columns) or (n, n_0), and labels, (n,)."""


def load_dataset(
    name: str | None = None,
    data_dir: str | PathLike[str] | None = None,
    *,
    limit: int | None = None,
    test_split: float | None = None,
    invert: bool = False,
    transpose: bool = False,
    classes: int | None = None,
    class_names: str | PathLike[str] | None = None,
) -> Dataset:
    """Load a dataset: from disk, else downloaded and verified.

    Parameters
    ----------
    name
        "mnist", "fashion-mnist", "kmnist", "synthetic", "own" or another value of ``--dataset``. Default: what
        ``data_dir`` holds, else MNIST.
    data_dir
        Folder or file of your own, in any format that the command line reads, or folder of several datasets. Default:
        ``MNIST_BP_DATA``, or the user's cache folder.
    limit
        Number of training examples to keep, from the first. Default: all.
    test_split
        Fraction of the training set, between 0 and 1, that becomes the test set of a dataset without one.
    invert, transpose
        True to exchange black and white, or rows and columns, in all images.
    classes
        Number of classes of your own dataset, 1 to 256. Default: the number of class names, or the largest label + 1.
    class_names
        Text file with the name of a class on each line.

    Returns
    -------
    Dataset
        ``train`` and ``test``, each with ``images``, uint8 (n, rows, columns), and ``labels``, uint8 (n,).

    Raises
    ------
    DataUnavailable
        If the dataset is neither on disk nor can be downloaded.
    InputError
        If the folder or a file in it is not a dataset, or does not fit the options.
    """
    given = {"test-split": test_split, "invert": invert, "transpose": transpose, "classes": classes}
    options = replace(DataSettings.from_config(given).data_options, class_names=_path(class_names))
    return datasets.load(name, _path(data_dir), options=options, limit=limit)


def _path(path: str | PathLike[str] | None) -> Path | None:
    return None if path is None else user_path(fspath(path))


class Trainer(trainer.Trainer):
    """A training: ``for result in Trainer(network, train, test, epochs=3).run(): …``.

    Parameters
    ----------
    network
        Network that is trained, in place.
    train, test, validation
        Examples, or pairs of images, (n, rows, columns) or (n, n_0), and labels, (n,).
    settings
        Settings of the command ``train`` by name: ``epochs``, ``batch_size``, ``learning_rate``, ``optimizer``, ….

    Attributes
    ----------
    network
        Network that is trained: its parameters after the last step.
    eval_network
        Network that the results describe: ``network`` itself, or the average of its parameters (``average``).
    saved_network
        Network that ``train`` would save. With ``keep="best"``, and by default with ``early_stop``, it is
        ``eval_network`` after the epoch with the best validation accuracy; otherwise ``eval_network`` itself.
    saved_epoch
        Number of that epoch.

    Raises
    ------
    InputError
        If the examples do not fit the network, settings contradict each other, or a network with other outputs than
        its cost's has no ``learning_rate``.
    """

    def __init__(
        self, network: Network, train: Labelled, test: Labelled, *, validation: Labelled | None = None, **settings: Any
    ) -> None:
        if network.output_activation != COSTS[network.cost].output_activation and "learning_rate" not in settings:
            raise InputError(f"no default learning rate for {network.output_activation} outputs: set learning_rate")
        described: dict[str, Any] = {"activation": network.activation, "cost": network.cost}
        super().__init__(
            network,
            _labelled(network, train),
            _labelled(network, test),
            Settings(hidden=network.sizes[1:-1], **described, **settings),
            validation=None if validation is None else _labelled(network, validation),
            image_shape=_image_shape(train),
        )


def evaluate(network: Network | Committee, examples: Labelled, *, adversarial: float = 0.0) -> Evaluation:
    """Return ``cost``, ``accuracy`` and ``confusion`` (rows are the true class) of a network or committee on examples.

    The cost of a committee is that of its averaged outputs; NaN if its members have different costs.

    With ``adversarial``, ε, they are those on the adversarial examples x + ε sign(∂C/∂x) of the fast gradient sign
    method (Goodfellow, Shlens and Szegedy 2015). Inputs of images are from 0 to 1; the result is not clipped.

    Raises
    ------
    InputError
        If the examples do not fit the network.
    """
    if not isinstance(network, Committee):
        return evaluation.evaluate(network, *_labelled(network, examples), adversarial=adversarial)
    if adversarial:
        raise InputError("adversarial examples are of one network, not of a committee")
    return evaluate_committee(network, *_labelled(network.members[0], examples)).committee


def check_gradient(
    network: Network,
    examples: Labelled,
    *,
    backpropagate: Callable[..., Any] | None = None,
    cost_function: Callable[..., Any] | None = None,
    signature: str | None = None,
    layout: str | None = None,
    methods: Sequence[Method] = ("complex", "central"),
    seed: int = 0,
) -> Report:
    """Compare the gradient of a mini-batch with the numerical derivative of every parameter, in float64.

    Parameters
    ----------
    network
        Network at whose parameters the gradient is checked. Where its biases are 0, bugs in them have no effect.
    examples
        Mini-batch. 23 examples are enough, and name more causes than 20: see the manual of ``gradcheck``.
    backpropagate
        Your own function (weights, biases, x, y) ↦ (dC_dW, dC_db), with lists of arrays, to check in place of ours:
        weights (n_l, n_{l−1}), biases (n_l,), x (n, n_0), y one-hot (n, n_L); derivatives of the mean cost. Classes
        and other conventions are found out: see the manual of ``gradcheck``.
    cost_function
        Your own cost, a function of the same arguments that returns a number, whose derivatives are to be checked.
        Default: the network's cost.
    signature, layout
        Words of ``--signature`` and ``--layout``, separated by commas: "x,y,weights,biases", "columns,kj". Default:
        found out.
    methods
        "complex" (exact) and "central" (difference quotients). With ``cost_function``, the first one that is possible.
    seed
        Seed of what is drawn at random.

    Returns
    -------
    Report
        ``outcome`` ("passed", "float32", "failed" or "undecided"), ``diagnosis`` (what kind of bug it is), ``checks``.

    Raises
    ------
    InputError
        If the examples do not fit the network, if a function raises or returns something else, or if there is an
        option of a function without ``backpropagate``.
    """
    about = {"cost_function": cost_function, "signature": signature, "layout": layout}
    if backpropagate is None and (given := [name for name, value in about.items() if value is not None]):
        raise InputError(f"{given[0]} belongs to a function: it requires backpropagate")
    checker = Checker(
        tuple(methods),
        seed=seed,
        function=backpropagate,
        signature=split_words(signature),
        layout=split_words(layout),
        cost_function=cost_function,
    )
    images, labels = _labelled(network, examples)
    return checker.run(network, normalize(images, np.float64), labels)


def explain(
    network: Network,
    examples: Labelled,
    example: int = 0,
    *,
    weight: tuple[int, int, int] | None = None,
    bias: tuple[int, int] | None = None,
    learning_rate: float | None = None,
) -> Explanation:
    """Take one derivative apart: its factors by the chain rule, and the paths on which it reaches the cost.

    ``pixels`` of the result is ∂C_0/∂a^(0) in rows and columns of the image, or in one row if the images are flat.

    Parameters
    ----------
    network
        Network to explain, computed in float64.
    examples
        Mini-batch.
    example
        Row of the mini-batch that the explanation is about.
    weight, bias
        (layer, j, k) of w_jk^(layer), or (layer, j) of b_j^(layer); layers count from 1. Default: the weight to which
        the cost of the example is most sensitive.
    learning_rate
        Learning rate of the step that is tried. Default: the default for such a network.

    Raises
    ------
    InputError
        If the network has no such parameter, or the examples do not fit it.
    """
    if weight is not None and bias is not None:
        raise InputError("weight and bias name two parameters: give one of them")
    address = Address(*weight) if weight is not None else Address(*bias, None) if bias is not None else None
    images, labels = _labelled(network, examples)
    if not 0 <= example < len(labels):
        raise InputError(f"example {example} is not one of the {len(labels)} examples (0 to {len(labels) - 1})")
    rate = learning_rate or default_learning_rate(network.activation, network.cost)
    double = network.astype(np.float64)
    X = normalize(images, np.float64)
    return chain_rule.explain(double, X, labels, example, address, rate, image_shape=_image_shape(examples))


def _labelled(network: Network, examples: Labelled) -> LabelledImages:
    """Return examples as the package computes with them; InputError if they do not fit the network."""
    given_images, given_labels = (
        (examples.images, examples.labels) if isinstance(examples, Examples) else map(np.asarray, examples)
    )
    images = given_images.reshape(len(given_images), math.prod(given_images.shape[1:]))
    if images.shape[1] != network.sizes[0] or not len(images) or images.dtype.kind not in "uif":
        raise InputError(
            f"images have shape {given_images.shape} and type {given_images.dtype}; this network takes "
            f"{network.sizes[0]} numbers an example"
        )
    if images.dtype.kind == "f":
        with np.errstate(over="ignore"):
            refuse_non_finite("images", np.array([images.min(), images.max()]).astype(network.dtype))
    network.targets(given_labels)
    if given_labels.shape != (len(images),):
        raise InputError(f"{len(images)} images, but labels of shape {given_labels.shape}")
    return LabelledImages(images, given_labels.astype(np.uint8))


def _image_shape(examples: Labelled) -> tuple[int, int] | None:
    images = examples.images if isinstance(examples, Examples) else np.asarray(examples[0])
    return images.shape[1:] if images.ndim == 3 else None
