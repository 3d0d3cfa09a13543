"""The money-laundering world's blocks: schema, order, shares, prefixes and truth."""

import itertools

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from streams.account import ACCOUNT_SCHEMA
from streams.labels import NS_PER_DAY
from streams.laundering import LAUNDERING_SCHEMA, MEMBER_SCHEMA, UNTYPED
from streams.transfer import TRANSFER_CHANNELS, TRANSFER_SCHEMA
from streams.worlds import AmlWorld, AmlWorldConfig, build_world
from streams.worlds.aml.config import BLOCK_NS
from streams.worlds.aml.look_alikes import LOOK_ALIKES
from streams.worlds.aml.typologies import TYPOLOGIES
from tests.unit.streams.worlds.aml.conftest import WEEKS


def test_tables_have_the_contract_s_schemas(world: AmlWorld) -> None:
    transfers, truth = next(world.blocks())
    members = world.members(world.start_ns + BLOCK_NS)
    for table, schema in (
        (transfers, TRANSFER_SCHEMA),
        (truth, LAUNDERING_SCHEMA),
        (members, MEMBER_SCHEMA),
        (world.accounts(), ACCOUNT_SCHEMA),
    ):
        assert table.schema.equals(schema)
        table.validate(full=True)


def test_times_never_go_back_and_ids_are_unique(frame: pd.DataFrame, world: AmlWorld) -> None:
    assert frame["event_time_ns"].is_monotonic_increasing
    assert frame["event_id"].is_unique
    assert frame["event_time_ns"].iloc[0] >= world.start_ns
    assert frame["event_time_ns"].iloc[-1] < world.start_ns + WEEKS * BLOCK_NS


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    config = AmlWorldConfig(customers=300, markets=2)
    one, same, other = (AmlWorld(config, seed).generate(14, 500) for seed in (3, 3, 4))
    for name in ("history_events", "history_labels", "stream_events", "stream_labels", "members", "accounts"):
        assert getattr(one, name).equals(getattr(same, name))
    assert not one.history_events.equals(other.history_events)


def test_a_longer_stretch_begins_with_the_shorter_one(world: AmlWorld) -> None:
    short, long = world.generate(10, 500), world.generate(10, 5_000)
    assert short.history_events.equals(long.history_events)
    assert short.stream_events.equals(long.stream_events.slice(0, 500))
    assert short.stream_labels.equals(long.stream_labels.slice(0, 500))
    assert short.stream_start_ns == world.start_ns + 10 * NS_PER_DAY
    assert set(short.members["pattern_id"].to_pylist()) <= set(long.members["pattern_id"].to_pylist())


def test_members_are_those_of_the_patterns_in_the_stretch(world: AmlWorld) -> None:
    tables = world.generate(21, 3_000)
    shown = pa.concat_tables([tables.history_labels, tables.stream_labels])["pattern_id"].drop_null()
    assert set(tables.members["pattern_id"].to_pylist()) == set(shown.to_pylist())


def test_share_of_laundering_and_of_its_untyped_part_are_as_configured(frame: pd.DataFrame) -> None:
    assert frame["is_laundering"].mean() == pytest.approx(0.001, rel=0.2)
    untyped = (frame.loc[frame["is_laundering"], "typology"] == UNTYPED).mean()
    assert 0.30 <= untyped <= 0.45


@pytest.mark.parametrize("share", [0.0005, 0.01])
def test_other_shares_of_laundering_are_kept_too(share: float) -> None:
    world = AmlWorld(AmlWorldConfig(customers=4_000, laundering_share=share), seed=5)
    truth = pa.concat_tables([truth for _, truth in itertools.islice(world.blocks(), 12)])
    found = np.mean(truth["is_laundering"].to_numpy(zero_copy_only=False))
    assert found == pytest.approx(share, rel=0.2)


