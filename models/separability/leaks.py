"""Traces of how data were made: nulls, digits, clock digits, numbering, spelling and duplicates must not tell frauds.

What a bank could honestly use (the channel, the category, the size of the amount) is held fixed: pairs are compared
within it only, so that what is left over is a trace.
"""

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


def measure(truth: Truth, counted: Ints) -> Findings:
    """All traces in the rows `counted` (in event-time order); each row of the table is one AUC."""
    seen = _Seen(truth, counted)
    groups = {
        "nulls": _nulls(seen),
        "digits of amounts": _amount_digits(seen),
        "digits of the clock": _clock_digits(seen),
        "numbering": _numbering(seen),
        "spelling of ids": _spelling(seen),
        "duplicates": _duplicates(seen),
    }
    table = [{"trace": group, **row} for group, rows in groups.items() for row in rows]
    return Findings(tuple(_check(group, rows) for group, rows in groups.items()), {"leaks": table})


class _Seen:
    """The rows that are looked at, and the strata that are held fixed."""

    def __init__(self, truth: Truth, rows: Ints) -> None:
        self.truth, self.rows = truth, rows
        self.fraud: Flags = truth.fraud[rows]
        self.first: Flags = np.arange(len(rows)) < len(rows) // 2
        self.amount = truth.events["amount_minor"].to_numpy()[rows]
        self.channel = self._codes("channel")
        self.category = self._codes("category")
        band = bins(self.amount.astype(np.float64), AMOUNT_BANDS)
        self.kind = (self.channel * 1_000 + self.category) * 100 + band
        """Channel, category and band of the amount: what decides how an amount is written."""

    def _codes(self, column: str) -> Ints:
        known = self.truth.has(column)
        return self.truth.codes(column)[self.rows] + 1 if known else np.zeros(len(self.rows), np.int64)

    def rate_row(self, what: str, codes: Ints, strata: Ints) -> Row:
        """AUC within strata of the codes' rates, learnt on the first half and measured on the second."""
        late = ~self.first
        found = rates(codes, self.fraud, self.first)
        return row(what, within_auc(found[late], self.fraud[late], strata[late]), self.fraud[late])


def row(what: str, area: float, positive: Flags) -> Row:
    """One trace: its AUC whichever way round, and three standard errors of chance beyond 0.5."""
    positives = int(positive.sum())
    error = auc_error(positives, len(positive) - positives)
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


def _nulls(seen: _Seen) -> list[Row]:
    """Each column's nulls, within channels: terminals are absent online, devices at a counter, for everybody."""
    found = []
    for name in seen.truth.events.column_names:
        column = seen.truth.events[name]
        if 0 < column.null_count < len(column):
            null = column.is_null().to_numpy()[seen.rows].astype(np.float64)
            strata = np.zeros_like(seen.channel) if name == "channel" else seen.channel
            found.append(row(f"{name} is null", within_auc(null, seen.fraud, strata), seen.fraud))
    return found


def _amount_digits(seen: _Seen) -> list[Row]:
    """Cents, the last digit, and round amounts, within channel, category and size."""
    cents = seen.amount % 100
    return [
        seen.rate_row("cents of the amount", cents, seen.kind),
        seen.rate_row("last digit of the amount", cents % 10, seen.kind),
        seen.rate_row("amount is a whole number", (cents == 0).astype(np.int64), seen.kind),
    ]


def _clock_digits(seen: _Seen) -> list[Row]:
    time_ns = seen.truth.time_ns[seen.rows]
    second = time_ns // NS_PER_S
    nothing = np.zeros(len(time_ns), np.int64)
    return [
        seen.rate_row("minute of the hour", second // 60 % 60, nothing),
        seen.rate_row("second of the minute", second % 60, nothing),
        seen.rate_row("tenth of the second", time_ns % NS_PER_S // (100 * NS_PER_MS), nothing),
        seen.rate_row("last digit of the millisecond", time_ns // NS_PER_MS % 10, nothing),
        seen.rate_row("digits below the millisecond", (time_ns % NS_PER_MS != 0).astype(np.int64), nothing),
    ]


def _numbering(seen: _Seen) -> list[Row]:
    """Whether the number in an id tells: an event's against its place in time, a card's if it is ever defrauded."""
    found = []
    numbers = _numbers(seen.truth.events["event_id"].cast(pa.string()))
    if numbers is not None:
        strayed = _strayed(numbers)[seen.rows]
        found.append(row("event_id against the order of time", auc(strayed, seen.fraud), seen.fraud))
    for name in IDENTIFIERS:
        if seen.truth.has(name):
            codes, values = coded(seen.truth.events, name)
            numbers = _numbers(pa.chunked_array([pa.array(values, pa.string())]))
            here = codes[seen.rows]
            stolen, all_seen = np.unique(here[seen.fraud & (here >= 0)]), np.unique(here[here >= 0])
            hit = np.isin(all_seen, stolen)
            if numbers is not None and hit.any() and not hit.all():
                found.append(row(f"number in {name}", auc(numbers[all_seen], hit), hit))
    return found


def _numbers(texts: pa.ChunkedArray) -> NDArray[np.float64] | None:
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


def _spelling(seen: _Seen) -> list[Row]:
    """Ids' form (letters as a, digits as 9), within channels."""
    found = []
    for name in ("event_id", *IDENTIFIERS):
        if seen.truth.has(name):
            codes, values = coded(seen.truth.events, name)
            forms = pc.replace_substring_regex(pa.array(values, pa.string()), r"[0-9]", "9")
            forms = pc.replace_substring_regex(forms, r"[A-Za-z]", "a").dictionary_encode()
            if len(forms.dictionary) > 1:
                form = np.append(forms.indices.to_numpy().astype(np.int64) + 1, 0)[codes][seen.rows]
                known = form > 0
                strata = np.where(known, seen.channel, -1)
                found.append(seen.rate_row(f"form of {name}", form, strata))
    return found or [row("every kind of id is spelt in one way", 0.5, seen.fraud)]


def _duplicates(seen: _Seen) -> list[Row]:
    """Same card, amount and place as the card's event before it; event ids that come twice."""
    truth = seen.truth
    place = next((name for name in ("merchant_id", "terminal_id") if truth.has(name)), None)
    card, where = truth.codes("card_id"), truth.codes(place) if place else np.zeros(len(truth), np.int64)
    amount = truth.events["amount_minor"].to_numpy()
    order = np.lexsort((truth.time_ns, card))
    same = (
        (np.diff(card[order]) == 0)
        & (np.diff(where[order]) == 0)
        & (np.diff(amount[order]) == 0)
        & (np.diff(truth.time_ns[order]) == 0)
    )
    repeated = np.zeros(len(truth))
    repeated[order[1:][same]] = 1.0
    ids = truth.codes("event_id")
    twice = (np.bincount(ids)[ids] > 1).astype(np.float64)
    return [
        row("same card, place, amount and time", auc(repeated[seen.rows], seen.fraud), seen.fraud),
        row("event_id comes twice", auc(twice[seen.rows], seen.fraud), seen.fraud),
    ]
