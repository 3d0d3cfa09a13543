"""Every kernel once, before the stream: what is compiled or loaded then is not in what is measured."""

import numpy as np

from harness.decision_wire.arrived import arrived_in
from harness.decision_wire.reader import read_plain
from harness.decision_wire.records import HEX_BYTES, chained_lines
from harness.decision_wire.texts import Texts
from harness.spool import HEAD
from streams.codec import encode_decision
from streams.decision import Decision

MESSAGE = encode_decision(Decision(event_id="rehearsal", outcome="review", score=0.5, margin=0.25, features=bytes(4)))


def rehearse() -> None:
    """Compile or load all kernels."""
    arrived, _, _ = arrived_in(HEAD.pack(0, len(MESSAGE)) + MESSAGE)
    rows = read_plain(arrived)
    rows.event_hashes()
    rows.table()
    bodies = rows.bodies(np.zeros(1, np.int64), Texts.of([MESSAGE]), b"null")
    chained_lines(bodies, np.zeros(1, np.bool_), 0, "0" * HEX_BYTES)
