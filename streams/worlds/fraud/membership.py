"""Customers come and go: who has cards when, and who may be drawn at a time."""

from dataclasses import dataclass

import numpy as np

from streams.labels import NS_PER_DAY
from streams.worlds.arrays import Flags, Floats, Ints
from streams.worlds.fraud.population import Population

NEVER_NS = 2**62
RAMP_NS = 28 * NS_PER_DAY
FIRST_SHARE = 0.35
"""A newcomer's spending at first, by what it will be when the card has become a habit."""


@dataclass(frozen=True, slots=True)
class Membership:
    """Who is there (arrays are updated). Customers stand in a ring: newcomers follow `newest` [1], those who came first
    leave for them, and come back when the ring has gone round.

    `joined_ns` and `left_ns` by customer; `in_bad_faith` marks customers who came to defraud; `cumulated` [cards] is
    the cumulated activity of the cards that are there, for drawing.
    """

    joined_ns: Ints
    left_ns: Ints
    in_bad_faith: Flags
    newest: Ints
    cumulated: Floats

    def welcome(self, count: int, begin_ns: Ints, active: int) -> Ints:
        """Let `count` customers come at `begin_ns` and as many leave: the newcomers, int64 [count]."""
        customers = len(self.joined_ns)
        following = int(self.newest[0]) + 1 + np.arange(count)
        newcomers, leaving = following % customers, (following - active) % customers
        self.left_ns[leaving] = np.minimum(self.left_ns[leaving], begin_ns)
        self.joined_ns[newcomers], self.left_ns[newcomers] = begin_ns, NEVER_NS
        self.in_bad_faith[newcomers] = False
        self.newest[0] = following[-1] % customers if count else self.newest[0]
        return newcomers

    def holds(self, customer: Ints, time_ns: Ints) -> Flags:
        """Whether the customers have their cards at the times."""
        held: Flags = (time_ns >= self.joined_ns[customer]) & (time_ns < self.left_ns[customer])
        return held

    def activity(self, population: Population, since_ns: int, until_ns: int) -> Floats:
        """Each card's share of the outings between two instants, 0 for who is not there: float64 [cards].

        The sum is above one by what newcomers and leavers will not do: see `holds` and `grown_into`.
        """
        stay_ns = np.minimum(self.left_ns, until_ns) - np.maximum(self.joined_ns, since_ns)
        there = stay_ns > 0
        age = ((since_ns + until_ns) / 2 - self.joined_ns) / RAMP_NS
        grown = np.clip(FIRST_SHARE + (1.0 - FIRST_SHARE) * age, FIRST_SHARE, 1.0)
        kept = np.where(there, stay_ns / (until_ns - since_ns) * grown, 0.0)
        expected = float((population.busyness * kept[population.customer]).sum())
        result: Floats = population.busyness * there[population.customer] / expected
        return result

    def gather(self, population: Population, since_ns: int, until_ns: int) -> None:
        """Take note of the cards that may be drawn between two instants: those held throughout."""
        there = (self.joined_ns <= since_ns) & (self.left_ns >= until_ns)
        np.cumsum(population.busyness * there[population.customer], out=self.cumulated)
        np.divide(self.cumulated, self.cumulated[-1], out=self.cumulated)

    def grown_into(self, customer: Ints, time_ns: Ints, rng: np.random.Generator) -> Flags:
        """Thin out what newcomers spend: nothing before they come, little at first, and more week by week."""
        age = (time_ns - self.joined_ns[customer]) / RAMP_NS
        kept: Flags = np.ones(len(customer), np.bool_)
        young = np.flatnonzero(age < 1.0)
        likely = np.where(age[young] < 0.0, 0.0, FIRST_SHARE + (1.0 - FIRST_SHARE) * age[young])
        kept[young] = rng.random(len(young)) < likely
        return kept


def settled_members(population: Population, before_ns: int) -> Membership:
    """Everybody who is there has been for long."""
    customers, active = population.customers, population.active_customers
    there = np.arange(customers) < active
    members = Membership(
        joined_ns=np.where(there, before_ns, NEVER_NS),
        left_ns=np.where(there, NEVER_NS, before_ns),
        in_bad_faith=np.zeros(customers, np.bool_),
        newest=np.array([active - 1]),
        cumulated=np.zeros(population.cards),
    )
    members.gather(population, before_ns, before_ns + 1)
    return members
