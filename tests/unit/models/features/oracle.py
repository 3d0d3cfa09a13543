"""The feature definitions, written out slowly over plain lists: what the kernel is held to."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from models.features.batch import Status, Vocabulary
from models.features.catalog import FEATURE_NAMES
from streams.labels import NS_PER_DAY, NS_PER_HOUR, business_day
from streams.transaction import CardTransaction

WINDOWS_NS = {"1h": NS_PER_HOUR, "24h": NS_PER_DAY, "7d": 7 * NS_PER_DAY, "30d": 30 * NS_PER_DAY}
RETENTION_NS = 31 * NS_PER_DAY
DISTANCES = ("distance_from_last_km", "speed_from_last_kmh", "distance_from_centre_km")
"""Columns compared with a tolerance: sines may differ in their last bit between mathematical libraries."""

PlaceRow = Sequence[float]
Tables = Mapping[int, Mapping[str, Mapping[str, PlaceRow]]]
"""For each business day held: for each kind of place: the rows by id."""


@dataclass
class _Card:
    kept: list[CardTransaction] = field(default_factory=list)
    first_seen_ns: int | None = None
    recent: dict[str, list[str]] = field(default_factory=lambda: {"merchant": [], "device": [], "country": []})
    used_s: dict[tuple[str, str], int] = field(default_factory=dict)
    new_here: set[tuple[str, int]] = field(default_factory=set)
    """Ids of purchases at merchants that were new when they arrived."""


class Oracle:
    """Feature rows one by one; `tables` gives the rows of every kind of place for each business day held."""

    def __init__(self, vocabulary: Vocabulary, tables: Tables | None = None) -> None:
        self._vocabulary = vocabulary
        self._tables = tables
        self._cards: dict[str, _Card] = {}

    def rows(self, events: Sequence[CardTransaction]) -> tuple[npt.NDArray[np.float32], list[Status]]:
        """Rows [n, F] and statuses of events in arrival order."""
        found = [self._row(event) for event in events]
        values = [[row.get(name, math.nan) for name in FEATURE_NAMES] for row, _ in found]
        return np.array(values, np.float32).reshape(len(events), len(FEATURE_NAMES)), [status for _, status in found]

    def _row(self, event: CardTransaction) -> tuple[dict[str, float], Status]:
        card = self._cards.setdefault(event.card_id, _Card())
        time = event.event_time_ns
        if any(old.event_time_ns == time and old.event_id == event.event_id for old in card.kept):
            return {}, Status.REPEATED
        newest = max([old.event_time_ns for old in card.kept], default=time)
        horizon = max(newest, time) - RETENTION_NS
        if time >= newest:
            behind = [old for old in card.kept if old.event_time_ns <= horizon]
            behind = [old for old in behind if not old.is_refund] or behind
            card.kept = behind[-1:] + [old for old in card.kept if old.event_time_ns > horizon]
        first = time if card.first_seen_ns is None else min(card.first_seen_ns, time)
        row = {**self._own(event), **_past(event, card.kept), **_habits(event, card), **self._places(event)}
        row["card_age_days"] = min((time - first) / NS_PER_DAY, 30)
        keep = time > horizon
        row |= _recent(event, card, keep=keep and not event.is_refund)
        if not event.is_refund and row.get("is_new_merchant") == 1:
            row["new_merchants_7d"] += 1
            if keep:
                card.new_here.add((event.event_id, time))
        if keep:
            card.first_seen_ns = first
            card.kept = sorted([*card.kept, event], key=lambda old: old.event_time_ns)  # stable: ties as they arrived
        behind_ns = newest - time
        return row, Status.ON_TIME if behind_ns <= 0 else Status.LATE if behind_ns <= NS_PER_DAY else Status.TOO_LATE

    def _own(self, event: CardTransaction) -> dict[str, float]:
        hour = event.event_time_ns % NS_PER_DAY / NS_PER_HOUR
        weekday = (event.event_time_ns // NS_PER_DAY + 3) % 7
        row = {
            "amount": event.amount_minor / 100,
            "hour": hour,
            "is_night": float(hour >= 22 or hour < 6),
            "is_weekend": float(weekday >= 5),
        }
        for name, word, words in (
            ("category_code", event.category, self._vocabulary.category),
            ("channel_code", event.channel, self._vocabulary.channel),
        ):
            if word is not None:
                row[name] = words.index(word) if word in words else -1
        return row

    def _places(self, event: CardTransaction) -> dict[str, float]:
        row: dict[str, float] = {}
        if self._tables is None:
            return row
        table = self._tables[event.event_time_ns // NS_PER_DAY - 1]
        for kind, absent in ABSENT.items():
            place = getattr(event, f"{kind}_id")
            if place is not None:
                values = table[kind].get(place, tuple(absent.values()))
                row |= {f"{kind}_{column}": value for column, value in zip(absent, values, strict=True)}
        return row


NAN = math.nan
RISK = {"count_1d": 0, "count_7d": 0, "count_30d": 0, "risk_1d": NAN, "risk_7d": NAN, "risk_30d": NAN}
RISK |= {"risk_recent": NAN, "genuine_since_fraud": NAN, "days_since_first_fraud": NAN}
ABSENT: dict[str, dict[str, float]] = {
    "terminal": RISK,
    "merchant": RISK | {"cards_1d": 0, "cards_7d": 0, "cards_growth": NAN, "compromised_share_30d": NAN},
    "device": {"cards_7d": 0, "cards_30d": 0, "frauds_30d": 0},
}
"""The columns of each kind of place, with the values of a place that a table does not name."""


def _recent(event: CardTransaction, card: _Card, *, keep: bool) -> dict[str, float]:
    row: dict[str, float] = {}
    second = event.event_time_ns // 10**9
    for kind, code, size in (
        ("merchant", event.merchant_id, 32),
        ("device", event.device_id, 8),
        ("country", event.country, 8),
    ):
        if code is None:
            continue
        recent = card.recent[kind]
        row[f"is_new_{kind}"] = float(code not in recent)
        last = card.used_s[kind, code] if code in recent else None
        if kind == "merchant" and last is not None and last <= second:
            row["seconds_since_merchant"] = second - last
        if kind == "device":
            others = {other for other in recent if card.used_s[kind, other] > second - 30 * 86_400}
            row["devices_30d"] = min(len(others if event.is_refund else others | {code}), 8)
        if keep:
            card.recent[kind] = [code, *(other for other in recent if other != code)][:size]
            card.used_s[kind, code] = second if last is None else max(second, last)
    return row


def _within(kept: Sequence[CardTransaction], time: int, width_ns: int) -> list[CardTransaction]:
    return [old for old in kept if time - width_ns < old.event_time_ns <= time]


def _past(event: CardTransaction, kept: Sequence[CardTransaction]) -> dict[str, float]:
    time, row = event.event_time_ns, dict[str, float]()
    purchases = [old for old in kept if not old.is_refund]
    own = [] if event.is_refund else [event]
    for name, width_ns in WINDOWS_NS.items():
        spent = [*_within(purchases, time, width_ns), *own]
        total = sum(old.amount_minor for old in spent)
        row |= {f"count_{name}": len(spent), f"sum_{name}": total / 100}
        row[f"mean_{name}"] = total / 100 / len(spent) if spent else math.nan
    others: list[CardTransaction] = []
    for name in ("7d", "30d"):
        others = _within(purchases, time, WINDOWS_NS[name])
        if total := sum(old.amount_minor for old in others):
            row[f"amount_to_mean_{name}"] = event.amount_minor / (total / len(others))
    week = _within(purchases, time, WINDOWS_NS["7d"])
    older = [old for old in others if old.event_time_ns <= time - WINDOWS_NS["7d"]]
    if total := sum(old.amount_minor for old in older):
        mean = total / len(older)
        amounts = [old.amount_minor for old in [*week, *own]]
        row["amount_to_older_mean"] = event.amount_minor / mean
        row["max_7d_to_older_mean"] = max((old.amount_minor for old in week), default=0) / mean
        row["mean_7d_to_older_mean"] = sum(amounts) / len(amounts) / mean if amounts else math.nan
    before = [old for old in purchases if old.event_time_ns <= time]
    if before:
        row["seconds_since_last"] = (time - before[-1].event_time_ns) / 1_000_000_000
    here = _e6(event)
    if here is not None and before and (last := _e6(before[-1])) is not None:
        row["distance_from_last_km"] = distance_km(last, here)
        row["speed_from_last_kmh"] = distance_km(last, here) / max(row["seconds_since_last"], 1) * 3600
    located = [position for old in others if (position := _e6(old)) is not None]
    if here is not None and located:
        centre = tuple(sum(position[axis] for position in located) / len(located) for axis in (0, 1))
        row["distance_from_centre_km"] = distance_km((centre[0], centre[1]), here)
    return row


def log_steps(amount: int) -> int:
    """Logarithm to base 2 of amount + 1 in steps of 1/256, straight between powers of two, by whole numbers only."""
    power = (amount + 1).bit_length() - 1
    return 256 * power + ((amount + 1 - (1 << power)) * 256 >> power)


def _habits(event: CardTransaction, card: _Card) -> dict[str, float]:
    time = event.event_time_ns
    month = _within(card.kept, time, WINDOWS_NS["30d"])
    refunds = [old for old in [*month, event] if old.is_refund]
    spent = [old.amount_minor for old in [*month, event] if not old.is_refund]
    others = [old.amount_minor for old in month if not old.is_refund]
    refunded = sum(old.amount_minor for old in refunds)
    row = {
        "is_refund": float(bool(event.is_refund)),
        "refund_count_30d": float(len(refunds)),
        "refund_sum_30d": refunded / 100,
        "new_merchants_7d": float(
            sum(
                (old.event_id, old.event_time_ns) in card.new_here for old in _within(card.kept, time, WINDOWS_NS["7d"])
            )
        ),
    }
    if sum(spent):
        row["refund_to_spend_30d"] = refunded / sum(spent)
    if max(others, default=0):
        row["amount_to_max_30d"] = event.amount_minor / max(others)
    if len(others) >= 3:
        steps = [log_steps(amount) for amount in others]
        mean = sum(steps) / len(steps)
        variance = sum(step * step for step in steps) / len(steps) - mean * mean
        row["amount_spread_30d"] = (log_steps(event.amount_minor) - mean) / max(math.sqrt(max(variance, 0.0)), 32.0)
    return row


def _e6(event: CardTransaction) -> tuple[float, float] | None:
    if event.latitude is None or event.longitude is None:
        return None
    return round(event.latitude * 1e6), round(event.longitude * 1e6)


def distance_km(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Great-circle distance of points in micro-degrees, by the dot product's own inverse (stable form: atan2)."""
    (phi_1, lambda_1), (phi_2, lambda_2) = ((math.radians(p[0] / 1e6), math.radians(p[1] / 1e6)) for p in (one, other))
    turn = lambda_2 - lambda_1
    east = math.cos(phi_2) * math.sin(turn)
    north = math.cos(phi_1) * math.sin(phi_2) - math.sin(phi_1) * math.cos(phi_2) * math.cos(turn)
    along = math.sin(phi_1) * math.sin(phi_2) + math.cos(phi_1) * math.cos(phi_2) * math.cos(turn)
    return 6371.0088 * math.atan2(math.hypot(east, north), along)


