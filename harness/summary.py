"""What the person reads at the end of a run."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.aml.results import AmlResults
from harness.latency_results import Distribution, TailResults
from harness.made_of import step_words
from harness.results import FaultResults, Results
from harness.verdict import not_judged
from harness.waterfall import QUANTILES

_STYLES = {"pass": "bold green", "fail": "bold red", "invalid": "bold yellow"}


def _ms(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.2f}" if value < 100 else f"{value:,.0f}"


def _share(value: Any) -> str:
    return "-" if value is None else f"{float(value):.3f}"


def _interval(quality: Mapping[str, Any], name: str) -> str:
    """A figure's 95% interval in brackets (escaped: rich reads brackets as markup); nothing where it is not known."""
    found = (quality.get("intervals") or {}).get(name) or {}
    return "" if found.get("low") is None else f" \\[{_share(found['low'])}, {_share(found['high'])}]"


def _latency_row(table: Table, name: str, found: Distribution) -> None:
    if found.count:
        figures = (found.p50, found.p90, found.p99, found.p999, found.max)
        table.add_row(name, f"{found.count:,}", *(_ms(figure) for figure in figures))


def latency_table(results: Results) -> Table:
    """Response, service, delay and floor, by path and stage."""
    latency = results.latency_ms
    table = Table(title="Latency, ms", title_justify="left", header_style="bold")
    table.add_column("")
    for name in ("events", "P50", "P90", "P99", "P99.9", "max"):
        table.add_column(name, justify="right")
    _latency_row(table, "response", latency.response)
    for path, split in latency.by_path.items():
        _latency_row(table, f"  path {path}", split.response)
    if latency.floor is not None:
        _latency_row(table, "floor (null scorer)", latency.floor.response)
    _latency_row(table, "service", latency.service)
    for stage, found in latency.stages.items():
        _latency_row(table, f"  stage {stage}", found)
    if latency.explanation is not None:
        _latency_row(table, "decided → explained", latency.explanation)
    _latency_row(table, "schedule delay", latency.schedule_delay)
    return table


def waterfall_table(results: Results) -> Table | None:
    """What P50, P99 and P99.9 are made of, step by step, with the floor's own below; None when nothing was measured."""
    latency = results.latency_ms
    found = latency.waterfall
    if found is None:
        return None
    table = Table(title="Response time, what it is made of, ms", title_justify="left", header_style="bold")
    table.add_column("")
    for name in ("P50", "P99", "P99.9"):
        table.add_column(name, justify="right")
    made = [found.at[q] for q in QUANTILES]
    for step, words in step_words({step for each in made for step, part in each.parts.items() if part}).items():
        table.add_row(words, *(_ms(each.parts.get(step)) for each in made))
    table.add_row("response", *(_ms(each.response) for each in made), style="bold")
    if latency.floor is not None:
        table.add_row("floor (null scorer)", *(_ms(getattr(latency.floor.response, q)) for q in QUANTILES))
    return table


def _impossible(results: Results) -> str | None:
    """What could not be, where there was any."""
    latency, said = results.latency_ms, []
    for found, where in ((latency, ""), (latency.floor, " in the floor")):
        if found is not None and (found.negative or found.overflow):
            said.append(f"{found.negative:,} negative, {found.overflow:,} over a day{where}")
    if latency.waterfall is not None and latency.waterfall.contradicting:
        said.append(f"{latency.waterfall.contradicting:,} events whose scorer's instants contradict each other")
    return "; ".join(said) or None


def _tail(tail: TailResults, response: Distribution) -> str:
    """The P99 with its interval, and what the binomial test says of its limit."""
    low, high = (_ms(value) for value in (tail.low_ms, tail.high_ms))
    found = {"kept": "is kept", "broken": "is broken", "undecided": "can be neither shown nor ruled out"}[tail.finding]
    figure = f"{_ms(response.p99)} ms [{low}, {high}] at {tail.confidence:.0%} confidence"
    return f"{figure}; the limit {tail.limit_ms:,g} ms {found} ({tail.over:,} of {tail.samples:,} over)"


def _by_the_minute(results: Results) -> str | None:
    """How the last of at least three minutes compares with the second, and the scorer's memory with that after the
    first; None for a shorter run."""
    minutes = results.latency_ms.minutes
    if len(minutes) < 3 or not minutes[1].p99 or minutes[-1].p99 is None:
        return None
    second, last = minutes[1].p99, minutes[-1].p99
    words = [
        f"P99 {_ms(second)} ms in the second, {_ms(last)} in the last of {len(minutes)} ({last / second:.2f} times)"
    ]
    for process in results.processes:
        if process.name.startswith("scorer") and process.memory_settled_bytes:
            grown = process.memory_end_bytes / process.memory_settled_bytes - 1
            words.append(
                f"{process.name} {process.memory_end_bytes / 1e6:,.0f} MB, {grown:+.1%} since the first minute"
            )
    return "; ".join(words)


