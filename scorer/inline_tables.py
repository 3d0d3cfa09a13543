"""Day tables without a nightly job: closed inline as the events ask for them, by the same ledger and the same rules."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from models.features.batch import TransactionBatch
from models.features.day_table import DayTable
from models.features.state import FeatureState
from scorer.day_closing import DayCloser, PlaceEvent
from scorer.state_files import open_ledger
from streams.labels import DayEnd, Disposition, business_day, calendar_day
from streams.transaction import CardTransaction

PLACE_FIELDS = PlaceEvent.__struct_fields__


class InlineTables:
    """Day tables without a nightly job: the same ledger, closed when a day is first asked for.

    `dispositions` are all that will become known, in the order of `reported_at_ns`; each enters the ledger only before
    the closing of the business day it was reported in.
    """

    def __init__(self, closer: DayCloser, dispositions: Sequence[Disposition]) -> None:
        self._closer = closer
        self._dispositions = sorted(dispositions, key=lambda disposition: disposition.reported_at_ns)
        self._used = 0
        self._ready: list[DayTable] = []

    def add(self, events: Sequence[CardTransaction]) -> None:
        """Events about to be decided."""
        self._closer.add_events(events)

    def add_table(self, events: pa.Table) -> None:
        """As `add`, from columns (`TRANSACTION_SCHEMA`)."""
        known = events.select([name for name in PLACE_FIELDS if name in events.column_names])
        self._closer.add_events([PlaceEvent(**row) for row in known.to_pylist()])

    def bring(self, state: FeatureState, batch: TransactionBatch) -> None:
        """Close the tables that these rows need and the state does not hold, and install them."""
        missing = state.missing_days(batch)
        if missing:
            self.wait_for(missing[-1], 0.0)
        for table in self.take():
            state.install(table)

    def wait_for(self, day: int, limit_s: float) -> bool:
        """Close everything up to `day`; at once."""
        del limit_s
        for closing in range(self._closer.next_day, day + 1):
            end = self._used
            while end < len(self._dispositions) and business_day(self._dispositions[end].reported_at_ns) <= closing:
                end += 1
            self._closer.add_dispositions(self._dispositions[self._used : end])
            self._used = end
            self._closer.add_day_end(DayEnd(day=closing, events=0, dispositions=0))
            self._ready += self._closer.close_ready()
        return day < self._closer.next_day

    def take(self) -> list[DayTable]:
        """The tables closed since the last call."""
        taken, self._ready = self._ready, []
        return taken


def inline_tables(
    state: Path | None, label_delay_days: int, events: pa.Table, dispositions: Sequence[Disposition]
) -> InlineTables:
    """The tables of a stream (`events` in arrival order) that follows on the warm `state` (None: on nothing).

    Raises `BadInputError` when the state is missing or damaged.
    """
    ledger = open_ledger(state, label_delay_days)
    first_ns = int(events["event_time_ns"][0].as_py()) if len(events) else 0
    first_day = max(ledger.last_closed + 1, calendar_day(first_ns) - 1)
    return InlineTables(DayCloser(ledger, first_day), dispositions)
