"""The pictures: what each shows of any data, and that a file is whole, and the same for the same figures."""

import errno
import os
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

from mnist_bp.errors import StorageError
from mnist_bp.reports.figures.confusion import confusion_matrix
from mnist_bp.reports.figures.curves import gradient_norms, learning_curves
from mnist_bp.reports.figures.images import NEURONS, Answer, first_layer_weights, mistakes
from mnist_bp.reports.figures.picture import Head, save

HEAD = Head("4-3-2, sigmoid; trained on some data", "$some_data, test set: 数字")


def records(epochs, **figures):
    """A history; whatever is not told falls, and one layer's gradient is gone."""
    return [
        {
            "epoch": epoch,
            "train_cost": 1 / epoch**3,
            "train_accuracy": 0.5,
            "test_cost": 2 / epoch,
            "test_accuracy": 0.25,
            "health": {"gradient_norm": [0.0, 0.1 / epoch]},
            **figures,
        }
        for epoch in range(1, epochs + 1)
    ]


def said(picture):
    """All that stands on a picture besides ticks, labels and legends."""
    texts = [text for axes in picture.figure.axes for text in axes.texts] + picture.figure.texts
    return [text.get_text() for text in texts]


def legends(picture):
    """Return the texts of the legend of each panel."""
    return [[text.get_text() for text in axes.get_legend().get_texts()] for axes in picture.figure.axes]


@pytest.mark.parametrize("draw", [learning_curves, gradient_norms])
def test_the_best_epoch_is_marked_and_the_legend_has_its_values(draw):
    """A vertical line there. Without a best epoch, the values are the last, and nothing is marked."""
    marked, until_then = draw(records(4), HEAD, 2), draw(records(2), HEAD)
    assert legends(marked) == [["saved model: epoch 2", *texts] for texts in legends(until_then)]
    assert all(list(axes.lines[0].get_xdata()) == [2, 2] for axes in marked.figure.axes)
    assert legends(draw(records(4), HEAD)) != legends(until_then)


# --- files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file_format", ["png", "svg"])
def test_the_same_figures_give_the_same_bytes_whatever_the_user_has_set(tmp_path, file_format):
    """No date, no random ids, none of the user's settings, which are what they were afterwards."""
    first, second = tmp_path / f"1.{file_format}", tmp_path / f"2.{file_format}"
    save(learning_curves(records(3), HEAD), first)
    with mpl.rc_context({"font.size": 30, "lines.linewidth": 9, "svg.hashsalt": None, "text.parse_math": True}):
        save(learning_curves(records(3), HEAD), second)
        assert mpl.rcParams["font.size"] == 30
    assert first.read_bytes() == second.read_bytes()
    assert first.read_bytes()[:5] == (b"\x89PNG\r" if file_format == "png" else b"<?xml")


def test_a_picture_is_there_whole_or_not_at_all(monkeypatch):
    """A disk that fills up leaves the picture that was there, and no part of the new one; StorageError names it."""
    path = Path("x.png")
    path.write_bytes(b"before")

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match=r"^cannot write x\.png: No space left on device$"):
        save(mistakes([], 0, HEAD), path)
    assert [file.name for file in Path().iterdir()] == ["x.png"]
    assert path.read_bytes() == b"before"


# --- what they show --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("epochs", [1, 200])
def test_learning_curves_have_every_epoch_of_every_set(epochs):
    """Cost and accuracy of train, test and validation set, told apart without colours; the last figure is said."""
    picture = learning_curves(records(epochs, validation_cost=0.5, validation_accuracy=0.75), HEAD)
    cost, accuracy = picture.figure.axes
    for axes in (cost, accuracy):
        assert [len(line.get_xdata()) for line in axes.lines] == [epochs] * 3
        assert len({line.get_linestyle() for line in axes.lines}) == 3
        assert len({line.get_marker() for line in axes.lines}) == 3
    assert [text.get_text().split(": ")[1] for text in accuracy.get_legend().texts] == ["50.00 %", "25.00 %", "75.00 %"]
    assert cost.get_yscale() == "log"


def test_the_gradient_of_every_layer_is_shown_also_where_it_has_vanished():
    """A layer whose gradient is 0 has no place on a logarithmic scale, and is in the legend all the same."""
    (axes,) = gradient_norms(records(9), HEAD).figure.axes
    assert [text.get_text() for text in axes.get_legend().texts] == ["layer 1: 0", "layer 2 (output): 0.011"]
    assert axes.get_yscale() == "log"


@pytest.mark.parametrize("classes", [1, 2, 10, 256])
def test_the_confusion_matrix_shades_mistakes_alone(tmp_path, classes):
    """Any number of classes works. Counts are written in full if there is room."""
    confusion = np.full((classes, classes), 3)
    np.fill_diagonal(confusion, 5_000)
    picture = confusion_matrix(confusion, HEAD)
    (shades,) = picture.figure.axes[0].images
    assert (np.diag(shades.get_array()) == 0).all()
    assert shades.get_clim() == (0, 3 if classes > 1 else 1)
    assert said(picture).count("5,000") == (classes if classes < 256 else 0)
    assert said(picture).count("3") == (classes**2 - classes if classes < 256 else 0)
    save(picture, tmp_path / "x.png")


def test_classes_are_called_by_their_names():
    """The names are on the axes of the confusion matrix, and below an output's weights and a misclassified example."""
    names = ("Sandal", "Ankle boot")
    axes = confusion_matrix(np.ones((2, 2), int), HEAD, names).figure.axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["Sandal 0", "Ankle boot 1"]
    assert {"Sandal", "Ankle boot"} <= set(said(first_layer_weights(np.ones((2, 4)), (2, 2), "4-2", outputs=names)))
    answer = Answer(np.zeros((2, 2), np.uint8), 7, *names, 0.987)
    assert "Sandal →\nAnkle boot\noutput 0.987\nexample 7" in said(mistakes([answer], 1, HEAD))


@pytest.mark.parametrize(("neurons", "shape"), [(3, (5, 2)), (NEURONS + 8, (1, 40)), (2, (100, 90))])
def test_weights_are_images_of_the_inputs_shape_on_one_scale(tmp_path, rng, neurons, shape):
    """The title gives the number of neurons. All images share a scale with 0 in the middle."""
    picture = first_layer_weights(rng.normal(size=(neurons, shape[0] * shape[1])), shape, "a network")
    images = [image for axes in picture.figure.axes for image in axes.images]
    shown = min(neurons, NEURONS)
    assert [image.get_array().shape for image in images] == [shape] * shown
    assert {image.norm for image in images} == {images[0].norm}
    assert images[0].norm.vmin == -images[0].norm.vmax
    assert (f"all {shown}" if neurons == shown else f"the first {NEURONS} of {neurons}") in picture.title
    save(picture, tmp_path / "x.svg")


def test_no_mistake_is_reported():
    """In the picture: its file is there all the same."""
    assert "None: every example was classified correctly." in said(mistakes([], 0, HEAD))
