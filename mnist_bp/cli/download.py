"""``mnist-bp download``."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from mnist_bp.cli.data import download_progress
from mnist_bp.cli.options import DataDir, Json
from mnist_bp.cli.output import Output
from mnist_bp.data.names import PublishedName

__all__ = ["download"]


def download(
    dataset: Annotated[PublishedName, typer.Argument(help="Which one.")] = "mnist",
    data_dir: DataDir = None,
    mirror: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="Folder of the .gz files, tried first; may be repeated.", show_default=False),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Fetch also what is there already.")] = False,
    show_list: Annotated[bool, typer.Option("--list", help="Show what there is and where, and fetch nothing.")] = False,
    json: Json = False,
) -> None:
    """Fetch a dataset, verified by its SHA-256 sums; what is there and intact is kept.

    Example: mnist-bp download mnist
    """
    from mnist_bp.data import download as fetching
    from mnist_bp.data.datasets import data_root
    from mnist_bp.data.published import PUBLISHED

    voice = Output(json=json)
    root = data_root(data_dir)
    if show_list:
        for state in _states(root):
            voice.record(state)
            voice.say("{dataset:14} {state:8} {folder}, by {makers}".format(**state))
        return
    with download_progress(voice) as progress:
        fetching.download(PUBLISHED[dataset], root / dataset, mirrors=mirror or (), force=force, progress=progress)
    voice.record({"dataset": dataset, "folder": str(root / dataset)})
    voice.conclude(f"{dataset} is complete and intact in {root / dataset}")


def _states(root: Path) -> Iterator[dict[str, str]]:
    """What there is of each dataset, and where."""
    from mnist_bp.data.download import is_intact
    from mnist_bp.data.published import PUBLISHED

    for name, published in PUBLISHED.items():
        folder = root / name
        there = [(folder / file.name).exists() for file in published.files]
        intact = all(is_intact(folder, file) for file in published.files)
        state = "intact" if intact else "damaged" if all(there) else "absent"
        yield {"dataset": name, "state": state, "folder": str(folder), "makers": published.makers}
