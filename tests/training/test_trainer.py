"""Training step by step: the effect of each setting, and resuming after any interruption."""

from dataclasses import replace

import numpy as np
import pytest

from mnist_bp.core.adversarial import adversarial_inputs
from mnist_bp.core.choices import OPTIMIZERS
from mnist_bp.core.objective import Objective
from mnist_bp.core.optimizers import Adam
from mnist_bp.core.regularization import smoothed_targets
from mnist_bp.data.batches import mini_batches
from mnist_bp.errors import Diverged, InputError
from mnist_bp.network import Network
from mnist_bp.training import epoch_inputs
from mnist_bp.training import trainer as trainer_module
from mnist_bp.training.evaluation import Evaluation, evaluate
from mnist_bp.training.schedules import SCHEDULES
from mnist_bp.training.settings import Settings
from mnist_bp.training.stopping import is_finished
from mnist_bp.training.trainer import LabelledImages, Trainer

SIZES = (16, 6, 5, 3)
ALL_AT_ONCE = Settings(average=0, learning_rate=0.5, batch_size=None, epochs=1, seed=0)
IN_BATCHES = Settings(average=0, learning_rate=0.5, batch_size=20, epochs=3, seed=4)
"""Settings with four batches of 20 and one of 10 for 90 examples."""


def examples(count, seed):
    """Random inputs of float64, and labels."""
    rng = np.random.default_rng(seed)
    return LabelledImages(rng.random((count, SIZES[0])), rng.integers(SIZES[-1], size=count).astype(np.uint8))


TRAINING, TEST, VALIDATION = examples(90, 1), examples(40, 2), examples(30, 3)


def fresh(cost="squared-error", dtype=np.float64):
    """Return a small network with fixed initial weights."""
    return Network(SIZES, activation="tanh", cost=cost, rng=np.random.default_rng(3), dtype=dtype)


def trainer(settings, network=None, **changed):
    """A trainer of a fresh network on those examples."""
    return Trainer(network or fresh(), TRAINING, TEST, replace(settings, **changed), validation=VALIDATION)


def trained(settings, network=None, **changed):
    """A trainer that is done, and its results."""
    made = trainer(settings, network, **changed)
    return made, list(made.run())


def state_bytes(made):
    """All that a trainer remembers."""
    return {name: array.tobytes() for name, array in made.state.items()}


# --- what a step is --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [{}, {"l2": 0.1}, {"label_smoothing": 0.3}, {"l2": 0.1, "label_smoothing": 0.3}])
def test_one_step_of_gradient_descent_by_hand(settings):
    """p − η (∇C + λ w), C from smoothed targets: the penalty pulls at the weights, not at the biases."""
    made, _ = trained(ALL_AT_ONCE, **settings)
    before = fresh()
    targets = smoothed_targets(3, settings.get("label_smoothing", 0), np.float64)[TRAINING.labels]
    _, gradient = before.backpropagate(TRAINING.images, targets)
    for W, b, W0, b0, dW, db in zip(
        made.network.weights, made.network.biases, before.weights, before.biases, gradient.weights, gradient.biases,
        strict=True,
    ):  # fmt: skip
        np.testing.assert_allclose(W, W0 - 0.5 * (dW + settings.get("l2", 0) * W0), rtol=0, atol=1e-14)
        np.testing.assert_allclose(b, b0 - 0.5 * db, rtol=0, atol=1e-14)


def test_with_adam_the_penalty_shrinks_the_weights_and_stays_out_of_the_means():
    """AdamW: w ← (1 − ηλ) w − η m̂ / (√v̂ + ε), m and v those of the cost alone; biases do not shrink."""
    η, λ = 0.01, 0.2
    made, _ = trained(ALL_AT_ONCE, optimizer="adam", learning_rate=η, l2=λ, epochs=3)
    by_hand = fresh()
    optimizer = Adam(by_hand.parameters)
    for _ in range(3):
        _, gradient = by_hand.backpropagate(TRAINING.images, TRAINING.labels)
        for W in by_hand.weights:
            W *= 1 - η * λ
        optimizer.step(by_hand.parameters, gradient.vector, η)
    np.testing.assert_allclose(made.network.parameters, by_hand.parameters, rtol=0, atol=1e-14)
    np.testing.assert_allclose(made.state["m"], optimizer.m, rtol=0, atol=1e-14)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_each_step_has_the_rate_that_the_schedule_gives_it(schedule):
    """From step to step, over all epochs; an epoch tells that of its first."""
    made, results = trained(IN_BATCHES, schedule=schedule)
    by_hand, step = fresh(), 0
    for epoch in range(3):
        assert results[epoch].learning_rate == 0.5 * SCHEDULES[schedule](epoch / 3, 15)
        for X, labels in mini_batches(*TRAINING, 20, seed=4, epoch=epoch + 1):
            rate = 0.5 * SCHEDULES[schedule](step / 15, 15)
            by_hand.parameters -= rate * by_hand.backpropagate(X, labels)[1].vector
            step += 1
    assert step == 15
    np.testing.assert_allclose(made.network.parameters, by_hand.parameters, rtol=0, atol=1e-13)


