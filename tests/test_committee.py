"""``mnist_bp.Committee``, and the evaluation of committees in Python."""

from contextlib import contextmanager

import numpy as np
import pytest

import mnist_bp
from mnist_bp import Committee, Network
from mnist_bp.core.choices import COSTS
from mnist_bp.errors import InputError
from mnist_bp.training import committee_evaluation
from mnist_bp.training.committee_evaluation import evaluate_committee


def network(seed, cost="squared-error", dtype=np.float32, sizes=(6, 5, 4), **look):
    """Return a network with random weights."""
    return Network(sizes, cost=cost, rng=np.random.default_rng(seed), dtype=dtype, **look)


@pytest.fixture
def examples(rng):
    """More examples than are processed at a time, and their labels."""
    return rng.random((2500, 6), np.float32), rng.integers(0, 4, 2500).astype(np.uint8)


def test_outputs_are_averaged_in_float64(examples):
    """Members may have other hidden layers, activations, costs and dtypes."""
    members = [
        network(0),
        network(1, "cross-entropy", sizes=(6, 4), dtype=np.float64),
        network(2, "binary-cross-entropy", activation="tanh", sizes=(6, 7, 3, 4)),
    ]
    outputs = Committee(members).forward(examples[0])
    assert outputs.dtype == np.float64
    expected = np.mean([member.forward(examples[0]).astype(np.float64) for member in members], axis=0)
    np.testing.assert_allclose(outputs, expected, rtol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_committee_of_one_equals_its_member_bit_for_bit(examples, dtype):
    """Outputs, cost and confusion matrix."""
    member = network(0, dtype=dtype)
    committee = Committee([member])
    assert committee.forward(examples[0]).tobytes() == member.forward(examples[0]).tobytes()
    one, other = mnist_bp.evaluate(committee, examples), mnist_bp.evaluate(member, examples)
    assert one.cost == other.cost
    np.testing.assert_array_equal(one.confusion, other.confusion)


@pytest.mark.parametrize("cost", COSTS)
def test_the_cost_is_that_of_the_averaged_outputs(examples, cost):
    """Computed here from the outputs, which are far from 0 and 1; the accuracy is theirs as well."""
    members = [network(seed, cost, np.float64) for seed in range(3)]
    result = mnist_bp.evaluate(Committee(members), examples)
    A, Y = Committee(members).forward(examples[0]), np.eye(4)[examples[1]]
    expected = {
        "squared-error": lambda: (A - Y) ** 2,
        "cross-entropy": lambda: -Y * np.log(A),
        "binary-cross-entropy": lambda: -Y * np.log(A) - (1 - Y) * np.log(1 - A),
    }[cost]()
    assert result.cost == pytest.approx(expected.sum(axis=1).mean(), rel=1e-12)
    assert result.accuracy == (A.argmax(axis=1) == examples[1]).mean()
    assert result.cost <= np.mean([mnist_bp.evaluate(member, examples).cost for member in members])


@pytest.mark.parametrize("cost", ["cross-entropy", "binary-cross-entropy"])
def test_the_cost_is_finite_where_outputs_are_rounded_to_0(examples, cost):
    """Their logarithm would be −∞, or far too small; equal members have the cost of one."""
    member = network(0, cost)
    member.parameters *= 1e4
    result = mnist_bp.evaluate(Committee([member, member]), examples)
    alone = mnist_bp.evaluate(member, examples)
    assert member.forward(examples[0]).min() < 1e-37  # the smallest sigmoid is not 0
    assert np.isfinite(alone.cost)
    assert result.cost == pytest.approx(alone.cost, rel=1e-6)


def test_members_with_different_costs_have_no_cost(examples):
    """It is NaN, and the accuracy is there."""
    members = [network(0), network(1, "cross-entropy")]
    result = mnist_bp.evaluate(Committee(members), examples)
    assert np.isnan(result.cost)
    assert result.examples == 2500


def test_a_cost_that_is_not_defined_for_averages_is_no_cost(examples):
    """A cost of an extension may be like that; a single member has its cost all the same."""
    COSTS.register("other", COSTS["squared-error"]._replace(of_average=None))
    try:
        members = [network(seed, "other") for seed in range(2)]
        assert np.isnan(mnist_bp.evaluate(Committee(members), examples).cost)
        assert np.isfinite(mnist_bp.evaluate(Committee(members[:1]), examples).cost)
    finally:
        COSTS.unregister("other")


def test_the_order_of_the_members_changes_nothing_but_rounding(examples):
    """Five members, forwards and in reverse."""
    members = [network(seed, "cross-entropy") for seed in range(5)]
    one, other = (mnist_bp.evaluate(Committee(each), examples) for each in (members, members[::-1]))
    assert one.cost == pytest.approx(other.cost, rel=1e-13)
    np.testing.assert_array_equal(one.confusion, other.confusion)


def test_each_member_is_evaluated_as_by_itself(examples):
    """Its figures are those of ``evaluate``, and it is evaluated in the context that it needs."""
    members = [network(0), network(1, "cross-entropy", np.float64)]
    inside = []

    @contextmanager
    def threads(member):
        inside.append(member)
        yield

    result = evaluate_committee(Committee(members), *examples, mistakes=3, threads=threads)
    assert inside == members
    for member, found in zip(members, result.members, strict=True):
        alone = mnist_bp.evaluate(member, examples)
        assert found.cost == alone.cost
        np.testing.assert_array_equal(found.confusion, alone.confusion)
    outputs = Committee(members).forward(examples[0])
    assert len(result.committee.mistakes) == 3
    for mistake in result.committee.mistakes:
        assert mistake.output == pytest.approx(outputs[mistake.example].max(), rel=1e-6)
        assert result.votes_on(mistake.example) == [
            int(member.forward(examples[0][[mistake.example]]).argmax()) for member in members
        ]


def test_no_member_sees_more_examples_at_once_than_the_limit(examples, monkeypatch):
    """Memory does not grow with the number of examples or members."""
    seen = []
    of_one = committee_evaluation.weighted_sums.__globals__["forward"]
    monkeypatch.setitem(
        committee_evaluation.weighted_sums.__globals__,
        "forward",
        lambda net, X: seen.append(len(X)) or of_one(net, X),
    )
    mnist_bp.evaluate(Committee([network(0), network(1)]), examples)
    assert seen == [1000, 1000, 500] * 2


def test_a_committee_is_loaded_from_files(tmp_path, examples):
    """In the order of the paths; a missing file is an error that names it."""
    members = [network(0), network(1)]
    paths = [tmp_path / f"{number}.npz" for number in range(2)]
    for member, path in zip(members, paths, strict=True):
        member.save(path)
    outputs = Committee.load(map(str, paths)).forward(examples[0])
    np.testing.assert_array_equal(outputs, Committee(members).forward(examples[0]))
    with pytest.raises(InputError, match="missing"):
        Committee.load([*paths, tmp_path / "missing.npz"])


def test_adversarial_examples_are_of_one_network(examples):
    """Those of one member need not be those of another."""
    with pytest.raises(InputError, match="one network"):
        mnist_bp.evaluate(Committee([network(0)]), examples, adversarial=0.1)


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ([], "a committee requires at least one network"),
        ([network(0), network(0, sizes=(7, 4))], "member 0 has 6 and 4, member 1 has 7 and 4"),
        ([network(0), network(1), network(0, sizes=(6, 3))], "member 0 has 6 and 4, member 2 has 6 and 3"),
        (["model.npz"], "the members of a committee are networks; got str"),
    ],
)
def test_members_that_cannot_be_averaged_are_refused(members, why):
    """With what is expected."""
    with pytest.raises(InputError, match=why):
        Committee(members)
