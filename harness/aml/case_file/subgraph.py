"""The transfers of a case as a graph, laid out in layers: money flows from left to right, the alert's account between.

A layered layout in the manner of Sugiyama (Methods for visual understanding of hierarchical system structures, IEEE SMC
11(2), 1981): layers by distance from the account in the middle, order within a layer by barycentres, a few sweeps. Same
transfers, same drawing.
"""

from collections import Counter, deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

from harness.aml.case_file.facts import CaseFacts, Moved
from harness.aml.case_file.money import add_up, spoken_sums

NODE_WIDTH, NODE_HEIGHT = 168, 26
ROW_HEIGHT, LAYER_GAP, WIDE_GAP, MARGIN = 36, 236, 348, 28
LEAD = 128
"""A line runs level for so long beside the node at which its sum stands."""
LINE_HEIGHT = 15
FAN = 14
"""Several lines beside one node fan out over this width and then run level, this far apart."""
LANE_HEIGHT = 20
"""Lines that go back run underneath all nodes, each in a lane of its own."""
SWEEPS = 4
LABEL_LENGTH_MAX = 22


@dataclass(frozen=True, slots=True)
class Node:
    """An account, or what lies outside by a channel. `role`: focus, own (the customer's), other, outside. `x`, `y` are
    the upper left corner."""

    name: str
    label: str
    role: str
    layer: int
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Edge:
    """All transfers from one node to another: a path to draw, and where its label stands."""

    source: str
    target: str
    transfers: int
    label: str
    path: str
    label_x: float
    label_y: float


@dataclass(frozen=True, slots=True)
class Drawing:
    """A laid-out graph, in pixels."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    width: float
    height: float
    description: str


Pair = tuple[str, str]
Flows = dict[Pair, list[Moved]]


def draw(case: CaseFacts) -> Drawing:
    """Lay out the evidence of a case around the alert's account."""
    flows = _flows(case.transfers)
    focus = case.alert.account_id
    layers = _layers(flows, focus)
    order = _order(flows, layers)
    ahead = {pair for pair in flows if layers[pair[0]] < layers[pair[1]]}
    ports = _ports(ahead)
    slots = {name: max(ROW_HEIGHT, LINE_HEIGHT * ports.widest(name) + 12) for name in layers}
    lefts = _lefts(order, ports)
    nodes = _place(order, slots, lefts, case, focus)
    bottom = 2 * MARGIN + max(sum(slots[name] for name in names) for names in order)
    lows = {pair: bottom + lane * LANE_HEIGHT for lane, pair in enumerate(pair for pair in flows if pair not in ahead)}
    edges = tuple(_edge(pair, moved, nodes, ports, lows.get(pair)) for pair, moved in flows.items())
    return Drawing(
        nodes=tuple(nodes.values()),
        edges=edges,
        width=lefts[-1] + NODE_WIDTH + MARGIN,
        height=bottom + len(lows) * LANE_HEIGHT,
        description=(
            f"{len(case.transfers)} transfers between {len(nodes)} accounts, from left to right around account {focus}"
        ),
    )


@dataclass(frozen=True, slots=True)
class _Ports:
    """Which lines stand with their sums beside which node: to the right of their source or to the left of their
    target, wherever there are fewer."""

    right: dict[str, list[Pair]]
    left: dict[str, list[Pair]]

    def widest(self, name: str) -> int:
        """How many lines lie above each other beside a node."""
        return max(len(self.right.get(name, ())), len(self.left.get(name, ())))

    def offset(self, pair: Pair, nodes: dict[str, Node]) -> tuple[bool, float]:
        """Whether a line stands at its source, and how far it lies below the node's middle there."""
        at_source = pair in self.right.get(pair[0], ())
        beside = self.right[pair[0]] if at_source else self.left[pair[1]]
        other = 1 if at_source else 0
        ordered = sorted(beside, key=lambda each: (nodes[each[other]].y, each))
        return at_source, (ordered.index(pair) - (len(ordered) - 1) / 2) * LINE_HEIGHT


def _ports(ahead: Collection[Pair]) -> _Ports:
    leaving, arriving = (Counter(pair[end] for pair in ahead) for end in (0, 1))
    ports = _Ports({}, {})
    for pair in sorted(ahead):
        side, name = (ports.right, pair[0]) if leaving[pair[0]] <= arriving[pair[1]] else (ports.left, pair[1])
        side.setdefault(name, []).append(pair)
    return ports


def node_name(account: str | None, channel: str, sends: bool) -> str:
    """A node's name; what is outside has one node a channel and direction."""
    return account if account is not None else f"\0{'from' if sends else 'to'} {channel}"


def _flows(transfers: Sequence[Moved]) -> Flows:
    found: Flows = {}
    for one in transfers:
        pair = (node_name(one.from_account, one.channel, True), node_name(one.to_account, one.channel, False))
        found.setdefault(pair, []).append(one)
    return found


def _layers(flows: Flows, focus: str) -> dict[str, int]:
    """Layer of each node, from 0: one to the right along a transfer, one to the left against it, nearest first. Parts
    that do not hang together with the account in the middle start at its layer."""
    neighbours: dict[str, list[tuple[str, int]]] = {focus: []}
    for source, target in flows:
        neighbours.setdefault(source, []).append((target, 1))
        neighbours.setdefault(target, []).append((source, -1))
    layer: dict[str, int] = {}
    for start in [focus, *sorted(neighbours)]:
        if start in layer:
            continue
        layer[start] = 0
        waiting = deque([start])
        while waiting:
            name = waiting.popleft()
            for other, step in sorted(neighbours[name]):
                if other not in layer:
                    layer[other] = layer[name] + step
                    waiting.append(other)
    lowest = min(layer.values())
    return {name: found - lowest for name, found in layer.items()}


