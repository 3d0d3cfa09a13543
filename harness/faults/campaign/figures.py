"""A campaign's table: one row a fault, the same for the terminal, for Markdown and for the report."""

from collections.abc import Sequence

from harness.faults.campaign.trial import Standing, Trial
from harness.report.table import Cell, Table, Tone, table
from harness.report.words import DASH, count, ms, score, share
from harness.results import FaultQuality, FaultResults

COLUMNS = (
    "Scenario",
    "Verdict",
    "Felt by",
    "Detected",
    "Breaker opened",
    "Recovered",
    "P99 before",
    "during",
    "after",
    "Rules / model / fallback",
    "Lost",
    "Twice",
    "Dead letters",
    "Precision@K (model)",
    "Recall (model)",
    "Alerts missed",
)
WORDS = (0, 1, 2)
TONES: dict[Standing, Tone] = {
    "pass": "good",
    "fail": "bad",
    "invalid": "watch",
    "failed": "bad",
    "left out": "quiet",
}


def figures_table(trials: Sequence[Trial]) -> Table:
    """All trials; one without results has its name and standing."""
    rows: list[list[str | Cell]] = []
    for trial in trials:
        head: list[str | Cell] = [trial.name, Cell(trial.standing, TONES[trial.standing])]
        if not trial.faults:
            rows.append(head + [DASH] * (len(COLUMNS) - 2))
        rows += [head + _cells(fault) for fault in trial.faults]
    return table("Faults", COLUMNS, rows, words=WORDS)


def _cells(fault: FaultResults) -> list[str | Cell]:
    paths, events = fault.by_path, fault.events or None
    parts = (None, None, None) if paths is None else (paths.rules, paths.model, paths.fallback)
    shares = " / ".join(share(None if part is None or events is None else part / events, 0) for part in parts)
    return [
        ", ".join(fault.felt) or Cell("not felt", "bad"),
        ms(fault.detected_ms),
        ms(fault.open_ms),
        ms(fault.recovered_ms),
        ms(fault.p99_before_ms),
        ms(fault.p99_during_ms),
        ms(fault.p99_after_ms),
        shares,
        _none_wanted(fault.lost),
        _none_wanted(fault.duplicated),
        count(fault.dead_lettered),
        *_price(fault.quality),
    ]


def _none_wanted(value: int) -> Cell:
    return Cell(count(value), "bad" if value else "")


def _price(quality: FaultQuality | None) -> tuple[str, str, str]:
    if quality is None:
        return DASH, DASH, DASH
    return (
        f"{score(quality.precision_at_k)} ({score(quality.precision_at_k_model)})",
        f"{score(quality.recall)} ({score(quality.recall_model)})",
        count(quality.alerts_missed),
    )


SHORT = (
    "Scenario",
    "Verdict",
    "Detected",
    "Opened",
    "Recovered",
    "P99 before → during → after",
    "Lost",
    "Twice",
    "Missed",
)


def short_table(trials: Sequence[Trial]) -> Table:
    """What fits a terminal."""
    rows: list[list[str | Cell]] = []
    for trial in trials:
        head: list[str | Cell] = [trial.name, Cell(trial.standing, TONES[trial.standing])]
        if not trial.faults:
            rows.append(head + [DASH] * (len(SHORT) - 2))
        for fault in trial.faults:
            p99 = " → ".join(ms(value) for value in (fault.p99_before_ms, fault.p99_during_ms, fault.p99_after_ms))
            times = [ms(fault.detected_ms), ms(fault.open_ms), ms(fault.recovered_ms), p99]
            lost, twice = _none_wanted(fault.lost), _none_wanted(fault.duplicated)
            rows.append([*head, *times, lost, twice, count(fault.alerts_missed)])
    return table("Faults", SHORT, rows, words=(0, 1))


def problems(trials: Sequence[Trial]) -> list[tuple[str, str]]:
    """(scenario, reason) of everything that did not pass, and why others were left out."""
    return [(trial.name, reason) for trial in trials for reason in trial.reasons]
