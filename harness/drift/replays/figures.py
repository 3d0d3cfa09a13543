"""A campaign's tables: one row a known drift, the same for the terminal, for Markdown and for the report."""

from collections.abc import Sequence

from harness.drift.replays.campaign import Standing, Trial
from harness.drift.replays.replayed import Latency, Measure, Replayed
from harness.report.table import Cell, Table, Tone, table
from harness.report.words import DASH, count, ms, score, significant

TONES: dict[Standing, Tone] = {"pass": "good", "fail": "bad", "failed": "bad"}
COLUMNS = (
    "Drift", "Domain", "Kind", "Onset, day", "Detected by", "Delay, events", "Delay, days",
    "False alarms per 100,000", "Blamed", "Rightly", "Precision@K", "Recall", "PR-AUC", "P99",
)  # fmt: skip
WORDS = (0, 1, 2, 4, 8, 9, 10, 11, 12, 13)
BLAMED_SHOWN = 3
ALONE = (("rules", "Rules alone"), ("model", "Model alone"))
MEASURES: tuple[tuple[Measure, str], ...] = (
    ("precision_at_k", "precision@K"),
    ("recall", "recall"),
    ("pr_auc", "PR-AUC"),
)


def drifts_table(trials: Sequence[Trial]) -> Table:
    """All trials, controls last; one without results has its name and standing."""
    rows: list[list[str | Cell]] = []
    for trial in sorted(trials, key=lambda trial: trial.found is not None and trial.found.is_control):
        head: list[str | Cell] = [Cell(trial.ready.title, TONES[trial.standing])]
        found = trial.found
        rows.append(head + ([DASH] * (len(COLUMNS) - 1) if found is None else _cells(found)))
    return table("Known drifts", COLUMNS, rows, words=WORDS)


def _cells(found: Replayed) -> list[str | Cell]:
    kinds = ", ".join(found.kinds)
    return [
        found.domain,
        f"control: {kinds}" if found.is_control else kinds,
        significant(found.onset_day),
        _detected(found),
        count(found.delay_events),
        DASH if found.delay_days is None else f"{found.delay_days:.2f}",
        significant(found.false_alarms_per_100k),
        ", ".join(found.blamed[:BLAMED_SHOWN]) or DASH,
        _right(found),
        *(change(found, "decided", measure) for measure, _ in MEASURES),
        latency(found.latency),
    ]


def _detected(found: Replayed) -> Cell:
    if found.is_control:
        alarms = found.alarms_after_control
        return Cell(f"{alarms} alarms" if alarms else "no alarm, rightly", "bad" if alarms else "good")
    return Cell(found.detected_by or "", "good") if found.detected else Cell("not detected", "bad")


def _right(found: Replayed) -> Cell:
    if found.is_blamed_rightly is None:
        return Cell("nothing to blame" if not found.true else DASH, "quiet")
    return Cell("yes" if found.is_blamed_rightly else "no", "good" if found.is_blamed_rightly else "watch")


def change(found: Replayed, who: str, measure: Measure) -> str:
    """`before → after` of a figure of quality."""
    sides = found.quality.get(who)
    if sides is None:
        return DASH
    return f"{score(getattr(sides.before, measure))} → {score(getattr(sides.after, measure))}"


def latency(found: Latency) -> Cell:
    """`before → after`, and whether it was felt."""
    if found.affected is None:
        return Cell(DASH, "quiet")
    words = "affected" if found.affected else "unaffected"
    return Cell(f"{ms(found.before_p99_ms)} → {ms(found.after_p99_ms)}, {words}", "watch" if found.affected else "")


def alone_table(trials: Sequence[Trial]) -> Table:
    """What rules and model each lost: the same figures of each alone."""
    columns = ("Drift", *(f"{said}, {word}" for _, said in ALONE for _, word in MEASURES))
    rows = [
        [trial.ready.title, *(change(trial.found, who, measure) for who, _ in ALONE for measure, _ in MEASURES)]
        for trial in trials
        if trial.found is not None
    ]
    return table("What rules and model each lost, before → after", columns, rows, words=range(len(columns)))


SHORT = ("Drift", "Standing", "Detected by", "Events", "Days", "Blamed rightly", "Precision@K", "PR-AUC")


def short_table(trials: Sequence[Trial]) -> Table:
    """What fits a terminal."""
    rows: list[list[str | Cell]] = []
    for trial in trials:
        head: list[str | Cell] = [trial.ready.title, Cell(trial.standing, TONES[trial.standing])]
        found = trial.found
        if found is None:
            rows.append(head + [DASH] * (len(SHORT) - 2))
            continue
        days = DASH if found.delay_days is None else f"{found.delay_days:.2f}"
        rows.append(
            [
                *head,
                _detected(found),
                count(found.delay_events),
                days,
                _right(found),
                change(found, "decided", "precision_at_k"),
                change(found, "decided", "pr_auc"),
            ]
        )
    return table("Known drifts", SHORT, rows, words=(0, 1, 2, 5, 6, 7))


def summary(trials: Sequence[Trial]) -> list[str]:
    """What the campaign comes to, a line each."""
    found = [trial.found for trial in trials if trial.found is not None]
    drifts = [one for one in found if not one.is_control]
    controls = [one for one in found if one.is_control]
    blamable = [one for one in drifts if one.is_blamed_rightly is not None]
    lines = []
    if drifts:
        lines.append(f"{sum(one.detected for one in drifts)} of {len(drifts)} drifts were detected")
    if blamable:
        lines.append(f"{sum(bool(one.is_blamed_rightly) for one in blamable)} of {len(blamable)} were blamed rightly")
    if controls:
        quiet = sum(one.holds for one in controls)
        lines.append(f"{quiet} of {len(controls)} controls raised no alarm")
    watched = sum(one.events_watched for one in found)
    if watched:
        alarms = sum(one.false_alarms for one in found)
        lines.append(f"{alarms} false alarms in {watched:,} events that nothing had shifted")
    failed = [trial for trial in trials if trial.found is None]
    lines += [f"{trial.ready.title}: {trial.reason}" for trial in failed]
    return lines
