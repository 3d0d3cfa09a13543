"""Tables of money-laundering monitoring: budgets, typologies, markets, worklists, investigators."""

from collections.abc import Mapping
from typing import Any

from harness.report.contents import RunContents
from harness.report.table import Cell, Table, Tone, table
from harness.report.words import DASH, count, interval, score, share, significant, spoken

STABILITY_TONES: dict[str, Tone] = {"stable": "good", "watch": "watch", "drift": "bad", "unknown": "quiet"}


def monitoring_tables(run: RunContents) -> list[Table]:
    """All of them, in the order they are read; none of a run that monitors nothing."""
    aml = run.get("aml")
    if not aml:
        return []
    return [_budgets(aml), _typologies(aml), _markets(aml), _worklists(aml), _detection(aml)]


def _budgets(aml: Mapping[str, Any]) -> Table:
    columns = (
        "Most suspicious", "Customers", "Precision", "95%", "Lift", "Patterns found", "95%", "Half of the members",
        "Launderers found",
    )  # fmt: skip
    rows = []
    for budget in aml["budgets"]:
        recall = budget["recall"]["overall"]
        rows.append(
            [
                share(budget["share"], 0),
                count(budget["customers"]),
                score(budget["precision"]["value"]),
                interval(budget["precision"], "", score),
                _times(budget["lift"]["value"]),
                f"{share(recall['recall'])} of {count(recall['patterns'])}",
                interval(recall, "recall", share),
                share(recall["recall_half"]),
                share(recall["customer_recall"]),
            ]
        )
    return table("Customers by their best score of the whole stream, looked at once", columns, rows)


def _typologies(aml: Mapping[str, Any]) -> Table:
    return _recall_table(aml, "by_typology", "Typology", spoken)


def _markets(aml: Mapping[str, Any]) -> Table:
    found = _recall_rows(aml, "by_market")
    stability = aml["psi_by_market"]
    rows: list[list[str | Cell]] = []
    for name in sorted({*found, *stability}):
        cells = _recall_cells(found.get(name))
        stable = stability.get(name) or {}
        psi = Cell(score(stable.get("value")), STABILITY_TONES.get(stable.get("status", "unknown"), "quiet"))
        rows.append([name, *cells, count(stable.get("scores")), psi])
    columns = ("Market", "Patterns", "On worklists", "Half of the members", "Launderers found", "Scores", "PSI")
    return table("By market", columns, rows)


def _recall_table(aml: Mapping[str, Any], part: str, what: str, words: Any) -> Table:
    found = _recall_rows(aml, part)
    rows = [[words(name), *_recall_cells(row)] for name, row in sorted(found.items())]
    columns = (what, "Patterns", "On worklists", "Half of the members", "Launderers found")
    return table(f"By {what.lower()}", columns, rows)


def _recall_rows(aml: Mapping[str, Any], part: str) -> dict[str, Mapping[str, Any]]:
    return dict(aml["worklists"]["recall"][part])


def _recall_cells(row: Mapping[str, Any] | None) -> list[str]:
    if row is None:
        return [DASH] * 4
    return [count(row["patterns"]), share(row["recall"]), share(row["recall_half"]), share(row["customer_recall"])]


def _worklists(aml: Mapping[str, Any]) -> Table:
    columns = ("Day", "Could be listed", "Launderers among them", "Listed", "Found", "Precision")
    rows = [
        [
            day["day"],
            count(day["open"]),
            count(day["suspicious"]),
            count(day["listed"]),
            count(day["found"]),
            score(day["precision"]),
        ]
        for day in aml["worklists"]["days"]
    ]
    return table(f"Worklists of {aml['worklists']['k']} customers a day", columns, rows)


def _detection(aml: Mapping[str, Any]) -> Table:
    found, done = aml["time_to_detect"], aml.get("investigations") or {}
    rows = [
        ["Patterns on a worklist", f"{count(found['found'])} of {count(found['patterns'])}"],
        ["Half of all patterns within", _hours(found["p50_h"])],
        ["Nine tenths of all patterns within", _hours(found["p90_h"])],
        ["Found before their last transfer", share(found["while_active"])],
        ["Findings of the investigators", count(done.get("findings"))],
        ["of them suspicious", count(done.get("suspicious"))],
        ["looked at without a rank", count(done.get("explored"))],
        ["sent back while the stream lasted", count(done.get("sent"))],
        ["Case files", count(aml.get("cases"))],
    ]
    return table("How soon, and what the investigators found", ("What", "How much"), rows)


def _times(value: float | None) -> str:
    return DASH if value is None else f"{significant(value)} ×"


def _hours(value: float | None) -> str:
    return "not found" if value is None else f"{significant(value)} h"
