"""What reads other people's bytes, each as a function of bytes: it may refuse them by the errors it declares, and by
nothing else. Beside each, valid content to begin from."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import yaml

from harness.scenario import SCENARIOS, load_scenario
from models.features.batch import Vocabulary
from models.features.catalog import FEATURES
from models.features.day_table import DayTable, PlaceRows
from models.features.place_kinds import KINDS
from models.features.snapshot import DIGEST_BYTES, SnapshotError, read_snapshot
from models.features.state import SNAPSHOT_KIND, SNAPSHOT_LAYOUT, FeatureState
from models.features.table_messages import DayTableError, decode_part, to_messages
from rules.errors import RuleError
from rules.pack import load_pack
from scorer.assembly import rule_columns
from scorer.event_clock import EventClock, Plausible
from scorer.messages import Origin, read
from streams.codec import (
    UNDECODABLE,
    decode_day_end,
    decode_dead_letter,
    decode_decision,
    decode_disposition,
    decode_explanation,
    encode,
)
from streams.datasets import load_dataset
from streams.decision import DeadLetter, Decision, Explanation, Reason
from streams.errors import BadInputError
from streams.labels import DayEnd, Disposition
from streams.transaction import CardTransaction
from tests.unit.models.features.streams import VOCABULARY, StreamShape, random_stream
from tests.unit.scorer.checkpoint.parts import files_in, written

ROOT = Path(__file__).parents[2]
EVENT = CardTransaction(
    event_id="e1", event_time_ns=1_772_000_000_000_000_000, card_id="c1", amount_minor=1_250, currency="EUR",
    merchant_id="m1", category="grocery", channel="chip", country="DE", latitude=50.1, longitude=8.6, is_refund=False,
)  # fmt: skip
REASON = Reason(code="R1", text="many at once", kind="rule")
CSV = b"id,when,card,amount\n1,2018-04-01T00:00:00,a,1.50\n2,2018-04-01T00:00:01,b,20\n3,2018-04-02 00:00:01.5,a,7\n"
MAP: Mapping[str, Any] = {
    "name": "mine",
    "fields": {
        "event_id": "id",
        "event_time": {"column": "when", "format": "iso"},
        "card_id": "card",
        "amount": {"column": "amount", "unit": "major"},
        "currency": {"constant": "EUR"},
    },
}
MAP_TEXT = yaml.safe_dump(dict(MAP)).encode()


@dataclass(frozen=True, slots=True)
class Target:
    """`read` takes any bytes and raises only what is wrong with the program; `valid` makes content it takes."""

    read: Callable[[bytes], None]
    valid: Callable[[], list[bytes]]


@contextmanager
def file_of(content: bytes, name: str) -> Iterator[Path]:
    """A file with this content."""
    with TemporaryDirectory(prefix="riskbench-fuzz-") as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        yield path


def codec(content: bytes) -> None:
    """Every message that crosses a topic; events never raise, whatever comes."""
    clock = EventClock(Plausible(), lambda: 20_500)
    taken = read([content, encode(EVENT), content], lambda index: Origin("t", 0, index, content), clock)
    assert len(taken.events) + len(taken.dead_letters) == 3
    for letter in taken.dead_letters:
        assert decode_dead_letter(encode(letter)).original == content
    for decode in (decode_decision, decode_explanation, decode_disposition, decode_day_end, decode_dead_letter):
        with suppress(*UNDECODABLE):
            decode(content)


def _messages() -> list[bytes]:
    disposition = Disposition(event_id="e", event_time_ns=1, reported_at_ns=2, is_fraud=True, card_id="c")
    decision = Decision(event_id="e1", outcome="review", score=0.5, reasons=[REASON], stages_ns={"rules": 5})
    letter = DeadLetter(reason="no", topic="t", partition=0, offset=1, original=b"x", key=b"k")
    explanation = Explanation(event_id="e1", reasons=[REASON])
    day_end = DayEnd(day=1, events=2, dispositions=0)
    return [encode(each) for each in (EVENT, decision, explanation, disposition, day_end, letter)]


def rule_file(content: bytes) -> None:
    """A rule pack against the catalogue."""
    with file_of(content, "rules.yaml") as path, suppress(RuleError):
        load_pack(path, rule_columns(Vocabulary(("grocery", "travel"), ("chip", "online"))))


def _rule_files() -> list[bytes]:
    column = next(feature.name for feature in FEATURES if feature.kind == "number")
    small = (
        "language: 1\nname: test\nfallback: {review: 0.3, block: 0.8}\nrules:\n"
        "  - {name: first, priority: 1, outcome: block, code: R-1, score: 0.9, sentence: 'it is {COLUMN}', "
        "when: {all: [{column: COLUMN, above: 10}, {not: {column: COLUMN, below: 1}}]}}\n"
    ).replace("COLUMN", column)
    return [small.encode(), (ROOT / "rules" / "fraud.yaml").read_bytes()]


def scenario_file(content: bytes) -> None:
    """A scenario."""
    with file_of(content, "scenario.yaml") as path, suppress(BadInputError):
        load_scenario(path)


def _scenario_files() -> list[bytes]:
    return [path.read_bytes() for path in sorted(SCENARIOS.rglob("*.yaml"))]


def csv_file(content: bytes) -> None:
    """Somebody's data, by a column map and by none."""
    with file_of(content, "mine.csv") as path, file_of(MAP_TEXT, "map.yaml") as columns:
        for chosen in (columns, None):
            with suppress(BadInputError):
                load_dataset(path, chosen)


