"""The Python API, as a notebook uses it: on datasets, and on the user's own arrays."""

from inspect import signature

import numpy as np
import pytest
from written_sets import random_set, write_idx

import mnist_bp
from mnist_bp import Network, Trainer, check_gradient, evaluate, explain, load_dataset
from mnist_bp.errors import DataUnavailable, InputError
from mnist_bp.training.data_settings import DATA_SETTINGS


@pytest.fixture
def network():
    """A small network of 12 inputs and 3 outputs, in float64."""
    return Network([12, 5, 3], rng=np.random.default_rng(0), dtype=np.float64)


@pytest.fixture
def arrays():
    """60 examples whose class is the brightest of three rows of pixels; floats from 0 to 1."""
    rng = np.random.default_rng(1)
    images, labels = rng.random((60, 3, 4)) / 2, rng.integers(0, 3, 60)
    images[np.arange(60), labels] += 0.5
    return images, labels


def test_every_name_of_the_package_is_there():
    """All names in ``__all__`` can be imported. Other names are an AttributeError."""
    assert all(getattr(mnist_bp, name) for name in mnist_bp.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = mnist_bp.nonsense


def test_a_network_learns_the_users_own_arrays(network, arrays):
    """Each epoch gives its figures; the network is trained in place, and evaluates to the last of them."""
    before = evaluate(network, arrays).accuracy

    results = list(Trainer(network, arrays, arrays, epochs=30, batch_size=10, learning_rate=1.0).run())

    assert [result.epoch for result in results] == [*range(1, 31)]
    assert evaluate(network, arrays).accuracy == results[-1].test_accuracy > max(before, 0.9)


def test_a_dataset_is_loaded_from_a_folder_and_learned(idx_folder):
    """``train`` and ``test`` are what the trainer takes; augmentation knows the shape of the images."""
    data = load_dataset(data_dir=idx_folder, limit=200)
    network = Network([784, 8, 10], rng=np.random.default_rng(0))

    trainer = Trainer(network, data.train, data.test, epochs=1, augment="shift")
    (result,) = trainer.run()

    assert (len(data.train), result.test_accuracy) == (200, evaluate(trainer.eval_network, data.test).accuracy)


def test_the_best_network_of_a_training_can_be_used(network, arrays):
    """Its accuracy on the validation set is the best of all epochs; an early stop needs no further setting."""
    trainer = Trainer(network, arrays, arrays, validation=arrays, epochs=20, early_stop=2, learning_rate=9.0)
    results = list(trainer.run())

    best = max(result.validation_accuracy for result in results)
    assert evaluate(trainer.saved_network, arrays).accuracy == best == results[trainer.saved_epoch - 1].test_accuracy
    assert trainer.saved_epoch < trainer.epoch


def test_a_dataset_is_loaded_with_the_options_of_the_command_line(tmp_path, rng):
    """Each option of ``train`` about data has a parameter, which is checked in the same way."""
    names = {setting.name for setting in DATA_SETTINGS.values()} - {"dataset", "data_dir"}
    assert names == {*signature(load_dataset).parameters} - {"name", "data_dir", "limit"}
    sets = random_set(rng, (4, 9), examples=(30, 6))
    write_idx(sets, tmp_path / "set")
    for file in (tmp_path / "set").glob("t10k*"):
        file.unlink()
    (tmp_path / "names.txt").write_text("ant\nbee\ncat\ndog\n", encoding="utf-8")
    data = load_dataset(
        data_dir=tmp_path / "set", test_split=0.2, invert=True, transpose=True, classes=4,
        class_names=tmp_path / "names.txt",
    )  # fmt: skip
    assert (data.classes, data.class_names, len(data.test)) == (4, ("ant", "bee", "cat", "dog"), 6)
    together = np.concatenate([data.train.images, data.test.images])
    assert sorted(map(bytes, together)) == sorted(map(bytes, 255 - sets[0].images.transpose(0, 2, 1)))
    with pytest.raises(InputError, match="test-split = 2 is not valid; expected a fraction between 0 and 1"):
        load_dataset(data_dir=tmp_path / "set", test_split=2)


def test_a_dataset_that_is_not_available_is_an_error(monkeypatch):
    """There is no silent fallback to synthetic digits."""
    monkeypatch.setenv("MNIST_BP_OFFLINE", "1")
    with pytest.raises(DataUnavailable):
        load_dataset()


def test_the_gradient_is_checked(network, arrays):
    """Ours passes by both methods."""
    report = check_gradient(network, arrays)

    assert report.passed
    assert [check.method for check in report.checks] == ["complex", "central"]


def right(weights, biases, x, y):
    """The gradient of sigmoids and squared error."""
    a = [x]
    for W, b in zip(weights, biases, strict=True):
        a.append(1 / (1 + np.exp(-(a[-1] @ W.T + b))))
    dC_da, dC_dW, dC_db = 2 * (a[-1] - y) / len(x), [], []
    for layer in reversed(range(len(weights))):
        dC_dz = a[layer + 1] * (1 - a[layer + 1]) * dC_da
        dC_dW.insert(0, dC_dz.T @ a[layer])
        dC_db.insert(0, dC_dz.sum(axis=0))
        dC_da = dC_dz @ weights[layer]
    return dC_dW, dC_db


def test_the_users_own_gradient_is_checked(network, arrays):
    """A right function passes; for one that forgets the factor 2, the diagnosis names it."""

    def half(*arguments):
        return tuple([array / 2 for array in arrays] for arrays in right(*arguments))

    assert check_gradient(network, arrays, backpropagate=right).passed
    wrong = check_gradient(network, arrays, backpropagate=half)
    assert wrong.outcome == "failed"
    assert "factor 2" in wrong.diagnosis[0]


def test_the_users_own_cost_is_checked(network, arrays):
    """In the same convention, which may be given."""

    def columns(x, y, weights, biases):
        return tuple([array / 2 for array in arrays] for arrays in right(weights, [b[:, 0] for b in biases], x.T, y.T))

    def cost(x, y, weights, biases):
        a = x
        for W, b in zip(weights, biases, strict=True):
            a = 1 / (1 + np.exp(-(W @ a + b)))
        return ((a - y) ** 2).sum() / (2 * y.shape[1])

    report = check_gradient(network, arrays, backpropagate=columns, cost_function=cost)
    assert (report.outcome, report.cost_function, report.convention.layout) == (
        "passed",
        cost.__qualname__,
        "columns,jk",
    )
    assert check_gradient(network, arrays, backpropagate=columns).outcome == "failed"
    with pytest.raises(InputError, match="rows"):
        check_gradient(network, arrays, backpropagate=columns, layout="rows,jk")
    with pytest.raises(InputError):
        check_gradient(network, arrays, backpropagate=columns, signature="weights,biases,x,y")


@pytest.mark.parametrize("option", [{"cost_function": max}, {"signature": "x,y"}, {"layout": "rows"}])
def test_options_of_a_function_require_one(network, arrays, option):
    """They would have no effect."""
    with pytest.raises(InputError, match="requires backpropagate"):
        check_gradient(network, arrays, **option)


def test_a_derivative_is_explained(network, arrays):
    """Its factors multiply to the derivative that backpropagation computes."""
    explanation = explain(network, arrays, 7, weight=(2, 1, 3))

    images, labels = arrays
    _, gradient = network.backpropagate(images[7:8].reshape(1, 12), labels[7:8])
    assert explanation.factors.product == pytest.approx(gradient.weights[1][1, 3], rel=1e-12)


@pytest.mark.parametrize(
    ("images", "labels", "said"),
    [
        (np.zeros((3, 11)), [0, 1, 2], "takes 12 numbers an example"),
        (np.zeros((0, 12)), [], "takes 12 numbers an example"),
        (np.full((3, 12), "x"), [0, 1, 2], "takes 12 numbers an example"),
        (np.zeros((3, 12)), [0, 1, 3], "expected labels from 0 to 2"),
        (np.zeros((3, 12)), [0, 1], "3 images, but labels of shape (2,)"),
        (np.zeros((3, 12)), np.eye(3), "3 images, but labels of shape (3, 3)"),
        (np.full((3, 12), np.nan), [0, 1, 2], "the images contain NaN or infinity; expected finite float64 numbers"),
        (np.full((3, 12), -np.inf), [0, 1, 2], "the images contain NaN or infinity"),
    ],
)
def test_examples_that_do_not_fit_the_network_are_refused(network, images, labels, said):
    """By every function, in a line that says what fits."""
    for call in (evaluate, check_gradient, explain, lambda net, pair: Trainer(net, pair, pair)):
        with pytest.raises(InputError) as refused:
            call(network, (images, labels))
        assert said in str(refused.value)


def test_an_explanation_of_what_is_not_there_is_refused(network, arrays):
    """An example, a parameter, or two of them."""
    with pytest.raises(InputError, match="example 60 is not one of the 60 examples"):
        explain(network, arrays, 60)
    with pytest.raises(InputError, match="name two parameters"):
        explain(network, arrays, weight=(1, 0, 0), bias=(1, 0))
    with pytest.raises(InputError):
        explain(network, arrays, weight=(3, 0, 0))


def test_images_that_are_too_large_for_the_networks_dtype_are_refused():
    """They would be infinite in float32."""
    network = Network([12, 3], rng=np.random.default_rng(0), dtype=np.float32)
    with pytest.raises(InputError, match="the images contain NaN or infinity; expected finite float32 numbers"):
        evaluate(network, (np.full((3, 12), 1e300), [0, 1, 2]))


def test_a_network_with_linear_outputs_learns(arrays):
    """Its learning rate has to be given: the default is that of sigmoid outputs, with which it would diverge."""
    network = Network([12, 5, 3], output_activation="identity", rng=np.random.default_rng(0), dtype=np.float64)
    with pytest.raises(InputError, match="no default learning rate for identity outputs: set learning_rate"):
        Trainer(network, arrays, arrays)

    *_, last = Trainer(network, arrays, arrays, epochs=40, batch_size=10, learning_rate=0.1).run()

    assert last.test_accuracy > 0.9
    assert check_gradient(network, arrays).passed
    assert explain(network, arrays, weight=(2, 1, 3)).factors.slope == 1


def test_linear_outputs_fit_any_numbers():
    """Least squares: gradient descent finds the line through four points."""
    x = np.array([[0.0], [1], [2], [3]])
    network = Network([1, 1], output_activation="identity", rng=np.random.default_rng(0), dtype=np.float64)

    for _ in range(500):
        network.parameters -= 0.1 * network.backpropagate(x, 5 - 3 * x)[1].vector

    assert network.forward(x) == pytest.approx(5 - 3 * x, abs=1e-9)


def test_the_sensitivity_to_each_pixel_has_the_shape_of_the_images(network, arrays):
    """Rows and columns of images; one row of flat inputs. It is ∂C/∂x of the one example."""
    images, labels = arrays
    explanation = explain(network, arrays, 7)
    found = np.array(explanation.pixels)
    flat = explain(network, (images.reshape(len(images), -1), labels), 7).pixels
    assert found.shape == (images.shape[1:] if images.ndim == 3 else (1, images.shape[1]))
    assert found.ravel().tolist() == flat[0]
    x = images.reshape(len(images), -1)[7:8] / (255 if images.dtype == np.uint8 else 1)
    _, dC_dX = network.astype(np.float64).input_gradient(x, labels[7:8])
    np.testing.assert_allclose(found.ravel(), dC_dX[0], rtol=1e-9, atol=1e-15)


def test_evaluate_measures_adversarial_examples(network, arrays):
    """ε = 0 gives the clean figures, and a larger one a larger cost."""
    costs = [evaluate(network, arrays, adversarial=ε).cost for ε in (0.0, 0.01, 0.05)]
    assert costs[0] == evaluate(network, arrays).cost
    assert costs == sorted(set(costs))


def test_an_input_gradient_has_the_mini_batchs_mean_cost(network, arrays):
    """The cost is that of backpropagate; inputs are checked as there."""
    x, y = arrays[0].reshape(len(arrays[0]), -1)[:5] / 255, arrays[1][:5]
    cost, dC_dX = network.input_gradient(x, y)
    assert cost == network.backpropagate(x, y)[0]
    assert dC_dX.shape == x.shape
    with pytest.raises(ValueError, match="5 inputs, but 4 labels"):
        network.input_gradient(x, y[:4])
