"""Trainer of a dataset, and a digest that identifies its training set."""

import hashlib
from dataclasses import replace

from mnist_bp.data.datasets import Dataset, Examples, stratified_split
from mnist_bp.network import Network
from mnist_bp.training.ranks import SINGLE, Ranks
from mnist_bp.training.settings import Settings
from mnist_bp.training.trainer import LabelledImages, Trainer

__all__ = ["build_trainer", "data_digest"]


def build_trainer(
    settings: Settings, data: Dataset, network: Network, ranks: Ranks = SINGLE
) -> tuple[Dataset, Trainer]:
    """Return the dataset without the validation set of the settings, and the trainer of a network.

    An empty test set is not evaluated.
    """
    rest, validation = data.train, None
    if settings.validation is not None:
        rest, validation = stratified_split(data.train, settings.validation, seed=settings.seed)
    trainer = Trainer(
        network,
        _labelled(rest),
        _labelled(data.test) if len(data.test) else None,
        settings,
        validation=_labelled(validation) if validation else None,
        image_shape=data.train.images.shape[1:],
        ranks=ranks,
    )
    return replace(data, train=rest), trainer


def _labelled(examples: Examples) -> LabelledImages:
    return LabelledImages(examples.rows, examples.labels)


def data_digest(examples: Examples) -> str:
    """Return a digest of a training set: the shape of its images, its labels in order, and some of its images."""
    digest = hashlib.sha256(f"{examples.images.shape} ".encode())
    digest.update(examples.labels.tobytes())
    digest.update(examples.images[::97].tobytes())
    return digest.hexdigest()
