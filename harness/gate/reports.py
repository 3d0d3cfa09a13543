"""What a gate found, for people in a pull request (Markdown) and for CI (JUnit XML)."""

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from harness.gate.regression import Change, Outcome

WORDS: dict[Outcome, str] = {
    "pass": "no regression",
    "regression": "REGRESSION",
    "inconclusive": "inconclusive",
}
SIGNS: dict[Outcome, str] = {"pass": "✅", "regression": "❌", "inconclusive": "❔"}


@dataclass(frozen=True, slots=True)
class GateReport:
    """The outcome, both builds, how many rounds were valid, how many runs were not, and every metric's change."""

    outcome: Outcome
    base: str
    head: str
    rounds: int
    invalid_runs: int
    options: str
    changes: tuple[Change, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def percent(share: float) -> str:
    """A signed share in percent."""
    return f"{share:+.1%}"


def to_markdown(report: GateReport) -> str:
    """A comment for a pull request."""
    lines = [
        f"### {SIGNS[report.outcome]} bench gate: {WORDS[report.outcome]}",
        "",
        f"head `{report.head}` against base `{report.base}`, {report.rounds} rounds of base, head, base"
        f" (`bench run {report.options}`; {report.invalid_runs} invalid runs repeated).",
        "",
        "| metric | base | head | change | noise (base against base) | p | |",
        "|---|---:|---:|---:|---:|---:|---|",
    ]
    lines += [
        f"| {change.metric} | {change.base:.4g} ms | {change.head:.4g} ms | {percent(change.effect)} |"
        f" ±{change.noise:.1%} | {change.p:.3g} | {SIGNS[change.outcome]} {WORDS[change.outcome]} |"
        for change in report.changes
    ]
    return "\n".join(lines) + "\n"


def to_junit(report: GateReport) -> str:
    """One test case a metric: a regression is a failure, an inconclusive one is an error. UTF-8 XML."""
    found: Sequence[Outcome] = [change.outcome for change in report.changes]
    suite = ET.Element(
        "testsuite",
        name="bench gate",
        tests=str(len(found)),
        failures=str(found.count("regression")),
        errors=str(found.count("inconclusive")),
    )
    for name, value in (("base", report.base), ("head", report.head), ("rounds", str(report.rounds))):
        ET.SubElement(suite, "property", name=name, value=value)
    for change in report.changes:
        case = ET.SubElement(suite, "testcase", classname="bench.gate", name=change.metric)
        words = (
            f"{change.base:.4g} ms → {change.head:.4g} ms ({percent(change.effect)}; noise ±{change.noise:.1%}, "
            f"p {change.p:.3g})"
        )
        if change.outcome != "pass":
            kind = "failure" if change.outcome == "regression" else "error"
            ET.SubElement(case, kind, message=words, type=change.outcome)
        ET.SubElement(case, "system-out").text = words
    ET.indent(suite)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suite, encoding="unicode") + "\n"