@dataclass(frozen=True)
class Booked:
    """A transaction, and when it was reported as fraud (None: never)."""

    card: str
    terminal: str | None
    merchant: str | None
    device: str | None
    time_ns: int
    reported_at_ns: int | None

    @property
    def day(self) -> int:
        return business_day(self.time_ns)

    def known_by(self, day: int) -> bool:
        return self.reported_at_ns is not None and business_day(self.reported_at_ns) <= day


def booked(events: Sequence[CardTransaction], reported: Sequence[int | None]) -> list[Booked]:
    """Events as the tables see them."""
    return [
        Booked(event.card_id, event.terminal_id, event.merchant_id, event.device_id, event.event_time_ns, at)
        for event, at in zip(events, reported, strict=True)
    ]


def _between(entries: Sequence[Booked], last_day: int, days: int) -> list[Booked]:
    return [entry for entry in entries if last_day - days < entry.day <= last_day]


def _risk(here: Sequence[Booked], everywhere: Sequence[Booked], day: int, delay_days: int) -> dict[str, float]:
    last, row = day - delay_days, dict[str, float]()
    month = _between(here, last, 30)
    for days in (1, 7, 30):
        inside = _between(here, last, days)
        row[f"count_{days}d"] = float(len(inside))
        row[f"risk_{days}d"] = sum(e.known_by(day) for e in inside) / len(inside) if inside else NAN
    weight = [round(65_536 * 2 ** (-back / 7)) for back in range(30)]
    overall = _between(everywhere, last, 30)
    base = sum(entry.known_by(day) for entry in overall) / max(len(overall), 1)
    frauds = [entry for entry in month if entry.known_by(day)]
    prior = 0.2 * 65_536 * base
    weighted = [sum(weight[last - entry.day] for entry in some) for some in (frauds, month)]
    row["risk_recent"] = (weighted[0] + prior) / (weighted[1] + 0.2 * 65_536) if month else NAN
    row["genuine_since_fraud"] = row["days_since_first_fraud"] = NAN
    if frauds:
        row["genuine_since_fraud"] = float(sum(entry.day > max(e.day for e in frauds) for entry in month))
        row["days_since_first_fraud"] = float(day + 1 - min(entry.day for entry in frauds))
    return row


