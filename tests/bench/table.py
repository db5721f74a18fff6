"""The one table that everything measured ends up in."""

from __future__ import annotations

from collections.abc import Sequence

import attrs


@attrs.frozen(kw_only=True)
class Row:
    """``ratio`` is to what ``against`` names; ``goal`` is a bound of the ratio, or of the value where there is none.

    ``at_least``  whether the goal is a lower bound; otherwise it is an upper one
    """

    what: str
    value: float
    unit: str
    note: str = ""
    ratio: float | None = None
    against: str = ""
    goal: float | None = None
    at_least: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; ``None`` without one."""
        if self.goal is None:
            return None
        reached = self.value if self.ratio is None else self.ratio
        return reached >= self.goal if self.at_least else reached <= self.goal

    def cells(self) -> tuple[str, ...]:
        ratio = "" if self.ratio is None else f"{self.ratio:.2f} x {self.against}"
        bound = "" if self.goal is None else f"{'>=' if self.at_least else '<='} {self.goal:g}"
        verdict = {True: "met", False: "MISSED", None: ""}[self.met]
        return (self.what, f"{self.value:,.4g}" if self.value < 1000 else f"{self.value:,.0f}", self.unit, ratio,
                bound, verdict, self.note)  # fmt: skip


HEAD = ("measure", "value", "unit", "ratio", "goal", "", "")


def table(rows: Sequence[Row]) -> str:
    """All rows, aligned."""
    lines = [HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)
