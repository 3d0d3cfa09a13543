"""Tables of the report that stand without a plot."""

from typing import Any

from harness.report.contents import RunContents
from harness.report.table import Cell, Table, Tone, table
from harness.report.words import DASH, count, ms, rate, score, share, significant, size

LOST_TONES: dict[bool, Tone] = {True: "bad", False: "good"}


def comparators_table(run: RunContents) -> Table | None:
    """This run beside published models under the same protocol; None when the protocol names none."""
    published = run.get("quality", "published")
    if not published:
        return None
    quality = run.get("quality") or {}
    ours = (quality.get("roc_auc"), quality.get("pr_auc"), quality.get("precision_at_k"))
    rows: list[list[str | Cell]] = [[Cell("This run", "good"), *(score(value) for value in ours), "measured here"]]
    for model in published:
        values = (model.get("auc"), model.get("average_precision"), model.get("card_precision_at_k"))
        rows.append([model["model"], *(score(value) for value in values), model.get("source") or "published"])
    columns = ("Model", "ROC AUC", "Average precision", f"Card precision@{quality.get('k')}", "Source")
    return table("Beside published results under the same protocol", columns, rows, words=(0, 4))


def path_table(run: RunContents) -> Table | None:
    """Latency and quality of each path."""
    paths = run.get("quality", "by_path") or {}
    latency = run.get("latency_ms", "by_path") or {}
    rows = []
    for name in ("rules", "model", "fallback"):
        quality = paths.get(name) or {}
        decided = run.get("counts", "by_path", name)
        rows.append(
            (
                name,
                count(decided),
                share(_part(decided, run.get("counts", "decided"))),
                ms((latency.get(name) or {}).get("response", {}).get("p99")),
                count(quality.get("frauds")),
                share(quality.get("recall")),
                share(quality.get("precision")),
                share(quality.get("false_positive_rate"), 2),
                score(quality.get("pr_auc")),
            )
        )
    columns = ("Path", "Decided", "Share", "P99", "Frauds", "Recall", "Precision", "False positives", "PR-AUC")
    return table("By path", columns, rows)


def _part(part: float | None, whole: float | None) -> float | None:
    return part / whole if part is not None and whole else None


def counts_table(run: RunContents) -> Table:
    """Where every event went."""
    counts = run.get("counts") or {}
    meaning = (
        ("sent", "Sent", "events the schedule put on the topic"),
        ("decided", "Decided", "came back with a decision"),
        ("lost", "Lost", "never came back (dead-lettered ones included)"),
        ("late", "Late", "came back after the time-out (among the decided)"),
        ("duplicated", "Duplicated", "decided more than once"),
        ("dead_lettered", "Dead-lettered", "refused by the scorer, with a reason"),
        ("unknown", "Unknown", "decisions for events nobody sent"),
        ("malformed", "Malformed", "decisions that could not be read"),
        ("undelivered", "Undelivered", "messages the broker did not take"),
        ("side_messages", "Side messages", "dispositions and day ends sent beside the events"),
        ("warmup", "Warm-up", "sent before latency is measured"),
        ("explained", "Explained", "got the model's contributions, with the decision or after it"),
        ("explanations_missing", "Not explained", "were to be explained and never were"),
    )
    harmful = {"lost", "late", "duplicated", "dead_lettered", "unknown", "malformed", "undelivered"}
    harmful.add("explanations_missing")
    rows: list[tuple[str, str | Cell, str]] = []
    for key, words, what in meaning:
        if key.startswith("expla") and key not in counts:
            continue
        value = counts.get(key)
        tone: Tone = LOST_TONES[bool(value)] if key in harmful and value is not None else ""
        rows.append((words, Cell(count(value), tone), what))
    rows += _guard_rows(run.get("breaker") or {})
    for key, words in (("negative", "Negative times"), ("overflow", "Times of more than a day")):
        if found := run.get("latency_ms", key):
            rows.append((words, Cell(count(found), "bad"), "latencies that cannot be: counted here, in no percentile"))
    return table("Every event accounted for", ("", "Events", "Meaning"), rows, words=(0, 2))


