"""What came of each fault: felt by what, detected and recovered when, at what price; which expectations were not met.

The stretch of a fault runs from its injection to its recovery: the instant, after it was lifted, from which the
steady-state hypothesis holds again and every breaker is closed (where that never comes: to the next fault, or the end).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np

from harness.faults.driver import Injection
from harness.faults.plan import Planned
from harness.faults.rows import Rows
from harness.faults.signals import Change, Noted, Stretch, detection, lag_back, lag_max, signs
from harness.faults.steady import NS_PER_MS, NS_PER_S, Hypothesis
from harness.faults.waits import model_waits_max
from harness.fed_results import FedResults
from harness.results import FaultQuality, FaultResults, PathCounts, SteadyResults
from harness.timeline import Sample
from streams.decision import PATHS


@dataclass(frozen=True, slots=True)
class Observed:
    """A run as its faults are measured by. Instants in ns of the monotonic clock; `measured_ns` is the end of the
    warm-up, `end_ns` of the schedule. `dead_lettered` is of the whole run, `fed`
    of each fault of the input, by its place."""

    rows: Rows
    start_ns: int
    measured_ns: int
    end_ns: int
    changes: Sequence[Change]
    samples: Sequence[Sample]
    noted: Noted
    hypothesis: Hypothesis
    dead_lettered: int = 0
    time_limit_ns: int | None = None
    """Of a model call; None where the scorer is another's."""
    fed: Mapping[int, FedResults] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Span:
    """A fault's stretch and what borders on it: `before_ns` is where the one before ended, `next_ns` where the next
    begins. `until_ns` is its end, `recovered_ns` the same where it recovered."""

    planned: Planned
    injection: Injection | None
    before_ns: int
    from_ns: int
    lifted_ns: int
    until_ns: int
    next_ns: int
    recovered_ns: int | None
    closed_ns: int | None


def spans(planned: Sequence[Planned], injections: Sequence[Injection], seen: Observed) -> list[Span]:
    """The stretch of every fault, in order of time; one that was never injected is at its place all the same."""
    carried = {injection.planned.place: injection for injection in injections}
    found: list[Span] = []
    before_ns = seen.measured_ns
    for place, each in enumerate(planned):
        injection = carried.get(each.place)
        from_ns = injection.injected_ns if injection else seen.start_ns + each.at_ns
        lifted_ns = injection.lifted_ns if injection and injection.lifted_ns else seen.start_ns + each.until_ns
        following = [seen.start_ns + later.at_ns for later in planned[place + 1 : place + 2]]
        next_ns = min([*following, seen.end_ns])
        steady_ns = seen.hypothesis.back(seen.rows, lifted_ns, next_ns)
        closed_ns = _closed(seen.changes, from_ns, next_ns)
        ends = [steady_ns, closed_ns]
        if each.fault.family == "load":
            ends.append(lag_back(seen.rows, before_ns, from_ns, lifted_ns, next_ns))
        known = [end for end in ends if end is not None]
        recovered_ns = max(*known, lifted_ns) if len(known) == len(ends) else None
        until_ns = recovered_ns if recovered_ns is not None else next_ns
        # the warm-up is no measure of how it was before; where nothing else is, it has to be
        earlier_ns = before_ns if before_ns < from_ns else seen.start_ns
        found.append(Span(each, injection, earlier_ns, from_ns, lifted_ns, until_ns, next_ns, recovered_ns, closed_ns))
        before_ns = until_ns
    return found


def _closed(changes: Sequence[Change], from_ns: int, next_ns: int) -> int | None:
    """When the last breaker that had left closed was closed again; `from_ns` where none had left it, None where one had
    not come back by `next_ns`."""
    last: dict[str, Change] = {}
    for change in changes:
        if from_ns <= change.at_ns < next_ns:
            last[change.worker] = change
    if any(change.to != "closed" for change in last.values()):
        return None
    return max((change.at_ns for change in last.values()), default=from_ns)


def outside(spans: Sequence[Span], rows: Rows) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """Of each row, whether it was measured and due outside every fault's stretch."""
    chosen = rows.measured.copy()
    for span in spans:
        chosen[rows.due(span.from_ns, span.until_ns)] = False
    return chosen


def measure_fault(span: Span, seen: Observed, quality: FaultQuality | None) -> FaultResults:
    """One fault's results, judged."""
    rows, fault, hypothesis = seen.rows, span.planned.fault, seen.hypothesis
    stretch = Stretch(
        rows, span.before_ns, span.from_ns, span.until_ns, hypothesis, seen.changes, seen.samples, seen.noted
    )
    found, fed = signs(stretch), seen.fed.get(span.planned.place)
    detected = detection(found)
    opened = [change.at_ns for change in seen.changes if change.to == "open" and stretch.during(change.at_ns)]
    due = rows.due(span.from_ns, span.until_ns)
    paths = rows.path[due]
    before = hypothesis.judge(rows, span.before_ns, span.from_ns, seen.start_ns)
    during = hypothesis.judge(rows, span.from_ns, span.until_ns, seen.start_ns)
    after = hypothesis.judge(rows, span.until_ns, span.next_ns, seen.start_ns)
    results = FaultResults(
        kind=fault.kind,
        injected_at=f"{(span.from_ns - seen.start_ns) / NS_PER_S:.3f} s",
        detected_ms=_ms(detected[1] - span.from_ns) if detected else None,
        recovered_ms=None if span.recovered_ns is None else _ms(span.recovered_ns - span.lifted_ns),
        p99_during_ms=during.p99_ms,
        lost=int(rows.lost[rows.due(span.before_ns, span.until_ns)].sum()),
        duplicated=sum(span.from_ns <= at < span.next_ns for at in seen.noted.repeated_ns),
        alerts_missed=None if quality is None else quality.alerts_missed,
        family=fault.family,
        place=span.planned.place,
        at_s=round((span.from_ns - seen.start_ns) / NS_PER_S, 3),
        duration_s=round((span.lifted_ns - span.from_ns) / NS_PER_S, 3),
        aborted=span.injection.aborted if span.injection else None,
        felt=[signal for signal in fault.felt_by if signal in found],
        detected_by=detected[0] if detected else None,
        open_ms=_ms(min(opened) - span.from_ns) if opened else None,
        closed_ms=_ms(span.closed_ns - span.lifted_ns) if opened and span.closed_ns is not None else None,
        p99_before_ms=before.p99_ms,
        p99_after_ms=after.p99_ms,
        events=len(paths),
        by_path=PathCounts(**{path: int((paths == code).sum()) for code, path in enumerate(PATHS)}),
        lag_max=lag_max(rows, span.from_ns, span.until_ns),
        dead_lettered=fed.refused if fed else _refused(seen, span),
        model_waits_max=None if seen.time_limit_ns is None else model_waits_max(rows, seen.time_limit_ns, due),
        before=before,
        after=after if after.events else None,
        quality=quality,
        fed=fed,
    )
    return _judged(results, span, after)


