"""``mnist-bp explain``."""

import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mnist_bp.cli.config import is_given
from mnist_bp.cli.declared import whole_number
from mnist_bp.cli.load import data_at_hand, only, refuse_options_of_a_fresh_network
from mnist_bp.cli.options import (
    ActivationOption,
    CostOption,
    Hidden,
    Json,
    Model,
    Quiet,
    Seed,
    Split,
    WeightInit,
    help_text,
    positive,
)
from mnist_bp.data.image_file import image_path, read_picture
from mnist_bp.data.names import SplitName
from mnist_bp.errors import InputError
from mnist_bp.reports.class_names import ClassNames
from mnist_bp.reports.console import Console
from mnist_bp.reports.explain import PARTS, Shown, show_explanation
from mnist_bp.training.data_settings import DataSettings
from mnist_bp.training.declaration import Range
from mnist_bp.training.learning_rates import default_learning_rate
from mnist_bp.training.notation import format_sizes
from mnist_bp.training.panels import DATA, NETWORK, OUTPUT
from mnist_bp.training.saved_model import fresh_network, load_model

if TYPE_CHECKING:
    from mnist_bp.data.datasets import Dataset, Examples
    from mnist_bp.data.preprocess import Look
    from mnist_bp.explanation.result import Address, Explanation

__all__ = ["explain"]

BATCH = 100
"""Examples in the mini-batch of the example."""

WHAT = "Parameter"
"""Panel of ``--help``."""


@help_text("""Default: the latest run, with the dataset it was trained on, or with synthetic digits if that dataset is
not on disk.

Example: mnist-bp explain --fresh --example 3 --weight 3:4,7
""")
def explain(
    context: typer.Context,
    *,
    model: Model = None,
    weight: Annotated[
        str | None,
        typer.Option(
            metavar="L:J,K",
            help="Weight w_{J,K}^(L), to neuron J of layer L from neuron K. Default: the largest gradient.",
            rich_help_panel=WHAT,
        ),
    ] = None,
    bias: Annotated[
        str | None,
        typer.Option(metavar="L:J", help="Bias b_{J}^(L), instead of a weight.", rich_help_panel=WHAT),
    ] = None,
    learning_rate: Annotated[
        float | None,
        typer.Option(
            metavar="RATE",
            help="Learning rate η of the step that is tried. Default: the learning rate of the training.",
            parser=positive,
            rich_help_panel=WHAT,
        ),
    ] = None,
    parts: Annotated[
        str | None,
        typer.Option(
            "--only",
            metavar="PARTS",
            help=f"Parts to print, separated by commas: {', '.join(PARTS)}. Default: all.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    example: Annotated[
        int,
        typer.Option(
            metavar="N",
            parser=whole_number(Range.whole(0)),
            help="Number of the example, from 0.",
            rich_help_panel=DATA,
        ),
    ] = 0,
    split: Split = "test",
    image: Annotated[
        Path | None,
        typer.Option(
            parser=image_path,
            metavar="FILE",
            help="Picture of one digit, instead of an example, preprocessed as by predict. Requires --label.",
            rich_help_panel=DATA,
        ),
    ] = None,
    label: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            parser=whole_number(Range.whole(0)),
            help="Digit, or number of the class, in --image.",
            rich_help_panel=DATA,
        ),
    ] = None,
    source: DataSettings,
    fresh: Annotated[
        bool,
        typer.Option("--fresh", help="Explain an untrained network.", rich_help_panel=NETWORK),
    ] = False,
    hidden: Hidden,
    activation: ActivationOption,
    cost: CostOption,
    weight_init: WeightInit,
    seed: Seed,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    import numpy as np

    from mnist_bp.explanation.chain_rule import explain as explain_derivative

    _refuse_contradictions(context)
    address, chosen = _parse_address(weight, bias), _parse_parts(parts)
    console = Console(json=json, quiet=quiet)
    trained = None if fresh else load_model(model)
    needed = only(split, _batch_start(example) + BATCH)
    data = data_at_hand(trained, source, console, **needed)
    if trained is None:
        network = fresh_network(data, hidden, activation, cost, seed=seed, weight_init=weight_init)
    else:
        network = trained.network.astype(np.float64)
    batch, row = _mini_batch(data, split, example, image, label, trained.look if trained else data.look)
    usual = trained.learning_rate if trained else default_learning_rate(network.activation, network.cost)
    explanation = explain_derivative(
        network,
        batch.inputs(np.float64),
        batch.labels,
        row,
        address,
        learning_rate or usual,
        image_shape=batch.images.shape[1:],
    )
    shown = Shown(
        network=format_sizes(network.sizes) + (f" of {trained.path}" if trained else ", fresh"),
        cost=network.cost,
        example=str(image) if image else f"example {example} of {data.name}'s {split} set",
        label=int(batch.labels[row]),
        classes=ClassNames(data.class_names),
        image=batch.images[row],
        synthetic=data.is_synthetic,
        source=f"{data.name}'s {split} set",
        first=_batch_start(example),
        is_picture=image is not None,
    )
    console.emit_json(_record(explanation, shown, data, len(batch)))
    show_explanation(explanation, shown, console, chosen)