def _guard_rows(breaker: dict[str, Any]) -> list[tuple[str, str | Cell, str]]:
    """What the model's guards kept from it, where the scorer tells."""
    meaning = (
        ("late_scores", "Scored too late", "the model's score came after its time limit; kept for the audit"),
        ("late_failed", "Failed too late", "the model's call failed, or was stopped, after its time limit"),
        ("late_not_kept", "Late and not kept", "of these, in no file: there were too many"),
        (
            "bulkhead_rejected",
            "Bulkhead refusals",
            "calls of the model refused for want of a place (one a micro-batch)",
        ),
    )
    return [(words, count(breaker[key]), what) for key, words, what in meaning if breaker.get(key) is not None]


def transitions_table(run: RunContents) -> Table | None:
    """What the breaker did, when and why; None when it never moved."""
    steps = run.get("breaker", "transitions")
    if not steps:
        return None
    rows = [
        (
            f"{significant(step.get('at_s'))} s",
            step.get("from", DASH),
            step.get("to", DASH),
            step.get("cause") or DASH,
            step.get("worker") or DASH,
        )
        for step in steps
    ]
    return table("Breaker transitions", ("At", "From", "To", "Cause", "Worker"), rows, words=(0, 1, 2, 3, 4))


def audit_line(run: RunContents) -> str:
    """Where the audit trail ended; empty without one."""
    audit = run.get("audit")
    if not audit:
        return ""
    end = "closed" if audit.get("closed") else "not closed: the run ended before its last record"
    return f"Audit trail: {count(audit.get('records'))} records, {end}. Hash of the last one: {audit.get('head')}."


def setting_table(run: RunContents) -> Table:
    """What ran: engine, broker, load, model."""
    broker = run.get("broker") or {}
    model = run.get("model") or {}
    seeds = ", ".join(f"{name} {seed}" for name, seed in (run.get("seeds") or {}).items())
    started = f", started in {significant(broker['start_s'])} s" if broker.get("start_s") else ""
    memory = f", {size(broker.get('memory_bytes'))} of memory" if broker.get("memory_bytes") else ""
    load = run.get("load") or {}
    rows = [
        ("Engine", _engine(run)),
        ("Broker", f"{broker.get('name', DASH)} {broker.get('version') or ''}{started}{memory}"),
        (
            "Load",
            f"{load.get('process', DASH)}, {rate(load.get('target_per_s'))} for {_seconds(load.get('duration_s'))} "
            f"after {_seconds(load.get('warmup_s'))} of warm-up, {count(load.get('partitions'))} partitions",
        ),
        ("Events", f"{load.get('events_from') or DASH} … {load.get('events_until') or DASH}"),
        ("Data", run.get("dataset") or "synthetic world"),
        ("Model", model.get("version") or DASH),
        ("Seeds", seeds or DASH),
    ]
    return table("What ran", ("", "Value"), rows, words=(0, 1))


def _engine(run: RunContents) -> str:
    """Engine and workers; none were started where the scorer is external."""
    workers = run.get("workers")
    return f"{run.get('engine') or DASH}, " + (
        "started by somebody else" if workers == 0 else f"{count(workers)} worker(s)"
    )


def _seconds(value: float | None) -> str:
    return DASH if value is None else f"{value:g} s"


def environment_table(run: RunContents) -> Table | None:
    """The machine and versions; None when environment.json is missing."""
    found = run.environment
    if not found:
        return None
    rows = [
        (name.replace("_", " "), _plain(name, value)) for name, value in found.items() if not isinstance(value, dict)
    ]
    packages = found.get("packages") or {}
    rows += [(f"package {name}", str(version)) for name, version in packages.items()]
    return table("Environment", ("", "Value"), rows, words=(0, 1))


def _plain(name: str, value: Any) -> str:
    if value is None:
        return DASH
    if name.endswith("_bytes"):
        return size(value)
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
