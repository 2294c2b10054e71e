"""Options from declarations: how Typer learns of the settings that a command takes.

A command names settings in one of two ways: a parameter of type ``Settings`` stands for all of them, and a parameter
whose type is marked ``DECLARED`` for the setting of its name. ``with_options`` puts the declared options in their
place; the named values of a choice, also of a parameter marked ``OneOf``, are those registered at that moment.
"""

import functools
import inspect
import math
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_type_hints

import typer

from mnist_bp.environment import user_path
from mnist_bp.training.declaration import Range, Setting
from mnist_bp.training.settings import SETTINGS, Settings

__all__ = ["DECLARED", "OneOf", "number", "with_options"]

DECLARED = "declared"
"""Mark of a parameter whose option is the declared setting of its name."""


class OneOf(NamedTuple):
    """Mark of a parameter whose named values are the keys of what ``choices`` returns."""

    choices: Callable[[], Iterable[str]]


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """Return ``command`` with the declared options in its signature; it gets values, or one ``Settings``."""
    hints = get_type_hints(command, include_extras=True)
    whole = next((name for name, hint in hints.items() if hint is Settings), None)

    @functools.wraps(command)
    def run(**values: Any) -> None:
        if whole is not None:
            values[whole] = Settings(**{name: values.pop(name) for name in SETTINGS})
        command(**values)

    parameters = inspect.signature(command).parameters.values()
    run.__signature__ = inspect.Signature([*_parameters(parameters, hints)])  # type: ignore[attr-defined]
    return run


def _parameters(own: Any, hints: dict[str, Any]) -> Iterator[inspect.Parameter]:
    for parameter in own:
        hint = hints[parameter.name]
        if hint is Settings:
            yield from (_parameter(each) for each in SETTINGS.values())
        elif DECLARED in get_args(hint):
            yield _parameter(SETTINGS[parameter.name])
        else:
            yield parameter.replace(annotation=_named_values(hint), kind=inspect.Parameter.KEYWORD_ONLY)


def _named_values(hint: Any) -> Any:
    """Return a type as it is, or, if it is marked ``OneOf``, with the named values that there are now."""
    _, *marks = get_args(hint) or [hint]
    choices = [mark.choices() for mark in marks if isinstance(mark, OneOf)]
    others = [mark for mark in marks if not isinstance(mark, OneOf)]
    return Annotated[(Literal[tuple(choices[0])], *others)] if choices else hint


def _parameter(setting: Setting) -> inspect.Parameter:
    default = setting.default if setting.parse is None else setting.format(setting.default)
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(setting.name, kind, default=default, annotation=_annotation(setting))


def _annotation(setting: Setting) -> Any:
    keywords: dict[str, Any] = {
        "help": setting.help,
        "rich_help_panel": setting.panel,
        "metavar": setting.metavar,
        "show_default": setting.default is not None,
    }
    if setting.choices is not None:
        kind: Any = Literal[tuple(setting.choices)]
    elif setting.parse is not None:
        kind, keywords["parser"] = Any, _parser(setting.parse)
    elif setting.type is Path:
        kind, keywords["parser"] = Path, user_path
    else:
        kind = setting.type
        keywords |= _bounds(setting)
    if setting.default is None:
        kind = kind | None
    return Annotated[kind, typer.Option(**keywords)]


def _bounds(setting: Setting) -> dict[str, Any]:
    if setting.range is None:
        return {}
    if setting.type is int:
        return {"min": setting.range.low, "max": None if setting.range.high == math.inf else setting.range.high}
    return {"callback": number(setting.range)}


def _parser(parse: Callable[[str], Any]) -> Callable[[Any], Any]:
    """Return a parser for Typer, which also hands it what it has parsed before."""

    def parsed(text: Any) -> Any:
        return parse(text) if isinstance(text, str) else text

    return parsed


def number(allowed: Range) -> Callable[[float | None], float | None]:
    """Return a callback that refuses, as bad usage, a number outside a range."""

    def check(value: float | None) -> float | None:
        if value is not None and not allowed.holds(value):
            raise typer.BadParameter(f"expected {allowed.expected}; got {value:g}")
        return value

    return check
