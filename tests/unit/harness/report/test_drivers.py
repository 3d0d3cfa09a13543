"""What drives decisions, counted by hand."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from harness.report.contents import RunContents
from harness.report.drivers import GENUINE_APPROVED, drivers_of
from harness.report.plots.importance import importance_plots
from harness.report.rows import RunRows
from streams.labels import NS_PER_DAY

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
