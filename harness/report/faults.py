"""The report's part on faults: what came of each, what it cost, and what was expected of it and did not happen."""

from typing import Any

from harness.report.contents import RunContents
from harness.report.table import Cell, Table, table
from harness.report.words import DASH, count, ms, score, share, significant

COLUMNS = (
    "Fault", "Verdict", "Injected", "Lasted", "Felt by", "Detected after", "Breaker opened after", "Recovered after",
    "P99 before", "P99 during", "P99 after", "Waits for the model at most", "By fallback",
    "Lost", "Decided twice", "Put in", "Dead-lettered",
)  # fmt: skip
PRICE = (
    "Fault", "Events", "Frauds", "Precision@K", "with the model", "Recall", "with the model", "Alerts missed",
    "frauds among them", "Alerts more",
)  # fmt: skip


def faults_table(run: RunContents) -> Table | None:
    """Injected faults and what came of them; None without any."""
    faults = run.get("faults")
    if not faults:
        return None
    return table("Injected faults", COLUMNS, [_row(fault) for fault in faults], words=(0, 1, 4))


def _row(fault: dict[str, Any]) -> list[str | Cell]:
    passed = fault.get("status") == "pass"
    return [
        fault["kind"],
        Cell("passed", "good") if passed else Cell("failed", "bad"),
        str(fault.get("injected_at", DASH)),
        DASH if fault.get("duration_s") is None else f"{significant(fault['duration_s'])} s",
        ", ".join(fault.get("felt") or []) or "nothing",
        ms(fault.get("detected_ms")),
        ms(fault.get("open_ms")),
        ms(fault.get("recovered_ms")),
        ms(fault.get("p99_before_ms")),
        ms(fault.get("p99_during_ms")),
        ms(fault.get("p99_after_ms")),
        count(fault.get("model_waits_max")),
        _fallback(fault),
        count(fault.get("lost")),
        count(fault.get("duplicated")),
        count((fault.get("fed") or {}).get("messages")),
        count(fault.get("dead_lettered")),
    ]


def _fallback(fault: dict[str, Any]) -> str:
    paths, events = fault.get("by_path") or {}, fault.get("events")
    return share(paths.get("fallback", 0) / events) if events else DASH


def price_table(run: RunContents) -> Table | None:
    """What each fault cost in quality; None where that is not known of any."""
    priced = [fault for fault in run.get("faults") or [] if fault.get("quality")]
    if not priced:
        return None
    rows = [_price(fault["kind"], fault["quality"]) for fault in priced]
    return table("What was due while they were felt, as it was decided and as the model would have", PRICE, rows)


def _price(kind: str, quality: dict[str, Any]) -> list[str | Cell]:
    figures = ("precision_at_k", "precision_at_k_model", "recall", "recall_model")
    return [
        kind,
        count(quality.get("events")),
        count(quality.get("frauds")),
        *(score(quality.get(name)) for name in figures),
        *(count(quality.get(name)) for name in ("alerts_missed", "frauds_missed", "alerts_more")),
    ]


def faults_note(run: RunContents) -> str:
    """The expectations that were not met, and how the stream was outside of the faults; empty without any."""
    faults, steady = run.get("faults"), run.get("steady")
    if not faults:
        return ""
    words = [f"{fault['kind']}: {reason}." for fault in faults for reason in fault.get("reasons") or []]
    if steady:
        words.append(
            f"Outside of the faults the P99 was {ms(steady.get('p99_ms'))} over {count(steady.get('events'))} events, "
            f"and {share(steady.get('fallback_share'))} were decided by the fallback: by that the limits are judged."
        )
    return " ".join(words)
