"""The loop: what it reports, what it repeats, what it leaves behind when it is cut short."""

import numpy as np
import pytest

from mnist_bp.data.batches import mini_batches
from mnist_bp.errors import Diverged
from mnist_bp.network import Network
from mnist_bp.training.evaluation import evaluate
from mnist_bp.training.settings import Settings
from mnist_bp.training.trainer import train

LEARNING_RATE = 2.0


@pytest.fixture
def data(few_digits):
    """250 examples to train on and 100 to test on, as the loop takes them."""
    learn, test = few_digits
    learn, test = learn.first(250), test.first(100)
    return (learn.inputs(np.float32), learn.labels), (test.inputs(np.float32), test.labels)


def fresh(dtype=np.float32, activation="sigmoid"):
    """Return a small network with fixed initial weights."""
    return Network([784, 12, 10], activation=activation, rng=np.random.default_rng(3), dtype=dtype)


def run(network, data, *, epochs=3, batch_size=100, learning_rate=LEARNING_RATE, seed=0, on_batch=None):
    """All results of a training."""
    settings = Settings(average=0, epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, seed=seed)
    return list(train(network, *data, settings, on_batch=on_batch))


def test_epochs_are_numbered_from_one_and_record_their_learning_rate(data):
    """There is one result for each epoch, in order."""
    results = run(fresh(), data, epochs=3)
    assert [result.epoch for result in results] == [1, 2, 3]
    assert {result.learning_rate for result in results} == {LEARNING_RATE}
    assert all(result.seconds > 0 for result in results)


def test_training_cost_and_accuracy_are_weighted_by_batch_size(data):
    """250 examples in batches of 100: the last 50 count half as much as the others."""
    (inputs, labels), _ = data
    network = fresh()
    costs, right = [], 0
    for X, answers in mini_batches(inputs, labels, 100, seed=5, epoch=1):
        cost, gradient = network.backpropagate(X, answers)
        costs.append((len(answers), float(cost)))
        right += int((network.forward(X).argmax(axis=1) == answers).sum())
        network.parameters[...] -= np.float32(LEARNING_RATE) * gradient.vector
    assert [size for size, _ in costs] == [100, 100, 50]

    (result,) = run(fresh(), data, epochs=1, seed=5)
    assert result.train_cost == pytest.approx(sum(size * cost for size, cost in costs) / 250, rel=1e-5)
    assert result.train_cost != pytest.approx(np.mean([cost for _, cost in costs]), rel=1e-5)
    assert result.train_accuracy == right / 250


def test_the_test_figures_are_those_of_the_network_after_the_epoch(data):
    """Evaluating the trained network gives what the last result says."""
    network = fresh()
    last = run(network, data)[-1]
    evaluation = evaluate(network, *data[1])
    assert (last.test_cost, last.test_accuracy) == (evaluation.cost, evaluation.accuracy)


def test_the_same_seed_gives_the_same_network_bit_for_bit(data):
    """Two trainings with equal settings end in equal bytes, and report equal figures."""
    first, second = fresh(), fresh()
    figures = [
        [(result.train_cost, result.train_accuracy, result.test_cost) for result in run(network, data, seed=7)]
        for network in (first, second)
    ]
    assert first.parameters.tobytes() == second.parameters.tobytes()
    assert figures[0] == figures[1]


def test_another_seed_gives_another_network(data):
    """The seed decides the order of the examples, and so the result."""
    first, second = fresh(), fresh()
    run(first, data, seed=7)
    run(second, data, seed=8)
    assert not np.array_equal(first.parameters, second.parameters)


def test_cost_falls(data):
    """After ten epochs both costs are well below those of the first."""
    results = run(fresh(), data, epochs=10, batch_size=10)
    assert results[-1].train_cost < 0.5 * results[0].train_cost
    assert results[-1].test_cost < 0.8 * results[0].test_cost


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu", "leaky-relu"])
def test_twenty_examples_are_learned_by_heart(data, activation):
    """A network that learns at all gets all of 20 examples right."""
    (inputs, labels), test = data
    rate = LEARNING_RATE if activation == "sigmoid" else 0.5
    results = run(
        fresh(activation=activation), ((inputs[:20], labels[:20]), test), epochs=300, batch_size=5, learning_rate=rate
    )
    assert results[-1].train_accuracy == 1
    assert results[-1].train_cost < 0.05


