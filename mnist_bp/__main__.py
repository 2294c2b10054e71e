"""``python -m mnist_bp`` is ``mnist-bp``."""

from mnist_bp.cli.main import main

if __name__ == "__main__":
    main()
