"""results.json is a contract: its schema is published, and what is written is read back."""

import json
from pathlib import Path

import pytest

from harness.results import SCHEMA_FILE, Results, encode_results, read_results, results_schema

DOCS = Path(__file__).parents[3] / "docs"
SPINE = {
    "schema_version", "scenario", "engine", "broker", "seeds", "verdict", "load", "counts", "latency_ms", "quality",
    "drift", "breaker", "faults",
}  # fmt: skip


def test_published_schema_is_up_to_date() -> None:
    published = json.loads((DOCS / SCHEMA_FILE).read_text(encoding="utf-8"))
    assert published == results_schema(), "harness.results.write_schema(Path('docs')) brings it up to date"


def test_the_spine_is_there() -> None:
    assert set(Results.__struct_fields__) >= SPINE


def test_round_trip(tmp_path: Path, results: Results) -> None:
    path = tmp_path / "results.json"
    path.write_text(encode_results(results), encoding="utf-8")
    assert read_results(path) == results
    assert json.loads(path.read_text(encoding="utf-8"))["breaker"]["transitions"][0]["from"] == "closed"


def test_what_is_not_finite_is_null(tmp_path: Path, results: Results) -> None:
    results.quality["pr_auc"] = float("nan")
    assert json.loads(encode_results(results))["quality"]["pr_auc"] is None


@pytest.mark.parametrize("key", ["verdict", "counts", "schema_version"])
def test_a_missing_key_is_named(tmp_path: Path, results: Results, key: str) -> None:
    found = json.loads(encode_results(results))
    del found[key]
    path = tmp_path / "results.json"
    path.write_text(json.dumps(found), encoding="utf-8")
    with pytest.raises(ValueError, match=key):
        read_results(path)
