"""Error rates by customer segment and region, and the bias check in a line."""

from typing import Any

from harness.report.contents import RunContents
from harness.report.table import Cell, Table, Tone, table
from harness.report.words import count, interval, share, significant

KINDS = {"segment": "customer segment", "region": "region"}


def group_table(run: RunContents, kind: str) -> Table | None:
    """By `kind` (segment or region); None where the data names none."""
    found = run.get("quality", f"by_{kind}")
    if not found or not found.get("groups"):
        return None
    disparity = found.get("disparity") or {}
    rows = [_row(row, disparity) for row in (*found["groups"], found["overall"])]
    columns = (kind.capitalize(), "Events", "Frauds", "Recall", "95%", "False positives", "95%", "Precision", "95%")
    return table(f"Error rates by {KINDS[kind]}, with 95% intervals", columns, rows)


def _row(row: dict[str, Any], disparity: dict[str, Any]) -> list[str | Cell]:
    apart = row["name"] == disparity.get("group") and not disparity.get("intervals_overlap", True)
    tone: Tone = "watch" if apart else ""
    return [
        row["name"],
        count(row["events"]),
        count(row["frauds"]),
        share(row["recall"]),
        interval(row, "recall", share),
        Cell(share(row["false_positive_rate"], 2), tone),
        interval(row, "false_positive_rate", lambda value: share(value, 2)),
        share(row["precision"]),
        interval(row, "precision", share),
    ]


def bias_line(found: dict[str, Any] | None, kind: str) -> str:
    """What the false-positive rates of the groups say, in words; `found` is results' `by_segment` or `by_region`."""
    if not found:
        return f"The data names no {KINDS[kind]}: whether some customers are flagged more often is not known."
    disparity = found.get("disparity")
    if not disparity:
        return f"Too few genuine events by {KINDS[kind]} to compare."
    overlap = (
        "the intervals overlap, so it may be chance."
        if disparity["intervals_overlap"]
        else "the intervals do not overlap: look into it before this goes live."
    )
    rate = share(disparity["false_positive_rate"], 2)
    return (
        f"Genuine customers of {kind} {disparity['group']} are flagged most: {rate}, "
        f"{significant(disparity['ratio'])} times the overall {share(disparity['overall'], 2)}; {overlap}"
    )