def test_a_batch_of_all_examples_is_gradient_descent(data):
    """With one batch, an epoch is one step against the gradient of the mean cost over all examples."""
    (inputs, labels), test = ((images.astype(np.float64), labels) for images, labels in data)
    network, by_hand = fresh(np.float64), fresh(np.float64)
    run(network, ((inputs, labels), test), epochs=2, batch_size=len(labels))
    for _ in range(2):
        by_hand.parameters[...] -= LEARNING_RATE * by_hand.backpropagate(inputs, labels)[1].vector
    np.testing.assert_allclose(network.parameters, by_hand.parameters, rtol=0, atol=1e-14)


@pytest.mark.parametrize("part", [1, 7, 100, 249, 250])
def test_a_large_mini_batch_is_computed_in_parts_and_their_mean_is_taken(data, part, monkeypatch):
    """However it is cut, also where the last part is a short one, the step is that of the whole."""
    (inputs, labels), test = ((images.astype(np.float64), labels) for images, labels in data)
    whole, in_parts = fresh(np.float64), fresh(np.float64)
    results = [run(whole, ((inputs, labels), test), epochs=2, batch_size=250)[-1]]
    monkeypatch.setattr("mnist_bp.training.gradients.EXAMPLES_AT_ONCE", part)
    monkeypatch.setattr("mnist_bp.training.evaluation.EXAMPLES_AT_ONCE", part)
    results.append(run(in_parts, ((inputs, labels), test), epochs=2, batch_size=250)[-1])
    np.testing.assert_allclose(in_parts.parameters, whole.parameters, rtol=0, atol=1e-13)
    assert results[1].train_cost == pytest.approx(results[0].train_cost, rel=1e-12)
    assert results[1].train_accuracy == results[0].train_accuracy


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_epoch_cut_short_leaves_no_trace(data, error):
    """An exception in the middle of the second epoch leaves the network as the first one left it."""
    network, after_one_epoch = fresh(), fresh()
    run(after_one_epoch, data, epochs=1)
    steps = 0

    def fail_in_the_second_epoch():
        nonlocal steps
        steps += 1
        if steps == 5:
            raise error

    results = []
    with pytest.raises(error):
        results.extend(run(network, data, on_batch=fail_in_the_second_epoch))
    assert steps == 5
    assert network.parameters.tobytes() == after_one_epoch.parameters.tobytes()


def test_an_epoch_that_is_not_tested_leaves_no_trace(data, monkeypatch):
    """After Ctrl-C during the evaluation, the network is that of the last yielded result."""
    network = fresh()
    before = network.parameters.copy()

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("mnist_bp.training.trainer.evaluate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(network, data)
    np.testing.assert_array_equal(network.parameters, before)


def test_divergence_is_an_error_and_leaves_finite_numbers(data):
    """A learning rate that overflows raises Diverged, names itself, and leaves the network as it was."""
    network = Network([784, 16, 16, 10], activation="relu", rng=np.random.default_rng(0), dtype=np.float32)
    before = network.parameters.copy()
    with pytest.raises(Diverged, match=r"diverged in epoch 1.*--learning-rate below 1e\+30"):
        run(network, data, learning_rate=1e30)
    np.testing.assert_array_equal(network.parameters, before)


def test_a_test_cost_that_overflows_is_divergence_too(data):
    """Test images that drive a finite network out of the finite numbers raise Diverged, without a warning."""
    training, (test_inputs, test_labels) = data
    network = Network([784, 10], cost="cross-entropy", rng=np.random.default_rng(0), dtype=np.float32)
    with pytest.raises(Diverged):
        run(network, (training, (test_inputs * np.float32(3e38), test_labels)), epochs=1)
