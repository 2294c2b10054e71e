"""Training loop: a generator of one result per epoch, which prints nothing."""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mnist_bp.core.activations import Array
from mnist_bp.core.choices import OPTIMIZERS
from mnist_bp.core.optimizers import flush_subnormal_, lerp_
from mnist_bp.core.parameters import ParameterVector
from mnist_bp.core.regularization import limit_norms, shrink_weights
from mnist_bp.data.batches import normalize
from mnist_bp.data.choices import AUGMENTATIONS
from mnist_bp.errors import Diverged, InputError
from mnist_bp.network import Network
from mnist_bp.training.best_epoch import BestEpoch
from mnist_bp.training.buffers import Buffers
from mnist_bp.training.diagnostics import inspect, sample
from mnist_bp.training.ema import ema_weight
from mnist_bp.training.epoch_inputs import EpochInputs, LabelledImages
from mnist_bp.training.evaluation import Evaluation, evaluate, merged, metrics_from_outputs
from mnist_bp.training.gradients import Gradients
from mnist_bp.training.metrics import EpochResult, Measured, measure
from mnist_bp.training.ranks import SINGLE, Ranks
from mnist_bp.training.schedules import SCHEDULES, rates
from mnist_bp.training.settings import Settings
from mnist_bp.training.stopping import is_finished

__all__ = ["LabelledImages", "Trainer", "train"]

FLUSH_INTERVAL = 100
"""Number of steps after which subnormal numbers in the optimizer's state are set to 0, and again after each epoch."""


