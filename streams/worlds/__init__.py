"""Worlds: synthetic populations that yield events and labels in event time. One entry a kind."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from streams.errors import BadInputError
from streams.worlds.aml.config import AmlWorldConfig
from streams.worlds.aml.world import AmlTables, AmlWorld
from streams.worlds.fraud.config import FraudWorldConfig
from streams.worlds.fraud.world import FraudWorld
from streams.worlds.world import Block, World, WorldTables

SEED_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class WorldKind:
    """How a kind of world is configured (from a scenario file's mapping) and built."""

    configure: Callable[[Mapping[str, Any]], Any]
    build: Callable[[Any, int], World]


WORLDS: dict[str, WorldKind] = {
    "fraud": WorldKind(FraudWorldConfig.from_mapping, FraudWorld),
    "aml": WorldKind(AmlWorldConfig.from_mapping, AmlWorld),
}
"""Every kind of world by its name in scenario files."""


def build_world(kind: str, config: Any = None, seed: int = 0) -> World:
    """Build a world of a kind from its configuration, or from a mapping of the configuration's keys.

    Raises BadInputError for an unknown kind, an unknown key, a number out of bounds or a negative seed.
    """
    if kind not in WORLDS:
        raise BadInputError(f"unknown world {kind!r}; known are {', '.join(WORLDS)}")
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= SEED_MAX:
        raise BadInputError(f"world seed is {seed!r}, allowed are whole numbers from 0 to {SEED_MAX}")
    chosen = WORLDS[kind]
    if config is None or isinstance(config, Mapping):
        config = chosen.configure(config or {})
    return chosen.build(config, seed)


__all__ = [
    "WORLDS",
    "AmlTables",
    "AmlWorld",
    "AmlWorldConfig",
    "Block",
    "FraudWorld",
    "FraudWorldConfig",
    "World",
    "WorldKind",
    "WorldTables",
    "build_world",
]
