"""Parts of ``scripts/bench``. The package mnist_bp imports none of them."""
