"""The investigators' desk while transfers are decided: a worklist at the end of each event-day, findings after a delay.

It knows event time alone: a day has ended when a customer of a later day's transfer has been scored. The same scored
customers in the same order give the same findings, whenever and in whatever portions they come.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from harness.aml.ranking import Places, Standing, day_end_ns
from harness.aml.section import Investigators
from harness.aml.truth import NOBODY, Truth
from harness.quality.scored import Int64s, Scores
from streams.errors import BadInputError
from streams.labels import NS_PER_DAY
from streams.laundering import Finding

BY_RANK, BY_EXPLORATION = "rank", "exploration"
ID_MAX = 128


@dataclass(frozen=True, slots=True)
class Investigation:
    """A finding, when and why its customer was looked at, and whether the investigator was wrong."""

    finding: Finding
    listed_at_ns: int
    score: float | None
    chosen_by: str
    propensity: float
    is_wrong: bool


@dataclass(frozen=True, slots=True)
class ScoredRows:
    """Scored customers in the order of decision, one entry each: place among the truth's customers (NOBODY: none of
    them), event time and id of the transfer, score."""

    customer: Int64s
    time_ns: Int64s
    score: Scores
    event_id: Sequence[str]

    @classmethod
    def of(cls, table: pa.Table, truth: Truth) -> "ScoredRows":
        """From columns `customer_id`, `event_time_ns`, `score` and `event_id`."""
        names = pa.array(truth.customer_names, pa.string())
        place = pc.index_in(table["customer_id"].cast(pa.string()), value_set=names).fill_null(NOBODY)
        score = table["score"].cast(pa.float64()).to_numpy()
        times = table["event_time_ns"].to_numpy()
        return cls(place.to_numpy().astype(np.int64), times, score, table["event_id"].to_pylist())


class Desk:
    """Investigators at work. `now_ns` is how far event time has come."""

    def __init__(self, truth: Truth, k: int, settings: Investigators, seed: int) -> None:
        """Raises BadInputError when exploration would take more places than there are."""
        if settings.exploration_per_day > k:
            raise BadInputError(
                f"investigators.exploration_per_day = {settings.exploration_per_day} is above measure.k = {k}, the "
                "customers they look at a day"
            )
        self._truth, self._k, self._settings, self._seed = truth, k, settings, seed
        self._standing = Standing(truth)
        self._ranked_by: dict[int, str] = {}
        self._rows = 0
        self._day = truth.first_day
        self.now_ns = 0

    def take(self, rows: ScoredRows) -> list[Investigation]:
        """Scored customers as they come; returns what the days that ended by them come to."""
        done: list[Investigation] = []
        if len(rows.customer) == 0:
            return done
        newest = np.maximum.accumulate(np.maximum(rows.time_ns // NS_PER_DAY, self._day))
        cuts = [0, *(np.flatnonzero(np.diff(newest)) + 1).tolist(), len(newest)]
        for first, end in pairwise(cuts):
            done += self._close_before(int(newest[first]))
            self._stand(rows, first, end)
        self.now_ns = max(self.now_ns, int(rows.time_ns.max()))
        return done

    def close(self) -> list[Investigation]:
        """The days that are left, when no more will come."""
        return self._close_before(self._truth.last_day + 1)

    def _stand(self, rows: ScoredRows, first: int, end: int) -> None:
        known = first + np.flatnonzero(rows.customer[first:end] != NOBODY)
        better = self._standing.take(rows.customer[known], rows.score[known], known)
        for place, row in better:
            self._ranked_by[place] = rows.event_id[row]

    def _close_before(self, day: int) -> list[Investigation]:
        done: list[Investigation] = []
        while self._day < min(day, self._truth.last_day + 1):
            done += self._work(self._day)
            self._day += 1
        return done

    def _work(self, day: int) -> list[Investigation]:
        standing, explored_max = self._standing, self._settings.exploration_per_day
        top = standing.order()[: self._k - explored_max]
        done = [*self._look_at(day, top, BY_RANK, 1.0)]
        standing.remove(top)
        others = np.flatnonzero(standing.is_open)
        explored = self._draw(day, others)
        done += self._look_at(day, explored, BY_EXPLORATION, len(explored) / max(1, len(others)))
        standing.remove(explored)
        return done

    def _draw(self, day: int, others: Places) -> Places:
        """Customers to explore: those with the smallest draw of the day."""
        names = self._truth.customer_names
        luck = np.array([self._luck(names[place], f"explore {day}") for place in others])
        return others[np.argsort(luck, kind="stable")[: self._settings.exploration_per_day]]

    def _look_at(self, day: int, customers: Places, chosen_by: str, propensity: float) -> Iterator[Investigation]:
        """Findings about these customers; an investigator sees what has happened by the end of the day."""
        now, truth = day_end_ns(day), self._truth
        guilty = truth.suspicious_by(now)
        for place in customers.tolist():
            name, event_id = truth.customer_names[place], self._ranked_by.get(place)
            is_guilty = bool(guilty[place])
            mistakes = self._settings.missed_share if is_guilty else self._settings.wrongly_accused_share
            is_wrong = self._luck(name, "error") < mistakes
            finding = Finding(
                alert_id=f"exploration-{day}-{name}"[:ID_MAX] if event_id is None else alert_of(event_id, name),
                customer_id=name,
                found_at_ns=now + self._delay_ns(name),
                is_suspicious=is_guilty != is_wrong,
                market=truth.market_names[truth.market[place]],
            )
            score = None if event_id is None else float(self._standing.standing[place])
            yield Investigation(finding, now, score, chosen_by, propensity, is_wrong)

    def _delay_ns(self, name: str) -> int:
        least, most = self._settings.delay_days_min, self._settings.delay_days_max
        return int((least + self._luck(name, "delay") * (most - least)) * NS_PER_DAY)

    def _luck(self, name: str, of: str) -> float:
        """Uniform in [0, 1), the same for the same seed, customer and purpose."""
        digest = hashlib.blake2b(f"{self._seed}\0{of}\0{name}".encode(), digest_size=8).digest()
        return (int.from_bytes(digest, "big") >> 11) / 2**53


def alert_of(event_id: str, customer_id: str) -> str:
    """The id of the alert that ranks a customer by a transfer: both their ids, or a hash where they are too long."""
    found = f"{event_id}/{customer_id}"
    return found if len(found) <= ID_MAX else f"alert-{hashlib.blake2b(found.encode(), digest_size=16).hexdigest()}"


def in_order(done: Sequence[Investigation]) -> list[Investigation]:
    """By the findings' event time."""
    return sorted(done, key=lambda one: (one.finding.found_at_ns, one.finding.customer_id))
