"""Where customers are: at home, at work, on an outing for a day, on a trip, or on the way; nobody is in two places."""

from dataclasses import dataclass

import numpy as np

from streams.labels import NS_PER_DAY, NS_PER_HOUR
from streams.worlds.arrays import Flags, Floats, Ints, unit_hash
from streams.worlds.fraud.geography import KM_PER_DEGREE, Places
from streams.worlds.fraud.scene import Scene

OUTING_SHARE, ABROAD_SHARE = 0.025, 0.006
HOME_SHARE = 0.78
DOOR_TO_DOOR_NS = 2 * NS_PER_HOUR
TRAVEL_KM_PER_H = 650.0
QUARTERS = 4
_DAY_BEGINS_NS = 4 * NS_PER_HOUR


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Columns over moments: the town, whether it is a trip's, and whether the customer is on the way (no town)."""

    place: Ints
    away: Flags
    in_transit: Flags


def distances_km(places: Places, one: Ints, other: Ints) -> Floats:
    """Distances between towns on the plane of latitude and longitude: good to some percent up to a few thousand km."""
    north = places.latitude[one] - places.latitude[other]
    middle = np.radians((places.latitude[one] + places.latitude[other]) / 2)
    east = (places.longitude[one] - places.longitude[other]) * np.cos(middle)
    result: Floats = np.hypot(north, east) * KM_PER_DEGREE
    return result


def travel_ns(places: Places, one: Ints, other: Ints) -> Ints:
    """How long the way between towns takes, from door to door."""
    hours = distances_km(places, one, other) / TRAVEL_KM_PER_H
    return DOOR_TO_DOOR_NS + (hours * NS_PER_HOUR).astype(np.int64)


def whereabouts(scene: Scene, cards: Ints, time_ns: Ints) -> Whereabouts:
    """Tell where the cards' customers are at the times. Days are spent whole in one town, or at home and at work."""
    customer = scene.population.customer[cards]
    trip = scene.circumstances
    begin, end, transit = trip.trip_from_ns[customer], trip.trip_until_ns[customer], trip.trip_transit_ns[customer]
    away = (time_ns >= begin) & (time_ns < end)
    late = (time_ns >= end) & (time_ns < end + transit)
    in_transit = late | (away & (time_ns < begin + transit))
    place = np.where(away, trip.trip_place[customer], _around_home(scene, customer, time_ns))
    return Whereabouts(place, away, in_transit)


def _around_home(scene: Scene, customer: Ints, time_ns: Ints) -> Ints:
    people, places = scene.population, scene.places
    home = people.home[customer]
    quarter = (time_ns - _DAY_BEGINS_NS) // (NS_PER_DAY // QUARTERS)
    work = people.work[customer]
    place = np.where(unit_hash(customer * 1_000_003 + quarter, scene.salt + 20) < HOME_SHARE, home, work)
    chance = unit_hash(customer * 1_000_003 + quarter // QUARTERS, scene.salt + 21)
    out = np.flatnonzero(chance < OUTING_SHARE)
    towns = places.towns
    chosen = towns[(chance[out] / OUTING_SHARE * len(towns)).astype(np.int64)]
    near = places.country[chosen] == places.country[home[out]]
    afar = unit_hash(customer[out] * 1_000_003 + quarter[out] // QUARTERS, scene.salt + 22) < (
        ABROAD_SHARE / OUTING_SHARE
    )
    place[out] = np.where(near | afar, chosen, work[out])
    return place
