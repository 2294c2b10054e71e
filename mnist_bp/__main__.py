"""Entry point of ``mnist-bp`` and of ``python -m mnist_bp``."""

import sys
import traceback

from mnist_bp.errors import ExitCode, InternalError

__all__ = ["main"]


def main() -> None:
    """Run the command line. Interrupts and errors during its import end in the usual exit codes, too."""
    try:
        from mnist_bp.cli.main import main as run
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - no traceback reaches a user; a broken installation, for example
        if "--debug" in sys.argv:
            traceback.print_exc()
        sys.stderr.write(f"mnist-bp: {InternalError(error)}\n")
        sys.exit(ExitCode.INTERNAL)
    run()


if __name__ == "__main__":
    if not sys.flags.safe_path:
        del sys.path[0]  # the working folder: it may contain this package, but no other file in it should be imported
    main()
