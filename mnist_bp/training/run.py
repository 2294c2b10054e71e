"""Training with a run folder: starts or resumes a run, writes each epoch to the disk, and saves the model."""

import hashlib
import time
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path
from typing import Any

from mnist_bp.data.datasets import Dataset
from mnist_bp.errors import Diverged, InputError
from mnist_bp.machine import describe_environment
from mnist_bp.network import Network
from mnist_bp.storage.metadata import Metadata
from mnist_bp.training import checkpoint
from mnist_bp.training.follower import follow
from mnist_bp.training.metrics import EpochResult
from mnist_bp.training.new_trainer import build_trainer, data_digest
from mnist_bp.training.ranks import SINGLE, Ranks
from mnist_bp.training.run_folder import RunFolder
from mnist_bp.training.settings import SETTINGS, Settings
from mnist_bp.training.stopping import refuse_less_patience

__all__ = ["TrainingRun"]

ABSENT = {each.key: each.format(each.absent) for each in SETTINGS.values() if each.absent is not None}
"""Values of settings that a run has if the version that began it did not record them."""

DIGITS = 16
"""Number of hexadecimal digits of the training set's SHA-256 digest, enough to distinguish training sets."""


class TrainingRun:
    """A training of a network with some settings on a dataset.

    Parameters
    ----------
    settings, data
        Settings and dataset. ``settings.validation`` training examples become the validation set.
    network
        New network that matches the settings.
    output
        Folder of the run. Default: a new folder in ``runs``.
    resume
        Folder of a run with these settings and this data to resume, instead of ``output``.
    name
        Name of a new run, see ``RunFolder.create``.
    ranks
        Processes that train the network together. This is rank 0; the others have loaded the data, and wait.

    Attributes
    ----------
    data
        Dataset with a training set that excludes the validation set.
    trainer, run
        Trainer and run folder.
    last, saved
        Results of the last finished epoch and of the epoch of the model to save, or None.
    is_saved
        True if that model is saved.
    reason
        Reason for the end of the training: ``finished``, ``early-stop``, ``time``, ``interrupted`` or
        ``diverged``.

    Raises
    ------
    InputError
        If the settings, the data, the folder and the checkpoint do not fit each other.
    StorageError
        If the run folder cannot be written.
    """

    def __init__(
        self,
        settings: Settings,
        data: Dataset,
        network: Network,
        output: Path | None = None,
        resume: Path | None = None,
        *,
        name: str | None = None,
        ranks: Ranks = SINGLE,
    ) -> None:
        self.settings = settings
        self.last: EpochResult | None = None
        self.saved: EpochResult | None = None
        self.is_saved = False
        self.reason = "interrupted"
        self._seconds: float | None = 0.0
        self.data, self.trainer = build_trainer(settings, data, network, ranks)
        self._identity = _identity(settings, data)
        if resume is None:
            self.run = RunFolder.create(output, network.sizes, settings.options(), name=name, dataset=data.name)
        else:
            self.run = RunFolder.reopen(resume)
            self._resume()

    def _resume(self) -> None:
        """Restore the training after its last finished epoch, or at its start if there is none."""
        run, settings = self.run, self.settings
        run.claim()
        try:
            refuse_less_patience(run.folder, run.read_config(), settings)
            if run.checkpoint.is_file():
                self.last, self.saved = checkpoint.restore(
                    run.checkpoint, self.trainer, self._identity, resumable=settings.resumable, defaults=ABSENT
                )
            if self.trainer.epoch > settings.epochs:
                raise InputError(
                    f"{run.folder} has already had {self.trainer.epoch} epochs, more than --epochs {settings.epochs}"
                )
            run.resume(self.trainer.epoch, settings.options())
            self._seconds = run.training_seconds()
        except BaseException:
            run.close()
            raise

    def epochs(
        self, on_batch: Callable[[], object] | None = None, *, max_seconds: float | None = None
    ) -> Generator[EpochResult]:
        """Train, and yield the result of each epoch when it is on disk. The model is saved however the training ends.

        To lose no finished epoch to Ctrl-C, let only ``on_batch`` raise KeyboardInterrupt.

        Parameters
        ----------
        on_batch
            Callback after each step.
        max_seconds
            Wall time from the start of the first epoch of this call, in seconds. The epoch in which it is over is the
            last one. None: no limit.
        """
        self.is_saved, started = False, time.monotonic()
        self.run.claim()
        with closing(self.run):
            try:
                self.trainer.ranks.start(follow, self.settings, self.trainer.state)
                with closing(self.trainer.run(on_batch)) as results:
                    for result in results:
                        self._store(result)
                        yield result
                        if max_seconds is not None and time.monotonic() - started >= max_seconds:
                            break
                self.reason = self._reason_without_error()
            except Diverged:
                self.reason = "diverged"
                raise
            finally:
                self.run.save(self.trainer.saved_network, self._meta().record())
                self.run.record_end(self._end())
                self.is_saved = True

    def _store(self, result: EpochResult) -> None:
        """Write the result of an epoch and the state after it to the disk."""
        self.last = result
        self._seconds = None if self._seconds is None else self._seconds + result.seconds
        if self.saved is None or self.trainer.saved_epoch == result.epoch:
            self.saved = result
        self.run.record({"event": "epoch", **result.record(), **self.data.mark})
        self.run.flush_history()  # before the checkpoint: else a power failure may leave one without its epochs
        with self.run.writing():
            results = checkpoint.Results(self.last, self.saved)
            checkpoint.save(self.run.checkpoint, self.trainer, results, self._identity)

    def _reason_without_error(self) -> str:
        """Return the reason for the end of a training without an error and an interrupt."""
        if self.trainer.epoch >= self.settings.epochs:
            return "finished"
        return "early-stop" if self.trainer.is_finished else "time"

    def _end(self) -> dict[str, Any]:
        """Return the record of the end: the reason, and the figures of the saved model."""
        figures = dict(self.saved.figures) if self.saved else {}
        return {"reason": self.reason, "epochs": self.trainer.epoch, "seconds": self._seconds, "figures": figures}

    @property
    def fingerprint(self) -> str:
        """SHA-256 digest of the saved weights and biases, in the order of ``Network.parameters``, little-endian."""
        parameters = self.trainer.saved_network.parameters
        return hashlib.sha256(parameters.astype(parameters.dtype.newbyteorder("<")).tobytes()).hexdigest()

    def _meta(self) -> Metadata:
        """Return the metadata about the training for the model file."""
        return Metadata(
            dataset=self.data.name,
            synthetic=self.data.is_synthetic,
            fallback=self.data.is_fallback,
            classes=self.data.classes,
            class_names=self.data.class_names,
            image_shape=self.data.train.images.shape[1:],
            invert=self.settings.invert,
            dark_on_light=self.data.look.is_dark_on_light,
            config=self.settings.options(),
            epochs=self.trainer.saved_epoch,
            kept=self.settings.keep,
            test_accuracy=self.saved.test_accuracy if self.saved else None,
            environment=describe_environment(self.settings.threads),
        )


def _identity(settings: Settings, data: Dataset) -> dict[str, Any]:
    """Return the settings and the data's digest that must not change when a run is resumed."""
    fixed = {key: value for key, value in settings.options().items() if key not in settings.resumable}
    return {**fixed, "training data (its digest)": data_digest(data.train)[:DIGITS]}
