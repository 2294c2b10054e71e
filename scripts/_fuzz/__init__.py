"""Parts of ``scripts/fuzz``."""
