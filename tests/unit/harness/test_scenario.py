"""Scenario files: what is right is echoed whole, what is wrong is said with file, key path, value and bound."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.populations import AmlPopulation, CardPopulation
from harness.scenario import FraudScenario, load_scenario, parse_scenario
from streams.errors import BadInputError
from streams.worlds.fraud.config import FraudWorldConfig


def test_shipped_scenario_is_valid_and_echoes_every_default() -> None:
    scenario = load_scenario("fraud")
    echoed = yaml.safe_load(scenario.to_yaml())
    assert echoed["load"]["burst"]["every_s"] == 10.0
    assert echoed["measure"]["event_timeout_s"] == 30.0
    assert parse_scenario(echoed, "echo") == scenario


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"load.rate_per_s": -5.0}, "--rate (load.rate_per_s) = -5.0: must be greater than 0"),
        ({"load.rate_per_s": 0.0}, "must be greater than 0"),
        ({"load.partitions": 1.5}, "load.partitions = 1.5: must be a whole number"),
        ({"load.collectors": 5, "load.partitions": 4}, "load: collectors = 5 is above partitions = 4"),
        ({"load.collectors": 2, "scorer.engine": "inprocess"}, "collectors = 2: engine inprocess has no topic"),
        ({"load.partitions": True}, "load.partitions = True: must be a whole number"),
        ({"load.partitions": "4"}, "load.partitions = '4': must be a whole number"),
        ({"load.rate_pers": 5}, "load.rate_pers: unknown key; did you mean rate_per_s?"),
        ({"scorer.breaker.zzz": 5}, "scorer.breaker.zzz: unknown key; known here: sla_ms"),
        ({"scorer.engine": "spark"}, "scorer.engine = 'spark': must be one of faust, native, flink, inprocess"),
        ({"scorer.engine": "flink", "scorer.workers": 2}, "workers = 2: engine flink has one"),
        ({"scorer.kind": "theirs"}, "scorer.kind = 'theirs': must be one of ours, external"),
        (
            {"scorer.kind": "external", "scorer.command": "x"},
            "external starts nothing, command starts a program",
        ),
        ({"scorer.join_within_s": 0.0}, "scorer.join_within_s = 0.0: must be greater than 0"),
        ({"seeds.world": -1}, "seeds.world = -1: must be at least 0"),
        ({"seeds": 3}, "seeds = 3: must be keys and values"),
        ({"world.cards": 2}, "cards is 2, allowed are 50 to"),
        ({"world.preset": "brutal"}, "world.preset = 'brutal': must be one of easy, medium, hard"),
        ({"world.boldness": 9.0}, "boldness is 9.0, allowed are 0 to 3"),
        ({"world.start": "soon"}, "it must be a date such as"),
        ({"load.burst.length_s": 50.0}, "length_s = 50 must be below every_s = 10"),
        ({"faults": [{"kind": "kill"}]}, "faults[0].kind = 'kill': must be one of model-slow"),
        ({"load.rate_per_s": float("inf")}, "must be"),
        ({"measure.k": 0}, "measure.k = 0: must be at least 1"),
    ],
)
def test_what_is_wrong_is_said(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInputError) as caught:
        load_scenario("fraud", changes, {"load.rate_per_s": "--rate"})
    message = str(caught.value)
    assert words in message
    assert "fraud.yaml" in message
    for jargon in ("pydantic", "input_type", "validation error", "extra_forbidden"):
        assert jargon not in message


def test_several_problems_are_said_together() -> None:
    with pytest.raises(BadInputError, match="2 problems") as caught:
        load_scenario("fraud", {"measure.k": 0, "load.partitions": 0})
    assert "measure.k" in str(caught.value)
    assert "load.partitions" in str(caught.value)


def test_a_preset_s_keys_are_overridden_by_those_given() -> None:
    hard = load_scenario("fraud", {"world.preset": "hard", "world.fraud_share": 0.01}).world
    assert isinstance(hard, CardPopulation)
    assert (hard.config.fraud_share, hard.config.never_reported_share) == (0.01, 0.15)
    assert CardPopulation().config == FraudWorldConfig()
    assert load_scenario("fraud").world == CardPopulation()


def test_a_scenario_is_of_its_domain() -> None:
    with pytest.raises(BadInputError, match="domain = 'insurance': must be one of fraud, aml"):
        parse_scenario({"name": "x", "domain": "insurance"}, "x.yaml")
    aml = load_scenario("aml", domain="aml")
    assert isinstance(aml.world, AmlPopulation)
    assert parse_scenario({"name": "x", "domain": "aml"}, "x.yaml").scorer.engine == "native"
    with pytest.raises(BadInputError, match=r"world\.cards"):
        load_scenario("aml", {"world.cards": 100}, domain="aml")


def test_transfers_are_streamed_in_one_order() -> None:
    with pytest.raises(BadInputError, match=r"load\.partitions = 4 and scorer\.workers = 1 must be 1"):
        load_scenario("aml", {"load.partitions": 4}, domain="aml")


def test_an_endless_world_is_refused() -> None:
    raw = {"name": "x", "load": {"duration_s": None}}
    with pytest.raises(BadInputError, match="needs data"):
        parse_scenario(raw, "here")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name: [", "line 1"),
        ("- 1\n", "expected keys and values"),
        ("", "expected keys and values"),
        ("domain: fraud\n", "name: missing"),
    ],
)
def test_broken_files(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInputError, match=words) as caught:
        load_scenario(path)
    assert "mine.yaml" in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "lingers_ms"),
    [
        ({"load.rate_per_s": 500.0}, 0.0),
        ({"load.rate_per_s": 799.0}, 0.0),
        ({"load.rate_per_s": 800.0}, 5.0),
        ({"load.rate_per_s": 800.0, "load.senders": 2}, 0.0),
        ({"load.rate_per_s": 800.0, "load.partitions": 4}, 5.0),
        ({"load.rate_per_s": 1_500.0, "load.partitions": 8}, 0.0),
        ({"load.rate_per_s": 5_000.0, "load.linger_ms": 0.0}, 0.0),
        ({"load.rate_per_s": 10.0, "load.linger_ms": 2.5}, 2.5),
    ],
)
def test_the_load_lingers_where_a_partition_gets_more_meanwhile(changes: dict[str, Any], lingers_ms: float) -> None:
    assert load_scenario("fraud", changes).load.lingers_ms == lingers_ms


@pytest.mark.parametrize(
    ("changes", "partitions"),
    [
        ({}, 1),
        ({"scorer.workers": 3}, 3),
        ({"scorer.workers": 2, "load.collectors": 5}, 5),
        ({"scorer.workers": 2, "load.partitions": 8}, 8),
        ({"scorer.kind": "external"}, 4),
        ({"scorer.command": "./theirs"}, 4),
    ],
)
def test_there_is_a_partition_for_each_that_takes_one(changes: dict[str, Any], partitions: int) -> None:
    assert load_scenario("fraud", changes).load.partitions == partitions


def test_unknown_scenario_names_the_known() -> None:
    with pytest.raises(BadInputError, match=r"known: .*fraud"):
        load_scenario("nope")


def test_changes_win_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("name: mine\nload: {rate_per_s: 7.0, warmup_s: 1.0}\n", encoding="utf-8")
    scenario = load_scenario(path, {"load.rate_per_s": 9.0, "measure.k": None})
    assert scenario.load.rate_per_s == 9.0
    assert scenario.load.warmup_s == 1.0
    assert scenario.measure.k == FraudScenario(name="x").measure.k


def test_limits_of_money_laundering_need_its_domain() -> None:
    slo = {"pattern_recall_min": 0.95, "k_share": 0.1, "lift_at_k_min": 5.0, "psi_max": 0.1}
    found = parse_scenario({"name": "x", "domain": "aml", "slo": slo, "investigators": {}}, "here")
    assert found.slo.pattern_recall_min == 0.95
    assert found.investigators is not None
    for raw, words in (
        ({"slo": {"psi_max": 0.1}}, r"slo\.psi_max is for domain = aml, and domain = fraud"),
        ({"slo": {"k_share": 0.1, "lift_at_k_min": 5.0}}, r"slo\.k_share, slo\.lift_at_k_min are for"),
        ({"investigators": {}}, "investigators is for domain = aml"),
        (
            {"domain": "aml", "investigators": {"delay_days_min": 6.0}},
            r"investigators: delay_days_min = 6 must be at most delay_days_max = 5",
        ),
        ({"domain": "aml", "slo": {"k_share": 0.0}}, "k_share = 0.0: must be greater than 0"),
    ):
        with pytest.raises(BadInputError, match=words):
            parse_scenario({"name": "x", **raw}, "here")


def test_a_scenario_of_another_domain_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("name: mine\ndomain: aml\n", encoding="utf-8")
    with pytest.raises(BadInputError, match="domain = aml, but this command streams fraud"):
        load_scenario(path)
    assert load_scenario(path, domain="aml").domain == "aml"
