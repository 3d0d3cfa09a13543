"""A run that is one share of several: it takes its part of the data, and keeps what the merging needs."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from harness.audit_trail.records import content_hash
from harness.feed import write_feed, write_others
from harness.prepared import Prepared
from harness.results import Results, ShareOfRun
from harness.runfolder import RunFolder
from harness.scenario import Scenario
from harness.shares.share import ROWS_FILE, SHARE_FILE, Int64s, Part, Share, ShareFile, take_part
from harness.shares.sharing import Sharing
from harness.stream import StreamOutcome


class TakingPart:
    """In the order of its methods."""

    def __init__(
        self, share: Share, scenario: Scenario, folder: RunFolder, token: str, say: Callable[[str], None]
    ) -> None:
        self._share, self._scenario, self._folder, self._say = share, scenario, folder, say
        self._own_run = f"{folder.path.name}-{token}"
        self._part: Part | None = None
        self.sharing: Sharing | None = None

    def take(self, prepared: Prepared, schedule_ns: Int64s) -> Prepared:
        """This share's part of what was prepared. What all shares must have in common is the scenario, which holds the
        seeds, and the number of events."""
        part = take_part(prepared, schedule_ns, self._share, self._folder.work / "prepared")
        scenario = self._scenario
        same = content_hash(f"{scenario.to_yaml()}{len(schedule_ns)} events".encode())
        limit_s = scenario.scorer.join_within_s + scenario.measure.event_timeout_s
        self.sharing = Sharing(self._share, same, limit_s, own_run=self._own_run, say=self._say)
        self._part = part
        return part.prepared

    @property
    def part(self) -> Part:
        """What `take` took."""
        if self._part is None:
            raise RuntimeError("no part was taken yet")
        return self._part

    def write_feed(self, feed: Path, events: pa.Table) -> Int64s:
        """Write the feed of the part; whose the other events are is in it too. Returns its schedule (ns)."""
        part = self.part
        write_feed(feed, events, pa.table({}), part.schedule_ns, side=part.side)
        write_others(feed, part.others, strays=self._share.first)
        return part.schedule_ns

    def keep(self, outcome: StreamOutcome) -> None:
        """Write share.json and share.parquet: of each event its ordinal in the whole stream, when it was due (ns from
        the start), and when it was sent and appended (ns; 0: never, or not known)."""
        part, folder = self.part, self._folder.path
        told = ShareFile(
            share=self._share.number,
            of=self._share.of,
            run=self.sharing.run if self.sharing else "",
            start_ns=outcome.start_ns,
            measured_from_ns=round(self._scenario.load.warmup_s * 1e9),
            windows=asdict(part.prepared.windows),
            facts=part.prepared.facts,
        )
        (folder / SHARE_FILE).write_bytes(msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n")
        none = np.zeros(len(part.ordinals), np.int64)
        rows = {
            "ordinal": part.ordinals,
            "due_ns": part.schedule_ns,
            "sent_ns": outcome.sent_ns,
            "appended_ns": none if outcome.appended_ns is None else outcome.appended_ns,
        }
        pq.write_table(pa.table(rows), folder / ROWS_FILE, compression="zstd")

    def named(self, results: Results) -> Results:
        """The results, with which share they are of."""
        run = self.sharing.run if self.sharing else ""
        return msgspec.structs.replace(results, share=ShareOfRun(share=self._share.number, of=self._share.of, run=run))
