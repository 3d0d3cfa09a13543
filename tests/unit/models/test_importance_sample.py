"""The sample of decisions whose contributions are found, drawn block by block and from the table in one piece."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.importance import draw
from streams import stored_rows
from streams.errors import BadInputError

BUNDLE: Any = SimpleNamespace(model_version="m1", feature_names=("a", "b", "c"), directory="bundle")
ROWS = 2_000


def decisions(**other: Any) -> pa.Table:
    random = np.random.default_rng(1)
    features = random.normal(size=(ROWS, 3)).astype("<f4")
    path = random.choice(["model", "rules", "fallback"], ROWS)
    columns: dict[str, Any] = {
        "event_id": [f"e{n}" for n in range(ROWS)],
        "outcome": random.choice(["approve", "review", "block"], ROWS, p=(0.8, 0.15, 0.05)),
        "path": pa.array(path).dictionary_encode(),
        "model_version": pa.array([None if each == "rules" else "m1" for each in path]).dictionary_encode(),
        "features": pa.array([None if n % 9 == 0 else row.tobytes() for n, row in enumerate(features)], pa.binary()),
    }
    return pa.table(columns | other)


def drawn_at_once(rows: pa.Table, sample: int, seed: int) -> list[tuple[str, float, bytes]]:
    """Id, weight and features of the sample: all rows in lists."""
    given = [row for row in rows.to_pylist() if row["path"] == "model" and row["features"] is not None]
    random = np.random.default_rng(seed)
    found: dict[int, float] = {}
    for is_flagged in (False, True):
        kind = [n for n, row in enumerate(given) if (row["outcome"] != "approve") is is_flagged]
        chosen = random.choice(kind, min(sample, len(kind)), replace=False)
        found |= {int(n): len(kind) / len(chosen) for n in chosen}
    return [(given[n]["event_id"], found[n], given[n]["features"]) for n in sorted(found)]


@pytest.mark.parametrize("sample", [7, 100, 5_000])
def test_it_is_that_of_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sample: int) -> None:
    monkeypatch.setattr(stored_rows, "BLOCK_ROWS", 128)
    pq.write_table(decisions(), tmp_path / "d.parquet", row_group_size=150)
    found = draw(tmp_path / "d.parquet", BUNDLE, sample, 4)
    rows = zip(found.event_ids.to_pylist(), found.weight.tolist(), found.values, strict=True)
    assert [(name, weight, row.astype("<f4").tobytes()) for name, weight, row in rows] == drawn_at_once(
        decisions(), sample, 4
    )


def test_without_decisions_of_the_model_it_is_empty(tmp_path: Path) -> None:
    pq.write_table(decisions(path=["rules"] * ROWS), tmp_path / "d.parquet")
    found = draw(tmp_path / "d.parquet", BUNDLE, 10, 4)
    assert (len(found.event_ids), found.values.shape, found.weight.shape) == (0, (0, 3), (0,))


def test_what_does_not_fit_is_named(tmp_path: Path) -> None:
    cases = {
        "lacks column features": decisions().drop_columns(["features"]),
        "of model m2;": decisions(model_version=["m2"] * ROWS),
        "the bundle's rows have 12": decisions(features=[b"12345678"] * ROWS),
    }
    for said, rows in cases.items():
        pq.write_table(rows, tmp_path / "d.parquet")
        with pytest.raises(BadInputError, match=said):
            draw(tmp_path / "d.parquet", BUNDLE, 10, 4)
    (tmp_path / "d.parquet").write_bytes(b"no parquet")
    with pytest.raises(BadInputError, match="cannot be read as Parquet"):
        draw(tmp_path / "d.parquet", BUNDLE, 10, 4)