def _network(here: Sequence[Booked], everywhere: Sequence[Booked], day: int, delay_days: int) -> dict[str, float]:
    row = {f"cards_{days}d": float(len({e.card for e in _between(here, day - 1, days)})) for days in (1, 7, 30)}
    daily = sum(len({entry.card for entry in here if entry.day == day - 1 - back}) for back in range(30))
    row["cards_growth"] = row["cards_1d"] * 30 / daily if daily else NAN
    visits = _between(here, day - delay_days, 30)
    compromised = {
        visit.card
        for visit in visits
        for entry in everywhere
        if entry.card == visit.card and entry.known_by(day) and business_day(entry.reported_at_ns or 0) >= visit.day
    }
    row["compromised_share_30d"] = len(compromised) / len({visit.card for visit in visits}) if visits else NAN
    row["frauds_30d"] = float(sum(entry.known_by(day) for entry in visits))
    return row


def place_rows(kind: str, entries: Sequence[Booked], day: int, delay_days: int) -> dict[str, PlaceRow]:
    """Rows of one kind of place in Table(day) by the definition; places that say nothing are left out."""
    rows: dict[str, PlaceRow] = {}
    with_place = [entry for entry in entries if getattr(entry, kind) is not None]
    for place in {getattr(entry, kind) for entry in with_place}:
        here = [entry for entry in with_place if getattr(entry, kind) == place]
        found = _risk(here, with_place, day, delay_days) | _network(here, entries, day, delay_days)
        row = [found[column] for column in ABSENT[kind]]
        if any(value != 0 and not math.isnan(value) for value in row):
            rows[place] = row
    return rows


def table_rows(entries: Sequence[Booked], day: int, delay_days: int) -> dict[str, dict[str, PlaceRow]]:
    """Table(day) by the definition."""
    return {kind: place_rows(kind, entries, day, delay_days) for kind in ABSENT}
