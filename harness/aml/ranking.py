"""Customers ranked by their scores so far (see `harness.aml.evidence`), the most suspicious first."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from harness.aml.evidence import Evidence
from harness.aml.truth import NOBODY, Truth
from harness.quality.cards import tie_order
from harness.quality.scored import NOT_RANKED, Bools, Int64s, Scores
from streams.errors import BadInputError
from streams.labels import NS_PER_DAY

Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class CustomerScores:
    """One entry a scored alert (or scored transfer) about a customer, in order of event time; `customer` is its place
    among the truth's customers, `row` its row in the table it came from. `unknown`: rows about nobody who is ranked."""

    customer: Int64s
    time_ns: Int64s
    score: Scores
    row: Int64s
    unknown: int

    def __len__(self) -> int:
        return len(self.customer)

    def standing(self, customers: int) -> Scores:
        """Where each customer stands by the whole stream, float64 [customers]; NOT_RANKED without any score."""
        evidence = Evidence(customers)
        evidence.take(self.customer, self.score)
        return evidence.standing


def customer_scores(table: pa.Table, truth: Truth) -> CustomerScores:
    """From columns `customer_id`, `event_time_ns` and `score` (0 … 1). Raises BadInputError for scores outside it."""
    score = table["score"].cast(pa.float64()).to_numpy()
    wrong = np.flatnonzero(~((score >= 0) & (score <= 1)))
    if len(wrong):
        row = int(wrong[0])
        raise BadInputError(f"row {row + 1} of the scored alerts has score {score[row]:g}; scores lie between 0 and 1")
    place = pc.index_in(table["customer_id"].cast(pa.string()), value_set=pa.array(truth.customer_names, pa.string()))
    customer = place.fill_null(NOBODY).to_numpy().astype(np.int64)
    times = table["event_time_ns"].to_numpy()
    known = np.flatnonzero(customer >= 0)
    order = known[np.argsort(times[known], kind="stable")]
    return CustomerScores(customer[order], times[order], score[order], order, len(score) - len(known))


def day_end_ns(day: int) -> int:
    """The last instant of an event-day (UTC calendar day since the epoch): when its worklist is made."""
    return (day + 1) * NS_PER_DAY - 1


class Standing:
    """Where each customer stands so far, and who has not been looked at yet.

    Equal ones are put in order by a hash of the customer's name, which knows nothing of labels.
    """

    def __init__(self, truth: Truth) -> None:
        self._tie = tie_order(truth.customer_names)
        self._evidence = Evidence(len(truth))
        self._best: Scores = np.full(len(truth), NOT_RANKED)
        self.is_open: Bools = np.ones(len(truth), bool)

    def take(self, customer: Int64s, score: Scores, row: Int64s) -> list[tuple[int, int]]:
        """Scores of customers, in order; returns whose best score they hold now, with the row of it: of equal ones the
        first."""
        self._evidence.take(customer, score)
        order = np.lexsort((np.arange(len(score)), -score, customer))
        who, first = np.unique(customer[order], return_index=True)
        found, of_row = score[order][first], row[order][first]
        better = found > self._best[who]
        self._best[who[better]] = found[better]
        return list(zip(who[better].tolist(), of_row[better].tolist(), strict=True))

    @property
    def standing(self) -> Scores:
        """Float64 [customers]; NOT_RANKED without a score."""
        return self._evidence.standing

    def order(self) -> Places:
        """Ranked customers not looked at yet, the most suspicious first."""
        there = np.flatnonzero(self.is_open & (self.standing >= 0))
        return there[np.lexsort((self._tie[there], -self.standing[there]))]

    def remove(self, customers: Places) -> None:
        """These have been looked at: they are not listed again."""
        self.is_open[customers] = False


class Ranking(Standing):
    """The standing of a stream that is known whole: `advance` to the end of a day, read `order`, `remove` who is looked
    at."""

    def __init__(self, scores: CustomerScores, truth: Truth) -> None:
        super().__init__(truth)
        self._scores = scores
        self._next = 0

    def advance(self, day: int) -> None:
        """Take everything scored up to the end of the day."""
        end = int(np.searchsorted(self._scores.time_ns, day_end_ns(day), side="right"))
        part = slice(self._next, end)
        self.take(self._scores.customer[part], self._scores.score[part], self._scores.row[part])
        self._next = end


def days_of(truth: Truth) -> Iterator[int]:
    """The stream's event-days in order, those without a transfer included."""
    yield from range(truth.first_day, truth.last_day + 1)
