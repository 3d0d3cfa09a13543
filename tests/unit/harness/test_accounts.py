"""Every event is answered once, late, or never; every other answer is a duplicate or a phantom. Exactly."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.accounts import Accounts
from harness.collector import Collector, CollectorPlan, run_collector
from harness.decision_rows import DECISION_ROWS_SCHEMA, EventTimes
from harness.disorder import Disorder
from harness.feed import event_hashes
from harness.progress import Live
from harness.receiver import drain
from harness.spool import SpoolReader, SpoolWriter
from streams.codec import encode_decision
from streams.decision import Decision, Reason

TIMEOUT = 1_000
EVENTS = 12


def _accounts(events: int = EVENTS) -> Accounts:
    hashes = event_hashes([f"e{i}" for i in range(events)])
    order = np.argsort(hashes)
    intended = np.arange(events, dtype=np.int64) * 10
    state, disorder = np.zeros(events, dtype=np.uint8), Disorder(np.arange(events) % 3)
    return Accounts(hashes[order], order.astype(np.int64), intended, TIMEOUT, state, disorder)


Answers = st.lists(st.tuples(st.integers(0, EVENTS + 3), st.integers(0, 3 * TIMEOUT)), max_size=60)


@given(Answers, st.integers(1, 7))
def test_accounts_match_a_dictionary(answers: list[tuple[int, int]], batch: int) -> None:
    accounts = _accounts()
    seen: dict[int, bool] = {}
    duplicated = unknown = 0
    for number, received in answers:
        if number >= EVENTS:
            unknown += 1
        elif number in seen:
            duplicated += 1
        else:
            seen[number] = received - number * 10 > TIMEOUT
    for start in range(0, len(answers), batch):
        part = answers[start : start + batch]
        accounts.match([f"e{n}" for n, _ in part], np.array([r for _, r in part], dtype=np.int64))
    assert accounts.duplicated == duplicated
    assert accounts.unknown == unknown
    assert accounts.answered == len(seen)
    assert accounts.late == sum(seen.values())
    assert accounts.unanswered().tolist() == [i for i in range(EVENTS) if i not in seen]


class FakeConsumer:
    """Hands out messages in fetches, as a consumer would."""

    def __init__(self, fetches: list[list[bytes]]) -> None:
        self.fetches = fetches

    def _message(self, value: bytes) -> Any:
        return SimpleNamespace(error=lambda: None, value=lambda: value)

    def poll(self, timeout: float) -> Any:
        while self.fetches and not self.fetches[0]:
            self.fetches.pop(0)
        return self._message(self.fetches[0].pop(0)) if self.fetches else None

    def consume(self, num_messages: int, timeout: float) -> list[Any]:
        if not self.fetches:
            return []
        return [self._message(value) for value in self.fetches.pop(0)]


def _decision(number: int) -> bytes:
    reasons = [Reason(code="R1", text="because", kind="rule")]
    return encode_decision(
        Decision(
            event_id=f"e{number}",
            outcome="review",
            score=0.25,
            path="rules",
            reasons=reasons,
            taken_ns=5,
            emitted_ns=9,
            stages_ns={"rules": 3},
            features=b"\x00\x01",
        )
    )


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.integers(-1, EVENTS + 1), max_size=6), max_size=8), st.integers(1, 200))
def test_from_consumer_to_rows_nothing_disappears(
    tmp_path_factory: Any, fetches: list[list[int]], segment_bytes: int
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    clock = iter(range(1, 10**6))
    consumer = FakeConsumer([[b"{broken" if n < 0 else _decision(n) for n in fetch] for fetch in fetches])
    writer = SpoolWriter(folder / "spool", segment_bytes=segment_bytes)
    taken = 0
    while got := drain(consumer, writer, lambda: next(clock)):
        taken += got
    writer.close()
    sent = [number for fetch in fetches for number in fetch]
    assert taken == len(sent)
    accounts = _accounts()
    out = folder / "d.parquet"
    times = EventTimes(accounts.intended_ns, accounts.intended_ns + 1, 4)
    reader = SpoolReader(folder / "spool")
    events = folder / "events.parquet"
    pq.write_table(pa.table({"event_id": [f"e{i}" for i in range(EVENTS)]}), events)
    with pq.ParquetWriter(out, DECISION_ROWS_SCHEMA) as parquet:
        collector = Collector(accounts, times, parquet, Live.create(folder / "live"))
        while stamped := reader.read(limit_bytes=100):
            collector.take(stamped)
        counts = collector.finish(EVENTS, events)
    reader.close()
    known = {n for n in sent if 0 <= n < EVENTS}
    assert counts["malformed"] == sent.count(-1)
    assert counts["unknown"] == sum(n >= EVENTS for n in sent)
    assert counts["decided"] == len(known)
    assert counts["duplicated"] == sum(0 <= n < EVENTS for n in sent) - len(known)
    assert counts["lost"] == EVENTS - len(known)
    rows = pq.read_table(out)
    assert sorted(rows["ordinal"].to_pylist()) == list(range(EVENTS))
    status = dict(zip(rows["ordinal"].to_pylist(), rows["status"].to_pylist(), strict=True))
    assert all((status[i] == "lost") == (i not in known) for i in range(EVENTS))
    assert [
        m for m, o in zip(rows["measured"].to_pylist(), rows["ordinal"].to_pylist(), strict=True) if o < 4 and m
    ] == []
    assert not list(folder.glob("spool.*"))


def test_collector_process_end_to_end(tmp_path: Path, capsys: Any) -> None:
    hashes = event_hashes([f"e{i}" for i in range(3)])
    order = np.argsort(hashes)
    np.save(tmp_path / "index_hashes.npy", hashes[order])
    np.save(tmp_path / "index_ordinals.npy", order.astype(np.int64))
    np.save(tmp_path / "key_codes.npy", np.zeros(len(order), np.int32))
    np.save(tmp_path / "schedule.npy", np.array([0, 10, 20], dtype=np.int64))
    np.save(tmp_path / "sent.npy", np.array([101, 111, 0], dtype=np.int64))
    (tmp_path / "start").write_text("100", encoding="utf-8")
    pq.write_table(pa.table({"event_id": ["e0", "e1", "e2"]}), tmp_path / "events.parquet")
    Live.create(tmp_path / "live")
    writer = SpoolWriter(tmp_path / "spool")
    writer.append(150, [_decision(0)])
    writer.close()
    plan = CollectorPlan(
        feed=str(tmp_path),
        spool=str(tmp_path / "spool"),
        sent=str(tmp_path / "sent.npy"),
        start_file=str(tmp_path / "start"),
        events=str(tmp_path / "events.parquet"),
        timeout_ns=TIMEOUT,
        measured_from=0,
        out=str(tmp_path / "d.parquet"),
        progress=str(tmp_path / "live"),
        summary=str(tmp_path / "summary.json"),
    )
    run_collector(plan)
    assert "ready" in capsys.readouterr().out
    summary = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    assert (summary["decided"], summary["lost"]) == (1, 1)  # the third was never sent: neither decided nor lost
    rows = pq.read_table(tmp_path / "d.parquet").to_pylist()
    assert rows[0]["response_ns"] == 50
    assert rows[0]["service_ns"] == 4
    assert rows[0]["stage_rules_ns"] == 3
    assert rows[0]["reasons"][0]["text"] == "because"
    assert (rows[1]["status"], rows[1]["response_ns"], rows[1]["score"]) == ("lost", TIMEOUT, None)
    assert Live.open(tmp_path / "live").get()["answered"] == 1