@pytest.mark.parametrize("cost", ["squared-error", "cross-entropy"])
def test_the_reported_cost_is_without_penalty_and_smoothing(cost):
    """The training cost of the one step is that of the fresh network, with the true labels."""
    network = fresh(cost)
    untouched, _ = network.backpropagate(TRAINING.images, TRAINING.labels)
    made, (result,) = trained(ALL_AT_ONCE, network, l2=0.9, label_smoothing=0.5)
    assert result.train_cost == pytest.approx(float(untouched), rel=1e-12)
    assert result.test_cost == evaluate(made.network, *TEST).cost


def test_dropout_is_for_training_only():
    """The training's figures are of thinned networks; tests see every neuron, without a correction."""
    _, (whole,) = trained(ALL_AT_ONCE)
    for thinned in ({"dropout": 0.5}, {"input_dropout": 0.5}):
        made, (result,) = trained(ALL_AT_ONCE, **thinned)
        assert result.train_cost != pytest.approx(whole.train_cost, rel=1e-3)
        assert (result.test_cost, result.validation_cost) == (
            evaluate(made.network, *TEST).cost,
            evaluate(made.network, *VALIDATION).cost,
        )


def test_dropout_is_drawn_afresh_in_each_step_and_by_the_seed(monkeypatch):
    """No two mini-batches of the training drop the same neurons; another seed drops others."""

    def masks(seed):
        seen, draw = [], epoch_inputs.draw_masks

        def noted(*arguments, **options):
            drawn = draw(*arguments, **options)
            seen.append(b"".join(mask.tobytes() for mask in drawn.values()))
            return drawn

        with monkeypatch.context() as patch:
            patch.setattr(epoch_inputs, "draw_masks", noted)
            trained(IN_BATCHES, seed=seed, dropout=0.5, input_dropout=0.2)
        return seen

    first, again, other = masks(4), masks(4), masks(5)
    assert len(set(first)) == len(first) == 15
    assert first == again
    assert not set(first) & set(other)


def norms(network):
    """Lengths of the incoming weight vectors of all neurons."""
    return np.concatenate([np.linalg.norm(W, axis=1) for W in network.weights])


@pytest.mark.parametrize("optimizer", [*OPTIMIZERS])
@pytest.mark.parametrize("extra", [{}, {"dropout": 0.3}, {"l2": 0.01}])
def test_no_incoming_weight_vector_is_longer_than_the_limit_after_a_step(optimizer, extra):
    """With every optimizer; most are held at the limit, and without it they are longer."""
    settings = replace(IN_BATCHES, optimizer=optimizer, learning_rate=0.1, **extra)
    longest = []
    made = trainer(settings, max_norm=0.7)
    list(made.run(lambda: longest.append(norms(made.network).max())))
    plain, _ = trained(settings)
    assert max(longest) <= 0.7 * (1 + 1e-15)
    assert max(longest) == pytest.approx(0.7)
    assert norms(plain.network).max() > 0.7


def test_the_average_of_limited_vectors_is_within_the_limit():
    """The network that is evaluated and saved keeps it, too."""
    small, limit = fresh(), 0.2  # an average begins with the initial weights, which are shorter
    small.parameters *= 0.1
    settings = replace(IN_BATCHES, optimizer="adam", learning_rate=0.05, average=0.9)
    limited, _ = trained(settings, small.astype(np.float64), max_norm=limit)
    free, _ = trained(settings, small)
    assert norms(limited.eval_network).max() <= limit * (1 + 1e-15)
    assert norms(free.eval_network).max() > 1.1 * limit


