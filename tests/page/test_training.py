"""Training in the page: the sample of the training set, and the steps of the browser beside those of numpy."""

import base64
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from page_actions import Browser, ask, click, content_of, open_panel

from mnist_bp import Network
from mnist_bp.data.datasets import Dataset, Examples
from mnist_bp.page.assemble import assemble
from mnist_bp.page.content import page_content
from mnist_bp.page.training_set import training_content

RUNNING = "state.training !== null && state.training.taken"


def wait(browser: Browser, condition: str) -> Any:
    """Wait until the page says yes, and return what it says."""
    return browser.execute_async_script(
        f"""const done = arguments[0];
        const wait = () => {{
            const found = {condition};
            if (found) done(found);
            else setTimeout(wait);
        }};
        wait()"""
    )


def examples_of(training: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """The images, as inputs, and the labels of a page."""
    images = np.frombuffer(zlib.decompress(base64.b64decode(training["images"])), np.uint8)
    return images.reshape(len(training["labels"]), -1) / 255, np.array(training["labels"])


def sorted_digits(count: int) -> Examples:
    """Images that tell where they stood, sorted by class."""
    images = np.zeros((count, 28, 28), np.uint8)
    images[:, 0, :4] = np.arange(count, dtype=">u4").view(np.uint8).reshape(count, 4)
    return Examples(images, (np.arange(count) * 10 // count).astype(np.uint8))


def test_a_page_has_a_stratified_sample_of_the_training_set() -> None:
    """1,000 images to train on and 200 others to validate, unchanged, also of a set that is sorted by class."""
    train = sorted_digits(5000)

    training = training_content(train, Network([784, 16, 10], rng=np.random.default_rng(0)))

    assert training is not None
    x, labels = examples_of(training)
    places = np.rint(x[:, :4] * 255).astype(np.uint8).copy().view(">u4").ravel()
    assert len(set(places.tolist())) == 1200
    assert np.array_equal(train.labels[places], labels)
    assert np.array_equal(np.rint(x * 255), train.rows[places])
    assert training["validation"] == 200
    assert np.bincount(labels[:1000]).tolist() == 10 * [100]
    assert np.bincount(labels[1000:]).tolist() == 10 * [20]


@pytest.mark.parametrize(
    ("count", "pixels", "expected"), [(5, (28, 28), None), (60, (28, 28), 60), (900, (100, 80), 125)]
)
def test_fewer_or_larger_images_are_a_smaller_sample(count: int, pixels: tuple[int, int], expected: int | None) -> None:
    """A sixth of them validates; from too few, no network is trained."""
    train = Examples(np.zeros((count, *pixels), np.uint8), np.arange(count, dtype=np.uint8) % 10)

    training = training_content(train, Network([pixels[0] * pixels[1], 10], rng=np.random.default_rng(0)))

    assert (training and len(training["labels"])) == expected
    assert training is None or training["validation"] == count // 6 or pixels != (28, 28)


def test_pages_with_and_without_training_images(
    cli: Callable, idx_folder: Path, few_digits: tuple[Examples, Examples], network: Network
) -> None:
    """None of them is a test image; the policy allows a worker only where there is one."""
    network.save("model.npz")
    with_training = cli("page", "model.npz", "--data-dir", idx_folder)
    page = Path("page.html").read_text(encoding="utf-8")
    content = content_of(Path("page.html"))
    [record] = cli("page", "model.npz", "--data-dir", idx_folder, "--no-training", "--json").records
    without = Path("page.html").read_text(encoding="utf-8")

    train, test = few_digits
    images = {(row * 255).round().astype(np.uint8).tobytes() for row in examples_of(content["training"])[0]}
    assert images <= {row.tobytes() for row in train.rows}
    assert not images & {row.tobytes() for row in test.rows}
    assert page.count("worker-src blob:") == 1
    assert "worker-src" not in without
    assert content_of(Path("page.html"))["training"] is None
    assert 'id="worker"' not in without
    assert record["bytes"] <= 450_000
    assert "cannot train" not in with_training.out


def test_the_absence_of_the_training_set_is_one_line(cli: Callable, few_synthetic_digits: Callable[..., None]) -> None:
    """Synthetic digits stand in for the test digits, but not for the training set; of their own runs, they are both."""
    few_synthetic_digits(200, 50)
    network = Network([784, 10], rng=np.random.default_rng(0))
    network.save("real.npz", {"dataset": "mnist", "config": {"dataset": "mnist"}})
    network.save("synthetic.npz", {"dataset": "synthetic", "config": {"dataset": "synthetic"}})

    absent = cli("page", "real.npz")
    without = content_of(Path("page.html"))
    present = cli("page", "synthetic.npz")

    line = "The training set of this model is not on disk: the page cannot train a network."
    assert (absent.code, absent.out.count(line), without["training"]) == (0, 1, None)
    assert (present.code, present.out.count(line)) == (0, 0)
    assert content_of(Path("page.html"))["training"] is not None


@pytest.mark.browser
@pytest.mark.parametrize(
    "settings",
    [
        {"sizes": [784, 16, 16, 10]},
        {"sizes": [784, 12, 10], "activation": "relu", "cost": "cross-entropy"},
        {"sizes": [784, 20, 20, 20, 10], "activation": "tanh", "cost": "binary-cross-entropy"},
    ],
)
def test_ten_steps_in_the_worker_equal_ten_steps_of_numpy(
    browser: Browser, errors: None, show: Callable[..., None], data: Dataset, settings: dict[str, Any]
) -> None:
    """From the same weights and mini-batches, to the rounding of float64; training again repeats them."""
    network = Network(rng=np.random.default_rng(0), **settings)
    show(network, data, train=data.train)
    open_panel(browser, "training")
    browser.execute_async_script(
        """const done = arguments[0];
        const press = (taken) => (taken === 10 ? done() : (byId("train-step").click(), wait(taken + 1)));
        const wait = (taken) => setTimeout(() => (state.training?.taken === taken ? press(taken) : wait(taken)));
        press(0)"""
    )

    found, start, batches, rate = browser.execute_async_script(
        """const done = arguments[0], {parameters} = state.training;
        trainingData().then((data) => {
            const trainer = new Trainer(content.network, data, 1);
            const start = trainer.network.parameters;
            const batches = Array.from({length: 10}, () => trainer.nextBatch());
            done([Array.from(parameters), Array.from(start), batches, state.trainingRate]);
        })"""
    )
    x, labels = examples_of(ask(browser, "content.training"))
    exact = network.astype(np.float64)
    exact.parameters[:] = start
    for batch in batches:
        exact.parameters -= rate * exact.backpropagate(x[batch], labels[batch])[1].vector

    assert len({i for batch in batches for i in batch}) == 100
    assert np.abs(np.array(found) - exact.parameters).max() <= 1e-9
    measured = ask(browser, "state.training.validation.cost")
    n = ask(browser, "content.training.validation")
    cost, _ = exact.backpropagate(x[-n:], labels[-n:])
    assert measured == pytest.approx(cost, rel=1e-9)
    drawn = Network(dtype=np.float64, **{**settings, "rng": np.random.default_rng(1)})
    exact.parameters[:] = start
    for found_weights, weights in zip(exact.weights, drawn.weights, strict=True):
        assert found_weights.std() == pytest.approx(weights.std(), rel=0.2)


@pytest.mark.browser
def test_a_training_plays_and_pauses_and_the_page_shows_its_network(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset
) -> None:
    """It learns; leaving the panel pauses it; the page's own network can be put back."""
    show(network, data, train=data.train)
    own = ask(browser, "Array.from(network.parameters)")
    open_panel(browser, "training")
    click(browser, "#train-pace label:nth-of-type(3)")
    click(browser, "#train-play")
    wait(browser, "state.training !== null && state.training.validation.accuracy > 0.5")
    assert ask(browser, "byId('train-play').textContent") == "❚❚ Pause"

    open_panel(browser, "step")

    taken = wait(browser, "state.training.isPlaying ? 0 : state.training.taken")
    shown = wait(browser, "state.evaluation !== state.firstEvaluation && Array.from(network.parameters)")
    assert shown == ask(browser, "Array.from(state.training.parameters)")
    assert ask(browser, "state.training.points.length") > 2
    open_panel(browser, "training")
    assert f"step {taken}: " in ask(browser, "byId('train-status').textContent")
    click(browser, "#train-back")
    assert ask(browser, "Array.from(network.parameters)") == own
    assert ask(browser, "state.evaluation === state.firstEvaluation")
    click(browser, "#train-new")
    wait(browser, "state.training !== null && state.training.taken === 0")
    assert ask(browser, "state.training.points.length") == 1


@pytest.mark.browser
def test_a_page_without_training_images_has_no_training(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset
) -> None:
    """The curves of the run remain."""
    show(network, data)
    open_panel(browser, "training")

    assert ask(browser, "byId('train-here').hidden")
    assert ask(browser, "byId('cost-epochs').childElementCount") > 0


@pytest.mark.browser
def test_synthetic_training_digits_are_called_synthetic(
    browser: Browser, errors: None, show: Callable[..., None], network: Network, data: Dataset
) -> None:
    """In the sentence about them."""
    show(network, Dataset("synthetic", data.train, data.test), train=data.train)
    open_panel(browser, "training")

    assert "SYNTHETIC training images" in ask(browser, "byId('train-about').textContent")


def test_a_page_with_training_images_is_small(few_digits: tuple[Examples, Examples]) -> None:
    """At most 1.6 MB for 784-16-16-10, with as many images as fit."""
    train, test = few_digits
    many = Examples(np.tile(train.images, (4, 1, 1)), np.tile(train.labels, 4))
    network = Network([784, 16, 16, 10], rng=np.random.default_rng(0))
    content = page_content(
        network, Dataset("few", many, test), name="run", trained_on=None, learning_rate=2.0, train=many
    )

    assert len(content["training"]["labels"]) == 1200
    assert len(assemble({**content, "history": {}}, "run")) <= 1_600_000
