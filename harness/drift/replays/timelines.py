"""A drift's timeline: indices and rates by event-day, with the onset and the alarms on them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, Span

from harness.drift.replays.replayed import Replayed
from harness.drift.settings import Settings
from harness.report.plots.style import AMBER, BLUE, GREY, ORANGE, RED, TEAL, VIOLET, Key, Plot, add_hover, new_figure
from streams.labels import NS_PER_DAY

HEIGHT = 240
COLOURS = (VIOLET, BLUE, TEAL, AMBER)
RATES = (("alert_rate", "alerts", ORANGE), ("score_mean", "mean score", VIOLET), ("bad_rate", "bad labels", RED))
INDEX_MONITORS = frozenset({"psi_score", "csi", "feature_means", "paths"})
Values = Sequence[float | None]


def index_plot(place: int, found: Replayed) -> Plot:
    """PSI of the score and CSI of what moved most, each day against the burn-in."""
    figure: Any = new_figure("event-day", "stability index", height=HEIGHT)
    keys = []
    for (name, values), colour in zip(found.days.indices.items(), COLOURS, strict=False):
        _line(figure, name, values, colour)
        keys.append(Key(name, colour))
    limit = Settings().limit_short
    figure.add_layout(Span(location=limit, dimension="width", line_color=AMBER, line_dash="dashed", line_width=1.2))
    top = max([limit, *(value for values in found.days.indices.values() for value in values if value is not None)])
    _mark(figure, found, top, of_indices=True)
    sentence = (
        f"Each day against the first {Settings().burn_in_weeks} weeks; dashed: {limit:g}, the convention's alarm."
    )
    marks = (Key("onset", RED, "dashed"), Key("alarm", RED, "diamond"))
    return Plot(f"drift-{place}-indices", "Indices", sentence, figure, keys=(*keys, *marks))


def rate_plot(place: int, found: Replayed) -> Plot:
    """Alerts, mean score and bad labels, each as a multiple of its mean over the burn-in."""
    figure: Any = new_figure("event-day", "times the burn-in's", height=HEIGHT)
    keys, top = [], 1.0
    for field, name, colour in RATES:
        values = _relative(getattr(found.days, field))
        known = [value for value in values if value is not None]
        if known:
            _line(figure, name, values, colour)
            keys.append(Key(name, colour))
            top = max(top, *known)
    _mark(figure, found, top, of_indices=False)
    sentence = "What ADWIN, the counts of rules and the monitors of labels follow: 1 is the mean of the first weeks."
    marks = (Key("onset", RED, "dashed"), Key("alarm", RED, "diamond"))
    return Plot(f"drift-{place}-rates", "Rates", sentence, figure, keys=(*keys, *marks))


def _relative(values: Values) -> list[float | None]:
    """As multiples of the mean of the burn-in's days; nothing where that is not known or zero."""
    before = [value for value in values[: Settings().burn_in_weeks * 7] if value is not None]
    mean = float(np.mean(before)) if before else 0.0
    return [None if value is None or mean == 0 else value / mean for value in values]


def _line(figure: Any, name: str, values: Values, colour: str) -> None:
    shown = [float("nan") if value is None else value for value in values]
    # a day's figure stands in the middle of it
    source = ColumnDataSource({"day": [day + 0.5 for day in range(len(shown))], "value": shown})
    line = figure.line("day", "value", source=source, color=colour, line_width=1.8)
    add_hover(figure, [("", name), ("day", "@day{0}"), ("", "@value{0.000}")], [line])


def _mark(figure: Any, found: Replayed, top: float, *, of_indices: bool) -> None:
    """The onset as a line, the alarms of these monitors as diamonds above the curves."""
    figure.add_layout(
        Span(location=_day(found, found.onset_ns), dimension="height", line_color=RED, line_dash="dashed")
    )
    alarms = [alarm for alarm in found.alarms if (alarm["monitor"] in INDEX_MONITORS) == of_indices]
    source = ColumnDataSource(
        {
            "day": [_day(found, alarm["event_time_ns"]) for alarm in alarms],
            "y": [1.06 * top] * len(alarms),
            "why": [alarm["why"] for alarm in alarms],
            "group": [alarm["group"] for alarm in alarms],
        }
    )
    diamonds = figure.scatter("day", "y", source=source, marker="diamond", size=10, color=RED, line_color=GREY)
    add_hover(figure, [("", "@why"), ("of", "@group"), ("day", "@day{0.0}")], [diamonds])


def _day(found: Replayed, event_time_ns: int) -> float:
    """Days since the first event-day's midnight, as the lines count them."""
    first = int(np.datetime64(found.days.first_day, "ns").astype(np.int64))
    return float((event_time_ns - first) / NS_PER_DAY)
