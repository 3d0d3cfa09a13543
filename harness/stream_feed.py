"""What a run sends, encoded; and what the run folder keeps of it."""

import shutil

import pyarrow.parquet as pq

from harness.drifting import copy_truth, schedule_of
from harness.faults.feeding import Feeding
from harness.feed import Int64s, write_feed
from harness.prepared import Prepared
from harness.runfolder import RunFolder
from harness.scenario import Scenario
from harness.shares.taking_part import TakingPart


def write_stream(
    folder: RunFolder, scenario: Scenario, prepared: Prepared, feeding: Feeding, taking: TakingPart | None
) -> Int64s:
    """Write the feed, the whole or a share; returns its schedule (ns from the start)."""
    feed = folder.work / "feed"
    if taking is not None:
        schedule = taking.write_feed(feed, pq.read_table(prepared.file("events")))
    else:
        schedule = schedule_of(scenario, prepared.events, prepared.folder)
        write_feed(
            feed, prepared.file("events"), pq.read_table(prepared.file("dispositions")), schedule, feeding.put_in
        )
    for name in ("events", "labels", "profiles"):
        if prepared.file(name).is_file():
            shutil.copyfile(prepared.file(name), folder.path / f"{name}.parquet")
    copy_truth(prepared.folder, folder.path)
    return schedule
