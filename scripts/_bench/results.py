"""Results of the measurements."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from _shared.tables import markdown, number, percent


@dataclass(frozen=True)
class Comparison:
    """Comparison of several systems or commands that did the same work, measured in turn.

    Attributes
    ----------
    title
        Description of the work.
    about
        Description of the work as JSON values.
    seconds
        Seconds by name, one value for each round. Ratios refer to the first name. Infinite if a target was not reached.
    remarks
        Additional columns of the table, by heading: texts by name.
    """

    title: str
    about: dict[str, Any]
    seconds: dict[str, list[float]]
    remarks: dict[str, dict[str, str]] = field(default_factory=dict)

    def median(self, name: str) -> float:
        """Return the median of the seconds."""
        return statistics.median(self.seconds[name])

    def ratio(self, name: str) -> float:
        """Return the median of the ratios."""
        return statistics.median(self.ratios(name))

    def ratios(self, name: str) -> list[float]:
        """Return the ratios to the first name, round by round, so that a slow phase of the machine affects both."""
        first = next(iter(self.seconds.values()))
        return [own / reference for own, reference in zip(self.seconds[name], first, strict=True)]

    def remarks_on(self, name: str) -> dict[str, str]:
        """Return the remarks about a name, by heading."""
        return {head: remarks.get(name, "") for head, remarks in self.remarks.items()}

    def table(self) -> str:
        """Return the comparison as a Markdown table."""
        head = ["", "median, s", "min-max, s", "× the first", "min-max", *self.remarks]
        rows = [
            [name, *median_and_spread(values), *median_and_spread(self.ratios(name)), *self.remarks_on(name).values()]
            for name, values in self.seconds.items()
        ]
        return f"### {self.title}\n\n{markdown(head, rows)}"

    def as_json(self) -> dict[str, Any]:
        """Return the comparison with its medians as JSON values."""
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


def best_threads(seconds: Mapping[int, Sequence[float]]) -> int:
    """Return the number of threads with the lowest median of the seconds, which are given for each number."""
    return min(seconds, key=lambda threads: statistics.median(seconds[threads]))


@dataclass(frozen=True)
class Agreement:
    """Costs that must be equal up to a relative tolerance."""

    what: str
    costs: dict[str, float]
    tolerance: float

    @property
    def difference(self) -> float:
        """Difference between the largest and the smallest cost, relative to the smallest."""
        return max(self.costs.values()) / min(self.costs.values()) - 1

    @property
    def holds(self) -> bool:
        """True if the costs agree. NaN never does."""
        return self.difference <= self.tolerance

    def as_json(self) -> dict[str, Any]:
        """Return the agreement as JSON values."""
        costs = {name: finite(cost) for name, cost in self.costs.items()}
        return {"what": self.what, "costs": costs, "tolerance": self.tolerance, "holds": self.holds}

    def __str__(self) -> str:
        costs = ", ".join(f"{name} {cost:.5g}" for name, cost in self.costs.items())
        verdict = "agree" if self.holds else "DO NOT AGREE"
        return f"Costs {self.what}: {costs}; they {verdict} ({percent(self.difference)} of {percent(self.tolerance)})."


def median_and_spread(values: list[float]) -> list[str]:
    """Return two cells of a table: the median, and the range."""
    return [number(statistics.median(values)), f"{number(min(values))}-{number(max(values))}"]


def finite(value: float) -> float | None:
    """Return the value, or None if it is infinite or NaN, which JSON does not support."""
    return value if math.isfinite(value) else None
