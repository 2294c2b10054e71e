"""Options from declarations: the settings that a command takes become Typer's parameters.

A command names settings in one of three ways: a parameter whose type is a class of settings (``Settings`` or
``DataSettings``) stands for all of them, one whose type is ``Space`` as well, but its options take several values, and
a parameter whose type is marked ``DECLARED`` stands for the setting of its name.
``with_options`` puts the declared options in their place; the named values of a choice, also of a parameter marked
``OneOf``, are those registered at that moment.
"""

import copy
import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_type_hints

import typer

from mnist_bp.environment import user_path
from mnist_bp.search.space import SEARCHED, Space, Values, parse_values, varies
from mnist_bp.training.data_settings import DataSettings
from mnist_bp.training.declaration import Range, Setting, declared
from mnist_bp.training.settings import SETTINGS

__all__ = ["DECLARED", "OneOf", "number", "whole_number", "with_options"]

DECLARED = "declared"
"""Mark of a parameter whose option is the declared setting of its name."""


class OneOf(NamedTuple):
    """Mark of a parameter whose named values are the keys of what ``choices`` returns."""

    choices: Callable[[], Iterable[str]]


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """Return ``command`` with the declared options in its signature. Classes of settings are filled from them."""
    hints = get_type_hints(command, include_extras=True)
    groups = {name: hint for name, hint in hints.items() if _is_group(hint)}

    @functools.wraps(command)
    def run(**values: Any) -> None:
        for name, group in groups.items():
            values[name] = group(**{each: values.pop(each) for each in _settings(group)})
        command(**values)

    parameters = inspect.signature(command).parameters.values()
    run.__signature__ = inspect.Signature([*_parameters(parameters, hints)])  # type: ignore[attr-defined]
    return run


def _is_group(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, (DataSettings, Space))


def _settings(group: Any) -> Mapping[str, Setting]:
    return SEARCHED if group is Space else declared(group)


def _parameters(own: Any, hints: dict[str, Any]) -> Iterator[inspect.Parameter]:
    for parameter in own:
        hint = hints[parameter.name]
        if _is_group(hint):
            make = _values_parameter if hint is Space else _parameter
            yield from (make(each) for each in _settings(hint).values())
        elif DECLARED in get_args(hint):
            yield _parameter(SETTINGS[parameter.name])
        else:
            yield parameter.replace(annotation=_named_values(hint), kind=inspect.Parameter.KEYWORD_ONLY)


def _named_values(hint: Any) -> Any:
    """Return a type unchanged, or, if it is marked ``OneOf``, with the named values that are registered now.

    ``{values}`` in the help stands for them.
    """
    _, *marks = get_args(hint) or [hint]
    match marks:
        case [OneOf() as one_of, option]:
            values = tuple(one_of.choices())
            option = copy.copy(option)
            option.help = option.help.replace("{values}", "; ".join(values))
            return Annotated[Literal[values], option]
    return hint


def _parameter(setting: Setting) -> inspect.Parameter:
    default = setting.default if setting.parse is None else setting.format(setting.default)
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(setting.name, kind, default=default, annotation=_annotation(setting))


def _values_parameter(setting: Setting) -> inspect.Parameter:
    """Return the parameter for one or several values of a setting: see ``Space``."""
    if not varies(setting):
        return _parameter(setting)
    option = typer.Option(
        help=setting.full_help + _default(setting),
        rich_help_panel=setting.panel,
        metavar=setting.metavar or "NAME",
        parser=parse_values(setting),
    )
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(setting.name, kind, default=None, annotation=Annotated[Values | None, option])


def _default(setting: Setting) -> str:
    default = setting.format(setting.default)
    return (
        "" if default is None else f" Default: {default:g}." if isinstance(default, float) else f" Default: {default}."
    )


def _annotation(setting: Setting) -> Any:
    if setting.type is bool:
        return Annotated[bool, typer.Option(f"--{setting.key}", help=setting.full_help, rich_help_panel=setting.panel)]
    kind = Literal[tuple(setting.choices)] if setting.choices is not None else Any if setting.parse else setting.type
    option = typer.Option(
        help=setting.full_help,
        rich_help_panel=setting.panel,
        metavar=setting.metavar or "NAME",
        parser=_parser(setting),
    )
    return Annotated[kind | None if setting.default is None else kind, option]


def _parser(setting: Setting) -> Callable[[Any], Any] | None:
    """Return the function that converts a text to a value; None for a choice, which Typer checks and completes."""
    if setting.parse is not None:
        return setting.parsed
    if setting.range is not None:
        return whole_number(setting.range) if setting.type is int else number(setting.range)
    return user_path if setting.type is Path else None


def number(allowed: Range) -> Callable[[Any], float]:
    """Return a parser of numbers in a range."""
    return functools.partial(allowed.number, float)


def whole_number(allowed: Range) -> Callable[[Any], int]:
    """Return a parser of whole numbers in a range."""
    return functools.partial(allowed.number, int)
