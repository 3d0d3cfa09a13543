"""Response P99 by rate, a line a contender."""

import math
from collections.abc import Mapping
from typing import Any

from harness.line_plot import Axis, Line, draw


def _lines(content: Mapping[str, Any]) -> list[Line]:
    """Of each contender the best P99 at each rate."""
    found = []
    for each in content["contenders"]:
        best: dict[float, float] = {}
        for turn in content["turns"]:
            if turn["contender"] == each["name"] and turn["p99_ms"]:
                rate = turn["rate_per_s"]
                best[rate] = min(best.get(rate, math.inf), turn["p99_ms"])
        if best:
            found.append(Line(each["title"], sorted(best.items())))
    return found


def plot(content: Mapping[str, Any], limit_ms: float) -> str:
    """The SVG of a peers.json in which something was measured; the dashed line is the limit of a capacity."""
    return draw(_lines(content), Axis("events/s", ",.0f"), Axis("P99, ms", ",g"), limit_ms)
