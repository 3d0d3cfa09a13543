"""What answering drift was worth: the same events with and without, before the onset, while it lasted, and after."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from harness.drifting import read_truth
from harness.quality.cards import card_precision, mean_ceiling, mean_precision
from harness.quality.curves import average_precision
from harness.quality.flags import share
from harness.quality.scored import Scored, gather

Phase = Literal["before", "drifted", "answered"]
K_DEFAULT = 10


class Worth(msgspec.Struct, frozen=True, kw_only=True):
    """Quality over the events of one phase. `attained` is precision@K over its ceiling, the best that any ranking could
    reach: more fraud after an onset raises both."""

    events: int
    frauds: int
    precision_at_k: float | None
    ceiling_at_k: float | None
    attained: float | None
    recall: float | None
    pr_auc: float | None


class PhaseWorth(msgspec.Struct, frozen=True, kw_only=True):
    """A phase from an event time on, with the champion alone (`without`) and with drift answered (`answered`)."""

    phase: Phase
    from_event_time_ns: int
    without: Worth
    answered: Worth


class Recovery(msgspec.Struct, frozen=True, kw_only=True):
    """What answering recovered. `lost`: the attained share of precision@K before the onset less that without an answer
    once the candidate decided everything (from `full_event_time_ns` on, null: it never did); `won`: with an answer more
    than without; `recovered`: won ÷ lost (null: nothing was lost). `differing_before`: events decided otherwise before
    the first one that a candidate decided; must be 0. `lost_events`: never decided with drift answered."""

    k: int
    onset_event_time_ns: int
    full_event_time_ns: int | None
    phases: list[PhaseWorth]
    lost: float | None
    won: float | None
    recovered: float | None
    differing_before: int
    lost_events: int


def recovery_of(without: Path, answered: Path, results: Mapping[str, Any], differing: pa.Table) -> Recovery | None:
    """Hold two run folders of the same events against each other; `results` is the second one's, `differing` are rows
    of differences.parquet. None where no drift was answered, or the truth is not known."""
    answers = answers_of(results)
    if answers is None or not (without / "labels.parquet").is_file():
        return None
    truth = read_truth(without)
    onset_ns = _onset_ns(answers, [drift.onset_ns for drift in truth.drifts if not drift.is_control] if truth else [])
    if onset_ns is None:
        return None
    k = int(results["quality"].get("k") or K_DEFAULT)
    full_ns = _first(answers, ("full",))
    bounds: list[tuple[Phase, int]] = [("before", 0), ("drifted", onset_ns)]
    bounds += [] if full_ns is None else [("answered", full_ns)]
    both = (_scored(without), _scored(answered, of=without))
    times = pq.read_table(without / "events.parquet", columns=["event_time_ns"])["event_time_ns"].to_numpy()
    phases = [
        PhaseWorth(
            phase=phase,
            from_event_time_ns=from_ns,
            without=_worth(both[0].only((times >= from_ns) & (times < until_ns)), k),
            answered=_worth(both[1].only((times >= from_ns) & (times < until_ns)), k),
        )
        for (phase, from_ns), until_ns in zip(
            bounds, [*(at for _, at in bounds[1:]), np.iinfo(np.int64).max], strict=True
        )
    ]
    lost, won = _balance(phases)
    changed_ns = _first(answers, ("canary", "full"))
    at = differing["event_time_ns"].to_numpy()
    return Recovery(
        k=k,
        onset_event_time_ns=onset_ns,
        full_event_time_ns=full_ns,
        phases=phases,
        lost=lost,
        won=won,
        recovered=won / lost if won is not None and lost is not None and lost > 0 else None,
        differing_before=int((at < changed_ns).sum()) if changed_ns is not None else len(at),
        lost_events=int(results["counts"]["lost"]),
    )


def answers_of(results: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """The answers to drift in results.json; None where none was to be answered."""
    found: list[dict[str, Any]] | None = (results.get("drift") or {}).get("answers")
    return found


def _onset_ns(answers: Sequence[Mapping[str, Any]], known: Sequence[int]) -> int | None:
    """Of the drift that is known, else of the first alarm that was answered."""
    alarmed = [alarm["event_time_ns"] for answer in answers for alarm in answer["alarms"]]
    return min(known, default=min(alarmed, default=None))


def _first(answers: Sequence[Mapping[str, Any]], names: Sequence[str]) -> int | None:
    found = [phase["from_event_time_ns"] for each in answers for phase in each["phases"] if phase["phase"] in names]
    return min(found, default=None)


def _scored(run: Path, of: Path | None = None) -> Scored:
    """A run's decisions beside events and labels, which both runs share (`of`: the run to take them from)."""
    source = of or run
    decisions, events, labels = (
        pq.read_table(folder / f"{name}.parquet")
        for folder, name in ((run, "decisions"), (source, "events"), (source, "labels"))
    )
    return gather(decisions, events, labels)


def _worth(scored: Scored, k: int) -> Worth:
    days = card_precision(scored, k)
    precision, ceiling = mean_precision(days), mean_ceiling(days)
    frauds = int(scored.is_fraud.sum())
    return Worth(
        events=len(scored),
        frauds=frauds,
        precision_at_k=precision,
        ceiling_at_k=ceiling,
        attained=precision / ceiling if precision is not None and ceiling else None,
        recall=share(int((scored.is_fraud & scored.flagged).sum()), frauds),
        pr_auc=average_precision(scored.is_fraud, scored.score),
    )


def _balance(phases: Sequence[PhaseWorth]) -> tuple[float | None, float | None]:
    """What was lost without an answer, and what was won by it."""
    before, after = phases[0].without.attained, phases[-1].without.attained
    answered = phases[-1].answered.attained
    if phases[-1].phase != "answered" or after is None or answered is None:
        return None, None
    return (None if before is None else before - after), answered - after
