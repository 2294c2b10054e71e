"""The command ``mnist-bp``, and the conversion of errors to one line and an exit code."""

import errno
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from mnist_bp import __version__
from mnist_bp.cli.completion import VARIABLE, InstallCompletion, ShowCompletion, completion_init
from mnist_bp.cli.help import Command, panels
from mnist_bp.cli.ranks import run_on_ranks
from mnist_bp.cli.signals import all_like_ctrl_c
from mnist_bp.cli.suggest import CPU_ONLY, nearest_option
from mnist_bp.errors import ExitCode, InputError, InternalError, Interrupted, MnistBpError, OutOfMemory, StorageError
from mnist_bp.reports.console import prepare_streams, print_error, printable
from mnist_bp.reports.help import Row, lay_out
from mnist_bp.shell import program

__all__ = ["main", "run"]

DEBUG = "--debug"


COMMANDS = {
    "train": "Train a network, and print cost and accuracy after each epoch.",
    "search": "Search for good hyper-parameters: learning rate, hidden layers, optimizer, any setting.",
    "evaluate": "Measure the accuracy of a trained network, class by class.",
    "runs": "List trainings and their results, or compare some of them.",
    "predict": "Classify pictures of handwritten digits.",
    "page": "Write an interactive web page: draw a digit, see every neuron, step back through the calculus.",
    "gradcheck": "Check gradients: compare backpropagation with numerical derivatives.",
    "explain": "Show how the gradient of one weight is computed, factor by factor.",
    "download": "Download a dataset and verify its SHA-256 checksums.",
    "info": "Show versions, processor, BLAS kernel and cached datasets.",
}
"""Names of the commands in the order of the help, and the first sentence of the help of each."""

SUMMARY = (
    "mnist-bp trains neural networks on MNIST with backpropagation written out in numpy, "
    "and shows, checks and explains every gradient."
)


def load_command(name: str) -> Callable[..., None]:
    """Import the function of a command, from the module of its name."""
    command: Callable[..., None] = getattr(import_module(f"mnist_bp.cli.{name}"), name)
    return command


class _Commands(TyperGroup):
    """Group of the commands. Each is imported when it is used."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = dict.fromkeys(COMMANDS)  # type: ignore[assignment]

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the commands, without importing them, and the options."""
        commands = {"Commands": [Row(name, "", text) for name, text in COMMANDS.items()]}
        options = panels(self.get_params(ctx), "Options")
        example = f"Example: {program()} train"
        formatter.write(lay_out(self.get_usage(ctx), [SUMMARY, example], commands | options))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - Typer's signature
        """Create a command with the options that are declared and the names that are registered now."""
        if cmd_name not in COMMANDS:
            return None
        from mnist_bp.cli.declared import with_options

        function = load_command(cmd_name)
        text = f"{COMMANDS[cmd_name]}\n\n{function.__doc__}"
        app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        # The example starts like the command of the user.
        text = text.replace("Example: mnist-bp ", f"Example: {program()} ")
        app.command(cls=Command, help=text)(with_options(function))
        return typer.main.get_command(app)

    def invoke(self, ctx: Any) -> Any:
        """Run the command. Exceptions for which Typer exits become errors of the command."""
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, EOFError, OSError, SystemExit) as error:
            raise _understood(error) from error


CONTEXT: dict[str, Any] = {
    "help_option_names": ["-h", "--help"],
    "default_map": {"help": False},  # with None, Typer would import pydantic to convert it
}
"""Settings of Typer's context. Commands inherit the names of the help option."""


def _app() -> typer.Typer:
    """Return the command line."""
    app = typer.Typer(
        cls=_Commands,
        help=SUMMARY,
        invoke_without_command=True,
        add_completion=False,
        context_settings=CONTEXT,
        pretty_exceptions_enable=False,
    )
    app.callback()(_options)
    return app


def _show_version(value: bool) -> None:  # noqa: FBT001 - Typer's signature of a callback
    if value:
        sys.stdout.write(f"mnist-bp {__version__}\n")
        raise typer.Exit


