"""Each rule's hits, precision, and how often it decided."""

from harness.report.contents import RunContents
from harness.report.table import Table, table
from harness.report.words import DASH, count, interval, share


def rule_table(run: RunContents) -> Table | None:
    """One row a rule that fired; None where no decision names a rule."""
    rules = [row for row in run.get("quality", "rules") or [] if row["hits"]]
    if not rules:
        return None
    rows = [
        (
            row["code"],
            row.get("outcome") or DASH,
            count(row["hits"]),
            share(row["hit_rate"], 2),
            share(row["precision"]),
            interval(row, "precision", share),
            share(row["recall"]),
            count(row["decided"]),
        )
        for row in rules
    ]
    columns = ("Rule", "Outcome", "Hits", "Hit rate", "Precision", "95% interval", "Of all frauds", "Decided")
    return table("Rules: hits and precision", columns, rows, words=(0, 1))


def rule_note(run: RunContents) -> str:
    """What the hits were counted on; empty without rules."""
    rules = run.get("quality", "rules")
    if not rules:
        return ""
    everywhere = rules[0].get("basis") == "all"
    silent = [row["code"] for row in rules if not row["hits"] and (everywhere or row.get("outcome") != "approve")]
    words = (
        "Hits are counted over all decisions."
        if everywhere
        else "Hits are counted over flagged decisions, the only ones that carry reasons here; the hit rate of all "
        "decisions, and the precision over them, need a run with --explain all."
    )
    if silent:
        words += f" {'Never fired' if everywhere else 'Not among them'}: {', '.join(silent)}."
    if not everywhere and any(row.get("outcome") == "approve" for row in rules):
        words += " Rules that approve flag nothing, so they cannot be among them."
    return words
