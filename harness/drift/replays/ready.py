"""The shipped scenarios with a drift in them, as they are replayed: which, with which seeds, on which engine."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.scenario import Scenario, load_scenario, shipped_domain
from harness.shipped import about, names

FOLDER = "drift"
SEEDS = ("world", "arrivals", "training", "drift")


@dataclass(frozen=True, slots=True)
class Ready:
    """A shipped scenario with the seeds of one turn (0: its own)."""

    name: str
    about: str
    scenario: Scenario
    turn: int

    @property
    def title(self) -> str:
        """Its name, and which turn it is where there are several."""
        return f"{self.name}, seeds + {self.turn}" if self.turn else self.name


def ready(patterns: list[str], changes: Mapping[str, Any], options: Mapping[str, str], turns: int = 1) -> list[Ready]:
    """The chosen scenarios with `changes` put over them, each with `turns` sets of seeds; `options` as for
    `load_scenario`. Raises BadInputError for a pattern that none matches and for changes that cannot be."""
    found = []
    for name in names(FOLDER, patterns):
        domain = shipped_domain(f"{FOLDER}/{name}")
        plain = load_scenario(f"{FOLDER}/{name}", dict(changes), dict(options), domain=domain)
        for turn in range(turns):
            found.append(Ready(name, about(FOLDER, name), _seeded(plain, turn), turn))
    return found


def _seeded(scenario: Scenario, turn: int) -> Scenario:
    """Another world, other arrivals, another model and other draws of the drift, turn by turn."""
    if not turn:
        return scenario
    # far apart: the seeds of a scenario lie next to each other
    seeds = {name: getattr(scenario.seeds, name) + 100 * turn for name in SEEDS}
    return scenario.model_copy(update={"seeds": scenario.seeds.model_copy(update=seeds)})
