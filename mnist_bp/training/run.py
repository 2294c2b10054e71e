"""A training and its run folder: begun or gone on with, epoch after epoch on disk, and saved at the end."""

import hashlib
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from mnist_bp.data.datasets import Dataset, Examples, stratified_split
from mnist_bp.errors import InputError
from mnist_bp.network import Network
from mnist_bp.training import checkpoint
from mnist_bp.training.metrics import EpochResult
from mnist_bp.training.run_folder import RunFolder
from mnist_bp.training.settings import Settings
from mnist_bp.training.trainer import LabelledImages, Trainer

__all__ = ["TrainingRun"]

DIGITS = 16
"""Of the training set's SHA-256 sum, hexadecimal: enough to tell sets apart."""


class TrainingRun:
    """A training of a network with some settings on a dataset.

    Parameters
    ----------
    settings, data
        The settings and the data; ``settings.validation`` training examples become the validation set.
    network
        A fresh network, as the settings describe it.
    output
        Folder of the run; None: one of its own.
    resume
        Folder of a run with these settings on these data to resume, in place of ``output``.

    Attributes
    ----------
    data
        With a training set without what is held out.
    trainer, run
        What trains, and the folder.
    last
        The result of the last epoch that ended, None before there is one.
    is_saved
        Whether the model of that epoch is on disk.

    Raises
    ------
    InputError
        If the settings, the data, the folder and the checkpoint do not fit each other.
    StorageError
        If the disk does not take the run.
    """

    def __init__(
        self,
        settings: Settings,
        data: Dataset,
        network: Network,
        output: Path | None = None,
        resume: Path | None = None,
    ) -> None:
        self.settings, self.data, validation = settings, data, None
        if settings.validation is not None:
            rest, validation = stratified_split(data.train, settings.validation, seed=settings.seed)
            self.data = replace(data, train=rest)
        self.last: EpochResult | None = None
        self.is_saved = False
        self.trainer = Trainer(
            network,
            _labelled(self.data.train),
            _labelled(data.test),
            settings,
            validation=_labelled(validation) if validation else None,
            image_shape=data.train.images.shape[1:],
        )
        self._identity = _identity(settings, data)
        if resume is None:
            self.run = RunFolder.create(output, network.sizes, settings.options())
        else:
            self.run = RunFolder.reopen(resume)
            self._resume()

    def _resume(self) -> None:
        """Take up the training where it was left: after its last whole epoch, or, before there is one, at its start."""
        run, settings = self.run, self.settings
        run.claim()
        try:
            if run.checkpoint.is_file():
                self.last = checkpoint.restore(
                    run.checkpoint, self.trainer, self._identity, resumable=settings.resumable
                )
            if self.trainer.epoch > settings.epochs:
                raise InputError(
                    f"{run.folder} has had {self.trainer.epoch} epochs already; --epochs says {settings.epochs}"
                )
            run.resume(self.trainer.epoch, settings.options())
        except BaseException:
            run.close()
            raise

    def epochs(self, on_batch: Callable[[], object] | None = None) -> Generator[EpochResult]:
        """Train; what each epoch came to, once it is on disk. Whatever ends it, the model is saved as it was last.

        Nothing of an epoch is lost in between if ``on_batch`` alone raises KeyboardInterrupt.
        """
        self.is_saved = False
        self.run.claim()
        with closing(self.run):
            try:
                for result in self.trainer.run(on_batch):
                    self.last = result
                    self.run.record({"event": "epoch", **result.record(), **self.data.mark})
                    with self.run.writing():
                        checkpoint.save(self.run.checkpoint, self.trainer, result, self._identity)
                    yield result
            finally:
                self.run.save(self.trainer.eval_network, self._meta())
                self.is_saved = True

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the weights and biases, in the order of ``Network.parameters``, little-endian."""
        parameters = self.trainer.eval_network.parameters
        return hashlib.sha256(parameters.astype(parameters.dtype.newbyteorder("<")).tobytes()).hexdigest()

    def _meta(self) -> dict[str, Any]:
        """What a model file tells of its training."""
        return {
            "dataset": self.data.name,
            "synthetic": self.data.is_synthetic,
            "fallback": self.data.is_fallback,
            "image_shape": self.data.train.images.shape[1:],
            "config": self.settings.options(),
            "epochs": self.trainer.epoch,
            "test_accuracy": self.last.test_accuracy if self.last else None,
        }


def _identity(settings: Settings, data: Dataset) -> dict[str, Any]:
    """What must not change when a run goes on."""
    fixed = {key: value for key, value in settings.options().items() if key not in settings.resumable}
    return {**fixed, "training data (its digest)": _digest(data.train)[:DIGITS]}


def _labelled(examples: Examples) -> LabelledImages:
    return LabelledImages(examples.rows, examples.labels)


def _digest(examples: Examples) -> str:
    """What tells training sets apart, hashed: their images' shape, their labels in order, and some of the images."""
    digest = hashlib.sha256(f"{examples.images.shape} ".encode())
    digest.update(examples.labels.tobytes())
    digest.update(examples.images[::97].tobytes())
    return digest.hexdigest()
