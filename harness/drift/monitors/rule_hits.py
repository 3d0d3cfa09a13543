"""How often each rule hits, and how many events are alerts: a rule that begins or ceases to hit sees something new."""

from collections.abc import Sequence

import numpy as np

from harness.drift.alarm import Alarm
from harness.drift.batch import BlockEnd, Part
from harness.drift.monitor import NoLabels, Watched, departure_alarm
from harness.drift.once import Once
from harness.drift.rates import Bounds, RatesWatch

NAME = "rule_hits"
ALERTS = "alerts"


class RuleHits(NoLabels):
    """Of settled keys' events. The last column is no rule: every alert."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._names = (*watched.names.rules, ALERTS)
        self._once = Once()
        self._rates = RatesWatch(len(self._names), len(watched.names.groups), Bounds(), watched.settings)

    def take(self, part: Part) -> None:
        """Count hits and alerts, a key once a week each."""
        batch, kept = part.batch, part.is_settled
        of_settled = kept[batch.hit_row]
        alerts = np.flatnonzero(batch.is_alert & kept)
        rows = np.concatenate([batch.hit_row[of_settled], alerts])
        if len(rows):
            columns = np.concatenate([batch.hit_rule[of_settled], np.full(len(alerts), len(self._names) - 1, np.int32)])
            what = np.where(batch.key[rows] < 0, -1, batch.key[rows].astype(np.int64) * len(self._names) + columns)
            first = self._once.first(what, batch.event_time_ns[rows])
            self._rates.hit(columns[first], batch.group[rows[first]])
        self._rates.expose(batch.group[kept])

    def close(self, end: BlockEnd) -> Sequence[Alarm]:
        """Rules (and alerts) out of their bounds."""
        return [
            departure_alarm(NAME, self._names[found.column], self._watched, found, end)
            for found in self._rates.close(end)
        ]
