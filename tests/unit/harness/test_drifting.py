"""Drifts in scenarios: prepared with the events, the truth about them beside, in the key of what was prepared."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from harness.drifting import TRUTH_FILE, TRUTH_TABLE, copy_truth, read_truth, schedule_of
from harness.prepare import prepare
from harness.prepared import Prepared, scheduled
from harness.scenario import SCENARIOS, Scenario, load_scenario, parse_scenario
from streams.drift.kinds import KINDS
from streams.errors import BadInputError

INFLATION = {"kind": "amount-inflation", "onset_day": 3.0, "factor": 2.0}
READY = sorted((SCENARIOS / "drift").glob("*.yaml"))


def cards(*drifts: dict[str, Any], **more: Any) -> Scenario:
    raw = {
        "name": "s",
        "load": {"rate_per_s": 200.0, "duration_s": 6.0, "warmup_s": 1.0},
        "world": {"history_days": 15, "cards": 100},
        "drifts": list(drifts),
        **more,
    }
    return parse_scenario(raw, "test")


def transfers(*drifts: dict[str, Any], **more: Any) -> Scenario:
    raw = {
        "name": "s",
        "domain": "aml",
        "load": {"rate_per_s": 300.0, "duration_s": 6.0, "warmup_s": 1.0},
        "world": {"history_days": 15, "customers": 200, "markets": 2},
        "drifts": list(drifts),
        **more,
    }
    return parse_scenario(raw, "test")


def table(prepared: Prepared, name: str) -> pa.Table:
    return pq.read_table(prepared.file(name))


@pytest.mark.parametrize("make", [cards, transfers])
def test_what_is_prepared_has_the_drift_and_its_truth(make: Any, tmp_path: Path) -> None:
    plain, drifted = prepare(make(), tmp_path), prepare(make(INFLATION), tmp_path)
    assert plain.key != drifted.key
    assert read_truth(plain.folder) is None
    told = read_truth(drifted.folder)
    assert told is not None
    (truth,) = told.drifts
    assert (truth.kind, told.seed, told.stream_start_ns) == ("amount-inflation", 5, drifted.windows.stream_start_ns)
    assert table(plain, "history").equals(table(drifted, "history"))
    touched = pq.read_table(drifted.folder / TRUTH_TABLE)["drift_0"].to_numpy()
    was, found = (table(each, "events")["amount_minor"].to_numpy() for each in (plain, drifted))
    late = table(plain, "events")["event_time_ns"].to_numpy() >= truth.onset_ns
    assert (touched == late).all()
    assert 0 < late.sum() < len(late)
    assert (found == np.where(late, was * 2, was)).all()


def test_seed_and_drifts_are_part_of_what_was_prepared(tmp_path: Path) -> None:
    missing = {"kind": "field-missing", "onset_day": 2.0, "field": "device_id", "share": 0.5}
    first = prepare(cards(missing), tmp_path)
    assert prepare(cards(missing), tmp_path).cached
    other = prepare(cards(missing, seeds={"drift": 6}), tmp_path)
    assert first.key != other.key
    assert not table(first, "events").equals(table(other, "events"))


def test_events_and_dispositions_of_a_drifted_world_belong_together(tmp_path: Path) -> None:
    """What a drift adds is reported, what it takes out is not."""
    adapting = {"kind": "adapting-criminals", "onset_day": 1.0, "ceiling_minor": 500}
    share = {"kind": "fraud-share", "onset_day": 4.0, "factor": 4.0}
    scenario = cards(adapting, share, world={"history_days": 15, "cards": 100, "fraud_share": 0.01})
    prepared = prepare(scenario, tmp_path)
    events, labels = table(prepared, "events"), table(prepared, "labels")
    assert events["event_id"].to_pylist() == labels["event_id"].to_pylist()
    reported = set(table(prepared, "dispositions")["event_id"].to_pylist())
    known = set(table(prepared, "history")["event_id"].to_pylist()) | set(events["event_id"].to_pylist())
    assert reported
    assert reported <= known
    assert prepared.events == len(events) == len(scheduled(scenario, prepared.events))


def test_somebodys_own_cards_drift_too(tmp_path: Path) -> None:
    made = prepare(cards(world={"history_days": 15, "cards": 100}), tmp_path)
    file = tmp_path / "own.parquet"
    both = [pa.concat_tables([table(made, f"history{end}"), table(made, f"{stream}")]).unify_dictionaries()
            for end, stream in (("", "events"), ("_labels", "labels"))]  # fmt: skip
    whole = both[0].append_column("is_fraud", both[1]["is_fraud"]).append_column("scenario", both[1]["scenario"])
    pq.write_table(whole, file)
    data = {"file": str(file), "columns": "riskbench"}
    load = {"rate_per_s": 200.0, "duration_s": None}
    training = {"label_delay_days": 2}
    drift = {**INFLATION, "onset_day": 2.0}
    plain = prepare(cards(data=data, load=load, training=training), tmp_path)
    drifted = prepare(cards(drift, data=data, load=load, training=training), tmp_path)
    told = read_truth(drifted.folder)
    assert told is not None
    was, found = (table(each, "events")["amount_minor"].to_numpy() for each in (plain, drifted))
    late = table(plain, "events")["event_time_ns"].to_numpy() >= told.drifts[0].onset_ns
    assert 0 < late.sum() < len(late)
    assert (found == np.where(late, was * 2, was)).all()


def test_a_higher_load_shortens_the_schedule_from_its_onset_on(tmp_path: Path) -> None:
    scenario = cards({"kind": "higher-load", "onset_day": 3.0, "factor": 4.0})
    prepared = prepare(scenario, tmp_path)
    usual, faster = scheduled(scenario, prepared.events), schedule_of(scenario, prepared.events, prepared.folder)
    told = read_truth(prepared.folder)
    assert told is not None
    late = table(prepared, "events")["event_time_ns"].to_numpy() >= told.drifts[0].onset_ns
    ratio = np.diff(usual)[late[1:]].sum() / np.diff(faster)[late[1:]].sum()
    assert ratio == pytest.approx(4.0, rel=1e-3)
    assert (np.abs(usual[~late] - faster[~late]) <= 1).all()
    run = tmp_path / "run"
    run.mkdir()
    copy_truth(prepared.folder, run)
    assert (schedule_of(scenario, prepared.events, run) == faster).all()
    assert (run / TRUTH_FILE).read_bytes() == (prepared.folder / TRUTH_FILE).read_bytes()


def test_what_cannot_be_is_said_with_key_and_value(tmp_path: Path) -> None:
    for asked, words in (
        ([{"kind": "inflation", "onset_day": 1.0}], "drifts[0].kind = 'inflation': must be one of amount-inflation"),
        ([{"onset_day": 1.0}], "drifts[0].kind: missing; one of amount-inflation"),
        ([{"kind": "amount-inflation"}], "drifts[0].onset_day: missing"),
        ([{**INFLATION, "factr": 2.0}], "drifts[0].factr: unknown key; did you mean factor?"),
        ([{**INFLATION, "factor": 0.0}], "drifts[0].factor = 0.0: must be greater than 0"),
        ([{**INFLATION, "over_days": 3.0}], "drifts[0]: over_days is of the shapes gradual and incremental"),
        ([{"kind": "threshold-moved", "onset_day": 1.0}], "drifts[0] (threshold-moved): threshold-moved is for domain"),
        ([INFLATION] * 33, "drifts: can have at most 32 entries"),
    ):
        with pytest.raises(BadInputError) as caught:
            load_scenario("fraud", {"drifts": asked})
        message = str(caught.value)
        assert words in message or words.replace("drifts: ", "") in message
        for jargon in ("pydantic", "union", "discriminator", "Input should"):
            assert jargon not in message
    with pytest.raises(BadInputError, match="begins on day 90 and the stream ends on day"):
        prepare(cards({**INFLATION, "onset_day": 90.0}), tmp_path)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_is_shipped_in_a_ready_scenario(kind: str) -> None:
    assert kind in {drift["kind"] for path in READY for drift in yaml.safe_load(path.read_text())["drifts"]}


@pytest.mark.parametrize("path", READY, ids=lambda path: path.stem)
def test_ready_scenarios_are_valid_and_echo_themselves(path: Path) -> None:
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    scenario = load_scenario(f"drift/{path.stem}", domain=raw.get("domain", "fraud"))
    assert scenario.name == path.stem
    assert scenario.drifts
    assert parse_scenario(yaml.safe_load(scenario.to_yaml()), "echo") == scenario


def test_there_are_enough_ready_scenarios_of_both_domains() -> None:
    domains: dict[bool, list[str]] = {True: [], False: []}
    for path in READY:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        scenario = load_scenario(f"drift/{path.stem}", domain=raw.get("domain", "fraud"))
        controls = [drift.is_control for drift in scenario.drifts]
        assert len(set(controls)) == 1, path
        domains[controls[0]].append(scenario.domain)
    assert len(domains[False]) >= 14
    assert len(domains[True]) >= 4
    assert set(domains[False]) == {"fraud", "aml"}
