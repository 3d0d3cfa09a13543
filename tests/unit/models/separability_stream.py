"""A small stream of cards that keeps all limits of behaviour, motifs and traces; tests break one thing each."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.separability.material import Truth, truth_of
from streams.labels import LABEL_SCHEMA, NS_PER_DAY, NS_PER_HOUR, NS_PER_S
from streams.transaction import TRANSACTION_SCHEMA

CARDS, DAYS, MERCHANTS, CAMPAIGNS = 160, 56, 300, 55
START_NS = 20_454 * NS_PER_DAY
SCENARIOS = ("spree", "drip")
Columns = dict[str, NDArray[Any]]


@dataclass
class Stream:
    """Columns of events in order of time; ids are numbers until the tables are made, -1 is null."""

    columns: Columns = field(default_factory=dict)

    @property
    def fraud(self) -> NDArray[np.bool_]:
        return self.columns["scenario"] >= 0

    def sorted(self) -> "Stream":
        """The same in order of time, event ids numbered anew."""
        order = np.argsort(self.columns["time_ns"], kind="stable")
        columns = {name: values[order] for name, values in self.columns.items()}
        return Stream({**columns, "event": np.arange(len(order))})

    def keep(self, rows: NDArray[np.bool_]) -> "Stream":
        return Stream({name: values[rows] for name, values in self.columns.items()})

    def tables(self, event_prefix: NDArray[Any] | None = None) -> tuple[pa.Table, pa.Table]:
        """Events and labels; frauds are reported after seven days."""
        c, count = self.columns, len(self.columns["time_ns"])
        prefix = np.full(count, "t") if event_prefix is None else event_prefix
        given = {
            "event_id": [f"{first}{number:08d}" for first, number in zip(prefix, c["event"], strict=True)],
            "event_time_ns": c["time_ns"],
            "card_id": named("c", c["card"]),
            "amount_minor": c["amount"],
            "currency": ["EUR"] * count,
            "merchant_id": named("m", c["merchant"]),
            "device_id": named("d", c["device"]),
            "category": named("kind", c["merchant"] % 5),
            "channel": ["online" if online else "chip" for online in c["online"]],
        }
        events = pa.table(
            [
                pa.array(given[entry.name], entry.type) if entry.name in given else pa.nulls(count, entry.type)
                for entry in TRANSACTION_SCHEMA
            ],
            schema=TRANSACTION_SCHEMA,
        )
        coded = LABEL_SCHEMA.field("scenario").type
        names = [SCENARIOS[code] if code >= 0 else None for code in c["scenario"]]
        reported = pa.array(c["time_ns"] + 7 * NS_PER_DAY, mask=~self.fraud)
        columns = [events["event_id"], pa.array(self.fraud), pa.array(names, coded), pa.nulls(count, coded), reported]
        return events, pa.table(columns, schema=LABEL_SCHEMA)

    def truth(self, event_prefix: NDArray[Any] | None = None) -> Truth:
        return truth_of(*self.tables(event_prefix))


def named(prefix: str, numbers: NDArray[Any]) -> list[str | None]:
    return [f"{prefix}{number:06d}" if number >= 0 else None for number in numbers]


def make_stream(seed: int = 1) -> Stream:
    """Outings of a few purchases each, at usual merchants, by day; and campaigns of frauds that look much the same."""
    rng = np.random.default_rng(seed)
    usual = rng.integers(0, MERCHANTS, (CARDS, 40))
    genuine, stolen = _genuine(usual, rng), _stolen(usual, rng)
    return Stream({name: np.concatenate([genuine[name], stolen[name]]) for name in genuine}).sorted()


def _hours(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    return np.where(rng.random(count) < 0.5, rng.normal(12, 2.5, count), rng.normal(18.5, 2.5, count)) % 24


def _columns(
    card: NDArray[Any], time_ns: NDArray[Any], scale: NDArray[Any], usual: NDArray[Any], rng: np.random.Generator
) -> Columns:
    count = len(card)
    rank = np.exp(rng.random(count) * np.log(usual.shape[1])).astype(np.int64)
    online = rng.random(count) < 0.4
    return {
        "event": np.zeros(count, np.int64),
        "time_ns": time_ns // 1_000_000 * 1_000_000,
        "card": card,
        "amount": (np.exp(rng.normal(7.8, 1.0, count)) * scale).astype(np.int64) + 100,
        "merchant": usual[card, rank],
        "device": np.where(online & (rng.random(count) < 0.8), card, -1),
        "online": online,
    }


def _genuine(usual: NDArray[Any], rng: np.random.Generator) -> Columns:
    outings = CARDS * DAYS
    week = np.array([0.8, 0.9, 1.0, 1.0, 1.3, 1.5, 0.6])
    chances = week[np.arange(DAYS) % 7] / week[np.arange(DAYS) % 7].sum()
    day, card = rng.choice(DAYS, outings, p=chances), rng.integers(0, CARDS, outings)
    begin = START_NS + day * NS_PER_DAY + (_hours(outings, rng) * NS_PER_HOUR).astype(np.int64)
    many = rng.geometric(0.65, outings)
    step = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
    gaps = (rng.standard_exponential(len(step)) * 900 * NS_PER_S).astype(np.int64)
    time_ns = np.repeat(begin, many) + step * gaps
    columns = _columns(np.repeat(card, many), time_ns, np.ones(len(step)), usual, rng)
    return {**columns, "scenario": np.full(len(step), -1)}


def _stolen(usual: NDArray[Any], rng: np.random.Generator) -> Columns:
    many = rng.geometric(0.25, CAMPAIGNS)
    card = np.repeat(rng.integers(0, CARDS, CAMPAIGNS), many)
    begin = START_NS + (rng.random(CAMPAIGNS) * (DAYS - 2) * NS_PER_DAY).astype(np.int64)
    gaps = (rng.standard_exponential(len(card)) * 5_400 * NS_PER_S).astype(np.int64)
    step = np.arange(len(card)) - np.repeat(np.cumsum(many) - many, many)
    kind = np.repeat(np.arange(CAMPAIGNS) % len(SCENARIOS), many)
    columns = _columns(card, np.repeat(begin, many) + step * gaps, np.where(kind == 0, 2.0, 1.3), usual, rng)
    strange = rng.random(len(card)) < 0.5
    columns["merchant"] = np.where(strange, rng.integers(0, MERCHANTS, len(card)), columns["merchant"])
    return {**columns, "scenario": kind}
