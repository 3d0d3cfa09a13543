"""Event ids already taken, by business day, so that a repeated event counts once."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from models.features.batch import Int64s, UInt64s

EventsOfDays = dict[int, set[int]]


def fresh_events(known: EventsOfDays, days: Int64s, hashes: UInt64s, forgotten: int) -> npt.NDArray[np.bool_]:
    """Which events are not among the known ones of their business day; those of days after `forgotten` become known."""
    fresh = np.ones(len(days), np.bool_)
    if _all_new(known, days, hashes, forgotten):
        return fresh
    for row, (day, event) in enumerate(zip(days.tolist(), hashes.tolist(), strict=True)):
        if day <= forgotten:
            continue
        of_day = known.setdefault(day, set())
        fresh[row] = event not in of_day
        of_day.add(event)
    return fresh


def _all_new(known: EventsOfDays, days: Int64s, hashes: UInt64s, forgotten: int) -> bool:
    """Whether they are events of one day that is not forgotten, none of them known, as most are: then they become known
    here."""
    if len(days) == 0 or days[0] <= forgotten or (days != days[0]).any():
        return False
    of_day, these = known.setdefault(int(days[0]), set()), hashes.tolist()
    if not of_day.isdisjoint(these) or len(set(these)) < len(these):
        return False
    of_day.update(these)
    return True


def forget_events(known: EventsOfDays, last_day: int) -> None:
    """Drop the events of business days up to and including `last_day`."""
    for day in [day for day in known if day <= last_day]:
        del known[day]


def event_arrays(name: str, events: EventsOfDays) -> dict[str, npt.NDArray[Any]]:
    """Known events as arrays for a snapshot."""
    pairs: Iterable[tuple[int, int]] = sorted((day, event) for day, of_day in events.items() for event in of_day)
    days, hashes = zip(*pairs, strict=True) if pairs else ((), ())
    return {f"{name}_day": np.array(days, np.int64), f"{name}_hash": np.array(hashes, np.uint64)}


def events_of(name: str, arrays: Mapping[str, npt.NDArray[Any]]) -> EventsOfDays:
    """Known events that `event_arrays` wrote."""
    events: EventsOfDays = {}
    for day, event in zip(arrays[f"{name}_day"].tolist(), arrays[f"{name}_hash"].tolist(), strict=True):
        events.setdefault(day, set()).add(event)
    return events
