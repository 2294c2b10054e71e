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
from mnist_bp.reports.committee import members_record, show_models
from mnist_bp.reports.console import Console, print_error
from mnist_bp.reports.predict import Prediction, show_accuracy, show_answer, show_prediction
from mnist_bp.shell import command_line
from mnist_bp.training.panels import DATA, NETWORK
from mnist_bp.training.saved_model import TrainedModel
from mnist_bp.training.trained_committee import TrainedCommittee, load_committee

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnist_bp.core.activations import Array
    from mnist_bp.training.committee_evaluation import CommitteeEvaluation

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
    models: Annotated[
        list[Path] | None,
        typer.Option(
            "--model",
            parser=user_path,
            metavar="RUN|MODEL",
            help="Folder or file of a run, runs/latest, folder of train --seeds, or a model.npz. Repeat it for a "
            "committee, whose outputs are averaged. Default: the latest run.",
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
    trained = load_committee(models)
    shape = _image_shape(trained)
    show_models(trained, console, label="model  ")
    if trained.is_synthetic:
        who = "networks were" if trained.is_several else "network was"
        console.warn(f"The {who} trained on SYNTHETIC digits, not on handwriting.")
    failures, answers = 0, list[tuple[int, Prediction]]()
    pictures = list(expanded(images))
    is_folder = any(picture.is_found for picture in pictures)
    for picture in pictures:
        if failures and console.is_unread:  # the exit code is known
            break
        console.require_reader()
        try:
            label = _label(trained, picture, labels)
            image, is_several = read_picture(picture.path, shape, trained.source.look)
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
        answers += [] if label is None else [(label, prediction)]
    if answers:
        result = _evaluation(answers)
        console.emit_json(_summary(result, trained, failures))
        show_accuracy(result, ClassNames(trained.source.class_names), console)
    if failures:
        raise typer.Exit(ExitCode.BAD_INPUT)


def _label(trained: TrainedCommittee, picture: Picture, labels: str | None) -> int | None:
    """Return the true class that the path of a picture states. Raise InputError if it has to, and states none."""
    if labels is None and not picture.is_found:
        return None
    source = trained.source
    label = label_of(picture.path, labels or "folders", ClassNames(source.class_names), source.network.sizes[-1])
    if labels is not None and label is None:
        raise InputError(f"{picture.name} has no label: --labels {labels} expects the class in {LABELS[labels][1]}")
    return label


def _image_shape(trained: TrainedCommittee) -> tuple[int, int]:
    """Return rows and columns of an input image: those in a model file, otherwise those of a square."""
    pixels = trained.source.network.sizes[0]
    for member in trained.members:
        match member.meta.image_shape:
            case rows, columns if 0 < rows and rows * columns == pixels:
                return rows, columns
    side = math.isqrt(pixels)
    if side**2 != pixels:
        path = trained.source.path
        raise InputError(f"{path}: {pixels} inputs are no square image, and the file has no image_shape")
    return side, side


def _prediction(trained: TrainedCommittee, image: "NDArray[np.uint8]") -> Prediction:
    from mnist_bp.committee import average

    members = [_outputs(member, image) for member in trained.members]
    classes = ClassNames(trained.source.class_names)
    votes = tuple(Prediction(each.tolist(), classes) for each in members) if trained.is_several else ()
    return Prediction(average(members).tolist(), classes, votes)


def _outputs(member: TrainedModel, image: "NDArray[np.uint8]") -> "Array":
    import numpy as np

    from mnist_bp.data.batches import normalize

    network = member.network
    with np.errstate(over="ignore", invalid="ignore"):
        outputs = network.forward(normalize(image.reshape(1, -1), network.dtype))[0]
    if not np.isfinite(outputs).all():
        raise InputError(f"{member.path}: the outputs are not finite; the parameters are too large for {network.dtype}")
    return outputs


def _record(
    prediction: Prediction, path: Path, label: int | None, trained: TrainedCommittee, *, is_several: bool
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
        "model": trained.file,
        **({"members": _member_records(prediction, trained)} if trained.is_several else {}),
        **({"synthetic": True} if trained.is_synthetic else {}),
    }


def _member_records(prediction: Prediction, trained: TrainedCommittee) -> list[dict[str, Any]]:
    return [
        {"model": str(member.path), "prediction": each.answer, "outputs": each.outputs}
        for member, each in zip(trained.members, prediction.members, strict=True)
    ]


def _evaluation(answers: list[tuple[int, Prediction]]) -> "CommitteeEvaluation":
    """Return the confusion matrices of pairs of a true class and a prediction. There are no costs."""
    import numpy as np

    from mnist_bp.training.committee_evaluation import CommitteeEvaluation
    from mnist_bp.training.evaluation import Evaluation

    def evaluation(pairs: list[tuple[int, Prediction]]) -> Evaluation:
        confusion = np.zeros([len(pairs[0][1].outputs)] * 2, np.int64)
        for label, prediction in pairs:
            confusion[label, prediction.answer] += 1
        return Evaluation(math.nan, confusion)

    members = zip(*([(label, each) for each in prediction.members] for label, prediction in answers), strict=True)
    return CommitteeEvaluation(evaluation(answers), tuple(evaluation([*pairs]) for pairs in members))


def _summary(evaluation: "CommitteeEvaluation", trained: TrainedCommittee, failures: int) -> dict[str, Any]:
    result, names = evaluation.committee, trained.source.class_names
    return {
        "event": "pictures",
        "examples": result.examples,
        "unreadable": failures,
        "accuracy": result.accuracy,
        "confusion": result.confusion.tolist(),
        "per_class": [
            {**score._asdict(), **({"name": names[score.label]} if names else {})} for score in result.per_class()
        ],
        "model": trained.file,
        **members_record(trained, evaluation),
        **({"synthetic": True} if trained.is_synthetic else {}),
    }
