"""``python -m mnist_bp`` is ``mnist-bp``."""

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line; a Ctrl-C that comes while it is still being imported ends it as any other does."""
    try:
        from mnist_bp.cli.main import main as run
    except KeyboardInterrupt:
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