def _order(flows: Flows, layers: dict[str, int]) -> list[list[str]]:
    """Nodes of each layer, from the top: by the mean place of what they are linked with."""
    links: dict[str, set[str]] = {name: set() for name in layers}
    for source, target in flows:
        if source != target:
            links[source].add(target)
            links[target].add(source)
    order: list[list[str]] = [[] for _ in range(max(layers.values()) + 1)]
    for name in sorted(layers):
        order[layers[name]].append(name)
    for _ in range(SWEEPS):
        place = {name: row - len(names) / 2 for names in order for row, name in enumerate(names)}
        for names in order:
            middle = {
                name: sum(place[other] for other in links[name]) / len(links[name]) if links[name] else place[name]
                for name in names
            }
            names.sort(key=lambda name, middle=middle: (middle[name], name))  # type: ignore[misc]
            place |= {name: row - len(names) / 2 for row, name in enumerate(names)}
    return order


def _lefts(order: list[list[str]], ports: _Ports) -> list[int]:
    """Where each layer begins: further from the one before it where sums stand on both sides of the gap."""
    lefts = [MARGIN]
    for before, after in pairwise(order):
        both = any(name in ports.right for name in before) and any(name in ports.left for name in after)
        lefts.append(lefts[-1] + NODE_WIDTH + (WIDE_GAP if both else LAYER_GAP))
    return lefts


def _place(
    order: list[list[str]], slots: dict[str, int], lefts: list[int], case: CaseFacts, focus: str
) -> dict[str, Node]:
    tallest = max(sum(slots[name] for name in names) for names in order)
    nodes = {}
    for layer, names in enumerate(order):
        y = MARGIN + (tallest - sum(slots[name] for name in names)) / 2
        for name in names:
            outside = name.startswith("\0")
            role = "outside" if outside else "focus" if name == focus else "own" if name in case.own else "other"
            label = name[1:].replace("_", " ") if outside else _short(name)
            nodes[name] = Node(name.lstrip("\0"), label, role, layer, lefts[layer], y + (slots[name] - NODE_HEIGHT) / 2)
            y += slots[name]
    return nodes


def _short(name: str) -> str:
    """Long names by their beginning and end."""
    return name if len(name) <= LABEL_LENGTH_MAX else f"{name[:10]}…{name[-11:]}"


def _edge(pair: Pair, moved: list[Moved], nodes: dict[str, Node], ports: _Ports, low: float | None) -> Edge:
    """`low` is the height of its lane where it does not go ahead."""
    source, target = nodes[pair[0]], nodes[pair[1]]
    start = (source.x + NODE_WIDTH, source.y + NODE_HEIGHT / 2)
    end = (target.x, target.y + NODE_HEIGHT / 2)
    path, at = _back(start, end, low) if low is not None else _ahead(start, end, *ports.offset(pair, nodes))
    words = spoken_sums(add_up((one.currency, one.amount_minor) for one in moved))
    label = words if len(moved) == 1 else f"{len(moved)} × {words}"
    return Edge(source.name, target.name, len(moved), label, path, at[0], at[1])


Point = tuple[float, float]


def _ahead(start: Point, end: Point, at_source: bool, offset: float) -> tuple[str, Point]:
    """Level beside the node at which its sum stands, `offset` below the node's middle, and a curve to the other."""
    if at_source:
        level = start[1] + offset
        near, far = start[0] + FAN, start[0] + FAN + LEAD
        parts = [_curve(start, (near, level)), f"L{far:.1f},{level:.1f}", _bend((far, level), end)]
        return f"M{start[0]:.1f},{start[1]:.1f} " + " ".join(parts), (near + LEAD / 2, level - 3)
    level = end[1] + offset
    near, far = end[0] - FAN, end[0] - FAN - LEAD
    parts = [_bend(start, (far, level)), f"L{near:.1f},{level:.1f}", _curve((near, level), end)]
    return f"M{start[0]:.1f},{start[1]:.1f} " + " ".join(parts), (far + LEAD / 2, level - 3)


def _curve(start: Point, end: Point) -> str:
    """A bend, or straight on where there is none to make."""
    return f"L{end[0]:.1f},{end[1]:.1f}" if start[1] == end[1] else _bend(start, end)


def _bend(start: Point, end: Point) -> str:
    middle = (start[0] + end[0]) / 2
    return f"C{middle:.1f},{start[1]:.1f} {middle:.1f},{end[1]:.1f} {end[0]:.1f},{end[1]:.1f}"


def _back(start: Point, end: Point, low: float) -> tuple[str, Point]:
    """Not to the right: out to the right all the same, underneath everything, in from the left."""
    path = (
        f"M{start[0]:.1f},{start[1]:.1f} C{start[0] + 26:.1f},{start[1]:.1f} {start[0] + 26:.1f},{low:.1f} "
        f"{start[0]:.1f},{low:.1f} L{end[0]:.1f},{low:.1f} "
        f"C{end[0] - 26:.1f},{low:.1f} {end[0] - 26:.1f},{end[1]:.1f} {end[0]:.1f},{end[1]:.1f}"
    )
    return path, ((start[0] + end[0]) / 2, low - 4)
