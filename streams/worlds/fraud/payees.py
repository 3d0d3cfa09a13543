"""Who is paid by transfer: friends, landlords, builders, and the accounts of mules among them."""

import numpy as np

from streams.labels import NS_PER_DAY
from streams.worlds.arrays import Floats, Ints, unit_hash
from streams.worlds.fraud.categories import CATEGORIES, TRANSFER
from streams.worlds.fraud.scene import Scene

MULE_LIFE_NS = 28 * NS_PER_DAY
MULES_PER_COUNTRY = 3
"""Mule accounts in use at a time in a country; most are closed within weeks."""


def new_payees(scene: Scene, cards: Ints, rng: np.random.Generator) -> Ints:
    """Pick payees at home, any of them: most likely ones the cards never paid."""
    return _ranked(scene, _shelves(scene, cards), rng.random(len(cards)))


def mules(scene: Scene, cards: Ints, time_ns: Ints, choice: Ints) -> Ints:
    """Pick the mule accounts of the cards' countries in use at a time: the same for all who drain accounts then.

    `choice` in [0, MULES_PER_COUNTRY) says which of them. They are people's accounts, paid by others now and then.
    """
    shelf = _shelves(scene, cards)
    life = time_ns // MULE_LIFE_NS
    key = (shelf * 1_000_003 + life) * MULES_PER_COUNTRY + choice
    return _ranked(scene, shelf, unit_hash(key, scene.salt + 23))


def _shelves(scene: Scene, cards: Ints) -> Ints:
    return scene.places.online_of_country[scene.places.country[scene.homes(cards)]]


def _ranked(scene: Scene, shelf: Ints, u: Floats) -> Ints:
    """Pick evenly by `u` in [0, 1) among the less busy nine tenths of a country's payees."""
    group = shelf * len(CATEGORIES) + TRANSFER
    size = scene.outlets.group_size[group]
    first = size // 10
    return scene.outlets.group_start[group] + first + (u * (size - first)).astype(np.int64)
