"""Drifts applied one after the other, and the truth about them kept."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from streams.drift.drift import AnyWorldConfig, Drift, WorldConfig
from streams.drift.material import Material
from streams.drift.truth import DriftTruth, truth_of
from streams.errors import BadInputError
from streams.labels import NS_PER_DAY
from streams.topics import Domain
from streams.worlds.aml.config import AmlWorldConfig
from streams.worlds.arrays import Ints
from streams.worlds.fraud.config import FraudWorldConfig

DRIFTS_MAX = 32


def changed_world(drifts: Sequence[Drift], config: WorldConfig) -> WorldConfig:
    """The world in which all these drifts can be. Raises BadInputError for one out of bounds."""
    for drift in drifts:
        config = drift.world_changes(config)
    return config


def refuse_impossible(drifts: Sequence[Drift], domain: Domain, config: AnyWorldConfig | None) -> None:
    """Raise ValueError for a drift that cannot be in this domain, or in this world (None: one's own data)."""
    for place, drift in enumerate(drifts):
        try:
            drift.refuse(domain)
            match config:
                case FraudWorldConfig():
                    config = drift.world_changes(config)
                case AmlWorldConfig():
                    config = drift.world_changes(config)
        except (ValueError, BadInputError) as error:
            raise ValueError(f"drifts[{place}] ({drift.kind}): {error}") from None


def apply_drifts(drifts: Sequence[Drift], material: Material, seed: int) -> tuple[Material, tuple[DriftTruth, ...]]:
    """Apply the drifts in their order, each to what those before it left. Every one has a generator of its own.

    Raises BadInputError for one that begins after the stream's end, and for material that it cannot be applied to.
    """
    given = material
    steps: list[tuple[Drift, Material, Material]] = []
    for place, drift in enumerate(drifts):
        before = replace(material, place=place)
        _begins_within(drift, before)
        material = drift.apply(before, np.random.default_rng(np.random.SeedSequence([seed, place])))
        if len(material.stream) == 0:
            raise BadInputError(f"drifts[{place}] ({drift.kind}) leaves no event in the stream")
        steps.append((drift, before, material))
    material = _members_seen(given, material)
    return material, tuple(truth_of(drift, before, after, material.stream) for drift, before, after in steps)


def _begins_within(drift: Drift, material: Material) -> None:
    times = material.stream.time_ns
    days = (int(times[-1]) - material.start_ns) / NS_PER_DAY if len(times) else 0.0
    if len(times) == 0 or drift.onset_ns(material.start_ns) > times[-1]:
        raise BadInputError(
            f"drifts[{material.place}] ({drift.kind}) begins on day {drift.onset_day:g} and the stream ends on day "
            f"{days:.1f}: stream more events (load.duration_s, load.rate_per_s) or give an earlier onset_day"
        )


def _patterns(material: Material) -> Ints:
    both = (rows.labels["pattern_id"].drop_null().to_numpy() for rows in (material.history, material.stream))
    return np.unique(np.concatenate(list(both)))


def _members_seen(before: Material, material: Material) -> Material:
    """Without the members of patterns of which no transfer is left."""
    if material.members is None:
        return material
    gone = np.setdiff1d(_patterns(before), _patterns(material))
    seen = pc.invert(pc.is_in(material.members["pattern_id"], value_set=pa.array(gone, pa.int64())))
    return replace(material, members=material.members.filter(seen))
