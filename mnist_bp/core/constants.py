"""Constants of the calculus. Help texts quote them, so they can be imported without numpy."""

__all__ = ["LEAKY_SLOPE", "MOMENTUM"]

MOMENTUM = 0.9
"""Default momentum coefficient μ; the effective step is 1 / (1 − μ) = 10 times the learning rate."""

LEAKY_SLOPE = 0.01
"""Slope of leaky-relu below zero (Maas, Hannun and Ng 2013)."""
