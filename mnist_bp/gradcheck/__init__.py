"""Check a gradient: beside a numerical one, parameter by parameter."""
