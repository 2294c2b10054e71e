"""``mnist-bp explain``."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mnist_bp.data.datasets import Examples
from mnist_bp.network import Network


@pytest.fixture
def run(trained: Callable, few: Path) -> Path:
    """A run on the few digits."""
    return trained("--data-dir", few, "--epochs", 2)


def test_the_latest_run_is_explained(cli: Callable, run: str) -> None:
    """Everything in one object: factors, paths, nudge, ranking, mini-batch, step."""
    finished = cli("explain", run, "--example", 7, "--weight", "2:3,4", "--json")

    assert finished.code == 0
    [record] = finished.records
    assert record["network"] == "784-16-16-10 of run/model.npz"
    assert record["example"] == "example 7 of few's test set"
    factors = record["factors"]
    assert factors["name"] == "w_{3,4}^(2)"
    assert factors["product"] == pytest.approx(factors["a_k"] * factors["slope"] * factors["dC_da"], rel=1e-12)
    assert factors["product"] == pytest.approx(factors["backprop"], rel=1e-12)
    assert [len(paths["paths"]) for paths in record["paths"]] == [10]
    assert len(record["outputs"]) == 10
    assert record["batch"]["examples"] == 100
    assert record["step"]["learning_rate"] == 2.0


def test_people_get_every_section(cli: Callable, run: str) -> None:
    """The lesson's thoughts in order, and the digit itself."""
    out = cli("explain", run, "--example", 7, "--weight", "1:3,300").out

    sections = [
        "The cost of this example",
        "How sensitive is C_0 to w_{3,300}^(1)?",
        "∂C_0/∂a_{3}^(1) is the sum over 16 paths",
        "is the sum over 10 paths",
        "Nudge w_{3,300}^(1) by 0.01",
        "The weights to which this cost is most sensitive",
        "Requested changes to the previous layer",
        "One layer further back: how sensitive is C_0 to each pixel",
        "w_{3,300}^(1) in the mini-batch of 100 examples",
        "One step of gradient descent on the mini-batch",
    ]
    places = [out.index(section) for section in sections]
    assert places == sorted(places)
    assert any(line.count("@") + line.count("%") + line.count("#") >= 2 for line in out.splitlines()[:18])


@pytest.mark.parametrize(
    "arguments", [["run"], ["run", "--weight", "1:0,406"], ["run", "--bias", "3:2"], ["--fresh", "--hidden", "none"]]
)
def test_nothing_is_wider_than_eighty_columns(cli: Callable, run: str, arguments: list[str]) -> None:
    """It reads well in a narrow window and in a pipe."""
    finished = cli("explain", *arguments)

    assert finished.code == 0
    assert max(len(line) for line in finished.out.splitlines()) <= 80


def test_a_small_number_keeps_its_digits(cli: Callable, run: str) -> None:
    """Not +0.000000: of a trained network, many derivatives are tiny."""
    [record] = cli("explain", run, "--learning-rate", "1e-9", "--json").records
    out = cli("explain", run, "--learning-rate", "1e-9").out

    assert f"predicted change of the cost {record['step']['promised']:+.6g}, actual" in " ".join(out.split())


def test_a_fresh_network_can_be_explained(cli: Callable) -> None:
    """Without any run; on synthetic digits where there is nothing else, and it says so."""
    finished = cli("explain", "--fresh", "--hidden", "5", "--cost", "cross-entropy", "--bias", "2:1")

    assert finished.code == 0
    assert "network  784-5-10, fresh" in finished.out
    assert "(SYNTHETIC)" in finished.out
    assert "b_{1}^(2)" in finished.out
    assert "how wrong the output is: ∂C_0/∂z_j, without σ′" in finished.out


@pytest.mark.parametrize(
    ("cost", "formula"),
    [
        ("squared-error", "C_0 = Σ_j (a_j − y_j)² = 0."),
        ("cross-entropy", "C_0 = − ln a_4 = 2."),
        ("binary-cross-entropy", "C_0 = − Σ_j (y_j ln a_j + (1 − y_j) ln (1 − a_j)) = "),
    ],
)
def test_the_cost_is_printed_with_its_formula(cli: Callable, cost: str, formula: str) -> None:
    """With cross-entropy, it is that of the correct output, a 4."""
    assert formula in " ".join(cli("explain", "--fresh", "--hidden", "5", "--cost", cost).out.split())


