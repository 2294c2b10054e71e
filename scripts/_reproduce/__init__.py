"""Parts of ``scripts/reproduce``. The package mnist_bp imports none of them."""
