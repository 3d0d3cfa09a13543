"""What genuine customers, look-alikes and fraudsters all draw from: the same outlets, amounts, hours and channels.

Fraud uses the same functions as genuine spending wherever it can, so that no single column gives it away.
"""

from dataclasses import dataclass

import numpy as np

from streams.labels import NS_PER_DAY, NS_PER_HOUR
from streams.worlds.arrays import Flags, Floats, Ints, unit_hash
from streams.worlds.fraud.categories import CASH, CATEGORIES, HOURS_PER_WEEK, column
from streams.worlds.fraud.config import BLOCK_NS, FraudWorldConfig
from streams.worlds.fraud.drafts import ATM, CHIP, CONTACTLESS, NONE, ONLINE
from streams.worlds.fraud.geography import Places
from streams.worlds.fraud.membership import Membership
from streams.worlds.fraud.outlets import Outlets
from streams.worlds.fraud.population import DEVICES_PER_CUSTOMER, LAPTOP, PHONES, Population

CONTACTLESS_LIMIT_MINOR = 5_000
CASH_STEP_MINOR = 1_000
AMOUNT_MIN_MINOR = 50
AMOUNT_MAX_MINOR = 2_000_000
USUAL_OUTLETS = 8
BEST_KNOWN = 2
SMALL_AMOUNT_MINOR = 2_000
STRANGE_SHARE, STRANGE_SHARE_SMALL, STRANGE_SHARE_WELL_KNOWN = 0.001, 0.015, 0.018
PHONE_SHARE, PHONE_SHARE_BORROWING = 0.60, 0.40
"""How often people who buy online do so by phone, and those who use a laptop of the household."""
KNOWN_SHARE = 0.90
"""How often a shop online knows the device at all."""
LAX_DRAWS = 4
MACHINE_SHARE, CARDS_PER_MACHINE, MACHINE_LIFE_NS = 0.25, 800, 21 * NS_PER_DAY
_MEDIAN_LOG = np.log(column("median_minor"))
_SIGMA = column("sigma")


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What changes in customers' lives, by customer (arrays are updated): the present trip and how long the way takes,
    the present phone, and whose laptop is used at home (`lender`) for a while.
    """

    trip_from_ns: Ints
    trip_until_ns: Ints
    trip_place: Ints
    trip_transit_ns: Ints
    phone: Ints
    phone_since_ns: Ints
    lender: Ints
    borrows_from_ns: Ints
    borrows_until_ns: Ints


@dataclass(frozen=True, slots=True)
class Scene:
    """The world as campaigns see it. `hours` is `categories.hours_of_week` for the weekday on which blocks start."""

    config: FraudWorldConfig
    places: Places
    population: Population
    outlets: Outlets
    circumstances: Circumstances
    members: Membership
    hours: Floats
    salt: int

    def draw_cards(self, count: int, rng: np.random.Generator) -> Ints:
        """Draw cards that are held throughout the block, the busier the likelier: int64 [count]."""
        return np.searchsorted(self.members.cumulated, rng.random(count), side="right")

    def lifted(self, count: int, log_median: float, sigma: float, rng: np.random.Generator) -> Floats:
        """Draw factors on plausible amounts: log-normal, so that most fraud stays in the victim's own range; `boldness`
        of the world scales how far the median is above it.
        """
        result: Floats = np.exp(rng.normal(log_median * self.config.boldness, sigma, count))
        return result

    def usual_outlets(self, cards: Ints, places: Ints, categories: Ints, rng: np.random.Generator) -> Ints:
        """Pick among the few outlets of a place and category to which each card keeps going back."""
        return self._favourites(cards, places, categories, _habits(len(cards), rng))

    def _favourites(self, cards: Ints, places: Ints, categories: Ints, habit: Ints) -> Ints:
        key = ((cards * 4096 + places) * len(CATEGORIES) + categories) * USUAL_OUTLETS + habit
        return self.outlets.at(places, categories, unit_hash(key, self.salt))

    def any_outlets(self, places: Ints, categories: Ints, rng: np.random.Generator) -> Ints:
        """Pick any outlets of the places and categories, busy ones first."""
        return self.outlets.at(places, categories, rng.random(len(places)))

    def lax_outlets(self, places: Ints, categories: Ints, rng: np.random.Generator) -> Ints:
        """Pick the least careful of a few outlets: fraudsters come back to where it worked."""
        tried = np.stack([self.any_outlets(places, categories, rng) for _ in range(LAX_DRAWS)])
        laxest = np.argmax(unit_hash(tried, self.salt + 8), axis=0)
        return np.asarray(tried[laxest, np.arange(len(places))])

    def chosen_outlets(
        self, cards: Ints, places: Ints, categories: Ints, rng: np.random.Generator
    ) -> tuple[Ints, Flags]:
        """Pick as customers do: by the card's loyalty a usual outlet, else any; and tell the best-known ones."""
        usual = rng.random(len(cards)) < self.population.loyalty[cards]
        habit = _habits(len(cards), rng)
        known = self._favourites(cards, places, categories, habit)
        return np.where(usual, known, self.any_outlets(places, categories, rng)), usual & (habit < BEST_KNOWN)

    def homes(self, cards: Ints) -> Ints:
        """Home places of the cards' customers."""
        return self.population.home[self.population.customer[cards]]

    def shelves(self, cards: Ints, rng: np.random.Generator, foreign_share: float | None = None) -> Ints:
        """Online shelves: mostly the home country's, by a share another's."""
        share = self.config.foreign_online_share if foreign_share is None else foreign_share
        home = self.places.country[self.homes(cards)]
        other = rng.integers(0, len(self.places.online_of_country), len(cards))
        return self.places.online_of_country[np.where(rng.random(len(cards)) < share, other, home)]

    def amounts(self, cards: Ints, outlets: Ints, rng: np.random.Generator, lift: Floats | float = 1.0) -> Ints:
        """Draw what a card would spend there (minor units): category, price level, wealth, times `lift`."""
        category = self.outlets.category[outlets]
        log_amount = (
            _MEDIAN_LOG[category]
            + _SIGMA[category] * rng.standard_normal(len(cards))
            + self.outlets.log_price[outlets]
            + self.population.log_wealth[cards]
            + np.log(lift)
        )
        return self.priced(np.exp(log_amount), category == CASH, rng)

    def priced(self, minor: Floats, is_cash: Flags, rng: np.random.Generator) -> Ints:
        """Round to what price tags and cash machines say."""
        amount = np.clip(minor, AMOUNT_MIN_MINOR, AMOUNT_MAX_MINOR).astype(np.int64)
        tag = np.where(
            amount >= 300, (amount // 100) * 100 + np.array([99, 0, 50])[rng.integers(0, 3, len(amount))], amount
        )
        amount = np.where(rng.random(len(amount)) < 0.35, tag, amount)
        notes = np.maximum(amount // CASH_STEP_MINOR, 1) * CASH_STEP_MINOR
        return np.where(is_cash, notes, amount)

    def channels(self, cards: Ints, outlets: Ints, amount_minor: Ints, rng: np.random.Generator) -> Ints:
        """Channel codes: online at storefronts, cash machines, else contactless up to its limit or chip."""
        is_online = self.outlets.terminal[outlets] == NONE
        taps = (amount_minor <= CONTACTLESS_LIMIT_MINOR) & (rng.random(len(cards)) < 0.7)
        at_shop = np.where(taps, CONTACTLESS, CHIP)
        return np.where(is_online, ONLINE, np.where(self.outlets.category[outlets] == CASH, ATM, at_shop))

    def own_devices(
        self, time_ns: Ints, cards: Ints, channel: Ints, strange_share: Floats, rng: np.random.Generator
    ) -> Ints:
        """Devices of genuine purchases: phone, laptop, by `strange_share` one never seen, or none that is known."""
        count = len(cards)
        customer = self.population.customer[cards]
        since, phone = self.circumstances.phone_since_ns[customer], self.circumstances.phone[customer]
        phone = np.where(time_ns >= since, phone, (phone - 1) % PHONES)
        u = rng.random(count)
        at_laptop = u >= PHONE_SHARE
        device = customer * DEVICES_PER_CUSTOMER + np.where(at_laptop, LAPTOP, phone)
        borrowed = self._borrowed(customer, time_ns) & (u >= PHONE_SHARE_BORROWING)
        device = np.where(borrowed, self.circumstances.lender[customer] * DEVICES_PER_CUSTOMER + LAPTOP, device)
        device = np.where(u < KNOWN_SHARE, device, NONE)
        unseen = u > 1.0 - strange_share
        device[unseen] = self.fresh_devices(int(unseen.sum()), rng)
        taps_phone = (channel == CONTACTLESS) & self.population.has_wallet[customer]
        at_shop = np.where(taps_phone, customer * DEVICES_PER_CUSTOMER + phone, NONE)
        return np.where(channel == ONLINE, device, at_shop)

    def _borrowed(self, customer: Ints, time_ns: Ints) -> Flags:
        state = self.circumstances
        found: Flags = (time_ns < state.borrows_until_ns[customer]) & (time_ns >= state.borrows_from_ns[customer])
        return found

    def strange_share(self, well_known: Flags, amount_minor: Ints) -> Floats:
        """Return how often people buy on a strange device: at shops they know well or for little money, else rarely."""
        small = np.where(amount_minor < SMALL_AMOUNT_MINOR, STRANGE_SHARE_SMALL, STRANGE_SHARE)
        return np.where(well_known, STRANGE_SHARE_WELL_KNOWN, small)

    def changing_devices(self, time_ns: int, count: int, keep: float, rng: np.random.Generator) -> Ints:
        """Return a fraudster's devices, one a purchase: the one before by probability `keep`, else a fresh one or one
        of the machines that fraudsters use for many cards in those weeks.
        """
        changes = rng.random(count) >= keep
        changes[0] = True
        devices = self.fresh_devices(count, rng)
        shared = rng.random(count) < MACHINE_SHARE
        devices[shared] = self._machines(time_ns, int(shared.sum()), rng)
        return devices[np.maximum.accumulate(np.where(changes, np.arange(count), 0))]

    def fresh_devices(self, count: int, rng: np.random.Generator) -> Ints:
        """Devices the card has most likely never used: a cleared browser, a friend's phone, a fraudster's machine."""
        return rng.integers(0, self.population.fresh_devices, count) + self.population.customers * DEVICES_PER_CUSTOMER

    def _machines(self, time_ns: int, count: int, rng: np.random.Generator) -> Ints:
        """Pick among the machines in use at a time; one by so many cards, and at least one."""
        used = max(1, self.config.cards // CARDS_PER_MACHINE)
        key = np.asarray(time_ns // MACHINE_LIFE_NS * 65_537 + rng.integers(0, used, count))
        first = self.population.customers * DEVICES_PER_CUSTOMER
        machine: Ints = (unit_hash(key, self.salt + 24) * self.population.fresh_devices).astype(np.int64)
        return first + machine

    def hours_at(self, cards: Ints, categories: Ints, rng: np.random.Generator) -> Floats:
        """Hours from a block's start (UTC) at which the cards' customers buy in the categories: float64 in [0, 168)."""
        count = len(cards)
        slot = np.searchsorted(self.hours, categories + rng.random(count), side="right") - categories * HOURS_PER_WEEK
        customer = self.population.customer[cards]
        local = np.clip(slot, 0, HOURS_PER_WEEK - 1) + rng.random(count) + self.population.hour_shift[customer]
        hours: Floats = (local - self.places.utc_offset_h[self.population.home[customer]]) % HOURS_PER_WEEK
        return hours

    def moments(self, since_ns: int, cards: Ints, categories: Ints, rng: np.random.Generator) -> Ints:
        """Instants within the block that starts at `since_ns`, at the hours `hours_at` draws."""
        return since_ns + (self.hours_at(cards, categories, rng) * NS_PER_HOUR).astype(np.int64)

    def attack_start_ns(self, since_ns: int, card: int, category: int, rng: np.random.Generator) -> int:
        """When a campaign begins: at times at hours when the victim shops too, else at any hour of the block."""
        if rng.random() < 0.3:
            return int(self.moments(since_ns, np.array([card]), np.array([category]), rng)[0])
        return since_ns + int(rng.random() * BLOCK_NS)


def _habits(count: int, rng: np.random.Generator) -> Ints:
    """Which of its usual outlets a card goes to, the first ones most: int64 in [0, USUAL_OUTLETS)."""
    return np.minimum(rng.standard_exponential(count) * 1.4, USUAL_OUTLETS - 1).astype(np.int64)


def settled_circumstances(customers: int, before_ns: int) -> Circumstances:
    """Nobody travels, everybody has their first phone and uses their own laptop."""
    return Circumstances(
        trip_from_ns=np.full(customers, before_ns),
        trip_until_ns=np.full(customers, before_ns),
        trip_place=np.zeros(customers, np.int64),
        trip_transit_ns=np.zeros(customers, np.int64),
        phone=np.zeros(customers, np.int64),
        phone_since_ns=np.full(customers, before_ns),
        lender=np.arange(customers),
        borrows_from_ns=np.full(customers, before_ns),
        borrows_until_ns=np.full(customers, before_ns),
    )
