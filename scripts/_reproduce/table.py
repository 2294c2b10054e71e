"""Generated part of configs/README.md: a table of the results in the recipes' files."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from _shared.tables import markdown, number

from _reproduce.committees import Committee
from _reproduce.recipes import Measurement, Recipe
from mnist_bp.errors import InputError
from mnist_bp.storage.atomic import write_text

BEGIN = "<!-- written by scripts/reproduce, from here on -->"
END = "<!-- up to here -->"

COMMITTEE_HEAD = ("committee", "members", "mean of the members", "committee's error", "minutes", "command")
HEAD = ("recipe", "literature", "bar", "mean ± s", "each seed", "minutes", "command")


def render(known: Mapping[str, Recipe], committees: Sequence[Committee] = ()) -> str:
    """Return the table with a row for each recipe, the machines of the measurements, and the table of committees."""
    recipes = known.values()
    text = markdown(HEAD, [_row(recipe) for recipe in recipes])
    machines: dict[str, list[str]] = {}
    for recipe in recipes:
        if recipe.measured and not recipe.is_outdated:
            machines.setdefault(recipe.measured.machine, []).append(recipe.name)
    for machine, names in machines.items():
        which = f" ({', '.join(names)})" if len(machines) > 1 else ""
        text += f"\n\nMeasured on {machine}{which}."
    if committees:
        rows = [_committee_row(committee, known) for committee in committees]
        text += f"\n\nCommittees average the outputs of their members.\n\n{markdown(COMMITTEE_HEAD, rows)}"
    return text


def write(readme: Path, known: Mapping[str, Recipe], committees: Sequence[Committee]) -> None:
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
    write_text(readme, f"{before}{begin}\n\n{render(known, committees)}\n\n{end}{after}")


def _committee_row(committee: Committee, known: Mapping[str, Recipe]) -> tuple[str, ...]:
    names = committee.recipes
    command = f"`scripts/reproduce {' '.join(names)} --seeds {committee.seeds} --committee`"
    members = ", ".join(f"[{name}]({name}.toml)" if name in known else name for name in names)
    if committee.is_outdated(known):
        return members, str(len(committee.errors)), "changed since it was measured", "", "", command
    figures = f"{committee.mean:.2f}", f"{committee.error:.2f}", number(committee.seconds / 60)
    return members, str(len(committee.errors)), *figures, command


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