def test_a_limit_that_nothing_reaches_changes_no_bit():
    """Vectors that are short enough are left alone."""
    assert state_bytes(trained(IN_BATCHES, max_norm=100.0)[0]) == state_bytes(trained(IN_BATCHES)[0])


def test_one_step_of_adversarial_training_by_hand():
    """∇ of ½ C(x) + ½ C(x + ε sign(∂C/∂x)), not clipped; cost and accuracy are those of the clean examples."""
    before, Y, ε = fresh(), np.eye(3)[TRAINING.labels], 0.25
    dC_dX = before.input_gradient(TRAINING.images, Y)[1]
    attacked = TRAINING.images + ε * np.sign(dC_dX)
    assert attacked.min() < 0
    assert attacked.max() > 1
    cost, clean = before.backpropagate(TRAINING.images, Y)
    _, adversarial = before.backpropagate(attacked, Y)

    made, (result,) = trained(ALL_AT_ONCE, adversarial=ε, l2=0.1)

    step = 0.5 * (0.5 * clean.vector + 0.5 * adversarial.vector)
    penalty = before.parameter_vector.like(np.zeros(len(before.parameters)))
    for W, target in zip(before.weights, penalty.weights, strict=True):
        target[...] = 0.5 * 0.1 * W
    expected = before.parameters - step - penalty.vector
    np.testing.assert_allclose(made.network.parameters, expected, rtol=0, atol=1e-14)
    assert result.train_cost == pytest.approx(float(cost), rel=1e-12)


def test_the_gradient_of_adversarial_training_is_the_one_that_gradcheck_checks():
    """The mean over clean and adversarial examples as one mini-batch, with the same masks."""
    made = trainer(IN_BATCHES, adversarial=0.2, dropout=0.3, input_dropout=0.2, l2=0.1)
    batch = made._inputs().mini_batch(0)
    clean = Objective(batch.images, np.eye(3)[batch.labels], batch.draw_masks(slice(None), None), 0.1)
    both = clean.with_inputs(np.concatenate([batch.images, adversarial_inputs(made.network, clean, 0.2)]))
    np.testing.assert_allclose(made._gradients(batch)[1].vector, both.gradient(made.network).vector, rtol=0, atol=1e-15)


def test_adversarial_training_by_zero_is_plain_training():
    """To the bit."""
    assert state_bytes(trained(IN_BATCHES, adversarial=0.0)[0]) == state_bytes(trained(IN_BATCHES)[0])


@pytest.mark.parametrize("extra", [{}, {"dropout": 0.3, "input_dropout": 0.2}, {"l2": 0.1, "label_smoothing": 0.2}])
def test_parts_of_a_mini_batch_have_their_shares_of_its_gradient(monkeypatch, extra):
    """Also of adversarial examples, of large parts, and of masks: the weighted mean of the parts is the whole."""
    made = trainer(IN_BATCHES, adversarial=0.2, batch_size=None, **extra)
    batch = made._inputs().mini_batch(0)
    Z, gradient = made._gradients(batch)
    whole = Z.copy(), gradient.vector.copy()
    for at_once in (1_000, 20):
        monkeypatch.setattr("mnist_bp.training.gradients.EXAMPLES_AT_ONCE", at_once)
        monkeypatch.setattr("mnist_bp.training.evaluation.EXAMPLES_AT_ONCE", at_once)
        mean, sums = np.zeros_like(whole[1]), []
        for part in (slice(0, 31), slice(31, 32), slice(32, 90)):
            Z, gradient = made._gradients(batch, part)
            mean += gradient.vector * len(Z) / 90
            sums.append(Z.copy())
        np.testing.assert_allclose(mean, whole[1], rtol=0, atol=1e-15)
        np.testing.assert_allclose(np.concatenate(sums), whole[0], rtol=0, atol=1e-14)


# --- the average of the parameters -----------------------------------------------------------------------------------


