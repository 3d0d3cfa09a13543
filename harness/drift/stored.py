"""A run's stream as the monitors are fed it, from its files and a block at a time: what a long run decided is never in
memory as a whole. The alarms are those of `recorded`."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from harness.drift.batch import Batch, Int64s, Names
from harness.drift.detector import Detector
from harness.drift.feed import LOOKED_AT, Arrivals, ContentHash, Rules, Sent, batch_in_order, has_features
from harness.drift.settings import Settings
from harness.drift.sides import account_owners, arrivals_of, card_owners, coded_sides
from harness.drift.watch import stored_bins, watch_blocks
from harness.prepared import Prepared
from harness.scenario import Scenario
from streams.labels import NS_PER_DAY
from streams.stored_rows import StoredRows, WordCodes

LABELS = ("is_fraud", "is_laundering", "reported_at_ns")
"""What of a label says when it becomes known, as far as it has that."""


def watch_stored(
    scenario: Scenario,
    prepared: Prepared,
    decisions: StoredRows,
    bundle: Mapping[str, Any] | None,
    reference: Mapping[str, Any] | None,
    settings: Settings | None = None,
) -> Detector:
    """The monitors after the whole stream; `bundle` is bundle.json, `reference` the warm state's reference.json.

    Raises BadInputError when stored bins are damaged, or features do not match the bundle's names.
    """
    sent = sent_of(scenario, prepared)
    arrivals = stored_arrivals(scenario, prepared, sent.event_time_ns)
    bad = np.zeros(len(sent.event_time_ns), np.bool_)
    if arrivals is not None:
        bad[arrivals.ordinal[arrivals.is_bad]] = True
    rules, places = _in_order(decisions)
    features = list((bundle or {}).get("feature_names") or []) if _have_features(decisions) else []
    names = Names(tuple(features), rules.names, sent.sides.groups)
    detector = Detector(names, settings, stored_bins(reference, bundle), bad)
    watch_blocks(detector, _batches(decisions, places, sent, rules, len(features)), arrivals)
    return detector


def sent_of(scenario: Scenario, prepared: Prepared) -> Sent:
    """What is known of every event of a stream."""
    events = StoredRows(prepared.file("events"))
    of_accounts = scenario.domain == "aml"
    owners, codes, hashed = account_owners if of_accounts else card_owners, WordCodes(), ContentHash()
    times, content = np.empty(len(events), np.int64), np.empty(len(events), np.uint64)
    key = np.empty(len(events), np.int32)
    start = 0
    for block in events.blocks([name for name in events.names if name != "event_id"]):
        here = slice(start, start + len(block))
        times[here] = block["event_time_ns"].to_numpy()
        content[here] = hashed.of(block)
        key[here] = codes.of(owners(block))
        start += len(block)
    file = prepared.file("accounts" if of_accounts else "profiles")
    known = pq.read_table(file) if file.is_file() else None
    columns = ("account_id", "market") if of_accounts else ("card_id", "segment")
    return Sent(times, coded_sides(key, codes.words, known, columns), content)


def stored_arrivals(scenario: Scenario, prepared: Prepared, event_time_ns: Int64s) -> Arrivals | None:
    """When each label of a stream becomes known; None where none is."""
    if not prepared.labelled:
        return None
    file = prepared.file("labels")
    labels = pq.read_table(file, columns=[name for name in LABELS if name in pq.read_schema(file).names])
    delay_ns = round(scenario.training.label_delay_days * NS_PER_DAY)
    return arrivals_of(pa.table({"event_time_ns": event_time_ns}), labels, delay_ns)


def _in_order(decisions: StoredRows) -> tuple[Rules, Int64s]:
    """The rules that fired, and the answered rows in the order of events."""
    rules, ordinals, places, start = Rules(), [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], 0
    for block in decisions.blocks(["ordinal", "outcome", "reasons"]):
        is_answered = pc.is_valid(block["outcome"])
        answered = block.filter(is_answered)
        rules.see(answered)
        ordinals.append(answered["ordinal"].to_numpy())
        places.append(start + np.flatnonzero(is_answered.to_numpy()))
        start += len(block)
    return rules, np.concatenate(places)[np.argsort(np.concatenate(ordinals), kind="stable")]


def _have_features(decisions: StoredRows) -> bool:
    return "features" in decisions.names and any(map(has_features, decisions.blocks(["features"])))


def _batches(decisions: StoredRows, places: Int64s, sent: Sent, rules: Rules, width: int) -> Iterator[Batch]:
    columns = [name for name in LOOKED_AT if name in decisions.names]
    for answered in decisions.in_turn(columns, places):
        yield batch_in_order(answered, sent, rules, width)
