"""Explain one derivative of a network: the chain rule with its numbers."""
