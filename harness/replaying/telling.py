"""What the person reads of a replay."""

from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from harness.replaying.decided import DECIDING
from harness.replaying.differences import DIFFERENCES_FILE
from harness.replaying.record import Change, Replayed
from harness.report.answered_drift import recovery_table, recovery_words

ROUNDING_NS = 1_000
"""Intended instants that differ by less are the same: speeds are divided by in floating point."""
QUALITY = "quality."
HASH_SHOWN = 12
REASONS_SHOWN = 3


def tell_replay(found: Replayed, folder: Path, console: Console) -> None:
    """Equal or not, what was changed, and the foremost of the events decided otherwise."""
    console.print()
    for change in found.changed:
        _line(f"changed: {change.name} {_value(change.before)} → {_value(change.after)}", console)
    if found.schedule_deviation_ns > ROUNDING_NS:
        late = found.schedule_deviation_ns / 1e6
        console.print(f"[yellow]![/] the schedule was another one: an event was due up to {late:,.3f} ms off")
    if found.different:
        _tell_differences(found, console)
    if found.recovery is not None:
        _tell_recovery(msgspec.to_builtins(found.recovery), console)
    console.print(_verdict(found), highlight=False, soft_wrap=True)
    _line(f"decisions {found.before.decisions_hash} before, {found.after.decisions_hash} after", console)
    if found.different:
        _line(f"every one of them: {folder / DIFFERENCES_FILE}", console)


def _tell_recovery(recovery: dict[str, Any], console: Console) -> None:
    told = recovery_table(recovery)
    if told is not None:
        shown = Table(title=told.caption, title_justify="left", header_style="bold")
        for place, name in enumerate(told.columns):
            shown.add_column(name, justify="left" if place in told.words else "right")
        for row in told.rows:
            shown.add_row(*(cell.text for cell in row))
        console.print(shown)
    _line(recovery_words(recovery), console)


def _line(text: str, console: Console) -> None:
    console.print(text, highlight=False, soft_wrap=True, markup=False)


def _verdict(found: Replayed) -> str:
    if found.equal:
        return f"[bold green]EQUAL[/]  all {found.events:,} events were decided as before"
    told = f"{found.different:,} of {found.events:,} events were decided otherwise"
    if found.may_differ:
        return f"[bold yellow]DIFFERENT[/]  {told}, by what was changed"
    return f"[bold red]DIFFERENT[/]  {told}, by the same bundle and rules"


def _tell_differences(found: Replayed, console: Console) -> None:
    if found.listed:
        console.print(_listed(found))
    if found.outcomes:
        console.print(_flows(found))
    parts = ", ".join(f"{name} {found.parts[name]:,}" for name in DECIDING if found.parts[name])
    change = "" if found.score_change_max is None else f"; a score by {found.score_change_max:.3g} at most"
    _line(f"events that differ in {parts}{change}", console)
    moved = [one for one in found.figures if one.name.startswith(QUALITY) and one.before != one.after]
    for figure in moved:
        _line(f"{figure.name.removeprefix(QUALITY)}: {_value(figure.before)} → {_value(figure.after)}", console)
    if not found.may_differ:
        _tell_causes(found, console)


def _tell_causes(found: Replayed, console: Console) -> None:
    """What may lie behind it, where nobody asked for other decisions."""
    for name, words in (("lost", "never decided"), ("fallback", "decided by rules in the model's stead")):
        before, after = getattr(found.before, name), getattr(found.after, name)
        if before or after:
            _line(f"{words}: {before:,} events before, {after:,} after (that goes by the clock)", console)
    for change in found.software:
        _line(f"differs: {_software(change)}", console)


def _software(change: Change) -> str:
    return f"{change.name} {_value(change.before)} before, {_value(change.after)} after"


def _flows(found: Replayed) -> Table:
    table = Table(title="outcomes", title_justify="left", header_style="bold")
    for name in ("before", "after"):
        table.add_column(name)
    for name in ("events", "bad"):
        table.add_column(name, justify="right")
    for flow in found.outcomes:
        bad = "–" if flow.bad is None else f"{flow.bad:,}"
        table.add_row(flow.before or "never decided", flow.after or "never decided", f"{flow.events:,}", bad)
    return table


def _listed(found: Replayed) -> Table:
    table = Table(title="decided otherwise, the foremost", title_justify="left", header_style="bold")
    for name in ("event", "differs in", "before", "after"):
        table.add_column(name, overflow="fold")
    for row in found.listed:
        bad = " (bad)" if row["is_bad"] else ""
        table.add_row(f"{row['event_id']}{bad}", ", ".join(row["differs"]), _side(row, "before"), _side(row, "after"))
    return table


def _side(row: dict[str, Any], side: str) -> str:
    outcome, score, path = (row[f"{side}_{name}"] for name in ("outcome", "score", "path"))
    if outcome is None:
        return row[f"{side}_status"] or "never decided"
    codes = [reason["code"] for reason in row[f"{side}_reasons"] or ()]
    more = "" if len(codes) <= REASONS_SHOWN else ", …"
    why = f": {', '.join(codes[:REASONS_SHOWN])}{more}" if codes else ""
    return f"{outcome} {score:.6g} ({path}){why}"


def _value(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.4g}"
    return value[:HASH_SHOWN] if isinstance(value, str) else str(value)
