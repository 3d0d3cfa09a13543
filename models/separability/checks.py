"""What a check is: a figure, the limits it has to keep, and a verdict."""

import math
from dataclasses import dataclass
from typing import Any, Literal

Verdict = Literal["pass", "fail", "information", "not measured"]
_KEEPS = {"pass": True, "fail": False}
DIGITS = 6
"""Decimals kept in files: enough to compare, few enough that they say nothing about the machine."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check. `figure` is None where the data are too few or lack a column; without `low` and `high` (both
    inclusive) it is information. `detail` says in words what was found, `group` what kind of check it is."""

    group: str
    name: str
    figure: float | None
    low: float | None = None
    high: float | None = None
    detail: str = ""

    @property
    def verdict(self) -> Verdict:
        """Whether the figure keeps its limits."""
        if self.figure is None or not math.isfinite(self.figure):
            return "not measured"
        if self.low is None and self.high is None:
            return "information"
        under = self.low is not None and self.figure < self.low
        over = self.high is not None and self.figure > self.high
        return "fail" if under or over else "pass"

    def to_dict(self, strict: bool = True) -> dict[str, Any]:
        """As JSON holds it; unless `strict` the limits are there to compare with, and nothing fails."""
        verdict = self.verdict if strict or self.verdict == "not measured" else "information"
        return {
            "group": self.group, "check": self.name, "figure": rounded(self.figure), "low": rounded(self.low),
            "high": rounded(self.high), "verdict": verdict, "keeps_limits": _KEEPS.get(self.verdict),
            "detail": self.detail,
        }  # fmt: skip


def rounded(value: float | None) -> float | None:
    """A figure as it is written to files; None for what is not a finite number."""
    return None if value is None or not math.isfinite(value) else round(float(value), DIGITS)


@dataclass(frozen=True, slots=True)
class Findings:
    """Checks, and the tables they were taken from (name → rows)."""

    checks: tuple[Check, ...]
    tables: dict[str, list[dict[str, Any]]]
