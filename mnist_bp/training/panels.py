"""Panels of ``--help``, which the declarations of settings and options name."""

__all__ = ["ADVANCED", "DATA", "NETWORK", "OUTPUT", "TRAINING"]

DATA, NETWORK, TRAINING, OUTPUT = "Data", "Network", "Training", "Output"

ADVANCED = "Advanced"
"""Last panel, for options that few users need."""
