"""What every turn stands on: one broker, one world, one model and one warm state; a feed for each rate."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from harness.feed import write_feed
from harness.instruments import StreamPlan
from harness.peers.contenders import Serving
from harness.prepare import prepare
from harness.prepared import Prepared, scheduled
from harness.scenario import Scenario
from harness.steps import Steps
from harness.training import Workshop, given_bundle, given_rules, train, warm
from streams.errors import BadInputError

TIMEOUT_S = 5.0
"""An answer that takes longer is lost: far above any limit a capacity is asked for."""


@dataclass(slots=True)
class Feeds:
    """The streams of all rates, each the beginning of the same world's. `scenario` is of the highest rate."""

    scenario: Scenario
    prepared: Prepared
    folder: Path
    _events: pa.Table = None
    _plans: dict[float, StreamPlan] = field(default_factory=dict)

    def plan(self, rate_per_s: float, decisions: Path) -> StreamPlan:
        """The stream at a rate, whose decisions go to a file."""
        if rate_per_s not in self._plans:
            self._plans[rate_per_s] = self._written(rate_per_s)
        found = self._plans[rate_per_s]
        return StreamPlan(
            title=found.title, feed=found.feed, events=found.events, dispositions=found.dispositions,
            partitions=found.partitions, timeout_s=found.timeout_s, measured_from=found.measured_from,
            decisions=decisions, senders=found.senders, linger_ms=found.linger_ms,
        )  # fmt: skip

    def _written(self, rate_per_s: float) -> StreamPlan:
        load = self.scenario.load.model_copy(update={"rate_per_s": rate_per_s})
        schedule = scheduled(self.scenario.model_copy(update={"load": load}))
        if self._events is None:
            self._events = pq.read_table(self.prepared.file("events"))
        chosen = self._events.slice(0, len(schedule))
        folder = self.folder / f"{rate_per_s:g}"
        write_feed(folder, chosen, pq.read_table(self.prepared.file("dispositions")), schedule[: len(chosen)])
        pq.write_table(chosen, folder / "events.parquet")
        return StreamPlan(
            title=f"{rate_per_s:g}/s",
            feed=folder,
            events=folder / "events.parquet",
            dispositions=self.prepared.file("dispositions"),
            partitions=load.partitions,
            timeout_s=TIMEOUT_S,
            measured_from=int(np.searchsorted(schedule, round(load.warmup_s * 1e9))),
            decisions=folder / "decisions.parquet",
            senders=load.senders,
            linger_ms=load.lingers_ms,
        )


def prepare_ground(scenario: Scenario, cache: Path, work: Path, shop: Workshop, steps: Steps) -> tuple[Feeds, Serving]:
    """Make world, model and warm state, or find them in the cache. `scenario` is of the highest rate."""
    with steps.step("Preparing events"):
        prepared = prepare(scenario, cache)
    rules, bundle = given_rules(scenario), given_bundle(scenario)
    if bundle is None:
        if not prepared.labelled:
            raise BadInputError("the data has no labels to train on; give a bundle with --bundle DIR")
        with steps.step("Training the model"):
            bundle = train(scenario, prepared, shop)
    with steps.step("Warming the features on history"):
        state, _ = warm(scenario, prepared, bundle, rules, shop)
    scorer = scenario.scorer
    return Feeds(scenario, prepared, work / "feeds"), Serving(
        bundle, rules, state, scorer.breaker, scorer.checkpoint_every_s
    )
