"""What a money-laundering world can be asked to be, and what is refused."""

import itertools
from typing import Any

import pyarrow as pa
import pytest

from streams.errors import BadInputError
from streams.worlds import WORLDS, AmlWorld, AmlWorldConfig, build_world


def truth_of(world: AmlWorld, weeks: int) -> Any:
    return pa.concat_tables([truth for _, truth in itertools.islice(world.blocks(), weeks)]).to_pandas()


def test_weights_choose_typologies_and_look_alikes() -> None:
    config = AmlWorldConfig(
        customers=500,
        markets=2,
        laundering_share=0.01,
        typology_weights={"cycle": 1},
        look_alike_weights={"forward": 1},
    )
    truth = truth_of(AmlWorld(config, 1), 5)
    assert set(truth["typology"].dropna()) == {"cycle", "untyped"}
    assert set(truth["look_alike"].dropna()) == {"forward"}


def test_look_alikes_can_be_left_out_and_multiplied() -> None:
    base: dict[str, Any] = {"customers": 500, "markets": 2, "look_alike_share": 0.012}
    none, many = (AmlWorld(AmlWorldConfig(**base, look_alike_factor=factor), 1) for factor in (0.0, 3.0))
    assert truth_of(none, 2)["look_alike"].isna().all()
    assert truth_of(many, 4)["look_alike"].notna().mean() == pytest.approx(0.036, rel=0.5)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("laundering_share", 0.2, "allowed are 0.0001 to 0.02"),
        ("laundering_share", float("nan"), "nan"),
        ("untyped_share", 0.1, "allowed are 0.3 to 0.7"),
        ("customers", 3, "allowed are 200 to"),
        ("customers", 1000.5, "whole number"),
        ("start", "05.01.2026", "a date such as 2026-01-05"),
        ("start", "1800-01-01", "years 1971 to 2090"),
        ("markets", ["DE", "XX"], "'XX'; known are DE, GB"),
        ("markets", ["DE", "DE"], "none twice"),
        ("markets", [], "at least one"),
        ("markets", 0, "allowed are 1 to"),
        ("markets", 5_000, "allowed are 1 to"),
        ("markets", "DE", "a number or a list"),
        ("typology_weights", {"cycel": 1.0}, "'cycel'; known are fan_in"),
        ("typology_weights", {"cycle": 0.0}, "no weight above 0"),
        ("typology_weights", {"cycle": -1.0}, "allowed are 0 to"),
        ("look_alike_weights", 3, "must map names to numbers"),
        ("boldness", "1", "must be a number"),
        ("custmers", 1, "unknown world key 'custmers'; known are preset, customers, markets"),
        ("preset", "brutal", "preset is 'brutal'; known are easy, medium, hard"),
    ],
)
def test_refusals_name_key_value_and_bound(key: str, value: Any, said: str) -> None:
    with pytest.raises(BadInputError) as refused:
        build_world("aml", {key: value}, seed=1)
    assert said in str(refused.value)


def test_presets_differ_and_keys_go_over_them() -> None:
    easy, medium, hard = (AmlWorldConfig.from_mapping({"preset": name}) for name in ("easy", "medium", "hard"))
    assert easy.boldness > medium.boldness > hard.boldness
    assert easy.circle_share < medium.circle_share < hard.circle_share
    assert easy.look_alike_factor < medium.look_alike_factor < hard.look_alike_factor
    typed = easy.laundering_share * (1 - easy.untyped_share)
    assert easy.look_alike_share * easy.look_alike_factor >= typed, "a look-alike for each typed transfer, even here"
    assert medium == AmlWorldConfig()
    assert AmlWorldConfig.from_mapping({"preset": "hard", "boldness": 2.0}).boldness == 2.0


def test_activity_changes_how_often_not_how_much() -> None:
    base: dict[str, Any] = {"customers": 500, "markets": 2}
    slow, fast = (AmlWorld(AmlWorldConfig(**base, activity=activity), 1) for activity in (0.5, 2.0))
    (few, _), (many, _) = next(slow.blocks()), next(fast.blocks())
    assert 2.5 < len(many) / len(few) < 4.5
    assert slow.scene.turnover_usd.sum() == pytest.approx(fast.scene.turnover_usd.sum(), rel=1e-6)


def test_the_world_is_registered() -> None:
    assert "aml" in WORLDS
    assert isinstance(build_world("aml", {"customers": 300, "markets": ["DE", "AE"]}, seed=2), AmlWorld)