def test_an_image_takes_the_place_of_an_example(cli: Callable, run: str, few_digits: tuple[Examples, Examples]) -> None:
    """An image from the dataset and from a file give equal factors."""
    image, label = few_digits[1].images[0], int(few_digits[1].labels[0])
    Image.fromarray(image).save("digit.png")

    [from_file] = cli("explain", "--image", "digit.png", "--label", label, "--weight", "2:1,1", "--json").records
    [from_set] = cli("explain", "--example", 0, "--weight", "2:1,1", "--json").records

    assert from_file["example"] == "digit.png"
    assert from_file["factors"] == from_set["factors"]


def test_the_same_command_gives_the_same_answer(cli: Callable, run: str) -> None:
    """Nothing in it is random."""
    assert cli("explain", "--json").out == cli("explain", "--json").out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--weight", "4:0,0"], "there is no layer 4: expected 1 to 3"),
        (["--weight", "3:10,0"], "no neuron 10 in layer 3: expected 0 to 9"),
        (["--weight", ""], "--weight : expected L:J,K"),
        (["--weight", "3:0,16"], "no weight of layer 3 comes from neuron 16: expected k from 0 to 15"),
        (["--weight", "3-0-1"], "expected L:J,K"),
        (["--weight", "3:4"], "expected L:J,K"),
        (["--bias", "3:4,7"], "expected L:J, like 3:4"),
        (["--weight", "3:4,7", "--bias", "3:4"], "exclude each other"),
        (["--example", "250"], "--example 250 is not in few's test set; expected 0 to 249"),
        (["--example", "-1"], "--example"),
        (["--image", "x.png"], "--image and --label require each other"),
        (["--label", "3"], "--image and --label require each other"),
        (["--image", "right.png", "--label", "3", "--example", "2"], "--image replaces the example"),
        (["--image", "none.png", "--label", "3"], "cannot read the image none.png"),
        (["--image", "text.png", "--label", "3"], "text.png is not a supported image"),
        (["--image", "white.png", "--label", "3"], "white.png shows no digit"),
        (["--image", "right.png", "--label", "10"], "--label 10: expected 0 to 9"),
        (["--only", "factor"], "--only factor: factor is not a part; expected outputs, factors, paths, nudge"),
        (["--only", ""], "--only : an empty word is not a part"),
        (["--fresh", "run"], "--fresh explains an untrained network"),
        (["run", "--cost", "cross-entropy"], "--cost describes a fresh network"),
        (["--hidden", "30"], "--hidden describes a fresh network"),
        (["--learning-rate", "0"], "--learning-rate"),
        (["nowhere"], "nowhere is not a model: expected a model.npz"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(cli: Callable, run: str, arguments: list[str], said: str) -> None:
    """The line says what was wrong and what was expected."""
    Path("text.png").write_text("not a picture", encoding="utf-8")
    Image.new("L", (280, 280), 255).save("white.png")
    Image.fromarray(np.zeros((28, 28), np.uint8)).save("right.png")

    finished = cli("explain", *arguments)

    assert finished.code == 2
    assert said in finished.err
    assert finished.err.count("\n") == 1


def test_without_pillow_an_image_is_refused_with_the_command_that_installs_it(
    cli: Callable, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything else works without it."""
    monkeypatch.setitem(sys.modules, "PIL", None)

    finished = cli("explain", "--image", "digit.png", "--label", "3")

    assert finished.code == 2
    assert "pip install 'mnist-bp[plot]'" in finished.err


def test_a_model_for_other_data_is_refused(cli: Callable, run: str) -> None:
    """Its sizes and those of the data are named."""
    from mnist_bp import Network

    Network([9, 4, 10], rng=np.random.default_rng(0)).save("small.npz")

    finished = cli("explain", "small.npz", "--dataset", "synthetic")

    assert finished.code == 2
    assert "takes 9 inputs" in finished.err


def test_a_dark_pixel_is_named(cli: Callable, run: str) -> None:
    """Its weight has no influence, in this image and here in the whole mini-batch; zeros have no minus sign."""
    out = " ".join(cli("explain", run, "--weight", "1:3,0").out.split())

    assert "a_k +0 this pixel is 0 in this image" in out
    assert "this pixel is 0 in this image: a_k = 0, so no change of this weight matters." in out
    assert "No example requests a change of this parameter: every derivative is 0." in out
    assert "∂C_0/∂w_{3,0}^(1) = +0 (complex step: +0)" in out
    assert "They differ" not in out
    assert not re.search(r"-0(?![.\d])", out)


@pytest.mark.parametrize(
    ("options", "parameters", "said"),
    [
        (("--weight", "2:0,0"), {"b1": -99}, "this input neuron is 0 on this example: a_k = 0, so no change of this"),
        (("--bias", "1:0"), {"b1": -99}, "σ′(z_j) = 0: the neuron is inactive or saturated, so a small change of its"),
        (("--bias", "1:0"), {"W2": 0}, "on this example, this parameter has no influence"),
        (("--bias", "1:0"), {"W2": 1e-16}, "is so small that the change is lost in rounding"),
    ],
)
def test_the_reason_why_nothing_changes_is_named(
    cli: Callable, idx_folder: Path, options: tuple[str, str], parameters: dict[str, float], said: str
) -> None:
    """Not every parameter without influence belongs to a dark pixel."""
    from mnist_bp import Network

    network = Network([784, 3, 10], activation="relu", rng=np.random.default_rng(0))
    network.named_arrays()["b1"].fill(1)
    for name, value in parameters.items():
        network.named_arrays()[name].fill(value)
    network.save("relu.npz")

    out = " ".join(cli("explain", "relu.npz", "--data-dir", idx_folder, *options).out.split())

    assert said in out
    assert "curved" not in out


def test_only_some_parts_are_printed(cli: Callable, run: str) -> None:
    """Those that --only names, in the order of the report; the record has all keys."""
    options = ("explain", run, "--weight", "1:3,300")
    finished = cli(*options, "--only", "nudge,factors")
    blocks = finished.out.strip().split("\n\n")

    assert [block.splitlines()[0] for block in blocks[1:-1]] == [
        "How sensitive is C_0 to w_{3,300}^(1)?",
        "Nudge w_{3,300}^(1) by 0.01",
    ]
    assert len(finished.out.splitlines()) <= 20
    assert cli(*options, "--only", "batch", "--json").records == cli(*options, "--json").records


def test_the_mini_batch_names_its_examples(cli: Callable, run: str, few_digits: tuple[Examples, Examples]) -> None:
    """A picture takes the place of the first; the last mini-batch is shorter."""
    Image.fromarray(few_digits[1].images[0]).save("digit.png")
    batch = ("explain", run, "--weight", "2:1,1", "--only", "batch")

    by_picture = cli(*batch, "--image", "digit.png", "--label", int(few_digits[1].labels[0])).out
    last = cli(*batch, "--example", 249).out
    [record] = cli(*batch, "--example", 249, "--json").records

    assert "It holds the picture, and examples 1 to 99 of few's test set." in by_picture
    assert "It holds examples 200 to 249 of few's test set." in last
    assert (record["mini_batch"], record["first_example"]) == ("examples 200 to 249 of few's test set", 200)
    strongest = 200 + record["batch"]["pulls"][0]["example"]
    assert f"(example {strongest})" in " ".join(last.split())


def test_the_sensitivity_of_each_pixel_is_drawn_and_recorded(cli: Callable, run: str) -> None:
    """One part, with a legend and the pixels that matter most; the record has the rows of the image."""
    finished = cli("explain", run, "--example", 7, "--only", "pixels")
    [record] = cli("explain", run, "--example", 7, "--only", "pixels", "--json").records

    pixels = np.array(record["pixels"])
    lines = finished.out.splitlines()
    assert pixels.shape == (28, 28)
    assert lines[3].startswith("One layer further back")
    assert sum("#" in line or "=" in line for line in lines[4:18]) >= 2
    assert lines[18:20] == [
        "+ and #: made brighter, this pixel raises C_0",
        "- and =: made brighter, this pixel lowers C_0",
    ]
    row, column = np.unravel_index(pixels.argmax(), (28, 28))
    strongest = f"raise it most: {pixels.argmax()} (row {row}, column {column}) {pixels.max():+.4g}"
    assert strongest in " ".join(finished.out.split())
    assert "How sensitive is C_0 to w" not in finished.out


def test_a_network_that_ignores_its_inputs_has_no_sensitive_pixel(cli: Callable, idx_folder: Path) -> None:
    """A sentence takes the place of the image."""
    network = Network([784, 4, 10], rng=np.random.default_rng(0))
    network.parameters = np.zeros_like(network.parameters)
    network.save("zero.npz")
    out = cli("explain", "zero.npz", "--data-dir", idx_folder, "--only", "pixels").out
    assert "On this example, no pixel has an influence: every derivative is 0." in out
