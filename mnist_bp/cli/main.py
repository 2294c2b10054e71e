"""The command ``mnist-bp``, and the one place where an error becomes a line and an exit code."""

import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from mnist_bp import __version__
from mnist_bp.cli import download, evaluate, explain, gradcheck, page, predict, train
from mnist_bp.cli.config import config_in_use, is_from_config
from mnist_bp.cli.declared import with_options
from mnist_bp.cli.interrupts import all_like_ctrl_c
from mnist_bp.cli.output import prepare_streams, say_error
from mnist_bp.errors import MnistBpError, StorageError

__all__ = ["main"]

INTERRUPTED = 130


class _Commands(TyperGroup):
    """The commands; they end quietly when whoever reads their output (``head``, say) has seen enough."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """List the commands as plain text: for boxes, Typer imports a Markdown parser, as slow as all the rest."""
        self.rich_markup_mode = None
        super().format_help(ctx, formatter)

    def invoke(self, ctx: Any) -> Any:
        """Run the command that the user named."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except SystemExit:  # what Rich makes of a closed pipe, while it shows the help of a command
            return None
        except BrokenPipeError:
            # What is still buffered must not fail once more when Python exits.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return None
        return result


COMMANDS = (
    train.train,
    evaluate.evaluate,
    predict.predict,
    page.page,
    gradcheck.gradcheck,
    explain.explain,
    download.download,
)


def _app() -> typer.Typer:
    """Return the command line, with the options that are declared and the names that are registered at this moment."""
    app = typer.Typer(
        cls=_Commands,
        help="Train a network on MNIST, every number of it the calculus of backpropagation, done in the open.",
        invoke_without_command=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(_options)
    for command in COMMANDS:
        app.command()(with_options(command))
    return app


def _show_version(value: bool) -> None:  # noqa: FBT001 - Typer's signature of a callback
    if value:
        sys.stdout.write(f"mnist-bp {__version__}\n")
        raise typer.Exit


def _options(
    context: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,  # noqa: ARG001
    version: Annotated[  # noqa: ARG001 - its callback has shown it
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Read what belongs to no command (``main`` itself looks at ``--debug``); without a command, show the help."""
    if context.invoked_subcommand is None:
        sys.stdout.write(context.get_help() + "\n")
        raise typer.Exit(2)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with its code: 0 done, 1 no, 2 bad input, 3 no data or disk, 130 interrupted."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    prepare_streams()
    with all_like_ctrl_c():
        code = _exit_code(["--debug", *(word for word in given if word != "--debug")] if debug else given, debug=debug)
    sys.exit(code)


def _exit_code(arguments: list[str], *, debug: bool) -> int:
    try:
        code = typer.main.get_command(_app()).main(arguments, prog_name="mnist-bp", standalone_mode=False) or 0
    except KeyboardInterrupt:
        code = INTERRUPTED
    except Exception as error:
        if debug:
            raise
        return _explained(error)
    if code == INTERRUPTED:  # what Typer makes of Ctrl-C, too
        say_error("interrupted")
    return int(code)


def _explained(error: Exception) -> int:
    """Say in one line what went wrong, and give its exit code."""
    if isinstance(error, MnistBpError):
        say_error(str(error))
        return error.exit_code
    if isinstance(error, MemoryError):
        say_error("there is not enough memory for this network or this data: try a smaller one")
        return 2
    if isinstance(error, OSError):  # standard output on a full disk, say
        say_error(f"cannot read or write {error.filename or 'its input or output'}: {error.strerror or error}")
        return StorageError.exit_code
    # Typer's own errors are not public classes; what they all have is this method.
    if format_message := getattr(error, "format_message", None):
        return _explain_usage(error, format_message())
    say_error(f"an error that should not happen ({type(error).__name__}: {error}); --debug shows where")
    return 1


def _explain_usage(error: Exception, message: str) -> int:
    """Say what is wrong with an option, where it was given, and where help is."""
    message = message.replace("Value error, ", "")  # words of pydantic's, which Typer passes on
    context, option = getattr(error, "ctx", None), getattr(error, "param", None)
    if context is not None and option is not None and is_from_config(context, option.name):
        message = f"{config_in_use(context)}: {message}"
    if context is not None:
        message += f"{'' if message[-1] in '.?' else '.'} See {context.command_path} --help"
    say_error(message)
    return 2
