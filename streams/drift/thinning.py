"""Crimes that there were not before: those of before the onset are taken out, and so are those of the history."""

import numpy as np

from streams.drift.crimes import GENUINE, Crimes
from streams.drift.material import Material
from streams.worlds.arrays import Flags, Floats, Ints


def thinned(material: Material, crimes: Crimes, draws: Floats, chance: Floats) -> Material:
    """Only those crimes whose draw is below their chance (float64 [crimes] each); genuine events stay."""
    kept = draws < chance
    return material.kept(_kept(crimes.history, kept), _kept(crimes.stream, kept))


def _kept(numbers: Ints, kept: Flags) -> Flags:
    if len(kept) == 0:
        return np.ones(len(numbers), np.bool_)
    return np.asarray((numbers == GENUINE) | kept[np.maximum(numbers, 0)], np.bool_)
