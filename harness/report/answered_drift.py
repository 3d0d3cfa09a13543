"""How drift was answered: every gate with its words, and what the answer was worth; for the terminal and the report."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from harness.report.table import Cell, Table, table
from harness.report.words import DASH, count, score, share

PHASES = {"before": "before the onset", "drifted": "from the onset on", "answered": "answered by the candidate"}


def gates_table(answers: Sequence[Mapping[str, Any]] | None) -> Table | None:
    """A row a gate, of `drift.answers`; None where no drift was answered."""
    rows: list[list[str | Cell]] = []
    for answer in answers or []:
        for gate in answer["gates"]:
            standing = Cell("passed", "good") if gate["passed"] else Cell("stopped", "bad")
            candidate = answer["candidate"] or DASH
            head = [str(answer["attempt"]), day(gate["event_time_ns"]), candidate, gate["gate"]]
            rows.append([*head, standing, gate["why"]])
        outcome = Cell(answer["outcome"], "good" if answer["outcome"] == "full" else "watch")
        rows.append([str(answer["attempt"]), DASH, answer["candidate"] or DASH, "outcome", outcome, _phases(answer)])
    columns = ("Attempt", "Event time", "Candidate", "Gate", "", "Why")
    return table("Answers to drift", columns, rows, words=range(len(columns))) if rows else None


def _phases(answer: Mapping[str, Any]) -> str:
    return ", ".join(f"{phase['phase']} from {day(phase['from_event_time_ns'])}" for phase in answer["phases"]) or DASH


def recovery_table(recovery: Mapping[str, Any] | None) -> Table | None:
    """Quality by phase without and with an answer; None where nothing was held against it."""
    if recovery is None:
        return None
    k = recovery["k"]
    columns = ("", "", "Events", "Frauds", f"Precision@{k}", "Ceiling", "Attained", "Recall", "PR-AUC")
    rows: list[list[str | Cell]] = []
    for phase in recovery["phases"]:
        for side, words in (("without", "no answer"), ("answered", "retrained")):
            found = phase[side]
            figures = ("precision_at_k", "ceiling_at_k", "attained", "recall", "pr_auc")
            counts = [count(found["events"]), count(found["frauds"])]
            rows.append([PHASES[phase["phase"]], words, *counts, *(score(found[name]) for name in figures)])
    return table("The same events without and with an answer", columns, rows, words=(0, 1))


def recovery_words(recovery: Mapping[str, Any] | None) -> str:
    """What the answer was worth, in one line."""
    if recovery is None:
        return ""
    kept = f"{recovery['lost_events']} events lost, {recovery['differing_before']} decided otherwise before the change"
    if recovery["won"] is None:
        return f"No candidate came to decide everything; {kept}."
    lost, won = recovery["lost"], recovery["won"]
    of = f" of precision@{recovery['k']} that can be attained"
    if recovery["recovered"] is None:
        return f"Nothing was lost{of}; retraining won {won:+.3f}. {kept}."
    part = share(recovery["recovered"], 0)
    return f"{lost:.3f}{of} was lost without an answer; retraining won {won:+.3f}, {part} of it. {kept}."


def day(time_ns: int) -> str:
    """An event time, to the hour."""
    return datetime.fromtimestamp(time_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%MZ")
