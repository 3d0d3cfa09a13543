"""Money on the move outside of routine: channels, hours and delays that launderers and their genuine twins share."""

import numpy as np

from streams.labels import NS_PER_HOUR
from streams.worlds.aml.drafts import CHEQUE, INSTANT, NONE, WIRE, Drafts
from streams.worlds.aml.scene import Scene
from streams.worlds.arrays import Floats, Ints

SMALL_USD, LARGE_USD = 1_500.0, 10_000.0
MINUTE_NS = NS_PER_HOUR // 60


def move(
    scene: Scene,
    after_ns: Ints | int,
    payer: Ints,
    payee: Ints,
    usd: Floats,
    rng: np.random.Generator,
    *,
    span_h: Floats | float,
    channel: Ints | int | None = None,
    country: Ints | int = NONE,
    round_share: float = 0.3,
) -> Drafts:
    """Pay within `span_h` hours after `after_ns`, at the channel's hours, never before; rows keep their order."""
    count = len(usd)
    payer, payee = np.broadcast_to(payer, count), np.broadcast_to(payee, count)
    if channel is None:
        channel = usual_channels(scene, payer, payee, usd, rng, country)
    channels = np.broadcast_to(np.asarray(channel), count).astype(np.int64)
    earliest = np.broadcast_to(np.asarray(after_ns, np.int64), count)
    delay = rng.beta(1.0, 1.6, count) * span_h * NS_PER_HOUR
    time_ns = scene.settled(earliest + delay.astype(np.int64), payer, payee, channels)
    soonest = earliest + ((1.0 + 40.0 * rng.random(count)) * MINUTE_NS).astype(np.int64)
    return scene.pay(
        np.maximum(time_ns, soonest), payer, payee, channels, usd, rng, country=country, round_share=round_share
    )


def usual_channels(
    scene: Scene, payer: Ints, payee: Ints, usd: Floats, rng: np.random.Generator, country: Ints | int = NONE
) -> Ints:
    """Choose as genuine payers do: small sums at home by instant payment, large ones and those over borders by wire."""
    one = np.where(payer >= 0, scene.population.country(payer), country)
    other = np.where(payee >= 0, scene.population.country(payee), country)
    instant = np.where(usd < SMALL_USD, 0.8, np.where(usd < LARGE_USD, 0.5, 0.25))
    instant = np.where((one != other) | (payer < 0) | (payee < 0), 0.2, instant)
    u = rng.random(len(usd))
    return np.where(u < instant, INSTANT, np.where((u > 0.965) & (one == other), CHEQUE, WIRE))


def latest(time_ns: Ints, group: Ints, groups: int) -> Ints:
    """Return the last instant of each group: when all of its money is there."""
    found = np.full(groups, np.iinfo(np.int64).min)
    np.maximum.at(found, group, time_ns)
    return found


def sums(usd: Floats, group: Ints, groups: int) -> Floats:
    """Add up each group's dollars: float64 [groups]."""
    found: Floats = np.bincount(group, weights=usd, minlength=groups).astype(np.float64)
    return found


def parts(total: Floats | float, count: int, rng: np.random.Generator, sigma: float = 0.3) -> Floats:
    """Split a sum into `count` uneven parts."""
    weight = np.exp(sigma * rng.standard_normal(count))
    result: Floats = total * weight / weight.sum()
    return result
