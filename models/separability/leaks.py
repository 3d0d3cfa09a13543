"""Traces of how data were made: nulls, digits, clock digits, numbering, spelling and duplicates must not tell frauds.

What a bank could honestly use (the channel, the category, the size of the amount) is held fixed: pairs are compared
within it only, so that what is left over is a trace.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from models.separability.checks import Check, Findings, rounded
from models.separability.material import Flags, Ints, Truth, coded
from models.separability.ranking import auc, auc_error, bins, rates, within_auc
from streams.labels import NS_PER_S

TRACE_AUC_MAX = 0.55
NULL_AUC_MAX = 0.60
ERRORS_MAX = 3.0
AMOUNT_BANDS = 8
IDENTIFIERS = ("card_id", "customer_id", "merchant_id", "terminal_id", "device_id")
NS_PER_MS = 1_000_000
Row = dict[str, str | float | int | None]
Groups = dict[str, list[Row]]


@dataclass(frozen=True, slots=True, eq=False)
class Traced:
    """Where traces are looked for: `events` in event-time order [n], when they were, which are positive (frauds,
    laundering), and the row numbers `rows` [m] that are looked at, in order.

    `channels` are the columns within which a null is compared, `kinds` those that decide, with the size, how an amount
    is written; `identifiers` are the columns of ids, `alike` those in which a duplicate is the same (beside amount and
    time). `clusters` int64 [n]: positives of one number came together, and chance has one throw for all of them.
    """

    events: pa.Table
    time_ns: Ints
    positive: Flags
    rows: Ints
    channels: tuple[str, ...] = ("channel",)
    kinds: tuple[str, ...] = ("channel", "category")
    identifiers: tuple[str, ...] = IDENTIFIERS
    alike: tuple[str, ...] = ("card_id",)
    clusters: Ints | None = None


def measure(truth: Truth, counted: Ints) -> Findings:
    """All traces in the rows `counted` (in event-time order) of card transactions."""
    place = next((name for name in ("merchant_id", "terminal_id") if truth.has(name)), None)
    alike = ("card_id", place) if place else ("card_id",)
    return told(groups(Seen(Traced(truth.events, truth.time_ns, truth.fraud, counted, alike=alike))))


def groups(seen: "Seen") -> Groups:
    """Every kind of trace; each row is one AUC."""
    return {
        "nulls": _nulls(seen),
        "digits of amounts": _amount_digits(seen),
        "digits of the clock": _clock_digits(seen),
        "numbering": _numbering(seen),
        "spelling of ids": _spelling(seen),
        "duplicates": _duplicates(seen),
    }


def told(found: Groups) -> Findings:
    """A check for each kind of trace."""
    table = [{"trace": group, **row} for group, rows in found.items() for row in rows]
    return Findings(tuple(_check(group, rows) for group, rows in found.items()), {"leaks": table})


class Seen:
    """The rows that are looked at, and the strata that are held fixed."""

    def __init__(self, traced: Traced) -> None:
        self.traced, self.events, self.rows = traced, traced.events, traced.rows
        rows = traced.rows
        self.positive: Flags = traced.positive[rows]
        self.clusters = None if traced.clusters is None else traced.clusters[rows]
        self.time_ns: Ints = traced.time_ns[rows]
        self.first: Flags = np.arange(len(rows)) < len(rows) // 2
        self.amount: Ints = self.events["amount_minor"].to_numpy()[rows]
        self.channel = self._strata(traced.channels)
        band = bins(self.amount.astype(np.float64), AMOUNT_BANDS)
        self.kind = self._strata(traced.kinds) * 100 + band
        """What decides how an amount is written, its size included."""

    def has(self, column: str) -> bool:
        """Whether a column is there and holds something."""
        return column in self.events.column_names and self.events[column].null_count < len(self.events)

    def _strata(self, columns: tuple[str, ...]) -> Ints:
        found = np.zeros(len(self.rows), np.int64)
        for column in columns:
            codes = coded(self.events, column)[0][self.rows] + 1 if self.has(column) else np.zeros_like(found)
            found = found * 1_000 + codes
        return found

    def row(self, what: str, area: float) -> Row:
        """One trace in all rows."""
        return self._row(what, area, np.ones(len(self.rows), np.bool_))

    def rate_row(self, what: str, codes: Ints, strata: Ints) -> Row:
        """AUC within strata of the codes' rates, learnt on the first half and measured on the second."""
        late = ~self.first
        found = rates(codes, self.positive, self.first)
        return self._row(what, within_auc(found[late], self.positive[late], strata[late]), late)

    def _row(self, what: str, area: float, among: Flags) -> Row:
        hit = self.positive[among]
        throws = None if self.clusters is None else len(np.unique(self.clusters[among][hit]))
        return row(what, area, hit, throws)


def row(what: str, area: float, positive: Flags, throws: int | None = None) -> Row:
    """One trace: its AUC whichever way round, and three standard errors of chance beyond 0.5; positives are as many as
    `throws` where they came together."""
    positives = int(positive.sum())
    error = auc_error(positives if throws is None else throws, len(positive) - positives)
    return {"what": what, "auc": rounded(max(area, 1 - area)), "chance": rounded(0.5 + ERRORS_MAX * error)}


