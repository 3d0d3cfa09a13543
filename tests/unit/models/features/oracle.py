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
Tables = Mapping[int, tuple[Mapping[str, PlaceRow], Mapping[str, PlaceRow]]]


@dataclass
class _Card:
    kept: list[CardTransaction] = field(default_factory=list)
    first_seen_ns: int | None = None
    recent: dict[str, list[str]] = field(default_factory=lambda: {"merchant": [], "device": [], "country": []})


class Oracle:
    """Feature rows one by one; `tables` gives (terminal rows, merchant rows) for each business day held."""

    def __init__(self, vocabulary: Vocabulary, tables: Tables | None = None) -> None:
        self._vocabulary = vocabulary
        self._tables = tables
        self._cards: dict[str, _Card] = {}

    def rows(self, events: Sequence[CardTransaction]) -> tuple[npt.NDArray[np.float32], list[Status]]:
        """Rows [n, 39] and statuses of events in arrival order."""
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
        behind = [old for old in card.kept if old.event_time_ns <= horizon]
        card.kept = behind[-1:] + [old for old in card.kept if old.event_time_ns > horizon]
        first = time if card.first_seen_ns is None else min(card.first_seen_ns, time)
        row = {**self._own(event), **_past(event, card.kept), **self._risk(event)}
        row["card_age_days"] = min((time - first) / NS_PER_DAY, 30)
        keep = time > horizon
        for kind, code, size in (
            ("merchant", event.merchant_id, 32),
            ("device", event.device_id, 8),
            ("country", event.country, 8),
        ):
            if code is not None:
                recent = card.recent[kind]
                row[f"is_new_{kind}"] = float(code not in recent)
                if keep:
                    card.recent[kind] = [code, *(other for other in recent if other != code)][:size]
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

    def _risk(self, event: CardTransaction) -> dict[str, float]:
        row: dict[str, float] = {}
        if self._tables is None:
            return row
        table = self._tables[event.event_time_ns // NS_PER_DAY - 1]
        for place, code, rows in (
            ("terminal", event.terminal_id, table[0]),
            ("merchant", event.merchant_id, table[1]),
        ):
            if code is not None:
                values = rows.get(code, (0, 0, 0, math.nan, math.nan, math.nan))
                for column, what in enumerate(("count", "risk")):
                    for window, days in enumerate((1, 7, 30)):
                        row[f"{place}_{what}_{days}d"] = values[3 * column + window]
        return row


def _past(event: CardTransaction, kept: Sequence[CardTransaction]) -> dict[str, float]:
    time, row = event.event_time_ns, dict[str, float]()
    before = [old for old in kept if old.event_time_ns <= time]
    for name, width_ns in WINDOWS_NS.items():
        others = [old for old in before if old.event_time_ns > time - width_ns]
        total = sum(old.amount_minor for old in others) + event.amount_minor
        row |= {f"count_{name}": len(others) + 1, f"sum_{name}": total / 100}
        row[f"mean_{name}"] = total / 100 / (len(others) + 1)
    total_others = sum(old.amount_minor for old in others)
    if total_others:
        row["amount_to_mean_30d"] = event.amount_minor / (total_others / len(others))
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
    """A transaction at a place, and when it was reported as fraud (None: never)."""

    place: str | None
    time_ns: int
    reported_at_ns: int | None


def place_rows(booked: Sequence[Booked], day: int, delay_days: int) -> dict[str, PlaceRow]:
    """Rows of Table(day) by the definition, place by place."""
    rows: dict[str, PlaceRow] = {}
    for place in {entry.place for entry in booked if entry.place is not None}:
        counts, risks = [], []
        for window in (1, 7, 30):
            inside = [
                entry
                for entry in booked
                if entry.place == place and day - delay_days - window < business_day(entry.time_ns) <= day - delay_days
            ]
            frauds = [
                entry
                for entry in inside
                if entry.reported_at_ns is not None and business_day(entry.reported_at_ns) <= day
            ]
            counts.append(float(len(inside)))
            risks.append(len(frauds) / len(inside) if inside else math.nan)
        if counts[2]:
            rows[place] = (*counts, *risks)
    return rows
