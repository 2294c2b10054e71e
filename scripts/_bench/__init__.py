"""What ``scripts/bench`` is made of. The product imports none of it."""
