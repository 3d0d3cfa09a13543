"""Holiday season: sprees of purchases within hours, at shops and online; rare all year, common before holidays.

Resembles: lost and stolen cards, velocity attacks.
"""

from datetime import UTC, datetime

import numpy as np

from streams.labels import NS_PER_S
from streams.worlds.arrays import Flags, Ints
from streams.worlds.fraud.categories import codes, column
from streams.worlds.fraud.drafts import Drafts, draft
from streams.worlds.fraud.look_alikes.look_alike import LookAlike
from streams.worlds.fraud.scene import Scene
from streams.worlds.fraud.whereabouts import whereabouts

MIN_PURCHASES, MAX_PURCHASES = 4, 9
MEAN_GAP_S = 3_000.0
GOODS = np.array(
    codes("fashion", "electronics", "home", "entertainment", "grocery", "jewellery", "digital", "restaurant")
)
GOODS_SHARES = np.array([0.26, 0.13, 0.13, 0.12, 0.12, 0.04, 0.10, 0.10])
_ONLINE_SHARE = column("online_share")
_MONTHS = (1.3, 0.7, 0.8, 1.1, 0.8, 0.8, 1.2, 0.9, 0.7, 0.8, 1.8, 3.0)
"""Sales in January and July, Easter, the weeks from Black Friday to Christmas; relative to a mean month."""


def occur(scene: Scene, since_ns: int, events: float, rng: np.random.Generator) -> Drafts:
    """Let customers go on sprees, as many as the month suggests."""
    month = datetime.fromtimestamp(since_ns // NS_PER_S, UTC).month
    mean_size = (MIN_PURCHASES + MAX_PURCHASES) / 2
    sprees = int(rng.poisson(events * _MONTHS[month - 1] * 12.0 / sum(_MONTHS) / mean_size))
    leaders = scene.draw_cards(sprees, rng)
    start = scene.moments(since_ns, leaders, rng.choice(GOODS, sprees, p=GOODS_SHARES), rng)
    size = rng.integers(MIN_PURCHASES, MAX_PURCHASES + 1, sprees)
    spree = np.repeat(np.arange(sprees), size)
    pace = MEAN_GAP_S * np.exp(rng.normal(0.0, 0.5, sprees))
    gaps = rng.standard_exponential(len(spree)) * pace[spree] + 15.0
    walked = np.cumsum(gaps)
    first = np.cumsum(size) - size
    time_ns = start[spree] + ((walked - walked[first][spree]) * NS_PER_S).astype(np.int64)
    return _purchases(scene, time_ns, leaders[spree], (rng.random(sprees) < 0.4)[spree], rng)


def _purchases(scene: Scene, time_ns: Ints, cards: Ints, online: Flags, rng: np.random.Generator) -> Drafts:
    category = rng.choice(GOODS, len(cards), p=GOODS_SHARES)
    where = whereabouts(scene, cards, time_ns)
    online = online | where.in_transit | (_ONLINE_SHARE[category] >= 1.0)
    place = np.where(online, scene.shelves(cards, rng), where.place)
    usual = rng.random(len(cards)) < 0.35
    outlet = np.where(usual, scene.usual_outlets(cards, place, category, rng), scene.any_outlets(place, category, rng))
    amount = scene.amounts(cards, outlet, rng, np.exp(rng.normal(0.2, 0.3, len(cards))))
    channel = scene.channels(cards, outlet, amount, rng)
    device = scene.own_devices(
        time_ns, cards, channel, scene.strange_share(np.zeros(len(cards), np.bool_), amount), rng
    )
    return draft(time_ns, cards, outlet, device, channel, amount)


LOOK_ALIKE = LookAlike("holiday_season", 0.015, 1.0, occur)