def _options(
    context: typer.Context,
    debug: Annotated[bool, typer.Option(DEBUG, help="Also show the traceback of an error.")] = False,  # noqa: ARG001
    version: Annotated[  # noqa: ARG001 - its callback has shown it
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
    install_completion: InstallCompletion = False,  # noqa: ARG001
    show_completion: ShowCompletion = False,  # noqa: ARG001
) -> None:
    """Read the options of the program; without a command, print the help. ``main`` reads ``--debug`` itself."""
    if context.invoked_subcommand is None:
        sys.stdout.write(context.get_help() + "\n")
        raise typer.Exit(ExitCode.BAD_INPUT)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with an ``ExitCode``. An error is one line on standard error."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    prepare_streams()
    with all_like_ctrl_c():
        words, debug = [word for word in given if word != DEBUG], DEBUG in given
        code = run_on_ranks(lambda: _exit_code(words, debug=debug), _understood, debug=debug)
    sys.exit(code)


def _exit_code(arguments: list[str], *, debug: bool) -> int:
    try:
        return run([DEBUG, *arguments] if debug else arguments)
    except MnistBpError as error:
        print_error(error, debug=debug)
        return int(error.exit_code)
    except KeyboardInterrupt:  # once more, while the first one was handled
        return ExitCode.INTERRUPTED


def run(arguments: list[str]) -> int:
    """Run the command line; return its exit code.

    Raises
    ------
    MnistBpError
        If anything fails.
    SystemExit
        If Typer has completed a command line.
    """
    try:
        completion_init()
        command = typer.main.get_command(_app())
        code = command.main(arguments, prog_name=program(), complete_var=VARIABLE, standalone_mode=False) or 0
        sys.stdout.flush()
    except SystemExit:
        raise
    except MnistBpError as error:
        if _is_out_of_memory(error.__cause__):
            raise OutOfMemory from error
        raise
    except BaseException as error:
        raise _understood(error) from error
    if code == ExitCode.INTERRUPTED:  # by Ctrl-C, while Typer read the options
        raise Interrupted
    return int(code)


def _understood(error: BaseException) -> MnistBpError:
    """Return the ``MnistBpError`` for an exception of Python, Typer or a library."""
    if isinstance(error, KeyboardInterrupt):
        return Interrupted()
    if _is_out_of_memory(error):
        return OutOfMemory()
    if isinstance(error, OSError):  # standard output on a full disk, for example
        place = error.filename or "its input or output"
        return StorageError(f"cannot read or write {place}: {error.strerror or error}")
    # The classes of Typer's errors are not public; all of them have this method.
    if format_message := getattr(error, "format_message", None):
        return InputError(_usage_error(error, format_message()))
    return InternalError(error)


def _is_out_of_memory(error: BaseException | None) -> bool:
    return isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM)


def _suggestion(unknown: str, context: Any) -> str:
    """Return a sentence about the option that is probably meant; "" if there is none."""
    name = unknown.lstrip("-")
    if name in CPU_ONLY:
        return ". The only device is the CPU"
    known = [option[2:] for parameter in context.command.get_params(context) for option in parameter.opts]
    nearest = nearest_option(name, known)
    return "" if nearest is None else f". Did you mean --{nearest}?"


def _takes_one_model(context: Any) -> bool:
    from mnist_bp.cli.options import MODEL_METAVAR  # here, because the root help does not need it

    return any(parameter.metavar == MODEL_METAVAR for parameter in context.command.get_params(context))


def _usage_error(error: BaseException, message: str) -> str:
    """Return the message of a usage error, with the config it is in, and with the command that prints help."""
    message = message.replace("Value error, ", "")  # added by pydantic
    context, option = getattr(error, "ctx", None), getattr(error, "param", None)
    if context is not None and message.startswith("Got unexpected extra argument") and _takes_one_model(context):
        what = f"{context.info_name} takes one RUN or MODEL, and several were given"
        return f"{what}; for a committee: {program()} evaluate"
    if context is not None and hasattr(error, "possibilities"):  # there is no such option
        unknown = getattr(error, "option_name", "")
        message = f"No such option: {printable(unknown)}{_suggestion(unknown, context)}"
    if context is not None and option is not None:
        message = f"{_config_of(option, context)}{message}"
    if context is not None:
        message += f"{'' if message[-1] in '.?' else '.'} See {context.command_path} --help"
    return message


def _config_of(option: Any, context: Any) -> str:
    """Return the config that gave the value of an option, as the beginning of a message."""
    from mnist_bp.cli.config import config_in_use, is_from_config  # here, because the root help does not need it

    return f"{config_in_use(context)}: " if is_from_config(context, option.name) else ""
