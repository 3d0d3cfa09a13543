"""Two shares of a known run, on two clocks, give it back."""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from harness.cli import app
from harness.decision_rows import open_rows
from harness.explanations import EXPLANATION_ROWS_SCHEMA, EXPLANATIONS_FILE
from harness.latency import measure_latency
from harness.prepared import Windows
from harness.results import Results, read_results
from harness.runfolder import RunFolder
from harness.scenario import load_scenario
from harness.shares.merging import INSTANTS, merge, read_shares, response_histogram
from harness.shares.share import ROWS_FILE, SHARE_FILE, ShareFile
from streams.errors import BadInputError
from tests.example_run import START_NS, WARMUP_S, build_run

OTHER_CLOCK_NS = 7_000_000_000_000
LOST = 9
NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that one host made, with a few losses."""
    return build_run(tmp_path_factory.mktemp("whole") / "run", lost=LOST)


@pytest.fixture(scope="module")
def shares(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The same as two hosts would have made it."""
    folder = tmp_path_factory.mktemp("shares")
    return [_share(whole, folder / f"host-{number}", number) for number in (1, 2)]


def _share(whole: Path, folder: Path, number: int) -> Path:
    folder.mkdir()
    events = pq.read_table(whole / "events.parquet")
    codes = events["card_id"].combine_chunks().dictionary_encode().indices.to_numpy()
    own = np.flatnonzero(codes % 2 == number - 1)
    for name in ("events", "labels"):
        pq.write_table(pq.read_table(whole / f"{name}.parquet").take(own), folder / f"{name}.parquet")
    shutil.copyfile(whole / "environment.json", folder / "environment.json")
    (folder / "scenario.yaml").write_text(load_scenario("fraud", {"scorer.kind": "external"}).to_yaml())
    rows = _own_rows(pq.read_table(whole / "decisions.parquet"), own)
    move = OTHER_CLOCK_NS if number == 2 else 0
    told = pq.read_table(whole / "decisions.parquet").sort_by("ordinal").take(own)
    due = told["intended_ns"].to_numpy() - START_NS
    sent = told["sent_ns"].to_numpy() + move
    kept = {"ordinal": own, "due_ns": due, "sent_ns": sent, "appended_ns": np.zeros(len(own), np.int64)}
    pq.write_table(pa.table(kept), folder / ROWS_FILE)
    with open_rows(folder / "decisions.parquet") as writer:
        writer.write_table(_moved(rows, INSTANTS, move))
    row = {"event_id": f"evt-{own[0]:07d}", "ordinal": 0, "measured": False, "reasons": [], "emitted_ns": START_NS}
    explained = pa.Table.from_pylist([row], EXPLANATION_ROWS_SCHEMA)
    pq.write_table(_moved(explained, ("decided_ns", "emitted_ns"), move), folder / EXPLANATIONS_FILE)
    _write_results(whole, folder, number, rows, START_NS + move, len(own))
    return folder


def _own_rows(table: pa.Table, own: Any) -> pa.Table:
    """A share's rows, with ordinals of its own."""
    mine = table.filter(pc.is_in(table["ordinal"], value_set=pa.array(own)))
    ordinals = pa.array(np.searchsorted(own, mine["ordinal"].to_numpy()))
    return mine.set_column(mine.schema.get_field_index("ordinal"), mine.schema.field("ordinal"), ordinals)


def _moved(table: pa.Table, instants: tuple[str, ...], move: int) -> pa.Table:
    for name in instants:
        at = table.schema.get_field_index(name)
        table = table.set_column(at, table.schema.field(name), pc.add(table[name], move))
    return table


def _write_results(whole: Path, folder: Path, number: int, rows: pa.Table, start_ns: int, events: int) -> None:
    measure_latency(folder / "decisions.parquet", start_ns, folder / "latency.hlog")
    results = json.loads((whole / "results.json").read_bytes())
    lost = pc.sum(pc.equal(rows["status"].cast(pa.string()), "lost")).as_py()
    paths = rows["path"].cast(pa.string()).to_pylist()
    results["counts"] |= {
        "sent": events, "decided": events - lost, "lost": lost, "dead_lettered": number,
        "by_path": {path: paths.count(path) for path in ("rules", "model", "fallback")},
    }  # fmt: skip
    results["load"] |= {"event_bytes": 300.0, "decision_bytes": 700.0}
    results["share"] = {"share": number, "of": 2, "run": "host-1"}
    (folder / "results.json").write_text(json.dumps(results))
    told = ShareFile(
        share=number, of=2, run="host-1", start_ns=start_ns, measured_from_ns=WARMUP_S * 10**9,
        windows=asdict(Windows(0, 0, 0, 0)),
        facts={"labelled": True, "source": "world", "k": 100, "published": [], "events": events},
    )  # fmt: skip
    (folder / SHARE_FILE).write_bytes(msgspec.json.encode(told))