def test_every_typology_and_look_alike_has_its_share() -> None:
    world = AmlWorld(AmlWorldConfig(customers=2_000, laundering_share=0.02, look_alike_share=0.048), seed=6)
    truth = pa.concat_tables([truth for _, truth in itertools.islice(world.blocks(), 10)]).to_pandas()
    typed = truth.loc[truth["is_laundering"] & (truth["typology"] != UNTYPED), "typology"]
    found = typed.value_counts(normalize=True)
    total = sum(typology.share for typology in TYPOLOGIES.values())
    for name, typology in TYPOLOGIES.items():
        assert found[name] == pytest.approx(typology.share / total, abs=0.02)
    found = truth["look_alike"].value_counts(normalize=True)
    total = sum(look_alike.share for look_alike in LOOK_ALIKES.values())
    for name, look_alike in LOOK_ALIKES.items():
        assert found[name] == pytest.approx(look_alike.share / total, abs=0.04)


def test_truth_says_what_it_should(frame: pd.DataFrame, members: pd.DataFrame) -> None:
    laundering, genuine = frame[frame["is_laundering"]], frame[~frame["is_laundering"]]
    assert laundering["pattern_id"].notna().all()
    assert laundering["typology"].notna().all()
    assert laundering["look_alike"].isna().all()
    assert genuine["pattern_id"].isna().all()
    assert genuine["typology"].isna().all()
    typology = members.groupby("pattern_id")["typology"].first().astype(str)
    own = laundering["typology"].astype(str).to_numpy()
    of_pattern = typology[laundering["pattern_id"]].to_numpy()
    assert (own[own != UNTYPED] == of_pattern[own != UNTYPED]).all()
    spent_later = of_pattern[own == UNTYPED] != UNTYPED
    assert 0.6 <= spent_later.mean() < 1.0  # most of what is spent is known by the pattern it came from


def test_look_alikes_are_many_times_the_laundering(frame: pd.DataFrame) -> None:
    assert frame["look_alike"].notna().mean() == pytest.approx(0.002, rel=0.5)
    assert len(set(frame["look_alike"].dropna())) >= 0.8 * len(LOOK_ALIKES)


def test_all_chosen_markets_and_all_channels_occur(frame: pd.DataFrame, world: AmlWorld) -> None:
    chosen = set(world.config.market_codes)
    assert chosen <= set(frame["from_country"].dropna())
    assert chosen <= set(frame["to_country"].dropna())
    assert set(frame["channel"]) == set(TRANSFER_CHANNELS)
    assert set(frame.loc[frame["is_laundering"], "channel"]) >= {"wire", "instant", "card", "cash_in", "cash_out"}


def test_as_many_markets_as_there_are_can_be_chosen() -> None:
    world = build_world("aml", {"customers": 2_000, "markets": 40, "laundering_share": 0.01}, seed=1)
    assert isinstance(world, AmlWorld)
    transfers, _ = next(world.blocks())
    assert set(world.config.market_codes) <= set(transfers["from_country"].to_pylist())
    assert len(set(world.accounts()["market"].to_pylist())) == 40


def test_sides_are_known_or_outside_and_cash_has_no_country(frame: pd.DataFrame) -> None:
    assert (frame["from_account"].notna() | frame["to_account"].notna()).all()
    assert (frame["from_account"].astype(str) != frame["to_account"].astype(str)).all()
    cash_in, cash_out = frame["channel"] == "cash_in", frame["channel"] == "cash_out"
    for rows, side in ((cash_in, "from"), (cash_out, "to")):
        assert frame.loc[rows, [f"{side}_account", f"{side}_bank", f"{side}_country"]].isna().all(axis=None)
    others = frame[~cash_in & ~cash_out]
    assert others[["from_country", "to_country", "from_bank", "to_bank"]].notna().all(axis=None)


def test_money_is_converted_where_currencies_differ_and_only_there(frame: pd.DataFrame) -> None:
    converted = frame["received_minor"].notna()
    assert (converted == frame["received_currency"].notna()).all()
    assert (frame.loc[converted, "received_currency"].astype(str) != frame.loc[converted, "currency"].astype(str)).all()
    abroad = frame["from_country"].astype(str) != frame["to_country"].astype(str)
    assert abroad[converted].all()
    assert 0.01 < converted.mean() < 0.1
