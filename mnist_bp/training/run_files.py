"""Names of the files of a run, and the folder of all runs."""

from pathlib import Path

__all__ = ["CHECKPOINT", "CONFIG", "HISTORY", "LATEST", "MODEL", "RECORD", "RUNS"]

RUNS = Path("runs")
"""Default folder for runs. Its file ``latest`` contains the name of the run that was saved last."""

LATEST = RUNS / "latest"
CONFIG, HISTORY, CHECKPOINT, MODEL = "config.toml", "history.jsonl", "checkpoint.npz", "model.npz"

RECORD = "run.json"
"""File of a run with its name, its start and its end, see ``run_record``."""
