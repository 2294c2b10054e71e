"""Suggestion for an unknown option: the nearest name, or the option for a name that other programs use."""

import difflib
from collections.abc import Collection

__all__ = ["CPU_ONLY", "nearest_option"]

USUAL_NAMES = {
    "adam": "optimizer adam", "aug": "augment", "augmentation": "augment", "batch": "batch-size", "bs": "batch-size",
    "checkpoint": "resume", "continue": "resume", "criterion": "cost", "data": "data-dir",
    "early-stopping": "early-stop", "ema": "average", "jobs": "threads", "layers": "hidden", "loss": "cost",
    "lr": "learning-rate", "lr-schedule": "schedule", "lr-scheduler": "schedule", "max-samples": "limit",
    "max-time": "max-seconds", "minibatch": "batch-size", "n-epochs": "epochs",
    "nesterov": "optimizer nesterov", "num-epochs": "epochs", "n-jobs": "threads", "num-workers": "threads",
    "optim": "optimizer",
    "out": "output", "patience": "early-stop", "precision": "dtype", "random-state": "seed", "root": "data-dir",
    "save": "output", "save-best": "keep best", "save-dir": "output", "scheduler": "schedule",
    "time-limit": "max-seconds", "timeout": "max-seconds", "units": "hidden", "val": "validation",
    "validation-split": "validation", "wd": "l2", "weight-decay": "l2", "workers": "threads",
}  # fmt: skip
"""Names in other programs and libraries ↦ the option here, and its value if that follows from the name."""

PROCESSES = "jobs"
"""Option for several processes. Where a command has it, names that stand for threads elsewhere mean it."""

CPU_ONLY = {"cpu", "cuda", "device", "gpu"}
"""Names of options in other programs that choose a device."""

LEAST_SIMILARITY = 0.6


def nearest_option(name: str, known: Collection[str], least_similarity: float = LEAST_SIMILARITY) -> str | None:
    """Return the known option that ``name`` may stand for; None if there is none.

    Names have no dashes in front. The option may be followed by a value: ``optimizer momentum``.
    """
    name = name.replace("_", "-").lower()
    usual = USUAL_NAMES.get(name)
    if usual == "threads" and PROCESSES in known:
        usual = PROCESSES
    if usual is not None and usual.split()[0] in known:
        return usual
    return next(iter(difflib.get_close_matches(name, known, n=1, cutoff=least_similarity)), None)
