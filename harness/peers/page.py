"""What a comparison found, as Markdown, from peers.json alone."""

from collections.abc import Mapping
from typing import Any

from harness.report.markdown import figures_table
from harness.report.words import significant

DASH = "–"
Content = Mapping[str, Any]


def shared_rate(content: Content) -> float | None:
    """The highest rate that everyone who ran at all has held; None where there is none."""
    rates = [
        {turn["rate_per_s"] for turn in content["turns"] if turn["contender"] == each["name"] and turn["held"]}
        for each in content["contenders"]
        if _ran(content, each["name"])
    ]
    return max(set.intersection(*rates), default=None) if rates else None


def _ran(content: Content, name: str) -> bool:
    return any(turn["contender"] == name and turn["p99_ms"] is not None for turn in content["turns"])


def turn_at(content: Content, name: str, rate_per_s: float | None) -> Mapping[str, Any] | None:
    """A contender's turn at a rate, one that was held rather than another."""
    found = [turn for turn in content["turns"] if turn["contender"] == name and turn["rate_per_s"] == rate_per_s]
    found = [turn for turn in found if turn["p99_ms"] is not None]
    return max(found, key=lambda turn: turn["held"], default=None)


def to_markdown(content: Content, plot: str | None) -> str:
    """Figures, ratios, ladder and (if it has a file) plot."""
    setting = content["setting"]
    parts = [
        f"`{setting['command']}`, {setting['date']}: {setting['broker']}, {setting['partitions']} partitions, one "
        f"process each, {setting['machine']}; {setting['warmup_s']:g} s of warm-up and "
        f"{setting['duration_s']:g} s measured a turn. Held is {setting['limit']} from the schedule, nothing lost.",
        figures_table(_figures(content)),
        "\n".join(f"- {line}" for line in sentences(content)),
        "Response P99 in ms by rate (events/s); in brackets where the rate was not held:\n\n"
        + figures_table(_rungs(content)),
    ]
    if plot is not None:
        parts.append(f"![Response P99 by rate, a line each]({plot})")
    if not content["complete"]:
        parts.insert(0, "Stopped before its end; so far:")
    return "\n\n".join(part for part in parts if part)


def _figures(content: Content) -> list[list[str]]:
    shared = shared_rate(content)
    at = "" if shared is None else f" at {shared:,.0f}/s"
    head = [
        "", "version", "capacity/s", f"P50{at}", f"P99{at}", f"P99.9{at}", f"CPU s a million{at}", "at capacity",
        f"memory MB{at}", "at capacity", "decisions compared", "differing",
    ]  # fmt: skip
    return [head, *(_figures_of(content, each, shared) for each in content["contenders"])]


def _figures_of(content: Content, each: Mapping[str, Any], shared: float | None) -> list[str]:
    name = each["name"]
    here = turn_at(content, name, shared) or {}
    top = turn_at(content, name, each["capacity_per_s"]) or {}
    same = (DASH, DASH) if each["kind"] == "floor" else (f"{each['compared']:,}", f"{each['differing']:,}")
    return [
        each["title"],
        each["version"] or DASH,
        capacity_words(each),
        *(_number(here.get(key)) for key in ("p50_ms", "p99_ms", "p999_ms")),
        *(_number(turn.get("cpu_s_per_million")) for turn in (here, top)),
        *(_number(turn.get("memory_mb")) for turn in (here, top)),
        *same,
    ]


def capacity_words(each: Mapping[str, Any]) -> str:
    """A contender's capacity, and whether it may be higher."""
    if each["capacity_per_s"] is None:
        return DASH if each["not_held_per_s"] is None else f"below {each['not_held_per_s']:,.0f}"
    return f"{'≥ ' if each['at_least'] else ''}{each['capacity_per_s']:,.0f}"


def _number(value: float | None) -> str:
    return DASH if value is None else significant(value)


def _rungs(content: Content) -> list[list[str]]:
    rates = sorted({turn["rate_per_s"] for turn in content["turns"]})
    rows = [["", *(f"{rate:,.0f}" for rate in rates)]]
    for each in content["contenders"]:
        found = [turn_at(content, each["name"], rate) for rate in rates]
        rows.append([each["title"], *(_rung(turn) for turn in found)])
    return rows


def _rung(turn: Mapping[str, Any] | None) -> str:
    if turn is None:
        return ""
    shown = _number(turn["p99_ms"])
    return shown if turn["held"] else f"({shown})"


def sentences(content: Content) -> list[str]:
    """What the figures come to: ratios within this one comparison, and who could not be measured."""
    by_name = {each["name"]: each for each in content["contenders"]}
    titles = {name: each["title"] for name, each in by_name.items()}
    peers = [each for each in content["contenders"] if each["kind"] == "peer" and each["capacity_per_s"]]
    best = max(peers, key=lambda each: each["capacity_per_s"], default=None)
    pairs = [
        ("native", best["name"] if best else None, "the best peer"),
        ("our-faust", "faust", "the same library, an event at a time"),
        ("native", "null", "the floor"),
    ]
    lines = [
        f"Capacity, {titles[one]} to {titles[other]} ({words}): {_ratio(by_name[one], by_name[other])}"
        for one, other, words in pairs
        if one in by_name and other in by_name and _ratio(by_name[one], by_name[other])
    ]
    shared = shared_rate(content)
    ours, null = turn_at(content, "native", shared), turn_at(content, "null", shared)
    if ours and null and null["p99_ms"]:
        lines.append(
            f"Response P99 at {shared:,.0f}/s, {titles['native']} to the floor: {ours['p99_ms'] / null['p99_ms']:.2f}"
        )
    lines += [f"Not measured: {name}: {why}" for name, why in content["absent"].items()]
    lines += [_limits(each) for each in content["contenders"] if _by_harness(content, each)]
    return lines


def _ratio(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    if not one["capacity_per_s"] or not other["capacity_per_s"] or (one["at_least"] and other["at_least"]):
        return ""  # where the ladder ended before either did, nothing is known
    least = "at least " if one["at_least"] and not other["at_least"] else ""
    most = "at most " if other["at_least"] and not one["at_least"] else ""
    return f"{least}{most}{one['capacity_per_s'] / other['capacity_per_s']:.2f}"


def _by_harness(content: Content, each: Mapping[str, Any]) -> bool:
    failed = [
        turn
        for turn in content["turns"]
        if turn["contender"] == each["name"] and turn["rate_per_s"] == each["not_held_per_s"]
    ]
    return any(turn["by_harness"] for turn in failed)


def _limits(each: Mapping[str, Any]) -> str:
    return f"{each['title']}: load and broker were the limit at {each['not_held_per_s']:,.0f}/s, it may hold more"
