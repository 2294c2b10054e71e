"""``--config FILE.toml``: options from a file, which override defaults and are overridden by the command line."""

import inspect
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typer

from mnist_bp.cli.suggest import nearest_option
from mnist_bp.environment import user_path
from mnist_bp.errors import InputError
from mnist_bp.search.space import Values
from mnist_bp.training.config_file import is_complete, without_derived
from mnist_bp.training.config_file import read_config as parse_file
from mnist_bp.training.panels import OUTPUT
from mnist_bp.training.settings import SETTINGS

__all__ = [
    "Config",
    "config_in_use",
    "first_explicit_option",
    "is_config_of_a_run",
    "is_default",
    "is_from_config",
    "is_given",
    "read_config",
    "use_run",
]

NOT_IN_A_FILE = {"config", "context", "resume"}


def _use_config(context: typer.Context, path: Path | None) -> Path | None:
    """Make the values in a file, or those chosen in the config of a run, the defaults of the command's options."""
    if path is None or context.command.callback is None:
        return path
    from mnist_bp.training.run_paths import find_config

    config = find_config(path)
    values = read_config(config, context.command.callback)
    context.default_map = without_derived(_with_absent(values)) if is_config_of_a_run(config) else values
    return config


def _with_absent(values: dict[str, Any]) -> dict[str, Any]:
    """Return all settings of a run, also those that the version that began it did not know."""
    absent = {name: each.absent for name, each in SETTINGS.items() if each.absent != each.default}
    return {**absent, **values}


def use_run(context: typer.Context, run: Path | None) -> Path | None:
    """Make the config of a run the defaults of the command's options. Return the run's folder."""
    if run is None or context.command.callback is None:
        return run
    from mnist_bp.training.run_folder import RunFolder

    reopened = RunFolder.reopen(run)
    context.default_map = _with_absent(read_config(reopened.config, context.command.callback))
    return reopened.folder


def is_from_config(context: typer.Context, parameter: str) -> bool:
    """Return True if a parameter has its value from the file, not from the command line."""
    return _source(context, parameter) == "DEFAULT_MAP"


def config_in_use(context: typer.Context) -> Path:
    """Return the file that values come from: the one of ``--config``, or of the run of ``--resume``."""
    if run := context.params.get("resume"):
        from mnist_bp.training.run_folder import RunFolder

        return RunFolder(run).config
    config: Path = context.params["config"]
    return config


def is_config_of_a_run(path: Path) -> bool:
    """Return True if any version wrote this config for a run: it is complete, or beside a history."""
    return is_complete(parse_file(path)) or path.with_name("history.jsonl").is_file()


def is_default(context: typer.Context, parameter: str) -> bool:
    """Return True if a parameter has its default, not a value from the command line or a file."""
    return _source(context, parameter) == "DEFAULT"


def is_given(context: typer.Context, parameter: str) -> bool:
    """Return True if a parameter has its value from the command line."""
    return _source(context, parameter) == "COMMANDLINE"


def first_explicit_option(context: typer.Context, parameters: Iterable[str]) -> str | None:
    """Return the option of the first of these parameters that is on the command line; None if none is."""
    given = (name for name in parameters if is_given(context, name))
    return next((f"--{name.replace('_', '-')}" for name in given), None)


def _source(context: typer.Context, parameter: str) -> str | None:
    source = context.get_parameter_source(parameter)
    return None if source is None else source.name


Config = Annotated[
    Path | None,
    typer.Option(
        parser=user_path,
        metavar="FILE.toml|RUN",
        help="TOML file with options by their long names, or the config of a run. Command-line options override it.",
        callback=_use_config,
        is_eager=True,
        rich_help_panel=OUTPUT,
    ),
]


def read_config(path: Path, command: Callable[..., object]) -> dict[str, Any]:
    """Return the options of ``command`` in a TOML file, by parameter name.

    Raises
    ------
    InputError
        If it cannot be read, has a key that is no option of the command, or a value of a wrong type.
    """
    parameters = inspect.signature(command).parameters.items()
    hints = {name: parameter.annotation for name, parameter in parameters if name not in NOT_IN_A_FILE}
    known = {name.replace("_", "-"): name for name in hints}
    values = {}
    for key, value in parse_file(path).items():
        if key not in known:
            nearest = nearest_option(key, known, least_similarity=0.0) or ""
            raise InputError(f"{path}: there is no option {key!r}; the nearest is {nearest.split()[0]!r}")
        values[known[key]] = _checked(value, hints[known[key]], f"{path}: {key}")
    return values


def _checked(value: Any, hint: Any, where: str) -> Any:
    """Return ``value`` as the command line passes it to an option of this type; InputError for another type."""
    try:
        given = str(value).lower() if isinstance(value, bool) else repr(value)
    except ValueError:  # a hexadecimal number with more digits than Python converts
        raise InputError(f"{where}: the number is too large") from None
    accepted = _kinds(hint)
    if float in accepted and type(value) is int and abs(value) <= sys.float_info.max:
        return float(value)
    if {str, Values} & {*accepted} and _is_counts(value):  # hidden = [16, 16], batch-size = 100
        return ",".join(map(str, value if isinstance(value, list) else [value])) or given
    if Path in accepted and isinstance(value, str):
        return value  # the option's parser makes a path of it
    if Values in accepted and type(value) in {str, int, float}:  # one or several values of a search
        return value
    choices = [choice for choice in accepted if isinstance(choice, str)]
    if value in choices or type(value) in accepted:
        return value
    expected = f"one of {', '.join(choices)}" if choices else " or ".join(_NAMES[kind] for kind in accepted)
    raise InputError(f"{where} = {given}; expected {expected}")


_NAMES = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a string, a whole number or a list of whole numbers",
    Path: "a path (a string)",
    Values: "a string, a number or a list of whole numbers",
}


def _kinds(hint: Any) -> list[Any]:
    """Return the types of an option's value, or the strings of a choice; str if the option parses a text."""
    if get_origin(hint) is Annotated:
        kind, _ = get_args(hint)
        kinds = _kinds(kind)
        return [str] if Any in kinds else kinds
    if get_origin(hint) in {UnionType, Union}:  # of a type and None; of a Literal and None
        return [kind for part in get_args(hint) if part is not NoneType for kind in _kinds(part)]
    return list(get_args(hint)) if get_origin(hint) is Literal else [hint]


def _is_counts(value: Any) -> bool:
    return type(value) is int or (isinstance(value, list) and all(type(part) is int for part in value))
