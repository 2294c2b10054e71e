"""Parts of the examples, and trainings on several ranks that equal those of one process."""

import json
from pathlib import Path

import numpy as np
import pytest
from mpi import needs_mpi, run_on

from mnist_bp.training.evaluation import Evaluation, merged
from mnist_bp.training.ranks import SINGLE, share_of

PROGRAM = Path(__file__).parents[1] / "support" / "equal_on_ranks.py"


@pytest.mark.parametrize("examples", [0, 1, 3, 100, 101])
@pytest.mark.parametrize("ranks", [1, 2, 3, 7, 256])
def test_the_shares_cover_all_examples_once_and_differ_by_one_at_most(examples, ranks):
    """In order, also with fewer examples than ranks."""
    shares = [range(examples)[share_of(rank, ranks, examples)] for rank in range(ranks)]
    assert [row for share in shares for row in share] == list(range(examples))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_a_single_process_has_all_examples():
    """And no other process has any."""
    assert SINGLE.share(7) == slice(0, 7)
    assert SINGLE.gather("value") == ["value"]


def test_merged_evaluations_count_each_example_once():
    """The cost is the mean over the examples, not over the parts; a part may be empty."""
    parts = [Evaluation(0.5, np.diag([3, 0])), Evaluation(0.0, np.zeros((2, 2), int)), Evaluation(1.0, np.eye(2)[::-1])]
    whole = merged(parts)
    assert whole.cost == (0.5 * 3 + 1.0 * 2) / 5
    assert whole.examples == 5
    assert whole.accuracy == 3 / 5


@needs_mpi
@pytest.mark.parametrize(("ranks", "dtype", "tolerance"), [(3, "float64", 1e-12), (2, "float32", 1e-5)])
def test_every_option_trains_the_same_network_on_several_ranks(ranks, dtype, tolerance):
    """‖Δ‖ / ‖p‖ of the parameters: rounding only. The figures of each epoch agree, too."""
    code, out, err = run_on(ranks, PROGRAM, dtype)
    assert code == 0, err
    found = json.loads(out)
    assert found["ranks"] == ranks
    assert len(found["differences"]) > 20
    assert {name: Δ for name, Δ in found["differences"].items() if not Δ <= tolerance} == {}
