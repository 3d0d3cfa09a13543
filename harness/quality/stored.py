"""Events, labels and decisions brought together from their files, a block at a time, by the events' ordinals."""

from collections.abc import Iterator
from itertools import zip_longest

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from harness.quality.reasons import CollectedReasons, GivenReasons
from harness.quality.scored import NO_PATH, NOT_RANKED, Codes, Scored, equals, labels_of, path_codes
from streams.labels import NS_PER_DAY
from streams.stored_rows import StoredRows, WordCodes

TRUTH = ("is_fraud", "scenario", "look_alike")
SAID = ("ordinal", "status", "outcome", "score", "path", "response_ns")


def gather_stored(decisions: StoredRows, events: StoredRows, labels: StoredRows, sent: int) -> Scored:
    """As `gather` of the first `sent` events: a decision belongs to the event of its ordinal.

    Raises BadInputError when an event has no label.
    """
    count = min(sent, len(events))
    given = _Given(count)
    for rows in decisions.blocks(SAID):
        given.add(rows)
    card, scenario, look_alike = _Words(count), _Words(count), _Words(count)
    is_fraud = np.zeros(count, np.bool_)
    day, amount_minor = np.zeros(count, np.int32), np.zeros(count, np.int64)
    start = 0
    for happened, truth in _with_labels(events, labels, count):
        here = slice(start, start + len(happened))
        day[here] = happened["event_time_ns"].to_numpy() // NS_PER_DAY
        amount_minor[here] = happened["amount_minor"].to_numpy()
        is_fraud[here] = truth["is_fraud"].to_numpy()
        for words, column in (
            (card, happened["card_id"]),
            (scenario, truth["scenario"]),
            (look_alike, truth["look_alike"]),
        ):
            words.add(here, column)
        start += len(happened)
    return Scored(
        is_fraud=is_fraud,
        score=given.score,
        decided=given.decided,
        flagged=given.flagged,
        response_ns=given.response_ns,
        path=given.path,
        day=day,
        amount_minor=amount_minor,
        card=card.codes,
        card_names=card.names,
        scenario=scenario.codes,
        scenario_names=scenario.names,
        look_alike=look_alike.codes,
        look_alike_names=look_alike.names,
    )


def stored_reasons(decisions: StoredRows, explanations: StoredRows | None, events: int) -> GivenReasons:
    """As `gather_reasons` of the first `events` events; explanations have ordinals too."""
    collected = CollectedReasons()
    if "reasons" in decisions.names:
        for rows in decisions.blocks(["ordinal", "reasons"]):
            collected.add(rows["ordinal"].to_numpy(), rows["reasons"], events)
    explained = np.zeros(events, np.bool_)
    for rows in () if explanations is None else explanations.blocks(["ordinal", "reasons"]):
        ordinals, first = np.unique(rows["ordinal"].to_numpy(), return_index=True)
        within = ordinals < events
        new = np.sort(first[within][~explained[ordinals[within]]])
        told = rows.take(pa.array(new))
        explained[told["ordinal"].to_numpy()] = True
        collected.add(told["ordinal"].to_numpy(), told["reasons"], events)
    return collected.in_order()


class _Given:
    """What decisions said, by ordinal."""

    def __init__(self, count: int) -> None:
        self.score = np.full(count, NOT_RANKED)
        self.decided, self.flagged = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
        self.response_ns = np.zeros(count, np.int64)
        self.path = np.full(count, NO_PATH, np.int8)

    def add(self, rows: pa.Table) -> None:
        rows = rows.filter(pc.less(rows["ordinal"], len(self.score)))
        ordinal = rows["ordinal"].to_numpy()
        decided = equals(rows["status"], "decided") | equals(rows["status"], "late")
        self.decided[ordinal] = decided
        self.score[ordinal] = np.where(decided, rows["score"].fill_null(0.0).to_numpy(), NOT_RANKED)
        self.flagged[ordinal] = decided & (equals(rows["outcome"], "review") | equals(rows["outcome"], "block"))
        self.response_ns[ordinal] = rows["response_ns"].fill_null(0).to_numpy()
        self.path[ordinal] = np.where(decided, path_codes(rows["path"]), NO_PATH)


class _Words:
    """A column of words by event, as codes."""

    def __init__(self, count: int) -> None:
        self.codes: Codes = np.zeros(count, np.int32)
        self._words = WordCodes()

    def add(self, here: slice, column: pa.ChunkedArray) -> None:
        self.codes[here] = self._words.of(column)

    @property
    def names(self) -> list[str]:
        return self._words.names


def _with_labels(events: StoredRows, labels: StoredRows, count: int) -> Iterator[tuple[pa.Table, pa.Table]]:
    """Events and their labels, row for row, up to `count`. Files of a run have them in the same order; where they have
    not, labels are matched by id, all at once."""
    if not _aligned(events, labels, count):
        ids = events.read(["event_id"])["event_id"].slice(0, count)
        labels = StoredRows(labels_of(ids, labels.read(["event_id", *TRUTH]).slice(0, count)))
    left = count
    for happened, truth in zip(
        events.blocks(["event_time_ns", "card_id", "amount_minor"]), labels.blocks(TRUTH), strict=False
    ):
        if left <= 0:
            return
        yield happened.slice(0, left), truth.slice(0, left)
        left -= len(happened)


def _aligned(events: StoredRows, labels: StoredRows, count: int) -> bool:
    left = count
    for ids, labelled in zip_longest(events.blocks(["event_id"]), labels.blocks(["event_id"])):
        if left <= 0:
            break
        if labelled is None or not ids["event_id"].slice(0, left).equals(labelled["event_id"].slice(0, left)):
            return False
        left -= len(ids)
    return True
