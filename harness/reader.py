"""A reading process, one of several: decodes what its receiver stamped, finds each decision's event, prepares its row
and its audit record, and hands all of it to the collector, which settles the rest in the order of receipt.

Run as `python -m harness.reader PLAN`. Ends when its receiver has ended and everything is handed over.
"""

import gc
import logging
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from harness.accounts import EventIndex
from harness.audit_trail.bodies import Bodies
from harness.audit_trail.records import Thresholds
from harness.decision_wire.arrived import Arrived, arrived_in
from harness.decision_wire.rehearsal import rehearse
from harness.explanations import Asked
from harness.pages import Pages
from harness.reading import Reader
from harness.receipt_order import handed_over
from harness.spool import SpoolReader, SpoolWriter
from streams.priority import LAST, claim_priority

IDLE_S = 0.02
HAND_OVER_NS = 50_000_000
"""So long messages are gathered, for a reading costs something however few they are."""
MESSAGES_MAX = 4_096


class ReaderPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What to read and where to hand it over. `recorded`: there is an audit trail, with these thresholds."""

    feed: str
    spool: str
    readings: str
    asked: Asked = "none"
    recorded: bool = False
    thresholds: Thresholds | None = None


def _reader_of(plan: ReaderPlan) -> Reader:
    feed = Path(plan.feed)
    bodies = Bodies.of_pages(plan.thresholds, Pages(feed / "messages")) if plan.recorded else None
    return Reader(EventIndex.open(feed), plan.asked, bodies)


def run_reader(plan: ReaderPlan, now_ns: Callable[[], int], sleep: Callable[[float], None]) -> None:
    """Follow a spool to its end."""
    reader, source, handing = _reader_of(plan), SpoolReader(Path(plan.spool)), SpoolWriter(Path(plan.readings))
    held: list[Arrived] = []
    due_ns = said_ns = 0
    while True:
        ended = source.ended()
        arrived = source.parsed(arrived_in)
        held += [] if arrived is None else [arrived]
        over = ended and arrived is None
        if over or sum(map(len, held)) >= MESSAGES_MAX or now_ns() >= due_ns:
            if held or source.until_ns != said_ns:
                handing.append(source.until_ns, [handed_over(reader.read(Arrived.joined(held))) if held else b""])
            held, said_ns, due_ns = [], source.until_ns, now_ns() + HAND_OVER_NS
        if over:
            break
        if arrived is None:
            sleep(IDLE_S)
    source.close()
    handing.close()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    rehearse()
    # as in the collector: what is there now stays, and its work can wait
    gc.freeze()
    claim_priority(LAST)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    run_reader(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=ReaderPlan), time.monotonic_ns, time.sleep)
