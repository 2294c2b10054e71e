"""``--help`` of every command: options in panels, each with its named values and its default."""

from collections import defaultdict
from typing import Any

from typer.core import TyperArgument, TyperCommand

from mnist_bp.data.layouts import IN_HELP
from mnist_bp.reports.help import Row, lay_out
from mnist_bp.training.panels import ADVANCED, OUTPUT

__all__ = ["Command", "panels"]

ARGUMENTS = "Arguments"
"""First panel, for arguments that are no options."""

LAST = [OUTPUT, ADVANCED]
"""Last panels; the others stand in the order of the command's parameters."""


class Command(TyperCommand):
    """A command with the help of this program."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the words after the command in the usage; arguments in brackets are optional."""
        arguments = [each for each in self.get_params(ctx) if isinstance(each, TyperArgument)]
        return ["[OPTIONS]", *(f"{each.metavar}" if each.required else f"[{each.metavar}]" for each in arguments)]

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the whole help."""
        paragraphs = [" ".join(text.split()) for text in (self.help or "").split("\n\n")]
        parameters = self.get_params(ctx)
        if any(each.name == "data_dir" for each in parameters):
            paragraphs.append(IN_HELP)
        formatter.write(lay_out(self.get_usage(ctx), paragraphs, panels(parameters, OUTPUT)))


def panels(parameters: list[Any], otherwise: str) -> dict[str, list[Row]]:
    """Return the rows of each panel; parameters that name no panel stand in ``otherwise``."""
    found = defaultdict[str, list[Row]](list)
    for parameter in parameters:
        kind = ARGUMENTS if isinstance(parameter, TyperArgument) else otherwise
        found[getattr(parameter, "rich_help_panel", None) or kind].append(_row(parameter))
    order = [ARGUMENTS, *(title for title in found if title not in {ARGUMENTS, *LAST}), *LAST]
    return {title: found[title] for title in order if title in found}


def _row(parameter: Any) -> Row:
    text, default = parameter.help or "", parameter.default
    if isinstance(parameter, TyperArgument):
        name, value = parameter.metavar or "", ""
    else:
        names = sorted(parameter.opts, key=len, reverse=True)
        name = ", ".join(names) + "".join(f"/{each}" for each in parameter.secondary_opts)
        value = "" if parameter.is_flag else parameter.metavar or "TEXT"
    if default is not None and not getattr(parameter, "is_flag", False):
        text += f" Default: {f'{default:g}' if isinstance(default, float) else default}."
    return Row(name, value, text)