def _check(group: str, rows: list[Row]) -> Check:
    """The trace furthest above its own limit: the stated one, or what chance reaches where frauds are few."""
    limit = NULL_AUC_MAX if group == "nulls" else TRACE_AUC_MAX
    told = [one for one in rows if isinstance(one["auc"], float) and isinstance(one["chance"], float)]
    if not told:
        return Check("leaks", f"{group}, AUC", None)
    worst = max(told, key=lambda one: float(one["auc"] or 0) - max(limit, float(one["chance"] or 0)))
    high = max(limit, float(worst["chance"] or 0))
    return Check("leaks", f"{group}, AUC", float(worst["auc"] or 0), high=high,
                 detail=f"{worst['what']}; worst of {len(told)}")  # fmt: skip


def _nulls(seen: Seen) -> list[Row]:
    """Each column's nulls, within channels: terminals are absent online, devices at a counter, for everybody."""
    found = []
    for name in seen.events.column_names:
        column = seen.events[name]
        if 0 < column.null_count < len(column):
            null = column.is_null().to_numpy()[seen.rows].astype(np.float64)
            strata = np.zeros_like(seen.channel) if name in seen.traced.channels else seen.channel
            found.append(seen.row(f"{name} is null", within_auc(null, seen.positive, strata)))
    return found


def _amount_digits(seen: Seen) -> list[Row]:
    """Cents, the last digit, and round amounts, within channel, category and size."""
    cents = seen.amount % 100
    return [
        seen.rate_row("cents of the amount", cents, seen.kind),
        seen.rate_row("last digit of the amount", cents % 10, seen.kind),
        seen.rate_row("amount is a whole number", (cents == 0).astype(np.int64), seen.kind),
    ]


def _clock_digits(seen: Seen) -> list[Row]:
    time_ns = seen.time_ns
    second = time_ns // NS_PER_S
    nothing = np.zeros(len(time_ns), np.int64)
    return [
        seen.rate_row("minute of the hour", second // 60 % 60, nothing),
        seen.rate_row("second of the minute", second % 60, nothing),
        seen.rate_row("tenth of the second", time_ns % NS_PER_S // (100 * NS_PER_MS), nothing),
        seen.rate_row("last digit of the millisecond", time_ns // NS_PER_MS % 10, nothing),
        seen.rate_row("digits below the millisecond", (time_ns % NS_PER_MS != 0).astype(np.int64), nothing),
    ]


def _numbering(seen: Seen) -> list[Row]:
    """Whether the number in an id tells: an event's against its place in time, a card's if it is ever defrauded."""
    found = []
    numbers = numbers_of(seen.events["event_id"].cast(pa.string()))
    if numbers is not None:
        strayed = _strayed(numbers)[seen.rows]
        found.append(seen.row("event_id against the order of time", auc(strayed, seen.positive)))
    for name in seen.traced.identifiers:
        if seen.has(name):
            codes, values = coded(seen.events, name)
            numbers = numbers_of(pa.chunked_array([pa.array(values, pa.string())]))
            here = codes[seen.rows]
            stolen, all_seen = np.unique(here[seen.positive & (here >= 0)]), np.unique(here[here >= 0])
            hit = np.isin(all_seen, stolen)
            if numbers is not None and hit.any() and not hit.all():
                found.append(row(f"number in {name}", auc(numbers[all_seen], hit), hit))
    return found


def numbers_of(texts: pa.ChunkedArray) -> NDArray[np.float64] | None:
    """The digits at the end of ids as numbers (at most 15 of them); None when most ids end without any."""
    digits = pc.struct_field(pc.extract_regex(texts, pattern=r"(?P<n>[0-9]{1,15})$"), "n")
    if digits.null_count > len(digits) // 2:
        return None
    return np.asarray(pc.fill_null(digits.cast(pa.float64()), -1.0).to_numpy(), np.float64)


def _strayed(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far each number's rank is from its place, float64 [n]; 0 everywhere when ids were given in order of time."""
    rank = np.empty(len(numbers), np.int64)
    rank[np.argsort(numbers, kind="stable")] = np.arange(len(numbers))
    return (rank - np.arange(len(numbers))).astype(np.float64)


def _spelling(seen: Seen) -> list[Row]:
    """Ids' form (letters as a, digits as 9), within channels."""
    found = []
    for name in ("event_id", *seen.traced.identifiers):
        if seen.has(name):
            codes, values = coded(seen.events, name)
            forms = pc.replace_substring_regex(pa.array(values, pa.string()), r"[0-9]", "9")
            forms = pc.replace_substring_regex(forms, r"[A-Za-z]", "a").dictionary_encode()
            if len(forms.dictionary) > 1:
                form = np.append(forms.indices.to_numpy().astype(np.int64) + 1, 0)[codes][seen.rows]
                known = form > 0
                strata = np.where(known, seen.channel, -1)
                found.append(seen.rate_row(f"form of {name}", form, strata))
    return found or [seen.row("every kind of id is spelt in one way", 0.5)]


def _duplicates(seen: Seen) -> list[Row]:
    """Same amount, time, and what else is to be alike, as the event before it; event ids that come twice."""
    traced, alike = seen.traced, seen.traced.alike
    columns = [coded(seen.events, name)[0] for name in alike if seen.has(name)]
    columns += [seen.events["amount_minor"].to_numpy(), traced.time_ns]
    order = np.lexsort(columns)
    same = np.all([np.diff(column[order]) == 0 for column in columns], axis=0)
    repeated = np.zeros(len(order))
    repeated[order[1:][same]] = 1.0
    ids = coded(seen.events, "event_id")[0]
    twice = (np.bincount(ids)[ids] > 1).astype(np.float64)
    return [
        seen.row(f"same {', '.join(name.removesuffix('_id') for name in alike)}, amount and time",
                 auc(repeated[seen.rows], seen.positive)),
        seen.row("event_id comes twice", auc(twice[seen.rows], seen.positive)),
    ]  # fmt: skip
