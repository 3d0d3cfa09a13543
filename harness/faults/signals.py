"""By what a fault shows: each signal looks at the stretch from its injection to its recovery, and at the one before."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.faults.fault import Signal
from harness.faults.rows import NEVER, Rows
from harness.faults.steady import NS_PER_MS, Hypothesis
from harness.timeline import Sample

LATENCY_FACTOR, LATENCY_MORE_NS = 2.0, 10 * NS_PER_MS
LAG_FACTOR, LAG_MIN = 5.0, 50
RATE_FACTOR = 2.0
SAME_SHARE = 0.5
VISIBLE: tuple[Signal, ...] = ("breaker", "fallback", "health", "overdue", "refused", "repeated")
"""What an operator sees at once, from outside: the first of these is the detection."""


@dataclass(frozen=True, slots=True)
class Change:
    """A breaker's change of state; `at_ns` monotonic."""

    at_ns: int
    from_: str
    to: str
    worker: str


@dataclass(frozen=True, slots=True)
class Noted:
    """Instants (ns, monotonic) at which messages were refused, at which events were decided a second time, at which
    repeated ones were left alone, and at which events were sent after later ones."""

    refused_ns: Sequence[int] = ()
    repeated_ns: Sequence[int] = ()
    ignored_ns: Sequence[int] = ()
    disordered_ns: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Stretch:
    """What there is to look at: rows of the run, a fault's stretch [from_ns, until_ns) and the one before it."""

    rows: Rows
    before_ns: int
    from_ns: int
    until_ns: int
    hypothesis: Hypothesis
    changes: Sequence[Change]
    samples: Sequence[Sample]
    noted: Noted

    def during(self, at_ns: int) -> bool:
        """Whether an instant lies in the fault's stretch."""
        return self.from_ns <= at_ns < self.until_ns


def lag_max(rows: Rows, from_ns: int, until_ns: int) -> int:
    """The most events sent and not answered at once in [from_ns, until_ns): the lag rises only where one is sent."""
    sent = np.sort(rows.sent_ns[rows.sent_ns > 0])
    at = np.append(sent[(sent >= from_ns) & (sent < until_ns)], from_ns)
    received = np.sort(rows.received_ns[rows.received_ns != NEVER])
    return int((np.searchsorted(sent, at, side="right") - np.searchsorted(received, at, side="right")).max())


def lag_back(rows: Rows, before_ns: int, from_ns: int, lifted_ns: int, until_ns: int) -> int | None:
    """The first instant from `lifted_ns` on at which no more events wait than at most did before, in [before_ns,
    from_ns); None when there is none by `until_ns`."""
    usual = lag_max(rows, before_ns, from_ns)
    sent = np.sort(rows.sent_ns[rows.sent_ns > 0])
    received = np.sort(rows.received_ns[rows.received_ns != NEVER])
    at = np.concatenate(([lifted_ns], received[(received > lifted_ns) & (received < until_ns)]))
    waiting = np.searchsorted(sent, at, side="right") - np.searchsorted(received, at, side="right")
    found = np.flatnonzero(waiting <= usual)
    return int(at[found[0]]) if len(found) else None


def _breaker(s: Stretch) -> int | None:
    return min((c.at_ns for c in s.changes if c.from_ == "closed" and s.during(c.at_ns)), default=None)


def _fallback(s: Stretch) -> int | None:
    """More than the hypothesis allows, in any of the stretch's seconds."""
    due = s.rows.due(s.from_ns, s.until_ns)
    fallback = s.rows.fallback[due]
    seconds = (s.rows.intended_ns[due] - s.from_ns) // 1_000_000_000
    found, all_ = np.bincount(seconds[fallback]), np.bincount(seconds)
    if not (found > s.hypothesis.fallback_share_max * all_[: len(found)]).any():
        return None
    return int(s.rows.received_ns[due][fallback].min())


