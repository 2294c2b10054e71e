"""Part of the ranks above 0 in a training: they read the data, and take the steps of rank 0."""

from functools import lru_cache

from mnist_bp.core.activations import Array
from mnist_bp.data import datasets
from mnist_bp.data.datasets import Dataset
from mnist_bp.errors import InputError
from mnist_bp.training.new_trainer import build_trainer, data_digest
from mnist_bp.training.ranks import Ranks
from mnist_bp.training.saved_model import initial_network
from mnist_bp.training.settings import Settings

__all__ = ["follow", "load_as_rank_0", "load_on_all_ranks"]


def load_on_all_ranks(ranks: Ranks, settings: Settings, data: Dataset) -> None:
    """Let all ranks read the dataset that rank 0 has loaded with ``settings``. Nothing is downloaded or written.

    Raises
    ------
    MnistBpError
        If a rank does not have it.
    InputError
        If a rank has another training set.
    """
    own = data_digest(data.train)
    for rank, digest in enumerate(ranks.call(_load_and_digest, settings), 1):
        if digest != own:
            raise InputError(
                f"rank {rank} has other training data than rank 0: all machines need the same files in the same folder"
            )


def follow(ranks: Ranks, settings: Settings, state: dict[str, Array]) -> None:
    """Train as rank 0 does, from its ``state``, until rank 0 ends the training. The data have been loaded."""
    from threadpoolctl import threadpool_limits

    data = load_as_rank_0(settings)
    network = initial_network(data, settings)
    _, trainer = build_trainer(settings, data, network, ranks)
    trainer.restore(state)
    with threadpool_limits(settings.threads):
        for _ in trainer.run():
            pass


def _load_and_digest(settings: Settings) -> str:
    return data_digest(load_as_rank_0(settings).train)


@lru_cache(maxsize=1)
def load_as_rank_0(settings: Settings) -> Dataset:
    """Return the dataset that rank 0 has loaded with these settings, from disk. It is read once."""
    return datasets.load(
        settings.dataset, settings.data_dir, options=settings.data_options, limit=settings.limit, fetch=False
    )
