"""What a card world can be asked to be, and what is refused."""

import itertools
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from streams.errors import BadInputError
from streams.worlds import WORLDS, FraudWorld, FraudWorldConfig, build_world
from streams.worlds.fraud.look_alikes import LOOK_ALIKES


def test_weights_choose_scenarios_and_look_alikes() -> None:
    config = FraudWorldConfig(
        cards=500, fraud_share=0.02, scenario_weights={"card_testing": 1}, look_alike_shares={"travel": 0.05}
    )
    labels = pa.concat_tables([labels for _, labels in itertools.islice(FraudWorld(config, 1).blocks(), 4)]).to_pandas()
    assert set(labels["scenario"].dropna()) == {"card_testing"}
    assert set(labels["look_alike"].dropna()) == {"travel"}


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("fraud_share", 0.2, "allowed are 0.0005 to 0.05"),
        ("fraud_share", float("nan"), "nan"),
        ("cards", 3, "allowed are 50 to"),
        ("cards", 100.5, "whole number"),
        ("start", "05.01.2026", "a date such as 2026-01-05"),
        ("start", "1800-01-01", "years 1971 to 2090"),
        ("home_countries", {"XX": 1.0}, "'XX'; known are"),
        ("home_countries", {}, "empty"),
        ("scenario_weights", {"card_testin": 1.0}, "'card_testin'; known are lost_stolen_card"),
        ("scenario_weights", {"card_testing": 0.0}, "no weight above 0"),
        ("look_alike_shares", {"travel": 0.5}, "allowed are 0 to 0.15"),
        ("label_delay_days", "7", "must be a number"),
        ("cardz", 1, "unknown world key 'cardz'; known are preset, cards, start"),
        ("preset", "brutal", "preset is 'brutal'; known are easy, medium, hard"),
        ("boldness", 9.0, "allowed are 0 to 3"),
    ],
)
def test_refusals_name_key_value_and_bound(key: str, value: Any, said: str) -> None:
    with pytest.raises(BadInputError) as refused:
        build_world("fraud", {key: value}, seed=1)
    assert said in str(refused.value)


def test_unknown_kinds_bad_seeds_and_bad_sizes_are_refused(world: FraudWorld) -> None:
    with pytest.raises(BadInputError, match="unknown world 'weather'; known are fraud"):
        build_world("weather", {}, seed=1)
    with pytest.raises(BadInputError, match="world seed is -1"):
        build_world("fraud", {}, seed=-1)
    with pytest.raises(BadInputError, match="history_days is -1"):
        world.generate(-1, 5)
    assert "fraud" in WORLDS


def test_presets_differ_and_keys_go_over_them() -> None:
    easy, medium, hard = (FraudWorldConfig.preset(name) for name in ("easy", "medium", "hard"))
    assert medium == FraudWorldConfig() == FraudWorldConfig.from_mapping({})
    assert easy.fraud_share > medium.fraud_share > hard.fraud_share
    assert easy.boldness > medium.boldness > hard.boldness
    assert easy.never_reported_share < medium.never_reported_share < hard.never_reported_share
    given = FraudWorldConfig.from_mapping({"preset": "hard", "fraud_share": 0.01})
    assert (given.fraud_share, given.boldness) == (0.01, hard.boldness)


def test_the_factor_multiplies_look_alikes() -> None:
    few, many = (FraudWorld(FraudWorldConfig(cards=500, look_alike_factor=f), 1).look_alike_events() for f in (0.5, 2))
    assert all(many[name] == pytest.approx(4 * few[name]) for name in LOOK_ALIKES)


def test_a_configuration_object_will_do_as_well() -> None:
    config = replace(FraudWorldConfig(), cards=100)
    assert build_world("fraud", config, seed=3).start_ns == config.start_ns


def test_the_smallest_world_lives() -> None:
    events, labels = next(build_world("fraud", {"cards": 50}, seed=1).blocks())
    assert 0 < len(events) == len(labels)
