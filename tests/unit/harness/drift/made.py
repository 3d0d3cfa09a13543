"""Streams of decisions made by hand: six weeks with day and night, weekdays, habits, ages, and a test's own shift."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.drift.batch import Batch, Names
from streams.labels import NS_PER_DAY, NS_PER_HOUR

START_NS = 20_460 * NS_PER_DAY  # a Monday
DAYS = 42
ONSET_NS = START_NS + 21 * NS_PER_DAY
FEATURES = ("amount", "hour", "is_weekend", "habit_30d", "age_days", "count_7d", "category_code", "sparse")
NAMES = Names(FEATURES, ("velocity", "night"), ("family", "student"))
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
BY_HOUR = 1 + np.sin((np.arange(24) - 8) / 24 * 2 * np.pi)


def times(random: np.random.Generator, a_day: int, surge: tuple[int, int, float]) -> Ints:
    """Event times: more by day, fewer on weekends, `surge` = (first day, last day, factor) times as many."""
    found = []
    for day in range(DAYS):
        rate = a_day * (0.75 if day % 7 >= 5 else 1.0) * (surge[2] if surge[0] <= day < surge[1] else 1.0)
        hours = random.choice(24, random.poisson(rate), p=BY_HOUR / BY_HOUR.sum())
        found.append(START_NS + day * NS_PER_DAY + hours * NS_PER_HOUR + random.integers(0, NS_PER_HOUR, len(hours)))
    return np.sort(np.concatenate(found))


def stream(seed: int, a_day: int = 1_400, surge: tuple[int, int, float] = (0, 0, 1.0), newcomers: int = 0) -> Batch:
    """A stable stream of 600 cards; `newcomers` more join one after the other from day 21 on."""
    random = np.random.default_rng(seed)
    at = times(random, a_day, surge)
    joined = np.concatenate(
        [np.full(600, START_NS), random.integers(ONSET_NS, START_NS + DAYS * NS_PER_DAY, newcomers)]
    )
    key = random.integers(0, 600, len(at))
    if newcomers:
        drawn = random.integers(0, len(joined), len(at))
        key = np.where(joined[drawn] <= at, drawn, key)
    return decided(random, at, key, joined, surge)


def decided(random: np.random.Generator, at: Ints, key: Ints, joined: Ints, surge: tuple[int, int, float]) -> Batch:
    """What the scorer says of these events."""
    days = (at - START_NS) // NS_PER_DAY
    hour = (at % NS_PER_DAY) / NS_PER_HOUR
    habit = random.normal(3, 0.8, len(joined))
    age = np.where(key < 600, 30 + random.uniform(0, 600, len(joined))[key], 0) + (at - joined[key]) / NS_PER_DAY
    factor = np.where((np.arange(DAYS) >= surge[0]) & (np.arange(DAYS) < surge[1]), surge[2], 1.0)
    busy = np.convolve(np.concatenate([np.ones(6), factor]), np.ones(7) / 7, "valid")[days]
    columns = [
        random.lognormal(3, 1, len(at)),
        hour,
        days % 7 >= 5,
        habit[key] + random.normal(0, 0.2, len(at)),
        age,
        random.poisson(6 * busy),
        random.choice(12, len(at), p=np.arange(1, 13) / 78),
        np.where(random.random(len(at)) < 0.4, np.nan, random.normal(0, 1, len(at))),
    ]
    is_night = hour < 6
    score = 1 / (1 + np.exp(4 - random.normal(0, 1, len(at)) - 0.3 * is_night))
    alerts = random.random(len(at)) < 0.008
    rows = np.flatnonzero(random.random(len(at)) < 0.02)
    return Batch(
        ordinal=np.arange(len(at)),
        event_time_ns=at,
        score=score,
        is_model=random.random(len(at)) < 0.8,
        outcome=alerts.astype(np.int8),
        path=np.ones(len(at), np.int8),
        features=np.stack(columns, axis=1).astype(np.float32),
        hit_row=rows.astype(np.int32),
        hit_rule=random.integers(0, 2, len(rows)).astype(np.int32),
        group=(key % 2).astype(np.int16),
        key=key.astype(np.int32),
        content=random.integers(1, 2**63, len(at)).astype(np.uint64),
    )


def after(batch: Batch, share: float = 1.0) -> npt.NDArray[np.bool_]:
    """A share of the events from the onset on."""
    return (batch.event_time_ns >= ONSET_NS) & (np.random.default_rng(9).random(len(batch)) < share)


def with_feature(batch: Batch, name: str, rows: npt.NDArray[np.bool_], values: Any) -> Batch:
    """One feature's values replaced: a number, or a function of what was there."""
    features = batch.features.copy()
    place = FEATURES.index(name)
    features[rows, place] = values(features[rows, place]) if callable(values) else values
    return replace(batch, features=features)
