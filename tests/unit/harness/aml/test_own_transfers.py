"""A file of transfers: how it is split by time, what is said of it, and which targets it is held to."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from harness.aml.monitoring import K_DEFAULT, capacity, split_from, stream_truth
from harness.aml.prepare import prepare_transfers
from harness.aml.split import Split, split_of, split_told
from harness.cli import app
from harness.commands import run_aml
from harness.own_data import Spans
from harness.prepared import Prepared, Windows
from harness.run import RunOptions
from harness.scenario import AmlScenario
from harness.verdict import QUALITY_LIMITS

SAMPLE = Path(__file__).parents[5] / "shared" / "data"
FILES = SAMPLE / "amlsim_fanin_transfers.parquet", SAMPLE / "amlsim_fanin_accounts.parquet"
OWN = """
name: own
domain: aml
measure: {k: 7}
slo: {pattern_recall_min: 0.5}
"""


@given(
    st.lists(st.integers(0, 1_000), min_size=1, max_size=50),
    st.lists(st.integers(0, 1_000), min_size=4, max_size=4),
    st.integers(0, 60),
)
def test_the_parts_of_a_split_add_up_to_the_file(times: list[int], edges: list[int], limit: int) -> None:
    sorted_times, spans = np.sort(np.array(times, np.int64)), Spans(*sorted(edges))
    there = int(((sorted_times >= spans.stream_from_ns) & (sorted_times < spans.stream_until_ns)).sum())
    split = split_of(sorted_times, spans, min(limit, there), 0)
    parts = (split.before_training, split.training, split.between, split.streamed, split.not_sent, split.after_stream)
    assert min(parts) >= 0
    assert sum(parts) == len(times)


def test_nothing_is_left_out_in_silence() -> None:
    split = Split(
        train_from="2026-01-02", train_until="2026-02-01", stream_from="2026-02-03", stream_until="2026-03-01",
        before_training=11, training=1_200, between=22, streamed=400, not_sent=33, after_stream=44, sides_outside=55,
    )  # fmt: skip
    told = "\n".join(split_told(split))
    for words in ("1,200 transfers from 2026-01-02 to 2026-02-01 teach", "400 from 2026-02-03", "33 ", "44 ", "55 "):
        assert words in told
    assert "(11 before the training, 22 between" in told
    none = msgspec.structs.replace(split, before_training=0, between=0, not_sent=0, after_stream=0, sides_outside=0)
    assert len(split_told(none)) == 1


def resolved(monkeypatch: pytest.MonkeyPatch, *words: str) -> AmlScenario:
    """The scenario that a command line comes to."""
    found: list[AmlScenario] = []

    def take(options: RunOptions, *, as_json: bool) -> None:
        assert isinstance(options.scenario, AmlScenario)
        found.append(options.scenario)

    monkeypatch.setattr(run_aml, "run_and_tell", take)
    done = CliRunner().invoke(app, ["run", "aml", *words])
    assert done.exit_code == 0, done.output
    return found[0]


def test_a_file_is_not_held_to_the_worlds_targets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    files = ("--transfers", str(tmp_path / "t.csv"), "--accounts", str(tmp_path / "a.csv"))
    world, file = resolved(monkeypatch), resolved(monkeypatch, *files)
    assert all(getattr(world.slo, name) is not None for name in QUALITY_LIMITS)
    assert all(getattr(file.slo, name) is None for name in QUALITY_LIMITS)
    assert (file.slo.response_p99_ms, file.slo.k_share) == (world.slo.response_p99_ms, world.slo.k_share)
    assert (world.measure.k, file.measure.k) == (5, None)
    assert file.load.duration_s is None
    assert resolved(monkeypatch, *files, "--k", "9").measure.k == 9
    (tmp_path / "own.yaml").write_text(OWN)
    own = resolved(monkeypatch, *files, "--scenario", str(tmp_path / "own.yaml"))
    assert (own.slo.pattern_recall_min, own.measure.k) == (0.5, 7)


def test_the_protocol_says_how_many_are_looked_at_a_day() -> None:
    none, asked = (
        AmlScenario(name="s", domain="aml"),
        AmlScenario.model_validate({"name": "s", "domain": "aml", "measure": {"k": 3}}),
    )
    with_k, without = (Prepared(Path(), "key", False, Windows(0, 1, 2, 3), facts) for facts in ({"k": 20}, {}))
    assert (capacity(none, with_k), capacity(asked, with_k), capacity(none, without)) == (20, 3, K_DEFAULT)


DAILY = "".join(f"{day},a,b,{day + 10},,0\n{day},b,c,{day + 20},,0\n" for day in range(40))
TRANSFERS = f"day,payer,payee,amount,case,bad\n{DAILY}"
MAP = """
name: mine
transfers:
  event_time: {column: day, format: d}
  amount: {column: amount, unit: major}
  currency: {constant: EUR}
  channel: {constant: wire}
  from_account: payer
  to_account: payee
accounts:
  account_id: id
  market: {constant: BE}
  currency: {constant: EUR}
truth:
  laundering: {column: bad, positive: [1]}
  pattern: {column: case}
"""


@pytest.mark.parametrize(("last_days", "left_out"), [(None, 0), (24, 32), (400, 0)])
def test_of_a_large_file_the_last_days_are_taken(tmp_path: Path, last_days: int | None, left_out: int) -> None:
    files = {"t.csv": TRANSFERS, "a.csv": "id\na\nb\nc\n", "map.yaml": MAP}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    named = {"file": "t.csv", "accounts": "a.csv", "columns": "map.yaml"}
    data = {key: str(tmp_path / name) for key, name in named.items()} | {"last_days": last_days}
    scenario = AmlScenario.model_validate({"name": "s", "domain": "aml", "data": data, "load": {"duration_s": None}})
    prepared = prepare_transfers(scenario, tmp_path / "cache")
    split = split_from(prepared)
    assert split is not None
    assert split.before_last_days == left_out
    parts = (split.before_training, split.training, split.between, split.streamed, split.not_sent, split.after_stream)
    assert sum(parts) == 80 - left_out
    assert split.streamed == prepared.events > 0
    assert split.stream_until.startswith("1970-02-09")
    assert any("before the last days" in line for line in split_told(split)) == bool(left_out)


@pytest.mark.skipif(not all(file.is_file() for file in FILES), reason="the sample of AMLSim is not there")
def test_the_sample_of_amlsim_is_split_by_time(tmp_path: Path) -> None:
    data = {"file": str(FILES[0]), "accounts": str(FILES[1])}
    scenario = AmlScenario.model_validate({"name": "s", "domain": "aml", "data": data, "load": {"duration_s": None}})
    prepared = prepare_transfers(scenario, tmp_path)
    split = split_from(prepared)
    assert split is not None
    assert (split.train_from, split.stream_from, split.stream_until) == ("2017-01-02", "2017-04-11", "2017-05-31")
    assert split.streamed == prepared.events == 29_993
    assert split.before_training + split.training + split.between + split.streamed + split.after_stream == 118_250
    assert split.not_sent == split.sides_outside == 0
    truth = stream_truth(prepared, prepared.events)
    assert (len(truth), int(truth.is_suspicious.sum()), len(truth.patterns)) == (15_939, 133, 58)
    assert (truth.patterns_excluded, truth.patterns_only_begun, truth.customers_excluded) == (132, 2, 487)
