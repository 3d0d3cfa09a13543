"""The shapes that a transfer completes, found slowly with networkx."""

import itertools
from collections.abc import Sequence

import networkx as nx

from streams.labels import NS_PER_DAY, NS_PER_HOUR
from tests.unit.models.graph.held import Held, Row, likeness


def patterns(own: Held, past: Sequence[Held]) -> Row:
    sender, receiver = own.pair
    week = [old for old in past if old.time > own.time - 7 * NS_PER_DAY]
    row: Row = dict.fromkeys(("scatter_gather_7d", "bipartite_7d", "stack_7d", "chain_hops_7d"), 0.0)
    row |= {f"cycles_{length}_7d": 0.0 for length in ("2", "3", "4", "5", "6_to_8")}
    if sender is not None:
        row["chain_hops_7d"] = _chain(own, week)
    if sender is None or receiver is None or sender == receiver:
        return row
    graph = nx.MultiDiGraph()
    graph.add_nodes_from([sender, receiver])
    for place, old in enumerate(week):
        if None not in old.pair and old.pair[0] != old.pair[1]:
            graph.add_edge(*old.pair, key=place)
    return row | _cycles(own, graph, week) | _layers(own, graph, week)


def _cycles(own: Held, graph: nx.MultiDiGraph, week: Sequence[Held]) -> Row:
    sender, receiver = own.pair
    row: Row = {f"cycles_{length}_7d": 0.0 for length in ("2", "3", "4", "5", "6_to_8")}
    found: list[tuple[int, float]] = []
    for path in nx.all_simple_edge_paths(graph, receiver, sender, cutoff=7):
        hops = [week[key] for _, _, key in path]
        times = [hop.time for hop in [*hops, own]]
        if all(one < other for one, other in itertools.pairwise(times)):
            length = len(times)
            row[f"cycles_{length}_7d" if length < 6 else "cycles_6_to_8_7d"] += 1
            found.append((own.time - times[0], likeness(own.sent, hops[0].got)))
    if found:
        row["cycle_hours"] = min(duration for duration, _ in found) / NS_PER_HOUR
        row["cycle_match"] = max(alike for _, alike in found)
    return row


def _layers(own: Held, graph: nx.MultiDiGraph, week: Sequence[Held]) -> Row:
    sender, receiver = own.pair

    def paid_before(source: str | None, middle: str | None, until: int) -> bool:
        return any(week[key].time < until for key in graph.get_edge_data(source, middle, default={}))

    sources = {s for s in graph.predecessors(sender) if s != receiver and paid_before(s, sender, own.time)}
    others = {other for other in graph.predecessors(receiver) if other != sender}
    last = {other: max(week[key].time for key in graph.get_edge_data(other, receiver)) for other in others}
    ways = {s: {sender} | {o for o in others if s != o and paid_before(s, o, last[o])} for s in sources}
    shared = set(graph.successors(sender)) - {receiver}
    bipartite = {other for other in others if shared & (set(graph.successors(other)) - {receiver})}
    return {
        "scatter_gather_7d": max((len(way) for way in ways.values()), default=0),
        "bipartite_7d": len(bipartite),
        "stack_7d": len([other for other in bipartite if any(other in way for way in ways.values())]),
    }


def _chain(own: Held, week: Sequence[Held]) -> int:
    account, until, amount, hops = own.pair[0], own.time, own.sent, 0
    while account is not None and hops < 10:
        before = [old for old in week if old.pair[1] == account and old.time < until]
        alike = [old for old in before if likeness(amount, old.got) >= 0.8]
        if not alike:
            break
        hops, amount, until = hops + 1, alike[-1].got, alike[-1].time
        account = alike[-1].pair[0] if alike[-1].pair[0] != account else None
    return hops