@pytest.mark.parametrize("decay", [0.5, 0.999])
def test_the_average_by_hand_with_its_warm_up(decay):
    """After 10 steps and at the end of an epoch, d^k average + (1 − d^k) parameters, d = min(decay, t / (9 + t)).

    t counts the steps of all epochs, k those since the last update.
    """
    made = trainer(replace(IN_BATCHES, batch_size=8), average=decay)  # 12 steps in each of 3 epochs
    average, seen = made.network.parameters.copy(), []
    list(made.run(lambda: seen.append(made.network.parameters.copy())))
    assert len(seen) == 36
    for t, k in ((10, 10), (12, 2), (22, 10), (24, 2), (34, 10), (36, 2)):
        d = min(decay, t / (9 + t)) ** k
        average = d * average + (1 - d) * seen[t - 1]
    np.testing.assert_allclose(made.eval_network.parameters, average, rtol=0, atol=1e-14)


def test_the_average_is_what_is_tested_and_learning_continues_without_it():
    """Test and validation see the average; the network learns the same bytes as without one."""
    made, results = trained(IN_BATCHES, average=0.9)
    plain, _ = trained(IN_BATCHES)
    assert made.eval_network is not made.network
    assert made.network.parameters.tobytes() == plain.network.parameters.tobytes()
    assert results[-1].test_cost == evaluate(made.eval_network, *TEST).cost != evaluate(made.network, *TEST).cost
    assert results[-1].validation_cost == evaluate(made.eval_network, *VALIDATION).cost


def test_without_an_average_the_network_itself_is_tested():
    """There is nothing else to keep."""
    made = trainer(IN_BATCHES)
    assert made.eval_network is made.network
    assert "average" not in made.state


# --- validation and stopping early -----------------------------------------------------------------------------------


@pytest.fixture
def accuracies(monkeypatch):
    """Let the validation accuracies be these, epoch by epoch, out of 10; the test's are ever better ones."""

    def script(*right):
        validation, test = iter(right), iter(range(len(right)))

        def pretend(network, images, labels):
            good = next(validation) if np.shares_memory(labels, VALIDATION.labels) else next(test)
            return Evaluation(1.0, np.diag([good, 0, 0]) + np.eye(3, k=1, dtype=np.int64) * (10 - good))

        monkeypatch.setattr(trainer_module, "evaluate", pretend)

    return script


@pytest.mark.parametrize(
    ("right", "patience", "stops_after"),
    [
        ((5, 6, 6, 6, 7, 7, 7, 7, 7), 2, 4),  # as good is not better
        ((5, 6, 6, 6, 7, 7, 7, 7, 7), 3, 8),
        ((5, 4, 3, 2, 1, 0, 0, 0, 0), 1, 2),
        ((1, 2, 3, 4, 5, 6, 7, 8, 9), 1, 9),  # the last epoch
        ((5, 4, 3, 6, 5, 4, 3, 2, 1), 3, 7),
        ((0, 0, 0, 0, 0, 0, 0, 0, 0), 3, 3),
        ((5, 5, 5, 5, 5, 5, 5, 5, 5), None, 9),
    ],
)
def test_it_stops_after_so_many_epochs_without_a_better_validation_accuracy(accuracies, right, patience, stops_after):
    """Whatever the test accuracy does meanwhile."""
    accuracies(*right)
    made, results = trained(IN_BATCHES, epochs=len(right), early_stop=patience)
    assert [result.epoch for result in results] == list(range(1, stops_after + 1))
    assert is_finished(made.settings, made.state)
    assert list(made.run()) == []


def test_the_validation_set_changes_nothing_that_is_learned():
    """Whatever it is, the weights are the same bytes, and only the validation figures tell."""
    other = LabelledImages(VALIDATION.images[::-1], VALIDATION.labels)
    learned, costs = [], set()
    for validation in (None, VALIDATION, other):
        made = Trainer(fresh(), TRAINING, TEST, IN_BATCHES, validation=validation)
        results = list(made.run())
        learned.append(made.network.parameters.tobytes())
        costs.add(results[-1].validation_cost)
    assert learned[0] == learned[1] == learned[2]
    assert len(costs) == 3


def test_a_validation_cost_that_is_no_number_is_divergence():
    """As that of the test set is: no record holds what JSON cannot."""
    poisoned = LabelledImages(np.full_like(VALIDATION.images, np.nan), VALIDATION.labels)
    with pytest.raises(Diverged):
        list(Trainer(fresh(), TRAINING, TEST, IN_BATCHES, validation=poisoned).run())


