"""What each fraud scenario is, seen in single campaigns."""

from dataclasses import replace

import numpy as np
import pytest

from streams.labels import NS_PER_DAY, NS_PER_HOUR
from streams.worlds.fraud.categories import CASH, TRANSFER
from streams.worlds.fraud.drafts import ATM, GROUNDWORK, NONE, ONLINE, Drafts
from streams.worlds.fraud.population import DEVICES_PER_CUSTOMER
from streams.worlds.fraud.scenarios import SCENARIOS
from streams.worlds.fraud.scene import Scene
from streams.worlds.fraud.segments import RETIRED


def launched(scene: Scene, name: str, seed: int = 4) -> Drafts:
    begin = scene.config.start_ns
    campaign = SCENARIOS[name].launch(scene, begin, np.random.default_rng(seed))
    assert begin <= campaign.time_ns.min()
    return campaign


def spread_h(campaign: Drafts) -> float:
    return float(np.ptp(campaign.time_ns) / NS_PER_HOUR)


@pytest.mark.parametrize("seed", range(5))
def test_lost_stolen_card_is_one_card_at_terminals_within_hours(scene: Scene, seed: int) -> None:
    campaign = launched(scene, "lost_stolen_card", seed)
    assert len(campaign) >= 4
    assert len(set(campaign.card)) == 1
    assert (campaign.channel != ONLINE).all()
    assert (campaign.device == NONE).all()
    assert len(set(scene.outlets.place[campaign.outlet])) == 1
    assert spread_h(campaign) < 12
    assert ((scene.outlets.category[campaign.outlet] == CASH) == (campaign.channel == ATM)).all()


@pytest.mark.parametrize("seed", range(5))
def test_card_testing_is_small_amounts_then_larger_ones(scene: Scene, seed: int) -> None:
    campaign = launched(scene, "card_testing", seed)
    assert len(set(campaign.card)) == 1
    assert (campaign.channel == ONLINE).all()
    assert (np.diff(campaign.time_ns) >= 0).all()
    small = campaign.amount_minor <= 600
    assert 2 <= small.sum() <= 5
    assert small[: small.sum()].all()
    assert campaign.amount_minor[~small].min() > campaign.amount_minor[small].max()


@pytest.mark.parametrize("seed", range(5))
def test_card_not_present_is_online_on_devices_not_the_customer_s(scene: Scene, seed: int) -> None:
    scene = replace(scene, config=replace(scene.config, own_device_share=0.0))
    campaign = launched(scene, "card_not_present_new_device", seed)
    own = scene.population.devices - scene.population.fresh_devices
    assert len(set(campaign.card)) == 1
    assert (campaign.channel == ONLINE).all()
    assert ((campaign.device == NONE) | (campaign.device >= own)).all()


def test_account_takeover_lasts_and_grows_bolder(scene: Scene) -> None:
    campaigns = [launched(scene, "account_takeover", seed) for seed in range(40)]
    first = np.median([campaign.amount_minor[0] for campaign in campaigns])
    last = np.median([campaign.amount_minor[-1] for campaign in campaigns])
    assert last > first
    assert np.median([spread_h(campaign) for campaign in campaigns]) > 12
    assert all((campaign.channel == ONLINE).all() and (campaign.device != NONE).all() for campaign in campaigns)


@pytest.mark.parametrize("seed", range(5))
def test_terminal_compromise_is_many_cards_at_one_terminal_for_weeks(scene: Scene, seed: int) -> None:
    campaign = launched(scene, "terminal_compromise", seed)
    assert len(set(campaign.outlet)) == 1
    assert len(set(campaign.card)) >= 8
    assert (campaign.channel != ONLINE).all()
    assert spread_h(campaign) > 10 * 24


@pytest.mark.parametrize("seed", range(5))
def test_leaked_credentials_are_many_cards_of_one_country_at_few_shops(scene: Scene, seed: int) -> None:
    campaign = launched(scene, "leaked_credentials", seed)
    assert len(set(campaign.card)) >= 5
    assert (campaign.channel == ONLINE).all()
    assert len(set(scene.places.country[scene.homes(campaign.card)])) == 1
    shops = np.unique(campaign.outlet, return_counts=True)[1]
    assert np.sort(shops)[-2:].sum() > 0.4 * len(campaign)


@pytest.mark.parametrize("seed", range(5))
def test_velocity_attack_is_many_charges_within_minutes(scene: Scene, seed: int) -> None:
    campaign = launched(scene, "velocity_attack", seed)
    assert len(campaign) >= 7
    assert len(set(campaign.card)) == 1
    assert len(set(campaign.outlet)) <= 2
    assert spread_h(campaign) < 2


@pytest.mark.parametrize("seed", range(5))
def test_authorised_push_payment_is_several_victims_and_one_payee(scene: Scene, seed: int) -> None:
    campaign = launched(scene, "authorised_push_payment", seed)
    assert len(set(campaign.card)) >= 3
    assert len(set(campaign.outlet)) == 1
    assert (scene.outlets.category[campaign.outlet] == TRANSFER).all()
    assert (scene.outlets.terminal[campaign.outlet] == NONE).all()


