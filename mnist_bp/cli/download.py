"""``mnist-bp download``."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mnist_bp.cli.config import is_default
from mnist_bp.cli.declared import OneOf
from mnist_bp.cli.delete import Yes
from mnist_bp.cli.delete import delete as delete_folders
from mnist_bp.cli.options import DataDir, Json, Quiet, help_text
from mnist_bp.data.choices import downloadable, imported, published
from mnist_bp.data.download.urls import shown_url
from mnist_bp.data.names import DEFAULT
from mnist_bp.environment import user_path
from mnist_bp.errors import InputError
from mnist_bp.reports.console import Console, printable
from mnist_bp.reports.progress import download_progress
from mnist_bp.reports.tables import new_table
from mnist_bp.training.panels import DATA

if TYPE_CHECKING:
    from mnist_bp.data.catalogue import Entry
    from mnist_bp.data.download.fetch import Outcome

__all__ = ["download"]


def _existing_path(text: str) -> Path:
    path = user_path(text)
    if not path.exists():
        raise InputError(f"{str(path)!r} does not exist")
    return path


@help_text("""Files that are present and intact are kept. Environment variables: MNIST_BP_OFFLINE=1 forbids the network;
HTTPS_PROXY and REQUESTS_CA_BUNDLE set proxies and certificates.

Example: mnist-bp download mnist
""")
def download(
    context: typer.Context,
    *,
    dataset: Annotated[
        str, OneOf(downloadable), typer.Argument(metavar="DATASET", help="Dataset: {values}.")
    ] = DEFAULT,
    data_dir: DataDir,
    mirror: Annotated[
        list[str] | None,
        typer.Option(
            metavar="URL",
            rich_help_panel=DATA,
            help="URL of the folder of the .gz files, tried first; may be repeated. MNIST_BP_MIRROR adds more.",
        ),
    ] = None,
    given: Annotated[
        list[Path] | None,
        typer.Option(
            "--from",
            parser=_existing_path,
            metavar="PATH",
            rich_help_panel=DATA,
            help="Import from a folder or file in one of the formats above instead of the network; may be repeated.",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Download again, even if the files are present.", rich_help_panel=DATA)
    ] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Hash the files that are present, and list each.", rich_help_panel=DATA)
    ] = False,
    show_list: Annotated[
        bool,
        typer.Option("--list", help="List all datasets and their folders; download nothing.", rich_help_panel=DATA),
    ] = False,
    delete: Annotated[
        bool,
        typer.Option(
            "--delete",
            help="Delete DATASET from the cache, after asking. Only files that mnist-bp wrote are deleted.",
            rich_help_panel=DATA,
        ),
    ] = False,
    yes: Yes = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    from mnist_bp.data.datasets import data_root, inspect_root
    from mnist_bp.data.download.cache import plan_cache_removal

    _check_mirrors(mirror or ())
    console = Console(json=json, quiet=quiet)
    root = data_root(data_dir)
    finding = inspect_root(data_dir, may_create=True)
    if show_list:
        _show_list(root, console)
        return
    if delete:
        if is_default(context, "dataset"):
            raise InputError("--delete requires DATASET: name the dataset to delete")
        delete_folders([[plan_cache_removal(root / dataset)]], dataset, console, yes=yes)
        return
    if yes:
        raise InputError("--yes requires --delete")
    if root.is_file():
        raise InputError(f"--data-dir {root} is a file; expected the folder to download to")
    from mnist_bp.data.download import fetch as fetching
    from mnist_bp.data.download.imports import import_dataset

    found = finding.named(dataset)
    folder = found.folder if found and found.may_be_cached else root / dataset
    if entry := imported().get(dataset):
        outcomes = import_dataset(entry, folder, given or (), force=force, verify=verify)
        _report(dataset, folder, outcomes, console, verify=verify)
        return
    with download_progress(console) as progress:
        outcomes = fetching.download(
            published()[dataset],
            folder,
            mirrors=mirror or (),
            imported=given or (),
            force=force,
            verify=verify,
            progress=progress,
            notice=console.warn,
        )
    _report(dataset, folder, outcomes, console, verify=verify)


def _check_mirrors(urls: Sequence[str]) -> None:
    """Raise InputError unless all are URLs. It is not the parser's error, whose traceback would show a password."""
    for url in urls:
        if not url.startswith(("http://", "https://")):
            raise InputError(f"--mirror: expected a URL that begins with https:// or http://; got {shown_url(url)!r}")


def _report(dataset: str, folder: Path, outcomes: "list[Outcome]", console: Console, *, verify: bool) -> None:
    """Print each file as a record, and, with --verify, those that are intact."""
    for outcome in outcomes:
        console.emit_json(_record(dataset, outcome))
        if verify and outcome.state == "intact":
            console.print(f"intact    {outcome.file}")
    fetched = sum(outcome.state == "fetched" for outcome in outcomes)
    end = {"event": "end", "dataset": dataset, "folder": str(folder), "state": "intact", "fetched": fetched}
    console.emit_json(end)
    console.print_result(f"{dataset} is complete and intact in {folder}")


def _record(dataset: str, outcome: "Outcome") -> dict[str, Any]:
    return {
        "event": "file",
        "dataset": dataset,
        "file": outcome.file,
        "state": outcome.state,
        "path": str(outcome.path),
        "bytes": outcome.path.stat().st_size,
        "sha256": outcome.sha256,
        **({"source": outcome.source} if outcome.source else {}),
    }


def _show_list(root: Path, console: Console) -> None:
    """Print every dataset: a table on a terminal, a line for each elsewhere."""
    from mnist_bp.data.catalogue import catalogue

    entries = catalogue(root)
    for entry in entries:
        console.emit_json({"event": "dataset", **entry._asdict(), "folder": str(entry.folder)})
        if not console.is_live:
            console.print_result(
                f"{entry.dataset:15} {entry.state:10} {_size(entry):>8}  {entry.folder}, by {entry.makers}"
            )
    console.emit_json({"event": "end", "folder": str(root), "datasets": len(entries)})
    if console.is_live:
        _show_table(entries, console)


def _show_table(entries: "list[Entry]", console: Console) -> None:
    table = new_table("dataset", "state", "size", "folder", left={"dataset", "state", "folder"})
    for entry in entries:
        table.add_row(entry.dataset, entry.state, _size(entry), printable(str(entry.folder)))
    console.print_table(table)


def _size(entry: "Entry") -> str:
    return f"{entry.bytes / 1e6:.1f} MB" if entry.bytes else "-"