def test_early_stop_without_a_validation_set_is_refused():
    """It would have nothing to look at."""
    with pytest.raises(InputError, match="validation set"):
        Trainer(fresh(), TRAINING, TEST, replace(IN_BATCHES, early_stop=2))


def test_distortions_of_images_of_no_known_shape_are_refused():
    """Rows of pixels do not say how many rows and columns they were."""
    with pytest.raises(InputError, match="image_shape"):
        Trainer(fresh(), TRAINING, TEST, replace(IN_BATCHES, augment="shift"))


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"optimizer": "adma"}, "optimizer"),
        ({"schedule": "onecycle"}, "schedule"),
        ({"augment": "twist"}, "augmentation"),
    ],
)
def test_a_name_that_nothing_has_is_refused_with_those_that_are_known(settings, what):
    """Python's users have no command line that checks what they type."""
    with pytest.raises(InputError, match=f"unknown {what} .*known: "):
        trainer(IN_BATCHES, **settings)


def test_without_a_validation_set_there_are_no_validation_figures():
    """None, not 0."""
    (result,) = Trainer(fresh(), TRAINING, TEST, ALL_AT_ONCE).run()
    assert result.validation_cost is None
    assert result.validation_accuracy is None


# --- stopped in the middle -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", [*OPTIMIZERS])
@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_an_epoch_cut_short_leaves_all_as_it_was_and_can_be_had_again(optimizer, error):
    """After three steps of the second epoch, all bytes are those after the first, and resuming gives the usual end."""
    settings = replace(
        IN_BATCHES, optimizer=optimizer, learning_rate=0.02, schedule="cosine", average=0.9, dropout=0.2, early_stop=3
    )
    one_epoch = trainer(settings)
    next(one_epoch.run())
    made, steps = trainer(settings), 0

    def fail():
        nonlocal steps
        steps += 1
        if steps == 8:
            raise error

    results = []
    with pytest.raises(error):
        results.extend(made.run(fail))
    assert steps == 8
    assert state_bytes(made) == state_bytes(one_epoch)
    list(made.run())
    whole, _ = trained(settings)
    assert made.epoch == 3
    assert state_bytes(made) == state_bytes(whole)


def test_the_state_is_the_networks_own_memory():
    """Names of all that changes; the parameters are not a copy."""
    made = trainer(IN_BATCHES, optimizer="adam", average=0.9)
    assert set(made.state) == {"epoch", "best_epoch", "best_accuracy", "parameters", "m", "v", "t", "average"}
    assert made.state["parameters"] is made.network.parameters
    assert made.state["average"] is made.eval_network.parameters


@pytest.mark.parametrize("optimizer", ["momentum", "nesterov", "adam"])
def test_an_optimizer_keeps_no_subnormal_numbers(optimizer):
    """They come from a pixel that is always black, and would slow down every step."""
    settings = replace(IN_BATCHES, optimizer=optimizer, learning_rate=0.001, epochs=1)
    black = LabelledImages(np.where(np.arange(SIZES[0]) == 7, 0, TRAINING.images), TRAINING.labels)
    made = Trainer(fresh(dtype=np.float32), black, TEST, settings)
    averages = [array for name, array in made._optimizer.state.items() if name != "t"]
    for average in averages:
        average[:] = 1e-40
    next(made.run())
    tiny = np.finfo(np.float32).tiny
    assert all(((average == 0) | (np.abs(average) >= tiny)).all() for average in averages)
    assert all((average == 0).any() for average in averages)


@pytest.mark.parametrize(
    ("interval", "expected"), [(2, [True, False, False, False, False]), (90, [True, True, True, True, False])]
)
def test_subnormal_numbers_disappear_within_an_epoch(interval, expected, monkeypatch):
    """After each interval, and after the epoch's five steps: seen in the velocity of a black pixel's weights."""
    monkeypatch.setattr(trainer_module, "FLUSH_INTERVAL", interval)
    black = LabelledImages(np.where(np.arange(SIZES[0]) == 0, 0, TRAINING.images), TRAINING.labels)
    made = Trainer(fresh(dtype=np.float32), black, TEST, replace(IN_BATCHES, optimizer="momentum", epochs=1))
    of_pixel = made.state["velocity"][: SIZES[1]]
    of_pixel[:] = 1e-40
    seen = []
    next(made.run(lambda: seen.append(bool(of_pixel.any()))))
    assert seen == expected
