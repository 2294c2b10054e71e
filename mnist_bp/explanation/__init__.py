"""Explanation of one derivative of a network by the chain rule, with its numbers."""
