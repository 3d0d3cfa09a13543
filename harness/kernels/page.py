"""What was measured of the kernels, as Markdown and as a plot."""

from collections.abc import Mapping, Sequence
from typing import Any

from harness.line_plot import Axis, Line, draw
from harness.report.markdown import figures_table
from harness.report.words import rate, significant, size

Content = Mapping[str, Any]
ENTITY = {"fraud": "cards", "aml": "accounts"}
EVENT = {"fraud": "event", "aml": "transfer"}
MIXES = ("uniform", "skewed")
WAYS = {"one": "one at a time", "batch": "in micro-batches"}


def to_markdown(content: Content, plot: str | None) -> str:
    """Tables of one kernel, what they say in a sentence, and (if it has a file) the plot."""
    setting, domain, rows = content["setting"], content["domain"], content["sizes"]
    entity, event = ENTITY[domain], EVENT[domain]
    parts = [
        f"`{setting['command']}`, {setting['date']}: one thread, {setting['machine']}.",
        f"Time of one {event}, µs: {entity} drawn alike, or skewed (80% are of the busiest fifth, again so within it, "
        f"and once more). “Whole” is coding and computing of one {event} alone; then the mean in micro-batches.",
        figures_table(_times(entity, rows)),
        _flatness(domain, rows),
        "Memory, and pauses while it grows:",
        figures_table(_memory(domain, rows)),
    ]
    if content["graph"] is not None:
        parts += _of_graph(content["graph"])
    if plot is not None:
        parts.append(f"![Time of one {event} by how many {entity} are known, a line each]({plot})")
    return "\n\n".join(part for part in parts if part)


def _times(entity: str, rows: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    head = [
        entity, "drawn", "whole P50", "P99", "longest", "computing, mean", "CPU, mean", "in 256: mean", "computing",
    ]  # fmt: skip
    table = [head]
    for row in rows:
        for mix in MIXES:
            one, batch = row["mixes"][mix]["one"], row["mixes"][mix]["batch"]
            keys = ("p50_ns", "p99_ns", "max_ns", "event_computing_ns", "event_cpu_ns")
            figures = [_us(one[key]) for key in keys]
            figures += [_us(batch["event_ns"]), _us(batch["event_computing_ns"])]
            table.append([f"{row['entities']:,}", mix, *figures])
    return table


def _memory(domain: str, rows: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    entity = ENTITY[domain]
    head = [
        entity, "history", "bytes an entity", "of them arrays", "in all", "filled in",
        f"{rows[0]['growing']['rows']:,} of history: median", "longest",
    ]  # fmt: skip
    return [
        head,
        *(
            [
                f"{row['entities']:,}",
                f"{row['history_events']:,}",
                f"{row['resident_bytes'] / row['entities']:,.0f}",
                f"{row['array_bytes'] / row['entities']:,.0f}",
                size(row["resident_bytes"]),
                f"{row['fill_s']:,.1f} s",
                f"{row['growing']['p50_ns'] / 1e6:,.1f} ms",
                f"{row['growing']['max_ns'] / 1e6:,.1f} ms",
            ]
            for row in rows
        ),
    ]


def growth_ratio(rows: Sequence[Mapping[str, Any]], way: str) -> float:
    """An event's processor time with the most entities over that with the fewest, everybody drawn alike."""
    first, last = (row["mixes"]["uniform"][way]["event_cpu_ns"] for row in (rows[0], rows[-1]))
    return float(last / first)


def _flatness(domain: str, rows: Sequence[Mapping[str, Any]]) -> str:
    if len(rows) < 2:
        return ""
    ratios = " and ".join(f"{growth_ratio(rows, way):.2f} times {said}" for way, said in WAYS.items())
    return (
        f"From {rows[0]['entities']:,} to {rows[-1]['entities']:,} {ENTITY[domain]}, "
        f"{rows[-1]['entities'] / rows[0]['entities']:,.0f} times as many, the processor time of one {EVENT[domain]} "
        f"grows {ratios}."
    )


def _of_graph(graph: Mapping[str, Any]) -> list[str]:
    head = ["", "transfers/s", "P50, µs", "P99, µs", "longest, µs"]
    rows = [
        [said, rate(graph[key]["per_s"]).removesuffix("/s"), *(_us(graph[key][name]) for name in _PERCENTILES)]
        for key, said in (("one", "one at a time"), ("batch", f"{graph['batch']['size']} at a time"))
    ]
    window = graph["window"]
    return [
        f"Sparse transfers with cycles: {graph['transfers']:,} over {graph['days']:g} days among "
        f"{graph['accounts']:,} accounts, "
        f"{graph['in_cycles']:,} of which close a cycle; by the clock on the wall, all features of both sides.",
        figures_table([head, *rows]),
        f"Memory ends with the window: over {window['days']:g} days, it was given out for "
        f"{window['entries_at_a_quarter']:,} transfers after a quarter of the stream and for "
        f"{window['entries_at_the_end']:,} at its end.",
    ]


_PERCENTILES = ("p50_ns", "p99_ns", "max_ns")


def plot(content: Content) -> str:
    """Mean processor time of an event by how many entities are known."""
    lines = [
        Line(
            f"{said}, {mix}",
            [(float(row["entities"]), row["mixes"][mix][way]["event_cpu_ns"] / 1e3) for row in content["sizes"]],
        )
        for way, said in WAYS.items()
        for mix in MIXES
    ]
    entity, event = ENTITY[content["domain"]], EVENT[content["domain"]]
    return draw(lines, Axis(f"{entity} known", ",.0f"), Axis(f"CPU time of one {event}, µs", ",g"))


def _us(nanoseconds: float) -> str:
    return significant(nanoseconds / 1e3)