class Trainer:
    """Training of a network, from the beginning or from a restored epoch.

    Parameters
    ----------
    network
        Network to train, in place.
    training, test, validation
        Training set, and sets to evaluate after each epoch. Diagnostics are of the test set, if there is one.
    settings
        Settings of the training.
    image_shape
        Rows and columns of an image; required for augmentation.
    ranks
        Processes that train the network together, each with such a trainer. Each computes the gradient of its part of
        every mini-batch, and all take the same steps.

    Raises
    ------
    InputError
        If a label is invalid, or the settings require a validation set or ``image_shape`` that is missing.

    Attributes
    ----------
    eval_network
        Network that is evaluated after each epoch: ``network`` itself, or its EMA (averaged parameters).
    saved_network
        Network to save: ``eval_network`` itself, or a copy of it after the best epoch if ``settings.keep`` is "best".
    state
        Arrays that change during training, by name. They are changed in place. Another trainer with this network and
        these settings that gets them by ``restore`` continues bit for bit.
    """

    def __init__(
        self,
        network: Network,
        training: LabelledImages,
        test: LabelledImages | None,
        settings: Settings,
        *,
        validation: LabelledImages | None = None,
        image_shape: tuple[int, int] | None = None,
        ranks: Ranks = SINGLE,
    ) -> None:
        network.targets(training.labels)  # checks the labels once
        if validation is None and (test is None or settings.early_stop is not None or settings.keep == "best"):
            raise InputError("no test set, early stopping and keeping the best epoch require a validation set")
        if AUGMENTATIONS[settings.augment] is not None and image_shape is None:
            raise InputError("augmentation requires image_shape, the rows and columns of an image")
        self.network, self.settings, self.ranks, self._image_shape = network, settings, ranks, image_shape
        self._training, self._test, self._validation = training, test, validation
        self._sample = LabelledImages(normalize(sample(training.images), network.dtype), sample(training.labels))
        self._examples = len(training.labels)
        self._batch_size = min(settings.batch_size or self._examples, self._examples)
        coefficients = {} if settings.momentum is None else {"momentum": settings.momentum}
        self._optimizer = OPTIMIZERS[settings.optimizer](network.parameters, **coefficients)
        self._schedule = SCHEDULES[settings.schedule]
        self._epoch = np.zeros((), np.int64)
        self._best_epoch, self._best_accuracy = np.zeros((), np.int64), np.zeros(())
        self.state = {
            "epoch": self._epoch,
            "best_epoch": self._best_epoch,
            "best_accuracy": self._best_accuracy,
            "parameters": network.parameters,
            **self._optimizer.state,
        }
        self.eval_network = network
        if settings.average:
            self.eval_network = network.astype(network.dtype)
            self.state["average"] = self.eval_network.parameters
        self._best = BestEpoch(self.eval_network) if settings.keep == "best" else None
        self.saved_network = self._best.network if self._best else self.eval_network
        self.state |= self._best.state if self._best else {}

    @property
    def epoch(self) -> int:
        """Number of finished epochs."""
        return int(self._epoch)

    @property
    def saved_epoch(self) -> int:
        """Number of the epoch after which the network was like ``saved_network``, 0 for the initial network."""
        return self._best.epoch if self._best else self.epoch

    @property
    def is_finished(self) -> bool:
        """True if no epoch is left to train."""
        return is_finished(self.settings, self.state)

    @property
    def steps_per_epoch(self) -> int:
        """Number of mini-batches in an epoch. The last one may be smaller."""
        return -(-self._examples // self._batch_size)

    def restore(self, state: dict[str, Array]) -> None:
        """Restore a ``state``: arrays with equal names, shapes and dtypes."""
        for name, array in self.state.items():
            array[...] = state[name]

    def run(self, on_batch: Callable[[], object] | None = None) -> Generator[EpochResult]:
        """Train until the last epoch or an early stop, and yield the result of each epoch.

        The network is trained in place. An exception during an epoch (also of ``on_batch``, or Ctrl-C) restores the
        state after the last finished epoch.

        Parameters
        ----------
        on_batch
            Callback after each step, for a progress bar.

        Raises
        ------
        Diverged
            If a cost, a value of the ``state``, or a gradient norm is not finite after an epoch.
        RanksDiffer
            If the state is not the same on all ranks after an epoch.
        """
        finished = {name: array.copy() for name, array in self.state.items()}
        while self.ranks.proceed(not self.is_finished):
            try:
                result = self._run_epoch(on_batch)
                finished = {name: array.copy() for name, array in self.state.items()}
            except BaseException:
                self.restore(finished)
                raise
            with self.ranks.ending_together():
                yield result

    def _run_epoch(self, on_batch: Callable[[], object] | None) -> EpochResult:
        start = time.perf_counter()
        with np.errstate(over="ignore", invalid="ignore"):  # _check_finite reports overflows
            learning_rates = rates(self._schedule, self.settings, self.epoch, self.steps_per_epoch)
            learned = self._learn(learning_rates, on_batch)
        seconds = time.perf_counter() - start
        test = self._evaluate(self._test) if self._test else None
        validation = self._evaluate(self._validation) if self._validation else None
        evaluated = [each for each in (test, validation) if each]
        self._check_finite(learned.cost, *(each.cost for each in evaluated), *self.state.values())
        health = self.ranks.broadcast(inspect(self.eval_network, *self._sample, evaluated[0]))
        self._check_finite(health.gradient_norm)  # otherwise the next step would diverge
        self._epoch += 1
        if validation and validation.accuracy > self._best_accuracy:
            self._best_accuracy[...], self._best_epoch[...] = validation.accuracy, self._epoch
        if self._best and validation:
            self._best.update(self.epoch, self.eval_network, validation)
        self.ranks.require_equal(self.state, f"parameters after epoch {self.epoch}")
        measured = Measured(self.eval_network, learned, test, validation, learning_rates[0], seconds)
        return EpochResult(self.epoch, measure(measured), health)

    def _learn(self, learning_rates: list[float], on_batch: Callable[[], object] | None) -> Evaluation:
        """Train on each mini-batch once. Return the evaluation of the mini-batches, each just before its step."""
        seen, buffers = 0, self._buffers
        with closing(iter(self._inputs())) as batches:
            for step, (learning_rate, batch) in enumerate(zip(learning_rates, batches, strict=True), 1):
                Z, gradient = self._gradients(batch)
                self.ranks.average_(gradient.vector, len(Z) / batch.size)
                self._step(gradient, learning_rate)
                self._flush_subnormal(step)
                if self.settings.average:
                    self._update_ema(step)

                # Evaluated at the end for all batches at once: batch by batch, it would take as long as the training.
                now = slice(seen, seen + len(Z))
                buffers.Z[now], buffers.labels[now] = Z, batch.labels
                seen += len(Z)
                if on_batch is not None:
                    self.ranks.call_back(on_batch)
        return merged(self.ranks.gather(metrics_from_outputs(self.network, buffers.Z, buffers.labels)))

    def _evaluate(self, examples: LabelledImages) -> Evaluation:
        """Evaluate the network on all examples. Each rank computes its part of them."""
        share = self.ranks.share(len(examples.labels))
        return merged(self.ranks.gather(evaluate(self.eval_network, examples.images[share], examples.labels[share])))

    def _check_finite(self, *numbers: ArrayLike) -> None:
        """Raise Diverged, with the number of the batch, if one of these numbers is not finite.

        The batch is the first with outputs that are not finite. If all outputs are finite, it is the last batch: its
        step overflowed, or an earlier step did and sigmoids hid its infinite weights.
        """
        if all(np.isfinite(each).all() for each in numbers):
            return
        unusable = np.flatnonzero(~np.isfinite(self._buffers.Z).all(axis=1))
        share = self.ranks.share(self._batch_size)
        batch = unusable[0] // (share.stop - share.start) + 1 if unusable.size else self.steps_per_epoch
        first = min(self.ranks.gather(batch))
        self.ranks.end()  # all of them raise this
        raise Diverged.in_batch(self.epoch + 1, f"{first} of {self.steps_per_epoch}", self.settings.learning_rate)

    def _step(self, gradient: ParameterVector, learning_rate: float) -> None:
        """Take one step of the optimizer, after shrinking the weights if it decouples L2, and limit their norms."""
        if self.settings.l2 and self._optimizer.decouples_l2:
            shrink_weights(self.network, learning_rate * self.settings.l2)
        self._optimizer.step(self.network.parameters, gradient.vector, learning_rate)
        if self.settings.max_norm is not None:
            limit_norms(self.network, self.settings.max_norm)

    def _flush_subnormal(self, step: int) -> None:
        """Set subnormal numbers in the optimizer's state to 0 after a step of the epoch, if it is their turn."""
        if step % FLUSH_INTERVAL == 0 or step == self.steps_per_epoch:
            for array in self._optimizer.state.values():
                flush_subnormal_(array)

    def _update_ema(self, step: int) -> None:
        """Update the averaged parameters after a step of the epoch, if it is their turn."""
        if weight := ema_weight(self.settings.average, step, self.epoch, self.steps_per_epoch):
            buffer = self._buffers.gradient.vector  # the step no longer needs it
            lerp_(self.eval_network.parameters, self.network.parameters, weight, buffer)

    def _inputs(self) -> EpochInputs:
        """Return the mini-batches of the current epoch."""
        return EpochInputs(
            self._training,
            self._batch_size,
            self.settings,
            self.epoch + 1,
            sizes=self.network.sizes,
            dtype=self.network.dtype,
            image_shape=self._image_shape,
            share=self.ranks.share,
        )

    @cached_property
    def _gradients(self) -> Gradients:
        l2 = 0.0 if self._optimizer.decouples_l2 else self.settings.l2
        return Gradients(self.network, self.settings, self._buffers, l2)

    @cached_property
    def _buffers(self) -> Buffers:
        return Buffers.for_training(self.network, self._examples, self._batch_size, self.ranks)


def train(
    network: Network,
    training: tuple[Array, NDArray[np.uint8]],
    test: tuple[Array, NDArray[np.uint8]],
    settings: Settings,
    *,
    on_batch: Callable[[], object] | None = None,
) -> Iterator[EpochResult]:
    """Train a network from the beginning, in place, and yield the result of each epoch: see ``Trainer``."""
    return Trainer(network, LabelledImages(*training), LabelledImages(*test), settings).run(on_batch)
