"""What is known beside a run's decisions when their quality is measured: profiles, causes, rules."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from harness.prepared import Prepared
from harness.quality import Beside, rule_outcomes
from harness.scenario import Scenario
from harness.training import SHIPPED_RULES
from streams.profiles import PROFILE_SCHEMA
from streams.worlds.fraud.scenarios import SCENARIOS

WORLD_FILES = "riskbench"
"""The column map of tables that `bench world` wrote."""


def beside_of(scenario: Scenario, prepared: Prepared) -> Beside:
    """Of the data a run streamed; what there is none of stays empty."""
    scorer = scenario.scorer
    rules = Path(scorer.rules) if scorer.rules else SHIPPED_RULES["fraud"]
    return Beside(
        profiles=_table(prepared.file("profiles"), PROFILE_SCHEMA.names),
        causes=_causes(scenario, prepared),
        rule_outcomes=rule_outcomes(rules) if scorer.command is None else {},
        reasons_of="all" if scorer.explain == "all" else "flagged",
        seed=scenario.seeds.arrivals,
    )


def _causes(scenario: Scenario, prepared: Prepared) -> Mapping[str, Sequence[str]]:
    """By fraud scenario: the world's own, or what the column map says of a data file's (a world written to a file
    keeps its names)."""
    own = {name: found.causes for name, found in SCENARIOS.items()}
    if scenario.data is None or prepared.facts.get("source") == WORLD_FILES:
        return own
    named: Mapping[str, Sequence[str]] = prepared.facts.get("causes") or {}
    return named


def _table(path: Path, columns: Sequence[str]) -> pa.Table | None:
    return pq.read_table(path, columns=list(columns)) if path.is_file() else None