def test_authorised_push_payment_uses_the_victims_own_devices_and_falls_on_the_retired(scene: Scene) -> None:
    campaigns = [launched(scene, "authorised_push_payment", seed) for seed in range(40)]
    device, card = (np.concatenate([getattr(c, name) for c in campaigns]) for name in ("device", "card"))
    customer = scene.population.customer[card]
    assert np.mean((device == NONE) | (device // DEVICES_PER_CUSTOMER == customer)) > 0.85
    assert np.mean(scene.population.segment[customer] == RETIRED) > 1.5 * np.mean(scene.population.segment == RETIRED)


def test_accounts_are_drained_to_the_same_mules_within_hours(scene: Scene) -> None:
    campaigns = [launched(scene, "account_drain", seed) for seed in range(30)]
    assert np.median([spread_h(campaign) for campaign in campaigns]) < 6
    paid = np.concatenate([np.unique(c.outlet[scene.outlets.category[c.outlet] == TRANSFER]) for c in campaigns])
    assert len(paid) > 1.5 * len(np.unique(paid))
    assert all(len(set(campaign.card)) == 1 and len(campaign) >= 3 for campaign in campaigns)


@pytest.mark.parametrize("seed", range(5))
def test_sim_swap_pays_new_payees_from_one_strange_phone(scene: Scene, seed: int) -> None:
    scene = replace(scene, config=replace(scene.config, own_device_share=0.0))
    campaign = launched(scene, "sim_swap", seed)
    assert len(set(campaign.device)) == 1
    assert campaign.device[0] >= scene.population.customers * DEVICES_PER_CUSTOMER
    assert (scene.outlets.category[campaign.outlet] == TRANSFER).sum() >= 2


@pytest.mark.parametrize("seed", range(5))
def test_merchant_collusion_charges_a_shop_s_own_customers_round_sums(scene: Scene, seed: int) -> None:
    campaign = launched(scene, "merchant_collusion", seed)
    assert len(set(campaign.outlet)) == 1
    assert len(set(campaign.card)) >= 5
    assert np.unique(campaign.amount_minor, return_counts=True)[1].max() >= 0.15 * len(campaign)
    outlet, rng = campaign.outlet[:1], np.random.default_rng(0)
    cards = np.unique(campaign.card)
    places, categories = (
        np.repeat(column[outlet], len(cards)) for column in (scene.outlets.place, scene.outlets.category)
    )
    usual = np.stack([scene.usual_outlets(cards, places, categories, rng) == outlet for _ in range(60)]).any(axis=0)
    assert usual.mean() > 0.9


def test_a_bust_out_is_dear_and_the_last_that_is_heard_of_the_customer(scene: Scene) -> None:
    campaign = launched(scene, "bust_out")
    usual = np.median(scene.amounts(campaign.card, campaign.outlet, np.random.default_rng(1)))
    assert np.median(campaign.amount_minor) > 1.5 * usual
    customer = scene.population.customer[campaign.card[0]]
    assert scene.members.left_ns[customer] == campaign.time_ns.max() + 1


@pytest.mark.parametrize("seed", range(5))
def test_refund_abuse_gets_back_what_was_paid_and_more_often_than_once(scene: Scene, seed: int) -> None:
    campaign = launched(scene, "refund_abuse", seed)
    prepares = campaign.scenario == GROUNDWORK
    assert (campaign.is_refund == ~prepares).all()
    bought, refunds = campaign.take(prepares), campaign.take(~prepares)
    assert len(refunds) >= len(bought)
    assert set(refunds.outlet) <= set(bought.outlet)
    assert refunds.amount_minor.max() <= bought.amount_minor.max()


def test_synthetic_identities_are_new_share_a_laptop_and_bust_out_weeks_later(scene: Scene) -> None:
    campaign = launched(scene, "synthetic_identity")
    ring = np.unique(scene.population.customer[campaign.card])
    assert len(ring) >= 2
    assert len(set(scene.circumstances.lender[ring])) == 1
    assert scene.members.in_bad_faith[ring].all()
    joined = scene.members.joined_ns[ring]
    assert (joined >= scene.config.start_ns).all()
    assert campaign.time_ns.min() - joined.max() >= 14 * NS_PER_DAY


@pytest.mark.parametrize("name", [name for name in SCENARIOS if name != "merchant_collusion"])
def test_bolder_fraud_is_dearer(scene: Scene, name: str) -> None:
    """All but the colluding merchant's, whose prices are its own."""

    def level(boldness: float) -> float:
        bold = replace(scene, config=replace(scene.config, boldness=boldness))
        campaigns = [SCENARIOS[name].launch(bold, scene.config.start_ns, np.random.default_rng(s)) for s in range(12)]
        return float(np.quantile(np.concatenate([campaign.amount_minor for campaign in campaigns]), 0.8))

    assert level(2.0) > level(0.0)
