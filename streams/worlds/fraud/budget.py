"""How much fraud there still has to be: campaigns are launched until each scenario has had its share."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from streams.worlds.fraud.drafts import GROUNDWORK, NONE, Drafts
from streams.worlds.fraud.scenarios.scenario import FraudScenario
from streams.worlds.fraud.scene import Scene


class FraudBudget:
    """Keeps the share of fraud over a long run, whatever size campaigns turn out to be.

    What one campaign takes too much is missing to the next: the error never exceeds one campaign.
    """

    def __init__(self, scenarios: Sequence[FraudScenario], weights: Sequence[float], events_per_block: float) -> None:
        """Take one weight a scenario (0: it does not happen) and the fraud events wanted in a block."""
        self._scenarios = scenarios
        self._shares = np.asarray(weights) / sum(weights)
        self._events_per_block = events_per_block
        self._wanted = 0.0
        self._planned = np.zeros(len(scenarios))

    def launch(self, scene: Scene, since_ns: int, rng: np.random.Generator) -> list[Drafts]:
        """Launch the campaigns of one block, the scenario furthest behind its share first."""
        self._wanted += self._events_per_block
        launched: list[Drafts] = []
        while self._planned.sum() < self._wanted:
            behind = np.where(self._shares > 0, self._shares * self._wanted - self._planned, -np.inf)
            code = int(np.argmax(behind))
            campaign = self._scenarios[code].launch(scene, since_ns, rng)
            prepares = campaign.scenario == GROUNDWORK
            self._planned[code] += len(campaign) - int(prepares.sum())
            launched.append(replace(campaign, scenario=np.where(prepares, NONE, code)))
        return launched
