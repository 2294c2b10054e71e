"""What ``scripts/reproduce`` is made of. The product imports none of it."""
