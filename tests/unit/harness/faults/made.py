"""Rows of a run that never was: steady, but for what a test does to them."""

from typing import Any

import numpy as np

from harness.faults.driver import Injection
from harness.faults.kinds import KINDS
from harness.faults.measures import Observed
from harness.faults.plan import Planned
from harness.faults.rows import NEVER, Rows
from harness.faults.signals import Change, Noted
from harness.faults.steady import Hypothesis
from harness.timeline import Sample

S, MS = 1_000_000_000, 1_000_000
START = 700 * S
RATE, SECONDS, WARMUP_S = 100, 40, 5
RULES, MODEL, FALLBACK, NONE = 0, 1, 2, -1
HYPOTHESIS = Hypothesis(limit_ms=100.0, fallback_share_max=0.02, hold_s=2.0)


def rows(seconds: int = SECONDS, rate: int = RATE) -> Rows:
    """One event every 1/rate s, answered after 4 or 5 ms, every fourth by the rules."""
    count = seconds * rate
    intended = START + np.arange(count, dtype=np.int64) * (S // rate)
    response = (4 + np.arange(count) % 2) * MS
    path = np.where(np.arange(count) % 4 == 0, RULES, MODEL).astype(np.int8)
    return Rows(
        ordinal=np.arange(count, dtype=np.int64),
        measured=np.arange(count) >= WARMUP_S * rate,
        intended_ns=intended,
        sent_ns=intended + 1000,
        received_ns=intended + response,
        response_ns=response.astype(np.int64),
        path=path,
        margin=np.where(path == MODEL, np.arange(count) * 0.001, np.nan),
        worker=np.zeros(count, np.int64),
        emitted_ns=intended + response - MS,
        call_ns=np.full(count, MS // 2),
        call_end_ns=intended + response - 2 * MS,
    )


def slow(found: Rows, from_s: float, until_s: float, ms: float) -> None:
    """Let what is due in these seconds take so long."""
    due = found.due(START + round(from_s * S), START + round(until_s * S))
    found.response_ns[due] = round(ms * MS)
    found.received_ns[due] = found.intended_ns[due] + round(ms * MS)


def fall_back(found: Rows, from_s: float, until_s: float) -> None:
    """Let the rules decide what the model would have."""
    due = found.due(START + round(from_s * S), START + round(until_s * S))
    path = found.path[due]
    path[path == MODEL] = FALLBACK
    found.margin[due] = np.nan


def lose(found: Rows, ordinal: int) -> None:
    """Let an event never be answered."""
    found.received_ns[ordinal], found.path[ordinal], found.response_ns[ordinal] = NEVER, NONE, 30 * S


def at(second: float) -> int:
    """An instant, in ns of the monotonic clock."""
    return START + round(second * S)


def change(second: float, from_: str, to: str, worker: str = "worker-1") -> Change:
    return Change(at(second), from_, to, worker)


def observed(found: Rows, **more: Any) -> Observed:
    """A run with these rows and nothing else to be seen."""
    plain: dict[str, Any] = {"changes": [], "samples": [], "noted": Noted(), "hypothesis": HYPOTHESIS} | more
    return Observed(found, START, at(WARMUP_S), int(found.intended_ns[-1]) + 1, **plain)


def sample(second: float, silent: int = 0, dead_lettered: int = 0) -> Sample:
    return Sample(at(second), 0, "closed", silent, dead_lettered)


def injected(at_s: float, until_s: float, kind: str = "model-error", **keys: Any) -> tuple[Planned, Injection]:
    """A fault as it was planned and as it happened."""
    content = {"kind": kind, "at_s": at_s, "duration_s": until_s - at_s, **keys}
    planned = Planned(KINDS[kind].model_validate(content), 0, round(at_s * S), 7)
    return planned, Injection(planned, at(at_s), at(until_s))