def counts_table(results: Results) -> Table:
    """Load and counts."""
    counts, load = results.counts, results.load
    table = Table.grid(padding=(0, 2))
    if results.latency_ms.tail is not None:
        table.add_row("P99", _tail(results.latency_ms.tail, results.latency_ms.response))
    long_run = _by_the_minute(results)
    if long_run is not None:
        table.add_row("minutes", long_run)
    impossible = _impossible(results)
    if impossible is not None:
        table.add_row("cannot be", f"{impossible} (counted, in no distribution)")
    if results.latency_ms.floor is None:
        inprocess = results.engine == "inprocess"
        table.add_row("floor", "none: in process there is no broker" if inprocess else "not measured (--no-floor)")
    table.add_row("rate", f"{load.achieved_per_s:,.1f}/s sent, {load.target_per_s:,.1f}/s asked ({load.process})")
    table.add_row(
        "events",
        f"{counts.sent:,} sent, {counts.decided:,} decided, {counts.lost:,} lost, {counts.late:,} late, "
        f"{counts.duplicated:,} duplicated, {counts.dead_lettered:,} dead-lettered",
    )
    bad = {"for events nobody sent": counts.unknown, "that could not be read": counts.malformed}
    if any(bad.values()):
        table.add_row("answers", ", ".join(f"{count:,} {words}" for words, count in bad.items()))
    latency = results.latency_ms
    if latency.negative or latency.overflow:
        words = f"{latency.negative:,} negative, {latency.overflow:,} of more than a day: counted, in no percentile"
        table.add_row("impossible", words)
    total = max(counts.decided, 1)
    paths = {"rules": counts.by_path.rules, "model": counts.by_path.model, "fallback": counts.by_path.fallback}
    table.add_row("by path", ", ".join(f"{name} {n:,} ({n / total:.1%})" for name, n in paths.items()))
    if counts.explained or counts.explanations_missing:
        missing = counts.explanations_missing
        table.add_row("explained", f"{counts.explained:,}" + (f", {missing:,} missing" if missing else ""))
    if results.breaker.open_ms is not None:
        changes = len(results.breaker.transitions)
        table.add_row("breaker", f"open {results.breaker.open_ms:,.0f} ms, {changes} changes of state")
    return table


def quality_table(results: Results) -> Table | None:
    """Precision, recall and the like; None when the truth is not known."""
    quality: Mapping[str, Any] = results.quality
    if not quality:
        return None
    if results.aml is not None:
        return monitoring_table(quality, results.aml)
    k = quality.get("k", "K")
    table = Table.grid(padding=(0, 2))
    ceiling = _share(quality.get("precision_at_k_ceiling"))
    sure = {name: _interval(quality, name) for name in ("precision_at_k", "pr_auc", "recall")}
    table.add_row(
        f"card precision@{k}",
        f"{_share(quality.get('precision_at_k'))}{sure['precision_at_k']} (ceiling {ceiling})",
    )
    table.add_row("PR-AUC", f"{_share(quality.get('pr_auc'))}{sure['pr_auc']}")
    if quality.get("roc_auc") is not None:
        table.add_row("ROC-AUC", _share(quality["roc_auc"]))
    table.add_row("recall", f"{_share(quality.get('recall'))}{sure['recall']}")
    table.add_row("false-positive rate", _share(quality.get("false_positive_rate")))
    lift = quality.get("lift_at_k")
    table.add_row(f"lift@{k}", "-" if lift is None else f"{lift:,.1f}")
    agreement = quality.get("reason_agreement")
    if agreement:
        low, high = _share(agreement["top_agrees_low"]), _share(agreement["top_agrees_high"])
        words = f"{_share(agreement['top_agrees'])} [{low}, {high}] of {agreement['explained']:,} caught frauds"
        table.add_row("reason fits", Text(f"{words}, {_share(agreement['chance'])} by chance"))
    for row in quality.get("published", []):
        figures = (
            f"average precision {_share(row.get('average_precision'))}, "
            f"precision@{k} {_share(row.get('card_precision_at_k'))}, AUC {_share(row.get('auc'))}"
        )
        table.add_row(f"published: {row.get('model')}", figures)
    return table


