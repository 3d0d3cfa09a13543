"""Messages found in a spool's blocks, beside the same found one by one."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.decision_wire.arrived import Arrived, arrived_in
from harness.spool import HEAD, MARK, SpoolReader, SpoolWriter, Stamped, stamped_in

parts = st.lists(st.tuples(st.integers(0, 2**63 - 1), st.none() | st.binary(max_size=40)), max_size=12)


def as_block(given_parts: list[tuple[int, bytes | None]]) -> bytes:
    """Messages, and marks where there is none."""
    return b"".join(
        HEAD.pack(instant, MARK) if value is None else HEAD.pack(instant, len(value)) + value
        for instant, value in given_parts
    )


@given(parts, st.integers(0, 60))
def test_in_a_block_that_may_end_within_a_message(given_parts: list[tuple[int, bytes | None]], cut: int) -> None:
    block = as_block(given_parts)
    block = block[: len(block) - cut] if cut < len(block) else block
    found, behind, until_ns = arrived_in(block)
    assert (found.stamped(), behind, until_ns) == stamped_in(block)
    assert found.size_bytes == sum(len(value) for _, value in found.stamped())


@given(st.lists(st.lists(st.tuples(st.integers(0, 9), st.binary(max_size=9)), max_size=4), max_size=4))
def test_joined(batches: list[list[Stamped]]) -> None:
    arrived = Arrived.joined([Arrived.of(batch) for batch in batches])
    assert arrived.stamped() == [each for batch in batches for each in batch]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=20), st.integers(1, 90))
def test_followed_through_segments_bit_by_bit(values: list[bytes], limit_bytes: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        writer = SpoolWriter(Path(folder) / "spool", segment_bytes=100)
        for instant, value in enumerate(values):
            writer.append(instant, [value])
            writer.mark(instant)
        writer.close()
        reader, found = SpoolReader(Path(folder) / "spool"), list[Stamped]()
        while (arrived := reader.parsed(arrived_in, limit_bytes)) is not None:
            found += arrived.stamped()
        reader.close()
        assert found == list(enumerate(values))
        assert reader.until_ns == max(len(values) - 1, 0)
