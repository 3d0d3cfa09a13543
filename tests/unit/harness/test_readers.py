"""Several readers and one collector behind them keep what one collector would have kept, byte for byte."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.audit_trail.records import AUDIT_FILE
from harness.collector import CollectorPlan, run_collector
from harness.progress import Live
from harness.reader import ReaderPlan, run_reader
from harness.receipt_order import ReceiptOrder
from harness.spool import SpoolReader, SpoolWriter, Stamped
from streams.codec import encode_decision
from tests.unit.harness.test_collector import (
    EVENTS,
    GARBLED,
    START_NS,
    THRESHOLDS,
    TIMEOUT_NS,
    collect,
    collecting,
    decisions,
)

READERS = 3
steps = st.lists(st.tuples(st.integers(0, 2), decisions | st.sampled_from(GARBLED)), max_size=40)


def in_shares(received: list[tuple[int, Any]], places: list[int]) -> list[list[Stamped]]:
    """Messages by their reader; `received` holds how long after the one before each came, in units of half a time-out,
    so that many come at the same instant."""
    shares: list[list[Stamped]] = [[] for _ in range(READERS)]
    at_ns = START_NS
    for (after, message), place in zip(received, places, strict=False):
        at_ns += after * TIMEOUT_NS // 2
        shares[place].append((at_ns, message if isinstance(message, bytes) else encode_decision(message)))
    return shares


def in_order(shares: list[list[Stamped]]) -> list[Stamped]:
    """As one would have received them: by instant, then by reader."""
    return sorted((each for share in shares for each in share), key=lambda each: each[0])


def spooled(folder: Path, name: str, stamped: list[Stamped], cuts: int) -> Path:
    """The messages in a spool that has ended, in small segments and with marks between."""
    writer = SpoolWriter(folder / name, segment_bytes=500)
    for at, (received_ns, value) in enumerate(stamped):
        writer.append(received_ns, [value])
        if at % cuts == 0:
            writer.mark(received_ns)
    writer.close()
    return folder / name


def kept(folder: Path, counts: dict[str, Any]) -> tuple[Any, bytes, dict[str, Any]]:
    return pq.read_table(folder / "d.parquet").to_pylist(), (folder / AUDIT_FILE).read_bytes(), counts


@settings(max_examples=60, deadline=None)
@given(steps, st.lists(st.integers(0, READERS - 1), min_size=40, max_size=40), st.data())
def test_whoever_hands_over_first_the_rows_and_the_trail_are_one_collectors(
    received: list[tuple[int, Any]], places: list[int], data: st.DataObject
) -> None:
    shares = in_shares(received, places)
    with tempfile.TemporaryDirectory() as name:
        one, several = Path(name) / "one", Path(name) / "several"
        one.mkdir()
        several.mkdir()
        expected = kept(one, collect(one, [in_order(shares)]))
        order, handed = ReceiptOrder(READERS), []
        with collecting(several) as collector:
            for place, share in enumerate(shares):
                readings = several / f"readings-{place}"
                spool = spooled(several, f"spool-{place}", share, cuts=2)
                plan = ReaderPlan(
                    feed=str(several / "feed"), spool=str(spool), readings=str(readings), asked="flagged",
                    recorded=True, thresholds=THRESHOLDS,
                )  # fmt: skip
                clock = iter(range(0, 10**18, data.draw(st.sampled_from((1, 40_000_000, 60_000_000)))))
                run_reader(plan, clock.__next__, lambda _: None)
                handing = SpoolReader(readings)
                handed.append(handing.read())
                handing.close()
            while not order.closed:
                place = data.draw(st.sampled_from(order.wanted()))
                if handed[place]:
                    until_ns, content = handed[place].pop(0)
                    order.add(place, content, until_ns)
                else:
                    order.close(place)
                reading = order.take()
                if reading is not None:
                    collector.settle(reading)
            counts = collector.finish(EVENTS, several / "events.parquet")
        assert kept(several, counts) == expected


def test_a_collector_behind_readers_follows_all_of_them_to_their_ends(tmp_path: Path, capsys: Any) -> None:
    shares = in_shares([(1, b"{broken")] * 3 + [(0, b"{}")] * 3, [0, 1, 0, 1, 0, 1])
    with collecting(tmp_path):
        pass  # for the feed
    (tmp_path / "start").write_text(str(START_NS), encoding="utf-8")

    np.save(tmp_path / "sent.npy", np.zeros(EVENTS, np.int64))
    Live.create(tmp_path / "live")
    for place, share in enumerate(shares):
        spool = spooled(tmp_path, f"spool-{place}", share, cuts=1)
        plan = ReaderPlan(feed=str(tmp_path / "feed"), spool=str(spool), readings=str(tmp_path / f"readings-{place}"))
        run_reader(plan, iter(range(0, 10**18, 10**8)).__next__, lambda _: None)
    run_collector(
        CollectorPlan(
            feed=str(tmp_path / "feed"), readings=[str(tmp_path / f"readings-{n}") for n in range(READERS)],
            sent=str(tmp_path / "sent.npy"), start_file=str(tmp_path / "start"),
            events=str(tmp_path / "events.parquet"), timeout_ns=TIMEOUT_NS, measured_from=0,
            out=str(tmp_path / "out.parquet"), progress=str(tmp_path / "live"), summary=str(tmp_path / "summary.json"),
        )
    )  # fmt: skip
    assert Live.open(tmp_path / "live").get()["malformed"] == 6
    assert not list(tmp_path.glob("spool-*")) + list(tmp_path.glob("readings-*"))


def test_one_that_is_far_ahead_waits_for_the_slowest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.receipt_order.HELD_MAX", -1)
    order = ReceiptOrder(2)
    assert order.wanted() == [0, 1]
    order.add(0, b"", 5)
    assert order.wanted() == [1]
    order.add(1, b"", 9)
    assert order.wanted() == [0]
    order.close(1)
    order.close(0)
    assert order.closed
    assert order.take() is None
