"""Watches a recorded stream as it came: micro-batches and labels in the order of event time."""

from collections.abc import Iterable, Mapping
from typing import Any

from harness.drift.batch import Batch, Names
from harness.drift.detector import Detector
from harness.drift.feed import Arrivals
from harness.drift.settings import Settings

MICRO_BATCH = 512


def watch(
    batch: Batch,
    names: Names,
    arrivals: Arrivals | None = None,
    *,
    settings: Settings | None = None,
    reference: Mapping[str, Any] | None = None,
    micro_batch: int = MICRO_BATCH,
) -> Detector:
    """The detector after the whole stream; its `alarms` are in order. Labels arrive between micro-batches, none before
    its time. Raises BadInputError when stored bins are damaged."""
    detector = Detector(names, settings, reference)
    watch_blocks(detector, [batch], arrivals, micro_batch)
    return detector


def watch_blocks(
    detector: Detector, blocks: Iterable[Batch], arrivals: Arrivals | None, micro_batch: int = MICRO_BATCH
) -> None:
    """The same of a stream that comes in blocks; each but the last is of whole micro-batches."""
    until_ns = -1
    for block in blocks:
        for piece in block.micro_batches(micro_batch):
            detector.feed(piece)
            now_ns = max(until_ns, int(piece.event_time_ns.max()))
            if arrivals is not None:
                arrived = arrivals.until(until_ns, now_ns)
                if len(arrived.ordinal):
                    detector.labels_arrived(arrived.ordinal, arrived.is_bad, now_ns)
            until_ns = now_ns


def stored_bins(reference: Mapping[str, Any] | None, bundle: Mapping[str, Any] | None) -> dict[str, Any]:
    """Bins of the score and of each feature: the warm state's where it has them, else the bundle's."""
    warmed, trained = reference or {}, (bundle or {}).get("reference") or {}
    return {name: warmed.get(name) or trained.get(name) for name in ("score", "features")}
