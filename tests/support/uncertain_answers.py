"""Measure how many answers of a run are uncertain, and how many are right, on the run's validation set.

python tests/support/uncertain_answers.py runs/20260101-120000-784-16-16-10 [DATA-DIR]

The run must have been trained with --validation on MNIST. An answer is uncertain as in ``predict``.
"""

import sys
from pathlib import Path

import numpy as np

from mnist_bp.data.datasets import load, stratified_split
from mnist_bp.reports.predict import CERTAIN
from mnist_bp.training.saved_model import load_model


def main():
    """Print the fractions."""
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    run, *folder = map(Path, sys.argv[1:])
    network, _, meta = load_model(run)
    data = load("mnist", folder[0] if folder else None, fetch=False)
    _, validation = stratified_split(data.train, meta.config["validation"], seed=meta.config["seed"])
    outputs = network.forward(validation.inputs(network.dtype))
    second, first = np.sort(outputs, axis=1)[:, -2:].T
    is_uncertain, is_right = first - second < CERTAIN, outputs.argmax(axis=1) == validation.labels
    print(  # noqa: T201 - a script
        f"{len(validation):,} validation digits, {is_right.mean():.1%} right: {is_uncertain.mean():.1%} uncertain, "
        f"{is_right[is_uncertain].mean():.1%} of them right; {is_right[~is_uncertain].mean():.1%} of the others"
    )


if __name__ == "__main__":
    main()
