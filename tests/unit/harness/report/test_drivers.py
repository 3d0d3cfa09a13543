"""What drives decisions, counted by hand."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.report.contents import RunContents
from harness.report.drivers import GENUINE_APPROVED, GENUINE_FLAGGED, drivers_of
from harness.report.plots.importance import importance_plots
from harness.report.rows import RunRows
from streams import stored_rows
from streams.labels import NS_PER_DAY

COLUMNS = {
    "events": ("card_id", "event_time_ns"),
    "labels": ("is_fraud", "scenario"),
    "decisions": ("outcome",),
}
NOTHING: dict[str, Any] = dict.fromkeys(
    ("scenario", "timeline", "decisions", "events", "labels", "explanations", "importance", "profiles")
)


def contents(**tables: pa.Table) -> RunContents:
    large: dict[str, Any] = {
        name: RunRows(tables[name]) for name in ("decisions", "events", "labels") if name in tables
    }
    return RunContents(folder=Path(), results={}, environment={}, histograms={}, **{**NOTHING, **tables, **large})


def run(rows: int, days: int = 2) -> RunContents:
    """Half of the events are frauds driven by `a`; genuine ones, ten times as many in truth, are driven by `b`."""
    ids = [f"e{n}" for n in range(rows)]
    fraud = np.arange(rows) % 2 == 0
    return contents(
        importance=pa.table(
            {
                "event_id": list(reversed(ids)),
                "weight": np.where(fraud, 1.0, 10.0)[::-1],
                "a": np.where(fraud, -3.0, 1.0)[::-1].astype(np.float32),
                "b": np.where(fraud, 1.0, 3.0)[::-1].astype(np.float32),
                "base": np.full(rows, -5, np.float32),
            }
        ),
        events=pa.table(
            {
                "event_id": ids,
                "card_id": [f"c{n % 4}" for n in range(rows)],
                "event_time_ns": [(20_000 + n % days) * NS_PER_DAY for n in range(rows)],
            }
        ),
        labels=pa.table(
            {
                "event_id": ids,
                "is_fraud": fraud,
                "scenario": pa.array(["stolen" if f else None for f in fraud], pa.string()),
            }
        ),
        decisions=pa.table({"event_id": ids, "outcome": np.where(fraud, "block", "approve")}),
        profiles=pa.table({"card_id": ["c0", "c1"], "segment": ["young", "old"]}),
    )


def damaged(table: pa.Table, file: Path, share: float) -> RunRows:
    """A file whose last row groups cannot be read, though its footer can."""
    pq.write_table(table, file, row_group_size=20, compression="none", use_dictionary=False)
    content, told = bytearray(file.read_bytes()), pq.read_metadata(file)
    for group in range(round(told.num_row_groups * (1 - share)), told.num_row_groups):
        for column in range(told.num_columns):
            start = told.row_group(group).column(column).data_page_offset
            content[start : start + 8] = b"\xff" * 8
    file.write_bytes(bytes(content))
    return RunRows(file)


@pytest.mark.parametrize("share", [0.5, 1.0])
@pytest.mark.parametrize("name", ["events", "labels", "decisions"])
def test_what_a_damaged_file_does_not_tell_is_in_no_group(
    name: str, share: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_rows, "BLOCK_ROWS", 20)
    whole = run(200)
    table = getattr(whole, name).among(pa.array([f"e{n}" for n in range(200)]), COLUMNS[name])
    if name == "decisions":  # all are flagged, so that none may be told as approved
        table = table.set_column(1, "outcome", pa.array(["block"] * 200))
    changes: dict[str, Any] = {name: damaged(table, tmp_path / "rows.parquet", share)}
    found = drivers_of(replace(whole, **changes))
    assert found is not None
    there = {kind: set(grouped.names) for kind, grouped in found.groups.items()}
    told = share < 1
    if name == "events":
        assert there["day"] == ({"4 Oct", "5 Oct"} if told else set())
        assert there["segment"] == ({"young", "old"} if told else set())
    if name == "labels":
        assert there["scenario"] == ({"stolen", GENUINE_APPROVED} if told else set())
    if name == "decisions":
        assert there["scenario"] == ({"stolen", GENUINE_FLAGGED} if told else {"stolen"})


def test_groups_of_half_the_labels_are_those_of_half_the_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_rows, "BLOCK_ROWS", 20)
    whole = run(200)
    # of what is not told everything is fraud: none of it may be among the genuine ones
    ids = [f"e{n}" for n in range(200)]
    fraud = [n % 2 == 0 or n >= 100 for n in range(200)]
    assert whole.importance is not None
    importance = whole.importance.set_column(
        2, "a", pa.array([-9.0 if n >= 100 else 1.0 for n in reversed(range(200))])
    )
    labels = pa.table({"event_id": ids, "is_fraud": fraud, "scenario": ["stolen" if f else None for f in fraud]})
    found = drivers_of(replace(whole, importance=importance, labels=damaged(labels, tmp_path / "labels.parquet", 0.5)))
    assert found is not None
    scenario = found.groups["scenario"]
    share_of_a = scenario.shares[found.features.index("a"), scenario.names.index(GENUINE_APPROVED)]
    assert share_of_a == pytest.approx(0.25)


def test_overall_is_weighted_and_ordered() -> None:
    found = drivers_of(run(200))
    assert found is not None
    assert found.features == ["b", "a"]
    assert found.size.tolist() == pytest.approx([(1 + 30) / 11, (3 + 10) / 11])


def test_each_group_by_itself() -> None:
    found = drivers_of(run(200))
    assert found is not None
    scenario, segment, day = (found.groups[kind] for kind in ("scenario", "segment", "day"))
    assert scenario.names == ["stolen", GENUINE_APPROVED]
    assert scenario.shares.T.tolist() == [pytest.approx([0.25, 0.75]), pytest.approx([0.75, 0.25])]
    assert scenario.left_out == ["genuine, flagged"]
    # c0 has frauds only, c1 genuine events only; c2 and c3 have no profile
    assert dict(zip(segment.names, segment.shares[1], strict=True)) == pytest.approx({"young": 0.75, "old": 0.25})
    assert day.names == ["4 Oct", "5 Oct"]


def test_many_days_are_put_together_and_small_groups_are_named() -> None:
    found = drivers_of(run(2_000, days=50))
    assert found is not None
    assert len(found.groups["day"].names) <= 21
    few = drivers_of(run(30))
    assert few is not None
    assert few.groups["day"].left_out == ["4 Oct", "5 Oct"]
    assert few.groups["day"].shares.shape == (2, 0)


def test_without_contributions_there_are_no_drivers() -> None:
    assert drivers_of(contents()) is None
    assert drivers_of(contents(importance=run(4).importance)) is None


def test_transfers_are_told_by_typology() -> None:
    found = drivers_of(run(200))
    titles = {of: {plot.title for plot in importance_plots(found, of_transfers=of)} for of in (False, True)}
    assert titles[False] - titles[True] == {"What drives decisions, by fraud scenario"}
    assert titles[True] - titles[False] == {"What drives decisions, by typology"}
