"""The run second by second: throughput, response time, lag, paths and the breaker, on one shared time axis."""

from typing import Any

import numpy as np
import pyarrow as pa
from bokeh.models import BoxAnnotation, ColumnDataSource, NumeralTickFormatter, Range1d

from harness.report.contents import RunContents
from harness.report.plots.style import (
    AMBER,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PATH_COLOURS,
    RED,
    TEAL,
    Key,
    Plot,
    add_hover,
    new_figure,
)
from harness.report.table import Table, table
from harness.report.words import count, ms, rate

ROWS_MAX = 40
BREAKER_COLOURS = {"closed": GREEN, "open": RED, "half-open": AMBER, "half_open": AMBER, "forced-open": RED}


def timeline_plots(run: RunContents) -> list[Plot]:
    """Throughput and lag, response time, paths and breaker; empty without a timeline."""
    if run.timeline is None or len(run.timeline) == 0:
        return []
    shown = _without_drain(run.timeline)
    columns = {name: shown[name].to_pylist() for name in shown.column_names}
    seconds = columns["second"]
    time_range = Range1d(seconds[0], seconds[-1] + 1, bounds=(seconds[0], seconds[-1] + 1))
    source = ColumnDataSource({name: _gaps(values) for name, values in columns.items() if name != "breaker_state"})
    return [
        _throughput(run, source, time_range),
        _response(run, source, time_range),
        _paths(run, columns, source, time_range),
    ]


def _without_drain(timeline: pa.Table) -> pa.Table:
    """Leave out one last second in which nothing was sent any more: it would look like a collapse."""
    return timeline.slice(0, len(timeline) - 1) if len(timeline) > 2 and timeline["sent"][-1].as_py() == 0 else timeline


def _gaps(values: list[Any]) -> list[Any]:
    return [np.nan if value is None else value for value in values]


def _mark_warmup(plot: Any, run: RunContents) -> None:
    warmup = run.get("load", "warmup_s")
    if warmup:
        plot.add_layout(BoxAnnotation(right=warmup, fill_color=GREY, fill_alpha=0.12, line_color=None))


def _mark_faults(plot: Any, run: RunContents) -> None:
    """From the injection to the recovery; darker while it was not lifted."""
    for fault in run.get("faults") or []:
        at_s, lasted_s, back_ms = fault.get("at_s"), fault.get("duration_s"), fault.get("recovered_ms")
        if at_s is None or lasted_s is None:
            continue
        lifted_s = at_s + lasted_s
        plot.add_layout(BoxAnnotation(left=at_s, right=lifted_s, fill_color=RED, fill_alpha=0.13, line_color=None))
        until_s = None if back_ms is None else lifted_s + back_ms / 1_000
        plot.add_layout(BoxAnnotation(left=lifted_s, right=until_s, fill_color=RED, fill_alpha=0.06, line_color=None))


def _throughput(run: RunContents, source: Any, time_range: Any) -> Plot:
    plot = new_figure("second of the run", "events per second", height=270, x_range=time_range)
    _mark_warmup(plot, run)
    _mark_faults(plot, run)
    plot.line("second", "sent", source=source, color=GREY, line_width=2, line_dash="dashed")
    decided = plot.line("second", "decided", source=source, color=BLUE, line_width=2.5)
    plot.line("second", "lag", source=source, color=ORANGE, line_width=1.8)
    plot.y_range.start = 0
    plot.yaxis.formatter = NumeralTickFormatter(format="0,0")
    tips = [("second", "@second"), ("sent", "@sent{0,0}"), ("decided", "@decided{0,0}"), ("lag", "@lag{0,0} events")]
    add_hover(plot, tips, [decided], along=True)
    keys = (Key("sent", GREY, "dashed"), Key("decided", BLUE), Key("lag (events waiting)", ORANGE))
    known = [value for value in run.timeline["lag"].to_pylist() if value is not None]  # type: ignore[index]
    sentence = f"Target {rate(run.get('load', 'target_per_s'))}, achieved {rate(run.get('load', 'achieved_per_s'))}."
    sentence += f" At most {count(max(known))} events were waiting." if known else " The lag was not measured."
    warmup = run.get("load", "warmup_s")
    sentence += f" The first {warmup:g} s (shaded) are warm-up." if warmup else ""
    sentence += " Faults are shaded in red, paler from their lifting to the recovery." if run.get("faults") else ""
    return Plot("throughput", "Throughput and lag", sentence, plot, _table(run), keys)