def _refused(seen: Observed, span: Span) -> int:
    """Messages refused from just before the injection to the next fault, as far as the samples, one a second, say."""
    before = [sample.dead_lettered for sample in seen.samples if sample.at_ns <= span.from_ns]
    following = [sample.dead_lettered for sample in seen.samples if sample.at_ns >= span.next_ns]
    total = seen.dead_lettered if span.next_ns >= seen.end_ns or not following else following[0]
    return total - (before[-1] if before else 0)


def _ms(ns: int) -> float:
    return round(ns / NS_PER_MS, 3)


def _judged(found: FaultResults, span: Span, after: SteadyResults) -> FaultResults:

    reasons = [*_injection(found, span), *_expectations(found, span), *_hypotheses(found, after)]
    return msgspec.structs.replace(found, status="fail" if reasons else "pass", reasons=reasons)


def _injection(found: FaultResults, span: Span) -> list[str]:
    if span.injection is None:
        return ["was never injected: the stream was over before its instant"]
    reasons = [] if found.aborted is None else [f"was broken off: {found.aborted}"]
    if not found.felt:
        wanted = ", ".join(span.planned.fault.felt_by)
        reasons.append(f"was not felt (by none of {wanted}): the injection did not work")
    return reasons


def _expectations(found: FaultResults, span: Span) -> list[str]:
    fault, reasons = span.planned.fault, []
    expect = fault.expect
    if found.lost:
        reasons.append(f"{found.lost:,} events were lost")
    if found.duplicated:
        reasons.append(f"{found.duplicated:,} events were decided twice")
    reasons += _fates(found.fed) if found.fed is not None else []
    if fault.breaker_opens and found.open_ms is None:
        reasons.append("the breaker did not open")
    if fault.breaker_opens is False and found.open_ms is not None:
        reasons.append(f"the breaker opened after {found.open_ms:,.0f} ms and should not have")
    if found.open_ms is not None and span.closed_ns is None:
        reasons.append("the breaker did not close again")
    reasons += _waits(found.model_waits_max, expect.model_waits_max)
    limits = (
        ("detection", found.detected_ms, expect.detected_s_max, 1e3, "s"),
        ("recovery", found.recovered_ms, expect.recovered_s_max, 1e3, "s"),
        ("response P99 during it", found.p99_during_ms, expect.response_p99_ms_max, 1.0, "ms"),
    )
    for what, value, limit, per, unit in limits:
        if limit is None:
            continue
        if value is None:
            never = "never came" if what != "recovery" else "never came (no steady state after it)"
            reasons.append(f"{what} {never}, at most {limit:g} {unit} were allowed")
        elif value / per > limit:
            reasons.append(f"{what} took {value / per:,.4g} {unit}, at most {limit:g} {unit} were allowed")
    return reasons


def _waits(found: int | None, limit: int | None) -> list[str]:
    if limit is None or (found is not None and found <= limit):
        return []
    said = "nobody says how often" if found is None else f"{found} times"
    return [f"an event waited for the model {said}, at most {limit} were allowed"]


def _fates(fed: FedResults) -> list[str]:
    """Which messages that were put in did not come to the end they should have."""
    reasons = []
    wanted = fed.messages if fed.fate == "refuse" else 0
    if fed.refused != wanted:
        reasons.append(f"{fed.refused:,} of {fed.messages:,} messages were refused, {wanted:,} should have been")
    if fed.unexplained:
        reasons.append(f"{fed.unexplained:,} messages were refused for another reason than what was wrong with them")
    return reasons


def _hypotheses(found: FaultResults, after: SteadyResults) -> list[str]:
    reasons = []
    for name, stretch in (("before", found.before), ("after", after)):
        if stretch is None or (name == "after" and found.recovered_ms is None):
            continue
        if not stretch.held:
            reasons.append(
                f"no steady state {name} it ({stretch.from_s:g} to {stretch.until_s:g} s): {_found(stretch)}"
            )
    return reasons


def _found(stretch: SteadyResults) -> str:
    if not stretch.events:
        return "nothing was due"
    return (
        f"response P99 {stretch.p99_ms or 0.0:,.4g} ms (limit {stretch.limit_ms:g}), fallback share "
        f"{stretch.fallback_share or 0.0:.3%} (limit {stretch.fallback_share_max:.3%}), {stretch.lost:,} lost"
    )
