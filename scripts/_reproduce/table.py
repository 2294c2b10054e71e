"""Generated part of configs/README.md: a table of the results in the recipes' files."""

from collections.abc import Iterable
from pathlib import Path

from _shared.tables import markdown

from _reproduce.recipes import Measurement, Recipe
from mnist_bp.errors import InputError
from mnist_bp.storage.atomic import write_text

BEGIN = "<!-- written by scripts/reproduce, from here on -->"
END = "<!-- up to here -->"

HEAD = ("recipe", "literature", "bar", "mean ± s", "each seed", "minutes", "command")


def render(recipes: Iterable[Recipe]) -> str:
    """Return the table with a row for each recipe, followed by the machines of the measurements."""
    recipes = list(recipes)
    text = markdown(HEAD, [_row(recipe) for recipe in recipes])
    machines: dict[str, list[str]] = {}
    for recipe in recipes:
        if recipe.measured and not recipe.is_outdated:
            machines.setdefault(recipe.measured.machine, []).append(recipe.name)
    for machine, names in machines.items():
        which = f" ({', '.join(names)})" if len(machines) > 1 else ""
        text += f"\n\nMeasured on {machine}{which}."
    return text


def write(readme: Path, recipes: Iterable[Recipe]) -> None:
    """Write the table between the two markers in the file, and leave the rest unchanged.

    Raises
    ------
    InputError
        If the markers are missing.
    """
    text = readme.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise InputError(f"{readme}: expected the lines {BEGIN} and {END}, for the table between them")
    write_text(readme, f"{before}{begin}\n\n{render(recipes)}\n\n{end}{after}")


def _row(recipe: Recipe) -> tuple[str, ...]:
    network = f"[{recipe.sizes}]({recipe.path.name}): {recipe.special}"
    return network, recipe.literature, f"{recipe.bar:.2f}", *_figures(recipe), f"`scripts/reproduce {recipe.name}`"


def _figures(recipe: Recipe) -> tuple[str, str, str]:
    """Return the columns of a measurement: its spread, each seed, the minutes."""
    measured: Measurement | None = recipe.measured
    if measured is None:
        return "not yet measured", "", ""
    if recipe.is_outdated:
        return "changed since it was measured", "", ""
    missed = "" if recipe.meets_its_bar else " (misses its bar)"
    return f"{measured.spread}{missed}", ", ".join(f"{error:.2f}" for error in measured.errors), measured.minutes