def monitoring_table(quality: Mapping[str, Any], aml: AmlResults) -> Table:
    """How right monitoring was: patterns, customers, worklists."""
    table = Table.grid(padding=(0, 2))
    listed = aml.worklists
    sure = {name: _interval(quality, name) for name in ("precision_at_k", "lift_at_k", "pr_auc")}
    table.add_row("customers", f"{aml.suspicious:,} of {aml.customers:,} launder, in {aml.patterns:,} patterns")
    if aml.patterns_excluded or aml.patterns_only_begun:
        table.add_row(
            "left out",
            f"{aml.patterns_excluded:,} patterns that had begun before the stream, {aml.patterns_only_begun:,} that "
            f"began at its end, {aml.customers_excluded:,} customers that belong to no other",
        )
    ceiling = _share(listed.precision_ceiling)
    precise = f"{_share(listed.precision.value)}{sure['precision_at_k']} (ceiling {ceiling})"
    table.add_row(f"precision@{listed.k} a day", precise)
    lift = listed.lift.value
    table.add_row("lift", "-" if lift is None else f"{lift:,.1f}{sure['lift_at_k']}")
    table.add_row("PR-AUC", f"{_share(quality.get('pr_auc'))}{sure['pr_auc']}")
    table.add_row("PSI of a market", "unknown" if aml.psi_max is None else f"{_share(aml.psi_max)} at most")
    return table


def budget_table(aml: AmlResults) -> Table:
    """What is found among the most suspicious customers of the whole stream, budget by budget."""
    table = Table(box=None, header_style="bold", title_justify="left", title=_ranked_title(aml))
    for name in ("customers", "precision", "95%", "lift", "launderers", "patterns", "95%"):
        table.add_column(name, justify="right", no_wrap=True)
    for budget in aml.budgets:
        recall, lift = budget.recall.overall, budget.lift.value
        table.add_row(
            f"{budget.share:.0%} = {budget.customers:,}",
            _share(budget.precision.value),
            _edges(budget.precision.low, budget.precision.high),
            "-" if lift is None else f"{lift:,.1f}",
            _share(recall.customer_recall),
            _share(recall.recall),
            _edges(recall.recall_low, recall.recall_high),
        )
    return table


def _ranked_title(aml: AmlResults) -> str:
    return f"The most suspicious customers; {aml.suspicious:,} launderers, {aml.patterns:,} patterns in all"


def _edges(low: float | None, high: float | None) -> str:
    return "-" if low is None or high is None else f"{low:.3f}-{high:.3f}"


def _fault_line(fault: FaultResults) -> str:
    """What came of a fault, in a line."""
    felt = f"felt by {', '.join(fault.felt)}" if fault.felt else "not felt"
    times = [("detected", fault.detected_ms), ("breaker opened", fault.open_ms), ("recovered", fault.recovered_ms)]
    told = [f"{what} after {value:,.0f} ms" for what, value in times if value is not None]
    p99 = " → ".join(_ms(value) for value in (fault.p99_before_ms, fault.p99_during_ms, fault.p99_after_ms))
    missed = [] if fault.alerts_missed is None else [f"{fault.alerts_missed:,} alerts missed"]
    head = f"fault     {fault.kind} at {fault.injected_at} ({fault.status})"
    return "; ".join(
        [head, felt, *told, f"P99 {p99} ms", f"{fault.lost:,} lost", f"{fault.duplicated:,} twice", *missed]
    )


def print_summary(results: Results, folder: Path, report: Path | None, console: Console) -> None:
    """The whole summary."""
    console.print()
    console.print(latency_table(results))
    waterfall = waterfall_table(results)
    if waterfall is not None:
        console.print(waterfall)
    console.print(counts_table(results))
    if results.aml is not None:
        console.print(budget_table(results.aml))
    quality = quality_table(results)
    if quality is not None:
        console.print(quality)
    psi = results.drift.get("psi_score")
    if psi is not None:
        console.print(f"drift     PSI of the score {psi:.3f} ({results.drift.get('status')})", highlight=False)
    audit = results.audit
    if audit is not None:
        console.print(f"audit     {audit.records:,} records, head {audit.head}", highlight=False, soft_wrap=True)
    for fault in results.faults:
        console.print(_fault_line(fault), highlight=False, soft_wrap=True)
    status = results.verdict.status
    console.print(Text(f"\n{status.upper()}", style=_STYLES[status]), end="")
    console.print(f"  {results.scenario}, engine {results.engine}, broker {results.broker.name}", highlight=False)
    for reason in results.verdict.reasons:
        console.print(f"  - {reason}", highlight=False, soft_wrap=True)
    unjudged = not_judged(results.slo) if results.aml is not None else []
    if unjudged:
        words = f"Measured but not judged: {', '.join(unjudged)}; targets go under slo in a scenario file of your own"
        console.print(f"  {words}", highlight=False, soft_wrap=True)
    console.print(f"\nreport: {report}" if report else f"\nrun folder: {folder}", highlight=False, soft_wrap=True)