def _refuse_contradictions(context: typer.Context) -> None:
    """Raise InputError for options that contradict each other."""
    given = context.params
    if given["weight"] is not None and given["bias"] is not None:
        raise InputError("--weight and --bias exclude each other")
    if (given["image"] is None) != (given["label"] is None):
        raise InputError("--image and --label require each other: a picture, and the digit in it")
    if given["image"] is not None and (is_given(context, "example") or is_given(context, "split")):
        raise InputError("--image replaces the example: leave out --example and --split")
    if not given["fresh"]:
        refuse_options_of_a_fresh_network(context)
    elif given["model"] is not None:
        raise InputError("--fresh explains an untrained network: leave out RUN or MODEL")


def _record(explanation: "Explanation", shown: Shown, data: "Dataset", batch_size: int) -> dict[str, Any]:
    return {
        "event": "explanation",
        "network": shown.network,
        "example": shown.example,
        "label": shown.label,
        **data.mark,
        "mini_batch": shown.mini_batch(batch_size),
        "first_example": shown.first,
        **asdict(explanation),
    }


def _parse_parts(text: str | None) -> list[str]:
    """Return the parts that ``--only`` names. Raise InputError if one is unknown."""
    parts = [] if text is None else [part.strip() for part in text.split(",")]
    if unknown := [part for part in parts if part not in PARTS]:
        raise InputError(f"--only {text}: {unknown[0] or 'an empty word'} is not a part; expected {', '.join(PARTS)}")
    return parts


def _parse_address(weight: str | None, bias: str | None) -> "Address | None":
    """Return the parameter that an option names: 3:4,7 is w_{4,7}^(3), 3:4 is b_{4}^(3)."""
    from mnist_bp.explanation.result import Address

    text = bias if weight is None else weight
    if text is None:
        return None
    pattern = r"(\d{1,9}):(\d{1,9}),(\d{1,9})" if weight is not None else r"(\d{1,9}):(\d{1,9})"
    found = re.fullmatch(pattern, text, re.ASCII)
    if found is None:
        raise InputError(
            f"--weight {text}: expected L:J,K, like 3:4,7 for w_{{4,7}}^(3), to neuron 4 of layer 3 from neuron 7"
            if weight is not None
            else f"--bias {text}: expected L:J, like 3:4 for b_{{4}}^(3), of neuron 4 of layer 3"
        )
    layer, j, *k = map(int, found.groups())
    return Address(layer, j, k[0] if k else None)


def _batch_start(example: int) -> int:
    return example // BATCH * BATCH


def _mini_batch(
    data: "Dataset", split: SplitName, example: int, image: Path | None, label: int | None, look: "Look"
) -> "tuple[Examples, int]":
    """Return the mini-batch of the example, and its row there: batches begin at multiples of ``BATCH``.

    A picture replaces the first example of the first mini-batch.
    """
    import numpy as np

    from mnist_bp.data.datasets import Examples

    examples = data.split(split)
    if example >= len(examples):
        raise InputError(
            f"--example {example} is not in {data.name}'s {split} set; expected 0 to {len(examples) - 1:,}"
        )
    start = _batch_start(example)
    images, labels = examples.images[start : start + BATCH], examples.labels[start : start + BATCH]
    if image is None or label is None:
        return Examples(images, labels), example - start
    if label >= data.classes:
        raise InputError(f"--label {label}: expected 0 to {data.classes - 1}")
    rows, columns = images.shape[1:]
    drawn = read_picture(image, (rows, columns), look).image
    return Examples(np.concatenate([drawn[None], images[1:]]), np.append(np.uint8(label), labels[1:])), 0