def _overdue(s: Stretch) -> int | None:
    due = s.rows.due(s.from_ns, s.until_ns)
    limit_ns = round(s.hypothesis.limit_ms * NS_PER_MS)
    slow = s.rows.response_ns[due] > limit_ns
    return int(s.rows.intended_ns[due][slow].min()) + limit_ns if slow.any() else None


def _p99(s: Stretch, from_ns: int, until_ns: int) -> float | None:
    response = s.rows.response_ns[s.rows.due(from_ns, until_ns)]
    return float(np.quantile(response, 0.99)) if len(response) else None


def _latency(s: Stretch) -> int | None:
    before, during = _p99(s, s.before_ns, s.from_ns), _p99(s, s.from_ns, s.until_ns)
    if before is None or during is None or during < max(LATENCY_FACTOR * before, before + LATENCY_MORE_NS):
        return None
    due = s.rows.due(s.from_ns, s.until_ns)
    slow = s.rows.response_ns[due] > before + LATENCY_MORE_NS
    return int((s.rows.intended_ns[due] + s.rows.response_ns[due])[slow].min())


def _lag(s: Stretch) -> int | None:
    before, during = lag_max(s.rows, s.before_ns, s.from_ns), lag_max(s.rows, s.from_ns, s.until_ns)
    return s.from_ns if during >= max(LAG_FACTOR * before, LAG_MIN) else None


def _health(s: Stretch) -> int | None:
    return min((sample.at_ns for sample in s.samples if sample.silent and s.during(sample.at_ns)), default=None)


def _rate(s: Stretch) -> int | None:
    """Of the busiest second of the stretch, against the mean before."""
    sent = s.rows.sent_ns
    before = np.count_nonzero((sent >= s.before_ns) & (sent < s.from_ns)) * 1e9 / max(s.from_ns - s.before_ns, 1)
    seconds = (sent[(sent >= s.from_ns) & (sent < s.until_ns)] - s.from_ns) // 1_000_000_000
    busiest = np.bincount(seconds).max(initial=0)
    return s.from_ns if before > 0 and busiest >= RATE_FACTOR * before else None


def _score(s: Stretch) -> int | None:
    due = s.rows.due(s.from_ns, s.until_ns)
    margin = s.rows.margin[due]
    given = margin[~np.isnan(margin)]
    if len(given) == 0:
        return None
    values, counts = np.unique(given, return_counts=True)
    if counts.max() < SAME_SHARE * len(given) or len(given) < LAG_MIN:
        return None
    same = margin == values[counts.argmax()]
    return int(s.rows.received_ns[due][same].min())


def _refused(s: Stretch) -> int | None:
    return min((at for at in s.noted.refused_ns if s.during(at)), default=None)


def _repeated(s: Stretch) -> int | None:
    return min((at for at in s.noted.repeated_ns if s.during(at)), default=None)


def _ignored(s: Stretch) -> int | None:
    return min((at for at in s.noted.ignored_ns if s.during(at)), default=None)


def _disorder(s: Stretch) -> int | None:
    return min((at for at in s.noted.disordered_ns if s.during(at)), default=None)


LOOKS: Mapping[Signal, Callable[[Stretch], int | None]] = {
    "breaker": _breaker,
    "fallback": _fallback,
    "overdue": _overdue,
    "latency": _latency,
    "lag": _lag,
    "health": _health,
    "rate": _rate,
    "score": _score,
    "refused": _refused,
    "repeated": _repeated,
    "ignored": _ignored,
    "disorder": _disorder,
}


def signs(stretch: Stretch) -> dict[Signal, int]:
    """Every signal that shows, and the instant (ns, monotonic) at which it was first there to be seen."""
    found = {signal: look(stretch) for signal, look in LOOKS.items()}
    return {signal: at_ns for signal, at_ns in found.items() if at_ns is not None}


def detection(found: Mapping[Signal, int]) -> tuple[Signal, int] | None:
    """The first that is visible from outside."""
    visible = [(at_ns, signal) for signal, at_ns in found.items() if signal in VISIBLE]
    return (min(visible)[1], min(visible)[0]) if visible else None