def _response(run: RunContents, source: Any, time_range: Any) -> Plot:
    plot = new_figure("second of the run", "ms", height=250, x_range=time_range, y_axis_type="log")
    _mark_warmup(plot, run)
    _mark_faults(plot, run)
    plot.line("second", "p50_ms", source=source, color=TEAL, line_width=2)
    p99 = plot.line("second", "p99_ms", source=source, color=BLUE, line_width=2.5)
    limit = run.get("slo", "response_p99_ms")
    keys = [Key("P50", TEAL), Key("P99", BLUE)]
    if limit:
        plot.line([time_range.start, time_range.end], [limit, limit], color=RED, line_dash="dashed", line_width=1.5)
        keys.append(Key(f"SLO for P99: {ms(limit)}", RED, "dashed"))
    plot.yaxis.formatter = NumeralTickFormatter(format="0,0.[000]")
    add_hover(
        plot, [("second", "@second"), ("P50", "@p50_ms{0,0.0} ms"), ("P99", "@p99_ms{0,0.0} ms")], [p99], along=True
    )
    peaks = [(value, second) for second, value in zip(*_two(run, "second", "p99_ms"), strict=True) if value is not None]
    worst = max(peaks, default=None)
    sentence = "Response time of the decisions received in each second."
    sentence += f" The worst second was number {worst[1]}, with a P99 of {ms(worst[0])}." if worst else ""
    return Plot("response-over-time", "Response time over the run", sentence, plot, keys=tuple(keys))


def _two(run: RunContents, first: str, second: str) -> tuple[list[Any], list[Any]]:
    timeline = run.timeline
    return (timeline[first].to_pylist(), timeline[second].to_pylist()) if timeline is not None else ([], [])


def _paths(run: RunContents, columns: dict[str, list[Any]], source: Any, time_range: Any) -> Plot:
    plot = new_figure("second of the run", "decisions per second", height=270, x_range=time_range)
    _mark_faults(plot, run)
    names = list(PATH_COLOURS)
    plot.varea_stack(names, x="second", source=source, color=list(PATH_COLOURS.values()), alpha=0.8)
    tips = [("second", "@second"), *[(name, f"@{name}{{0,0}}") for name in names]]
    top = plot.line("second", "decided", source=source, line_alpha=0)
    add_hover(plot, tips, [top], along=True)
    plot.yaxis.formatter = NumeralTickFormatter(format="0,0")
    spans = breaker_spans(columns["second"], columns["breaker_state"])
    peak = max(1, *columns["decided"])
    plot.y_range.start, plot.y_range.end = 0, peak * (1.3 if spans else 1.05)
    keys = [Key(name, colour, "box") for name, colour in PATH_COLOURS.items()]
    keys += _breaker_strip(plot, spans, peak)
    return Plot("paths", "Paths and the breaker", _breaker_sentence(run, spans), plot, _span_table(spans), tuple(keys))


def _breaker_strip(plot: Any, spans: list[tuple[str, int, int]], peak: float) -> list[Key]:
    """The breaker's state as a strip along the top."""
    if not spans:
        return []
    states, starts, ends = (list(column) for column in zip(*spans, strict=True))
    colours = [BREAKER_COLOURS.get(state, GREY) for state in states]
    data = {"state": states, "from": starts, "until": ends, "colour": colours}
    strip = plot.quad(
        left="from",
        right="until",
        bottom=peak * 1.13,
        top=peak * 1.22,
        color="colour",
        line_color=None,
        source=ColumnDataSource(data),
    )
    add_hover(plot, [("breaker", "@state"), ("seconds", "@from to @until")], [strip])
    return [Key(f"breaker {state}", colour, "box") for state, colour in dict(zip(states, colours, strict=True)).items()]


def breaker_spans(seconds: list[int], states: list[str | None]) -> list[tuple[str, int, int]]:
    """(state, from, until) in seconds; seconds without a reading keep the state before."""
    spans: list[tuple[str, int, int]] = []
    current: str | None = None
    for second, state in zip(seconds, states, strict=True):
        current = state or current
        if current is None:
            continue
        if spans and spans[-1][0] == current:
            spans[-1] = (current, spans[-1][1], second + 1)
        else:
            spans.append((current, second, second + 1))
    return spans


def _breaker_sentence(run: RunContents, spans: list[tuple[str, int, int]]) -> str:
    fallback = count(run.get("breaker", "fallback_events"))
    if not spans:
        return f"The scorer does not say what its breaker did; {fallback} events took the fallback path."
    opened = [span for span in spans if span[0] == "open"]
    if not opened:
        return f"The breaker stayed closed; {fallback} events took the fallback path."
    when = ", ".join(f"from second {start} to {end}" for _, start, end in opened)
    total = ms(run.get("breaker", "open_ms"))
    return f"The breaker was open {when} ({total} in all); {fallback} events took the fallback path."


def _span_table(spans: list[tuple[str, int, int]]) -> Table | None:
    if not spans:
        return None
    rows = [(state, str(start), str(end)) for state, start, end in spans]
    return table("Breaker by second", ("State", "From second", "Until second"), rows)


def _table(run: RunContents) -> Table | None:
    if run.timeline is None:
        return None
    step = -(-len(run.timeline) // ROWS_MAX)
    rows = [
        (
            str(row["second"]),
            count(row["sent"]),
            count(row["decided"]),
            count(row["lag"]),
            ms(row["p50_ms"]),
            ms(row["p99_ms"]),
            row["breaker_state"] or "–",
        )
        for row in run.timeline.to_pylist()[::step]
    ]
    caption = "Second by second" if step == 1 else f"Every {step} seconds"
    return table(caption, ("Second", "Sent", "Decided", "Lag", "P50", "P99", "Breaker"), rows)
