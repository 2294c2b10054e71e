"""``mnist-bp page``."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mnist_bp.cli.browser import open_in_browser
from mnist_bp.cli.load import data_at_hand, only, trained_data
from mnist_bp.cli.options import Json, Model, Quiet, help_text
from mnist_bp.environment import user_path
from mnist_bp.errors import DataUnavailable, InputError
from mnist_bp.reports.console import Console
from mnist_bp.reports.data import warn_if_synthetic
from mnist_bp.shell import command_line, option_words, public_path
from mnist_bp.training.data_settings import DataSettings
from mnist_bp.training.notation import format_sizes
from mnist_bp.training.panels import OUTPUT
from mnist_bp.training.saved_model import TrainedModel, load_model

if TYPE_CHECKING:
    from mnist_bp.data.datasets import Dataset, Examples

__all__ = ["page"]

PATHS = ("data-dir", "class-names")
"""Settings of the data that are paths."""


@help_text("""The page is one file that any browser opens, also offline. Default: the latest run, with the dataset it
was trained on, or with synthetic digits if that dataset is not on disk.

Example: mnist-bp page
""")
def page(
    *,
    model: Model = None,
    output: Annotated[
        Path | None,
        typer.Option(
            parser=user_path,
            metavar="FILE.html",
            help="File to write. Default: page.html beside the model.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    training: Annotated[
        bool,
        typer.Option(
            "--training/--no-training",
            help="Include 1,200 training images, about 300 kB, with which the page trains a network in the browser.",
            rich_help_panel=OUTPUT,
        ),
    ] = True,
    open_: Annotated[
        bool,
        typer.Option("--open", help="Open the page in the browser.", rich_help_panel=OUTPUT),
    ] = False,
    source: DataSettings,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    from mnist_bp.page.content import MOST_EXAMPLES

    console = Console(json=json, quiet=quiet)
    trained = load_model(model)
    data = data_at_hand(trained, source, console, **only("test", MOST_EXAMPLES))
    path = output or trained.path.with_name("page.html")
    train = _training_set(trained, data, source, console) if training else None
    content = _page(trained, data, train, _explain(trained, data, source))
    _write(path, content, is_given=output is not None)
    record = {"event": "page", "page": str(path), "bytes": len(content), "model": str(trained.path), **data.mark}
    opened = {"opened": open_in_browser(path)} if open_ else {}
    console.emit_json({**record, **opened})
    warn_if_synthetic(data, console)
    next_step = "opened in the browser" if opened.get("opened") else "open it in a browser"
    if training and train is None:
        console.print("The training set of this model is not on disk: the page cannot train a network.")
    console.print_result(f"{path} ({len(content):,} bytes): {next_step}", wrap=False)
    if opened.get("opened") is False:
        console.warn(f"no browser is available here; open {path} in one yourself")


def _training_set(trained: TrainedModel, data: "Dataset", source: DataSettings, console: Console) -> "Examples | None":
    """Return the training set that belongs to the page's digits, or None if they stand in for another dataset."""
    from mnist_bp.data.choices import is_generated
    from mnist_bp.page.training_set import MOST_TRAINING, MOST_VALIDATION

    limit = MOST_TRAINING + MOST_VALIDATION if is_generated(data.option) else None
    try:
        return trained_data(trained, source, console, fetch=False, limit=limit, test_limit=0).train
    except DataUnavailable:
        return None


def _explain(trained: TrainedModel, data: "Dataset", source: DataSettings) -> str:
    """Return the command that prints the explanation of the page, of the same model and data.

    Pages are published, so the command has no absolute path of this machine.
    """
    if data.is_synthetic and source.data_dir is None:  # it may stand in for missing data
        source = replace(source, dataset=data.option)
    paths = {key: public_path(path) for key, path in source.options().items() if key in PATHS}
    return command_line("mnist-bp", "explain", public_path(trained.path), *option_words({**source.options(), **paths}))


def _page(trained: TrainedModel, data: "Dataset", train: "Examples | None", explain: str) -> bytes:
    """Return the page of a model, with the learning curves of its run if the model is in a run folder."""
    from mnist_bp.page.assemble import assemble
    from mnist_bp.page.content import learning_curves, page_content
    from mnist_bp.training.run_folder import RunFolder

    folder = trained.path.resolve().parent
    content = page_content(
        trained.network,
        data,
        name=folder.name,
        trained_on=trained.meta.dataset,
        learning_rate=trained.learning_rate,
        explain=explain,
        train=train,
    )
    run = RunFolder(folder)
    content["history"] = learning_curves(run.read_history() if run.config.is_file() else [])
    return assemble(content, f"{format_sizes(trained.network.sizes)}: {folder.name}")


def _write(path: Path, content: bytes, *, is_given: bool) -> None:
    from mnist_bp.storage.atomic import atomic_write, storing

    is_replaced = path.is_symlink() and not is_given
    if path.is_dir() and not is_replaced:
        raise InputError(f"{path} is a folder; expected a file, for example --output {path / 'page.html'}")
    if path.exists() and not path.is_file() and not is_replaced:
        raise InputError(f"{path} is a device or a pipe; expected a regular file for --output")
    with storing(path), atomic_write(path, follow=is_given) as file:
        file.write(content)
