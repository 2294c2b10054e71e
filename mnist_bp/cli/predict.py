"""``mnist-bp predict``."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from mnist_bp.cli.options import Json, Quiet, help_text
from mnist_bp.data.image_file import STDIN, image_path, read_image, require_pillow
from mnist_bp.environment import user_path
from mnist_bp.errors import ExitCode, InputError
from mnist_bp.reports.class_names import ClassNames
from mnist_bp.reports.console import Console, print_error
from mnist_bp.reports.tables import new_table
from mnist_bp.reports.terminal_images import bar, draw
from mnist_bp.shell import command_line
from mnist_bp.training.panels import NETWORK
from mnist_bp.training.saved_model import TrainedModel, load_model

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["predict"]

SAMPLE = Path(__file__).parents[1] / "data" / "seven.png"
"""Picture for the example in the help."""

BAR = 40
"""Width of the bar of an output of 1."""


class _Prediction(NamedTuple):
    """The outputs of the network for one picture, one for each class."""

    outputs: list[float]
    classes: ClassNames

    @property
    def ranking(self) -> list[int]:
        """Return the classes, the largest output first; among equal outputs the lower class first."""
        return sorted(range(len(self.outputs)), key=lambda label: -self.outputs[label])

    @property
    def text(self) -> str:
        """Return the predicted class and the second best one, each with its output."""
        first, *others = self.ranking
        label = self.classes.label
        answer = f"{self.classes.called(first)} ({self.outputs[first]:.2f})"
        return answer + "".join(f"; next {label(next_)} ({self.outputs[next_]:.2f})" for next_ in others[:1])


@help_text(
    f"""A picture is a PNG, JPEG, WebP, TIFF, GIF, BMP or PPM file of any size, drawn or photographed, dark on light or
light on dark. It is preprocessed like the digits of MNIST, and printed as the network sees it.

Example: mnist-bp predict {command_line(SAMPLE)}
"""
)
def predict(
    context: typer.Context,
    images: Annotated[
        list[Path],
        typer.Argument(
            parser=image_path,
            metavar="IMAGE…",
            help="Pictures of one digit each, or - for standard input.",
        ),
    ],
    model: Annotated[
        Path | None,
        typer.Option(
            "--model",
            parser=user_path,
            metavar="RUN|MODEL",
            help="Folder or file of a run, runs/latest, or a model.npz. Default: the latest run.",
            rich_help_panel=NETWORK,
        ),
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    require_pillow()
    console = Console(json=json, quiet=quiet)
    trained = load_model(model)
    shape = _image_shape(trained)
    is_synthetic = trained.meta.synthetic
    console.print(f"model  {trained.description}")
    if is_synthetic:
        console.warn("The network was trained on SYNTHETIC digits, not on handwriting.")
    failures = 0
    for path in images:
        if failures and console.is_unread:  # the exit code is known
            break
        console.require_reader()
        try:
            image = read_image(path, shape)
        except InputError as error:
            failures += 1
            print_error(error, debug=context.find_root().params["debug"])
            continue
        prediction = _prediction(trained, image)
        answer = prediction.ranking[0]
        console.emit_json(
            {
                "event": "prediction",
                "image": str(path),
                "prediction": answer,
                **({"prediction_name": prediction.classes.names[answer]} if prediction.classes.names else {}),
                "outputs": prediction.outputs,
                "model": str(trained.path),
                **({"synthetic": True} if is_synthetic else {}),
            }
        )
        _show(prediction, image, path, console, alone=len(images) == 1)
    if failures:
        raise typer.Exit(ExitCode.BAD_INPUT)


def _image_shape(trained: TrainedModel) -> tuple[int, int]:
    """Return rows and columns of an input image: those in the model file, otherwise those of a square."""
    match trained.meta.image_shape:
        case rows, columns if 0 < rows and rows * columns == trained.network.sizes[0]:
            return rows, columns
    pixels = trained.network.sizes[0]
    side = math.isqrt(pixels)
    if side**2 != pixels:
        raise InputError(f"{trained.path}: {pixels} inputs are no square image, and the file has no image_shape")
    return side, side


def _prediction(trained: TrainedModel, image: "NDArray[np.uint8]") -> _Prediction:
    import numpy as np

    from mnist_bp.data.batches import normalize

    network = trained.network
    with np.errstate(over="ignore", invalid="ignore"):
        outputs = network.forward(normalize(image.reshape(1, -1), network.dtype))[0]
    if not np.isfinite(outputs).all():
        raise InputError(
            f"{trained.path}: the outputs are not finite; the parameters are too large for {network.dtype}"
        )
    return _Prediction(outputs.tolist(), ClassNames(trained.class_names))


def _show(prediction: _Prediction, image: "NDArray[np.uint8]", path: Path, console: Console, *, alone: bool) -> None:
    if console.quiet:
        answer = str(prediction.ranking[0])
        console.print_result(answer if alone else f"{path}: {answer}", wrap=False)
        return
    console.print()
    console.print("standard input" if path == STDIN else str(path), style="bold", wrap=False)
    draw(image, console)
    table = new_table(prediction.classes.kind, "output", "", left={""})
    for label, output in enumerate(prediction.outputs):
        table.add_row(prediction.classes.label(label), f"{output:.4f}", bar(output, BAR))
    console.print_table(table)
    console.print_result(prediction.text, style="bold")
