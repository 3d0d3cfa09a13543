"""A day table from its messages into a worker's state, beside the same table as JSON, its ids coded one by one."""

from typing import Any

import msgspec
import numpy as np
import pytest

from benchmarks.by_turns import by_turns, note_rate
from models.features.batch import Float32s, Vocabulary
from models.features.day_table import DayTable, PlaceRows
from models.features.interner import Interner
from models.features.place_kinds import KINDS
from models.features.state import FeatureState
from models.features.table_messages import DayTableAssembler, to_messages

PLACES = 5_000
OF_JSON_MAX = (0.3, 0.5)


def table(day: int) -> DayTable:
    """A table of `PLACES` places a kind; other places a day, nearly."""
    rng = np.random.default_rng(day)
    rows = {}
    for kind in KINDS:
        ids = [f"{kind.name[0]}{number:08}" for number in range(PLACES + 100) if rng.random() > 0.02][:PLACES]
        rows[kind.name] = PlaceRows.of(ids, rng.random((len(ids), kind.width)).astype(np.float32))
    return DayTable.of(day, rows)


class Kind(msgspec.Struct):
    """Rows of a kind as JSON."""

    ids: list[str]
    values: bytes

    @classmethod
    def of(cls, rows: PlaceRows) -> "Kind":
        return cls(list(rows.ids), rows.values.tobytes())


class Tables:
    """Tables of two days, both ways; every id was met before."""

    def __init__(self) -> None:
        tables = [table(day) for day in range(2)]
        self.messages = [to_messages(each) for each in tables]
        self.json = [
            msgspec.json.encode({name: Kind.of(rows) for name, rows in each.places.items()}) for each in tables
        ]
        self.decoder = msgspec.json.Decoder(dict[str, Kind])
        self.state, self.assembler = FeatureState.empty(Vocabulary((), ())), DayTableAssembler()
        self.interners = {kind.name: Interner() for kind in KINDS}
        self.pages: dict[str, Float32s] = {}
        for _ in range(2):
            self.install()
            self.decode()

    def install(self) -> None:
        """By kernels, as a worker does."""
        for messages in self.messages:
            for message in messages:
                whole = self.assembler.add(message)
            assert whole is not None
            self.state.install(whole)

    def decode(self) -> None:
        """From JSON, by the interner's dictionary and numpy."""
        for content in self.json:
            for name, rows in self.decoder.decode(content).items():
                kind = next(kind for kind in KINDS if kind.name == name)
                codes = self.interners[name].encode(rows.ids)
                page = self.pages.setdefault(name, np.empty((2 * PLACES, kind.width), np.float32))
                page[:] = kind.absent
                page[codes] = np.frombuffer(rows.values, np.float32).reshape(-1, kind.width)


@pytest.mark.parametrize("way", ["install", "decode"])
def test_two_tables(benchmark: Any, way: str) -> None:
    benchmark(getattr(Tables(), way))
    note_rate(benchmark, "tables", 2)


def test_both_ways_hold_the_same() -> None:
    tables = Tables()
    arrays = tables.state._held.arrays(tables.state._coder.interners)
    for kind in KINDS:
        names = tables.state._coder.interners[kind.name].strings()
        mine = arrays[f"table_{kind.name}"][1]
        theirs = tables.pages[kind.name][tables.interners[kind.name].encode(names)]
        assert mine.tobytes() == theirs.tobytes()


def test_beside_json_and_dictionaries() -> None:
    tables = Tables()
    turns = by_turns(lambda _: tables.install(), lambda _: tables.decode(), rounds=200)
    turns.hold("decoding and interning", *OF_JSON_MAX)