def column_map(content: bytes) -> None:
    """Somebody's column map, with data that fits the one it began as."""
    with file_of(CSV, "mine.csv") as path, file_of(content, "map.yaml") as columns, suppress(BadInputError):
        load_dataset(path, columns)


def snapshot(content: bytes) -> None:
    """A warm state; its frame also with a checksum that fits."""
    with file_of(content, "features") as path, suppress(SnapshotError):
        FeatureState.load(path)
    with file_of(sealed(content), "features") as path, suppress(SnapshotError):
        read_snapshot(path, SNAPSHOT_KIND, SNAPSHOT_LAYOUT)


def sealed(content: bytes) -> bytes:
    """The content with the checksum it should have."""
    body = content[:-DIGEST_BYTES] if len(content) > DIGEST_BYTES else content
    return body + blake2b(body, digest_size=DIGEST_BYTES).digest()


@cache
def _snapshots() -> list[bytes]:
    state = FeatureState.empty(VOCABULARY)
    state.compute(state.code_events(random_stream(3, StreamShape(events=30, cards=3))))
    with TemporaryDirectory() as folder:
        state.save(Path(folder) / "features", {"t-0": 5})
        return [(Path(folder) / "features").read_bytes()]


def checkpoint(content: bytes) -> None:
    """A partition's checkpoint whose newest part is this: refused, and the one before used."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        for path, kept in _checkpoints().items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(kept)
        (folder / max(path for path in _checkpoints() if path.endswith(".changes"))).write_bytes(content)
        with suppress(BadInputError):  # it may be of something else
            assert files_in(folder).read() is not None


@cache
def _checkpoints() -> dict[str, bytes]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        written(folder, random_stream(3, StreamShape(events=30, cards=3)), 10)
        return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _parts() -> list[bytes]:
    return [content for path, content in _checkpoints().items() if path.endswith(".changes")]


def day_table(content: bytes) -> None:
    """As a part of a day table, which a state then takes in by itself; its ids are read to the last."""
    with suppress(DayTableError):
        head, rows = decode_part(content)
        FeatureState.empty(VOCABULARY).install(DayTable.of(head.day, {head.kind: rows}))


@cache
def _day_tables() -> list[bytes]:
    places = {kind.name: PlaceRows.of(["p1", "é" * 9], np.ones((2, kind.width), np.float32)) for kind in KINDS}
    return to_messages(DayTable.of(20_000, places))


TARGETS: Mapping[str, Target] = {
    "codec": Target(codec, _messages),
    "rules": Target(rule_file, _rule_files),
    "scenario": Target(scenario_file, _scenario_files),
    "csv": Target(csv_file, lambda: [CSV]),
    "column-map": Target(column_map, lambda: [MAP_TEXT]),
    "snapshot": Target(snapshot, _snapshots),
    "checkpoint": Target(checkpoint, _parts),
    "day-table": Target(day_table, _day_tables),
}


def quiet() -> None:
    """Nobody reads what is logged about a million broken files."""
    logging.disable(logging.CRITICAL)
