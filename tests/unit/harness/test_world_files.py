"""A world written as it grows holds what the world gathered in memory does, whatever the parts it is written in."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness import feed, world_files
from harness.feed import write_feed
from harness.world_files import Written, write_world
from streams.worlds import build_world
from streams.worlds.world import World

FILES = {
    "history": "history_events",
    "history_labels": "history_labels",
    "events": "stream_events",
    "labels": "stream_labels",
}
NO_DISPOSITIONS = pa.table({"reported_at_ns": pa.array([], pa.int64())})


@pytest.fixture(scope="module", params=["fraud", "aml"])
def world(request: pytest.FixtureRequest) -> World:
    small = {"fraud": {"cards": 120}, "aml": {"customers": 200}}
    return build_world(request.param, small[request.param], seed=1)


@pytest.mark.parametrize(("days", "events"), [(10, 900), (0, 700), (9, 0)])
def test_written_as_it_grows_or_gathered_first(
    tmp_path: Path, world: World, days: int, events: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world_files, "ROWS_PER_GROUP", 256)
    shown: list[int] = []
    written = write_world(tmp_path, world, days, events, lambda rows, labels: shown.append(min(len(rows), len(labels))))
    whole = world.generate(days, events)
    for file, name in FILES.items():
        found, expected = pq.read_table(tmp_path / f"{file}.parquet"), getattr(whole, name)
        assert found.schema.equals(expected.schema)
        assert found.to_pylist() == expected.to_pylist()
    last = whole.stream_events if events else whole.history_events
    last_ns = last["event_time_ns"][-1].as_py()
    assert written == Written(len(whole.history_events), events, whole.stream_start_ns, last_ns)
    assert sum(shown) == written.history + written.events
    assert min(shown) > 0
    if events:
        assert pq.ParquetFile(tmp_path / "events.parquet").num_row_groups > 1


def test_a_feed_is_the_same_from_a_file_read_bit_by_bit(
    tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "ROWS_PER_CHUNK", 100)
    write_world(tmp_path, world, 3, 1_050)
    events = pq.read_table(tmp_path / "events.parquet")
    schedule = np.arange(1_050, dtype=np.int64)
    write_feed(tmp_path / "file", tmp_path / "events.parquet", NO_DISPOSITIONS, schedule)
    monkeypatch.setattr(feed, "ROWS_PER_CHUNK", 10_000)
    write_feed(tmp_path / "table", events, NO_DISPOSITIONS, schedule)
    names = {path.name for path in (tmp_path / "file").iterdir()}
    assert names == {path.name for path in (tmp_path / "table").iterdir()}
    for name in names:
        assert (tmp_path / "file" / name).read_bytes() == (tmp_path / "table" / name).read_bytes(), name
