"""What was measured."""

import math
import statistics
from dataclasses import dataclass, field
from typing import Any

from _shared.tables import markdown, number, percent


@dataclass(frozen=True)
class Comparison:
    """Several systems or commands that did the same, measured in turn.

    Attributes
    ----------
    title
        What they did.
    about
        The same for programs.
    seconds
        Of each, one for each round; ratios refer to the first one. Infinite where it did not get there.
    remarks
        More columns of the table: by their heads, what they say of some of them.
    """

    title: str
    about: dict[str, Any]
    seconds: dict[str, list[float]]
    remarks: dict[str, dict[str, str]] = field(default_factory=dict)

    def median(self, name: str) -> float:
        """Of its seconds."""
        return statistics.median(self.seconds[name])

    def ratio(self, name: str) -> float:
        """The median of its ratios."""
        return statistics.median(self.ratios(name))

    def ratios(self, name: str) -> list[float]:
        """To the first one, round by round: what slows the machine for a while slows both."""
        first = next(iter(self.seconds.values()))
        return [own / reference for own, reference in zip(self.seconds[name], first, strict=True)]

    def remarks_on(self, name: str) -> dict[str, str]:
        """What there is to say of one, by the columns' heads."""
        return {head: remarks.get(name, "") for head, remarks in self.remarks.items()}

    def table(self) -> str:
        """As Markdown."""
        head = ["", "median, s", "min-max, s", "× the first", "min-max", *self.remarks]
        rows = [
            [name, *median_and_spread(values), *median_and_spread(self.ratios(name)), *self.remarks_on(name).values()]
            for name, values in self.seconds.items()
        ]
        return f"### {self.title}\n\n{markdown(head, rows)}"

    def as_json(self) -> dict[str, Any]:
        """All of it, with medians."""
        systems = {
            name: {
                "seconds": [finite(value) for value in values],
                "median": finite(self.median(name)),
                "ratio": finite(self.ratio(name)),
                **self.remarks_on(name),
            }
            for name, values in self.seconds.items()
        }
        return {"title": self.title, **self.about, "systems": systems}


@dataclass(frozen=True)
class Agreement:
    """Costs that must be the same, up to a relative difference."""

    what: str
    costs: dict[str, float]
    tolerance: float

    @property
    def difference(self) -> float:
        """Between the largest and the smallest, relative to the smallest."""
        return max(self.costs.values()) / min(self.costs.values()) - 1

    @property
    def holds(self) -> bool:
        """Whether they agree; NaN agrees with nothing."""
        return self.difference <= self.tolerance

    def as_json(self) -> dict[str, Any]:
        """All of it."""
        costs = {name: finite(cost) for name, cost in self.costs.items()}
        return {"what": self.what, "costs": costs, "tolerance": self.tolerance, "holds": self.holds}

    def __str__(self) -> str:
        costs = ", ".join(f"{name} {cost:.5g}" for name, cost in self.costs.items())
        verdict = "agree" if self.holds else "DO NOT AGREE"
        return f"Costs {self.what}: {costs}; they {verdict} ({percent(self.difference)} of {percent(self.tolerance)})."


def median_and_spread(values: list[float]) -> list[str]:
    """Two cells of a table."""
    return [number(statistics.median(values)), f"{number(min(values))}-{number(max(values))}"]


def finite(value: float) -> float | None:
    """JSON has no infinity, and infinity by infinity is no number."""
    return value if math.isfinite(value) else None
