"""``mnist-bp predict``."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mnist_bp.cli.declared import OneOf
from mnist_bp.cli.options import Json, Quiet, help_text
from mnist_bp.cli.pictures import LABELS, Picture, expanded, label_of
from mnist_bp.data.image_file import image_path, read_picture, require_pillow
from mnist_bp.environment import user_path
from mnist_bp.errors import ExitCode, InputError
from mnist_bp.reports.class_names import ClassNames
from mnist_bp.reports.console import Console, print_error
from mnist_bp.reports.predict import Prediction, show_accuracy, show_answer, show_prediction
from mnist_bp.shell import command_line
from mnist_bp.training.panels import DATA, NETWORK
from mnist_bp.training.saved_model import TrainedModel, load_model

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnist_bp.training.evaluation import Evaluation

__all__ = ["predict"]

SAMPLE = Path(__file__).parents[1] / "data" / "seven.png"
"""Picture for the example in the help."""


@help_text(
    f"""A picture is a PNG, JPEG, WebP, TIFF, GIF, BMP or PPM file of any size, drawn or photographed, dark on light or
light on dark. It is preprocessed like the digits of MNIST, and printed as the network sees it. For a folder, all
pictures below it are read. If their true classes are known, the accuracy is printed.

Example: mnist-bp predict {command_line(SAMPLE)}
"""
)
def predict(
    context: typer.Context,
    images: Annotated[
        list[Path],
        typer.Argument(
            parser=image_path,
            metavar="IMAGE|FOLDER…",
            help="Pictures of one digit each, folders of pictures, or - for standard input.",
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
    labels: Annotated[
        str | None,
        OneOf(lambda: LABELS),
        typer.Option(
            metavar="NAME",
            help="Place of each picture's true class: {values}. Default: folders, if their names are classes.",
            rich_help_panel=DATA,
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
    failures, answers = 0, list[tuple[int, int]]()
    pictures = list(expanded(images))
    is_folder = any(picture.is_found for picture in pictures)
    for picture in pictures:
        if failures and console.is_unread:  # the exit code is known
            break
        console.require_reader()
        try:
            label = _label(trained, picture, labels)
            image, is_several = read_picture(picture.path, shape, trained.look)
        except InputError as error:
            failures += 1
            print_error(error, debug=context.find_root().params["debug"])
            continue
        prediction = _prediction(trained, image)
        console.emit_json(_record(prediction, picture.path, label, trained, is_several=is_several))
        if is_several:
            console.warn(f"{picture.name}: more than one digit?")
        if console.quiet and label is None:
            answer = str(prediction.answer)
            console.print_result(answer if len(pictures) == 1 else f"{picture.path}: {answer}", wrap=False)
        elif is_folder:
            show_answer(prediction, label, picture.name, console)
        else:
            show_prediction(prediction, image, picture.name, console)
        answers += [] if label is None else [(label, prediction.answer)]
    if answers:
        result = _evaluation(answers, trained.network.sizes[-1])
        console.emit_json(_summary(result, trained, failures))
        show_accuracy(result, ClassNames(trained.class_names), console)
    if failures:
        raise typer.Exit(ExitCode.BAD_INPUT)


def _label(trained: TrainedModel, picture: Picture, labels: str | None) -> int | None:
    """Return the true class that the path of a picture states. Raise InputError if it has to, and states none."""
    if labels is None and not picture.is_found:
        return None
    label = label_of(picture.path, labels or "folders", ClassNames(trained.class_names), trained.network.sizes[-1])
    if labels is not None and label is None:
        raise InputError(f"{picture.name} has no label: --labels {labels} expects the class in {LABELS[labels][1]}")
    return label


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


def _prediction(trained: TrainedModel, image: "NDArray[np.uint8]") -> Prediction:
    import numpy as np

    from mnist_bp.data.batches import normalize

    network = trained.network
    with np.errstate(over="ignore", invalid="ignore"):
        outputs = network.forward(normalize(image.reshape(1, -1), network.dtype))[0]
    if not np.isfinite(outputs).all():
        raise InputError(
            f"{trained.path}: the outputs are not finite; the parameters are too large for {network.dtype}"
        )
    return Prediction(outputs.tolist(), ClassNames(trained.class_names))


def _record(
    prediction: Prediction, path: Path, label: int | None, trained: TrainedModel, *, is_several: bool
) -> dict[str, Any]:
    names, answer = prediction.classes.names, prediction.answer
    return {
        "event": "prediction",
        "image": str(path),
        "prediction": answer,
        **({"prediction_name": names[answer]} if names else {}),
        **({} if label is None else {"label": label}),
        "outputs": prediction.outputs,
        "uncertain": prediction.is_uncertain,
        "several_digits": is_several,
        "model": str(trained.path),
        **({"synthetic": True} if trained.meta.synthetic else {}),
    }


def _evaluation(answers: list[tuple[int, int]], classes: int) -> "Evaluation":
    """Return the confusion of pairs of a true and a predicted class. There is no cost."""
    import numpy as np

    from mnist_bp.training.evaluation import Evaluation

    confusion = np.zeros((classes, classes), np.int64)
    for label, answer in answers:
        confusion[label, answer] += 1
    return Evaluation(math.nan, confusion)


def _summary(result: "Evaluation", trained: TrainedModel, failures: int) -> dict[str, Any]:
    return {
        "event": "pictures",
        "examples": result.examples,
        "unreadable": failures,
        "accuracy": result.accuracy,
        "confusion": result.confusion.tolist(),
        "per_class": [
            {**score._asdict(), **({"name": trained.class_names[score.label]} if trained.class_names else {})}
            for score in result.per_class()
        ],
        "model": str(trained.path),
        **({"synthetic": True} if trained.meta.synthetic else {}),
    }
