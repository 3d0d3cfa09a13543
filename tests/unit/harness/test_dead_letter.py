"""`bench dead-letter`: what a run refused is listed by reason and one by one, written to files and sent again."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from harness import letters_again
from harness.cli import app
from harness.dead_letters import DEAD_LETTER_SCHEMA, DEAD_LETTERS_FILE
from harness.letters_again import send_originals
from harness.refusals import shown
from streams.brokers.connection import KafkaConnection
from streams.errors import BadInputError, BrokerError

KAFKA = KafkaConnection("localhost:9")


def row(offset: int, reason: str, original: bytes, **more: Any) -> dict[str, Any]:
    plain = {"topic": "r.events", "partition": 1, "key": b"card", "size_bytes": len(original), "fault": None}
    return {"reason": reason, "offset": offset, "original": original, **plain, **more}


ROWS = [
    row(5, "Expected `int` >= 0 - at `$.amount_minor`", b'{"amount_minor":-1}', fault=0),
    row(6, "JSON is malformed: invalid character (byte 7)", b"\x00\xff\x1b[2J", key=None),
    row(7, "JSON is malformed: invalid character (byte 19)", b"{broken", fault=0),
    row(8, "600,000 bytes: a message has at most 65,536", b"x" * 100, size_bytes=600_000),
]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    pq.write_table(pa.Table.from_pylist(ROWS, DEAD_LETTER_SCHEMA), folder / DEAD_LETTERS_FILE)
    return folder


def asked(*options: str | Path) -> Result:
    return CliRunner().invoke(app, ["dead-letter", *map(str, options)])


def test_reasons_are_counted_and_messages_listed(run: Path) -> None:
    found = asked(run)
    assert found.exit_code == 0
    for words in ("JSON is malformed: invalid character (byte …)", "faults[0]", "nobody", "600,000"):
        assert words in " ".join(found.output.replace("│", " ").split()), words
    assert "\x1b" not in found.output
    assert "… and 3 more (--limit)" in asked(run, "--limit", "1").output


def test_json_holds_the_same(run: Path) -> None:
    found = json.loads(asked(run, "--json", "--limit", "2").stdout)
    assert found["total"] == 4
    assert {each["reason"]: each["messages"] for each in found["reasons"] if each["fault"] == 0} == {
        "Expected `int` >= … - at `$.amount_minor`": 1,
        "JSON is malformed: invalid character (byte …)": 1,
    }
    first, second = found["letters"]
    assert (first["partition"], first["offset"], first["key"], first["size_bytes"]) == (1, 5, "card", 19)
    assert (second["key"], second["begins"]) == (None, "\\x00\\xff\\x1b[2J")


def test_a_reason_chooses(run: Path) -> None:
    assert json.loads(asked(run, "--json", "--reason", "malformed").stdout)["total"] == 2
    refused = asked(run, "--reason", "currency")
    assert isinstance(refused.exception, BadInputError)
    assert "none of 4 dead letters has it" in str(refused.exception)


def test_originals_are_written_byte_for_byte(run: Path, tmp_path: Path) -> None:
    found = asked(run, "--save", tmp_path / "out")
    assert found.exit_code == 0
    assert "3 originals written" in found.output
    assert "1 left out" in found.output
    index = json.loads((tmp_path / "out" / "index.json").read_text())
    written = [(tmp_path / "out" / each["file"]).read_bytes() for each in index]
    assert written == [each["original"] for each in ROWS[:3]]
    assert [each["offset"] for each in index] == [5, 6, 7]
    again = asked(run, "--save", tmp_path / "out")
    assert "there is something in it" in str(again.exception)


class Control:
    """Knows one topic."""

    def __init__(self, _connection: KafkaConnection) -> None: ...
    def __enter__(self) -> "Control":
        return self

    def __exit__(self, *_: object) -> None: ...
    def topics(self) -> list[str]:
        return ["again"]


class Producer:
    """Takes all; its queue is full at first, and it loses `lost` of them."""

    def __init__(self, lost: int = 0) -> None:
        self.taken: list[tuple[str, bytes, bytes | None]] = []
        self.full, self.lost = True, lost

    def produce(self, topic: str, value: bytes, key: bytes | None) -> None:
        if self.full:
            self.full = False
            raise BufferError
        self.taken.append((topic, value, key))

    def poll(self, _seconds: float) -> int:
        return 0

    def flush(self, _seconds: float) -> int:
        return self.lost


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Producer:
    made = Producer()
    monkeypatch.setattr(letters_again, "ControlPlane", Control)
    monkeypatch.setattr(letters_again, "wait_until_ready", lambda _: None)
    monkeypatch.setattr(letters_again, "producer", lambda *_, **__: made)
    return made


def test_originals_are_sent_again_with_their_keys(run: Path, client: Producer) -> None:
    found = asked(run, "--replay", "again", "--bootstrap-servers", "localhost:9")
    assert found.exit_code == 0, found.exception
    assert client.taken == [("again", each["original"], each["key"]) for each in ROWS[:3]]
    assert "3 originals sent to again" in found.output
    assert "1 left out" in found.output


def test_what_the_broker_does_not_take_is_said(run: Path, client: Producer) -> None:
    client.lost = 2
    letters = pq.read_table(run / DEAD_LETTERS_FILE)
    with pytest.raises(BrokerError, match="2 of 3 messages were not taken"):
        send_originals(letters, "again", KAFKA)
    with pytest.raises(BadInputError, match="no such topic"):
        send_originals(letters, "elsewhere", KAFKA)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--replay", "t"), "needs --bootstrap-servers"),
        (("--bootstrap-servers", "h:1"), "are for --replay"),
        (("--kafka-config", "f"), "are for --replay"),
    ],
)
def test_contradictions_are_refused(run: Path, options: tuple[str, ...], words: str) -> None:
    assert words in str(asked(run, *options).exception)


def test_a_folder_without_dead_letters_is_refused(tmp_path: Path) -> None:
    assert "no such run folder" in str(asked(tmp_path / "none").exception)
    assert "is not there" in str(asked(tmp_path).exception)
    (tmp_path / DEAD_LETTERS_FILE).write_bytes(b"PAR1 no")
    assert "cannot be read as Parquet" in str(asked(tmp_path).exception)


def test_no_dead_letters_is_an_answer(tmp_path: Path) -> None:
    pq.write_table(DEAD_LETTER_SCHEMA.empty_table(), tmp_path / DEAD_LETTERS_FILE)
    assert asked(tmp_path).output == "no dead letters\n"


def test_bytes_are_shown_as_any_terminal_can_take_them() -> None:
    assert shown("é\n\x07".encode() + b"\xff") == "é\\n\\x07\\xff"