@pytest.fixture(scope="module")
def merged(shares: list[Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Results]:
    folder = RunFolder.create(tmp_path_factory.mktemp("merged"), "fraud-merged", NOW)
    return folder.path, merge(read_shares(shares[::-1]), folder, NOW)


def test_the_rows_are_the_whole_runs(whole: Path, merged: tuple[Path, Results]) -> None:
    order = [("received_ns", "ascending"), ("ordinal", "ascending")]
    expected = pq.read_table(whole / "decisions.parquet").sort_by(order)
    found = pq.read_table(merged[0] / "decisions.parquet")
    assert found.to_pylist() == expected.to_pylist()
    events = pq.read_table(merged[0] / "events.parquet")
    assert events["event_id"].to_pylist() == pq.read_table(whole / "events.parquet")["event_id"].to_pylist()
    for row in pq.read_table(merged[0] / EXPLANATIONS_FILE).to_pylist():
        assert (row["event_id"], row["emitted_ns"]) == (f"evt-{row['ordinal']:07d}", START_NS)


def test_histograms_and_quality_are_the_whole_runs(
    whole: Path, shares: list[Path], merged: tuple[Path, Results]
) -> None:
    folder, results = merged
    expected = read_results(whole / "results.json")
    assert results.latency_ms.response == expected.latency_ms.response
    assert results.latency_ms.service == expected.latency_ms.service
    one, two = (response_histogram(share / "latency.hlog") for share in shares)
    one.add(two)
    assert list(one.counts) == list(response_histogram(folder / "latency.hlog").counts)
    for name in ("precision_at_k", "recall", "pr_auc", "k"):
        assert results.quality[name] == expected.quality[name]


def test_counts_add_up_and_the_verdict_is_made_anew(merged: tuple[Path, Results], whole: Path) -> None:
    _, results = merged
    expected = read_results(whole / "results.json").counts
    assert (results.counts.sent, results.counts.decided, results.counts.lost) == (
        expected.sent, expected.decided, LOST,
    )  # fmt: skip
    assert results.counts.by_path == expected.by_path
    assert results.counts.dead_lettered == 3
    assert results.verdict.status == "invalid"
    assert any("never came back" in reason for reason in results.verdict.reasons)
    assert [(share.share, share.folder) for share in results.shares] == [(1, "host-1"), (2, "host-2")]
    assert sum(share.sent for share in results.shares) == results.counts.sent
    assert (results.load.event_bytes or 0) > 100
    assert results.load.decision_bytes == pytest.approx(700.0)


def _damage(what: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        told = json.loads((folder / SHARE_FILE).read_bytes())
        if what == "another scenario":
            (folder / "scenario.yaml").write_text(load_scenario("fraud", {"seeds.world": 9}).to_yaml())
        elif what == "whole":
            (folder / SHARE_FILE).unlink()
        elif what == "other events":
            rows = pq.read_table(folder / ROWS_FILE)
            pq.write_table(rows.slice(1), folder / ROWS_FILE)
        else:
            told |= {"run": "x"} if what == "another run" else {"share": 1} if what == "twice" else {"of": 3}
            (folder / SHARE_FILE).write_text(json.dumps(told))

    return change


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("another run", "only shares of the same run"),
        ("another number", "only shares of the same run"),
        ("another scenario", "have different scenarios"),
        ("twice", "share 1 is given 2 times"),
        ("whole", "is a whole run"),
        ("other events", "do not have every event"),
    ],
)
def test_what_is_not_the_shares_of_one_run_is_refused(
    shares: list[Path], tmp_path: Path, what: str, words: str
) -> None:
    changed = tmp_path / "changed"
    shutil.copytree(shares[1], changed)
    _damage(what)(changed)
    with pytest.raises(BadInputError, match=words):
        read_shares([shares[0], changed])


def test_a_missing_share_is_named_and_nothing_is_left(shares: list[Path], tmp_path: Path) -> None:
    found = CliRunner().invoke(app, ["merge", str(shares[0]), "--out", str(tmp_path / "out")])
    assert isinstance(found.exception, BadInputError)
    assert "[2] are missing" in str(found.exception)
    assert found.exception.exit_code == 2
    assert not (tmp_path / "out").exists()
