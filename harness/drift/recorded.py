"""A run's stream as the monitors are fed it: from what was prepared and what was decided to what they raised."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from harness.drift.batch import Batch, Names
from harness.drift.detector import Detector
from harness.drift.feed import Arrivals, batch_of
from harness.drift.settings import Settings
from harness.drift.sides import account_sides, arrivals_of, card_sides
from harness.drift.watch import stored_bins, watch
from harness.prepared import Prepared
from harness.scenario import Scenario
from streams.labels import NS_PER_DAY

REFERENCE_FILE = "reference.json"


@dataclass(frozen=True, slots=True)
class Recorded:
    """One batch of all answered decisions, the labels' arrivals (None: none are known) and the stored bins."""

    batch: Batch
    names: Names
    arrivals: Arrivals | None
    bins: Mapping[str, Any]

    def watch(self, settings: Settings | None = None) -> Detector:
        """The monitors after the whole stream. Raises BadInputError when stored bins are damaged."""
        return watch(self.batch, self.names, self.arrivals, settings=settings, reference=self.bins)


def is_long_enough(events: int, span_ns: int, settings: Settings) -> bool:
    """Whether so many events over so much event time go beyond the burn-in, in which nothing is told."""
    return events >= settings.events_min and span_ns > settings.burn_in_ns


def recorded(
    scenario: Scenario,
    prepared: Prepared,
    decisions: pa.Table,
    bundle: Mapping[str, Any] | None,
    reference: Mapping[str, Any] | None,
) -> Recorded:
    """Of a stream that was decided; `bundle` is bundle.json, `reference` the warm state's reference.json.

    Fraud is known when it is reported; laundering, and what is genuine, when the scenario's label delay is over.
    """
    events = pq.read_table(prepared.file("events"))
    names = list((bundle or {}).get("feature_names") or [])
    if scenario.domain == "aml":
        sides = account_sides(events, _table(prepared.file("accounts")))
    else:
        sides = card_sides(events, _table(prepared.file("profiles")))
    batch, told = batch_of(decisions, events, sides, names)
    arrivals = None
    if prepared.labelled:
        delay_ns = round(scenario.training.label_delay_days * NS_PER_DAY)
        arrivals = arrivals_of(events, pq.read_table(prepared.file("labels")), delay_ns)
    return Recorded(batch, told, arrivals, stored_bins(reference, bundle))


def read_reference(state: Path | None) -> dict[str, Any] | None:
    """A warm state's reference; None without one."""
    if state is None or not (state / REFERENCE_FILE).is_file():
        return None
    found: dict[str, Any] = json.loads((state / REFERENCE_FILE).read_text(encoding="utf-8"))
    return found


def _table(path: Path) -> pa.Table | None:
    return pq.read_table(path) if path.is_file() else None
