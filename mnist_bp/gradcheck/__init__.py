"""Gradient check: compares a gradient with numerical derivatives, parameter by parameter."""
