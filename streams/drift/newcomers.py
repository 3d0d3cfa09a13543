"""A kind of crime that nobody has seen before the onset."""

from collections.abc import Mapping

import numpy as np

from streams.drift.crimes import WHAT, crimes_of, named
from streams.drift.material import Material
from streams.drift.onset import Onset
from streams.drift.thinning import thinned
from streams.errors import BadInputError


def newly_appeared(material: Material, name: str, onset: Onset, rng: np.random.Generator) -> Material:
    """All crimes of this name that begin before the onset are taken out, in the history too; what is left is marked.

    Raises BadInputError when the stream has none of that name.
    """
    crimes = crimes_of(material)
    is_it = np.zeros(len(crimes) + 1, np.bool_)  # one more: what genuine events (-1) point at
    found: set[str] = set()
    for rows, numbers in ((material.history, crimes.history), (material.stream, crimes.stream)):
        codes, words = named(material, rows)
        if name in words:
            is_it[numbers[(codes == words.index(name)) & (numbers >= 0)]] = True
        found.update(words)
    if name not in found:
        raise BadInputError(
            f"drifts[{material.place}]: no event has the {WHAT[material.domain]} {name!r}; there are "
            f"{', '.join(sorted(found)) or 'none'}"
        )
    chance = np.where(is_it[:-1], onset.ramp(crimes.began_ns, material.start_ns), 1.0)
    marked = material.with_stream(material.stream.marked(is_it[crimes.stream], material.place))
    return thinned(marked, crimes, rng.random(len(crimes)), chance)


def weighted(name: str, share: float, given: Mapping[str, float], defaults: Mapping[str, float]) -> dict[str, float]:
    """Weights in which `name` has this share of the whole and the others keep their proportions."""
    others = {other: weight for other, weight in (given or defaults).items() if other != name}
    whole = sum(others.values())
    return {other: weight / whole * (1.0 - share) for other, weight in others.items()} | {name: share}
