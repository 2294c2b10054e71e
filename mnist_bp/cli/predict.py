"""``mnist-bp predict``."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from mnist_bp.cli.drawing import bar, draw
from mnist_bp.cli.image import STDIN, read_image, require_pillow
from mnist_bp.cli.models import TrainedModel, load_model
from mnist_bp.cli.options import OUTPUT, Json
from mnist_bp.cli.output import Output, say_error, with_article
from mnist_bp.cli.tables import new_table
from mnist_bp.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["predict"]

BAR = 40
"""Columns of an output of 1."""


class _Prediction(NamedTuple):
    """What the network makes of an image: its outputs, one for each class, and their names, if classes have any."""

    outputs: list[float]
    names: tuple[str, ...]

    @property
    def ranking(self) -> list[int]:
        """Classes, that with the greatest output first; of equal ones, the lower class."""
        return sorted(range(len(self.outputs)), key=lambda label: -self.outputs[label])

    @property
    def text(self) -> str:
        """The answer, how sure it is, and the next best."""
        first, *others = self.ranking
        answer = f"{self.named(first)} ({self.outputs[first]:.2f})"
        return answer + "".join(f"; next {self.label(next_)} ({self.outputs[next_]:.2f})" for next_ in others[:1])

    def label(self, label: int) -> str:
        """A class as people read it."""
        return f"{self.names[label]} {label}" if self.names else str(label)

    def named(self, label: int) -> str:
        """A class in a sentence."""
        return self.label(label) if self.names else with_article(label)


def predict(
    images: Annotated[
        list[Path],
        typer.Argument(metavar="IMAGE…", help="Pictures of one digit each; - is standard input.", show_default=False),
    ],
    model: Annotated[
        Path | None,
        typer.Option(
            "--model",
            metavar="RUN|MODEL",
            help="Folder of a run, or a model.npz. Default: the latest run.",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Say the answers only, each on a line.", rich_help_panel=OUTPUT)
    ] = False,
) -> None:
    """Say which digit a picture shows.

    A PNG or JPEG of any size, drawn or photographed, dark on light or light on dark. It is prepared as MNIST's makers
    prepared theirs, and shown as the network sees it.

    Example: mnist-bp predict digit.png
    """  # fmt: skip
    require_pillow()
    voice = Output(json=json, quiet=quiet)
    trained = load_model(model)
    shape = _image_shape(trained)
    is_synthetic = trained.meta.get("synthetic") is True
    voice.say(f"model  {trained.description}")
    if is_synthetic:
        voice.say("Trained on SYNTHETIC digits, drawn by a program: handwriting is new to it.", style="yellow")
    failures = 0
    for path in images:
        try:
            image = read_image(path, shape)
        except InputError as error:
            failures += 1
            say_error(str(error))
            continue
        prediction = _prediction(trained, image)
        voice.record(
            {
                "image": str(path),
                "prediction": prediction.ranking[0],
                **({"prediction_name": prediction.names[prediction.ranking[0]]} if prediction.names else {}),
                "outputs": prediction.outputs,
                "model": str(trained.path),
                **({"synthetic": True} if is_synthetic else {}),
            }
        )
        _show(prediction, image, path, voice, alone=len(images) == 1)
    if failures:
        raise typer.Exit(InputError.exit_code)


def _image_shape(trained: TrainedModel) -> tuple[int, int]:
    """Rows and columns that the network takes: as its file tells, or, where it does not, those of a square."""
    match trained.meta.get("image_shape"):
        case [int(rows), int(columns)] if 0 < rows and rows * columns == trained.network.sizes[0]:
            return rows, columns
    pixels = trained.network.sizes[0]
    side = math.isqrt(pixels)
    if side**2 != pixels:
        raise InputError(f"the network of {trained.path} takes {pixels} pixels, which make no square: of what shape?")
    return side, side


def _prediction(trained: TrainedModel, image: "NDArray[np.uint8]") -> _Prediction:
    import numpy as np

    from mnist_bp.data.batches import scaled

    network = trained.network
    with np.errstate(over="ignore", invalid="ignore"):
        outputs = network.forward(scaled(image.reshape(1, -1), network.dtype))[0]
    if not np.isfinite(outputs).all():
        raise InputError(f"{trained.path}: its numbers are too large for {network.dtype}: its outputs are not finite")
    return _Prediction(outputs.tolist(), _class_names(trained.meta.get("dataset"), len(outputs)))


def _class_names(dataset: Any, classes: int) -> tuple[str, ...]:
    """The names of the classes of the dataset that a model file says it was trained on."""
    from mnist_bp.data.published import PUBLISHED

    names = [published.class_names for published in PUBLISHED.values() if published.name == dataset]
    return names[0] if names and len(names[0]) == classes else ()


def _show(prediction: _Prediction, image: "NDArray[np.uint8]", path: Path, voice: Output, *, alone: bool) -> None:
    if voice.quiet:
        answer = str(prediction.ranking[0])
        voice.conclude(answer if alone else f"{path}: {answer}", wrap=False)
        return
    voice.say()
    voice.say("standard input" if path == STDIN else str(path), style="bold", wrap=False)
    draw(image, voice)
    table = new_table("class" if prediction.names else "digit", "output", "", left={""})
    for label, output in enumerate(prediction.outputs):
        table.add_row(prediction.label(label), f"{output:.4f}", bar(output, BAR))
    voice.show(table)
    voice.conclude(prediction.text, style="bold")
