"""Where a replay runs, whatever it repeats."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.run import RunOptions
from harness.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Folders, Kafka, and what is made beside the run."""

    out: Path
    cache: Path
    kafka_config: Path | None
    topic_prefix: str | None
    keep_topics: bool
    report: bool
    floor: bool
    environ: Mapping[str, str]

    def options(self, scenario: Scenario, bootstrap_servers: str | None) -> RunOptions:
        """A run of this scenario here."""
        return RunOptions(
            scenario=scenario,
            out=self.out,
            cache=self.cache,
            bootstrap_servers=bootstrap_servers,
            kafka_config=self.kafka_config,
            topic_prefix=self.topic_prefix,
            keep_topics=self.keep_topics,
            report=self.report,
            floor=self.floor,
            environ=self.environ,
        )
