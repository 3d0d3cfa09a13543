"""Share I of N of a stream: which events it has, and what is kept so that the shares can be put together again."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from harness.case import link_or_copy
from harness.faults.feeding import ORDERED
from harness.feed import NO_SIDE_MESSAGES, SideMessages, owners, side_messages
from harness.prepared import Prepared
from harness.scenario import Scenario
from streams.errors import BadInputError

Int64s = npt.NDArray[np.int64]
SHARES_MAX = 64
SHARE_FILE, ROWS_FILE = "share.json", "share.parquet"


@dataclass(frozen=True, slots=True)
class Share:
    """Share `number` (from 1) of `of`."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    @property
    def first(self) -> bool:
        """Whether it makes the topics, sends what goes beside the events, and accounts for what belongs to nobody."""
        return self.number == 1


class ShareFile(msgspec.Struct, frozen=True, kw_only=True):
    """share.json of a run folder: which share of which run it is, when its first event was due (ns, this host's
    monotonic clock), and what is known of the prepared data."""

    share: int
    of: int
    run: str
    start_ns: int
    measured_from_ns: int
    windows: dict[str, int]
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """A share's events: the prepared files with its rows, their ordinals in the whole stream, their schedule (ns), what
    goes beside them, and the event ids that the other shares have."""

    share: Share
    prepared: Prepared
    ordinals: Int64s
    schedule_ns: Int64s
    side: SideMessages
    others: list[str]


def parse_share(text: str) -> Share:
    """`I/N`. Raises BadInputError for what is none."""
    found = re.fullmatch(r"(\d{1,4})/(\d{1,4})", text)
    share = Share(int(found[1]), int(found[2])) if found else None
    if share is None or not 1 <= share.number <= share.of <= SHARES_MAX or share.of < 2:
        raise BadInputError(f"--share {text!r}: I/N, with N from 2 to {SHARES_MAX} and I from 1 to N, for example 1/2")
    return share


def refuse_unsharable(scenario: Scenario, share: Share, *, servers: str | None, prefix: str | None) -> None:
    """Raise BadInputError for a run that cannot be one of several shares."""
    where = f"--share {share}"
    if servers is None or prefix is None:
        raise BadInputError(f"{where}: the shares meet on one Kafka: give --bootstrap-servers and --topic-prefix")
    if scenario.scorer.kind != "external":
        raise BadInputError(f"{where}: one scorer answers all shares, and none of them starts it: --scorer external")
    for name in ("faults", "drifts"):
        if getattr(scenario, name):
            raise BadInputError(f"{where}: the scenario has {name}, of which a share would not see the whole")


def take_part(prepared: Prepared, schedule_ns: Int64s, share: Share, folder: Path) -> Part:
    """A share's part of prepared data, in a folder of its own: the events of every N-th card in order of appearance.

    Raises BadInputError for data whose quality is measured without cards known before, for which no share has all."""
    if prepared.facts.get("remove_known_compromised"):
        raise BadInputError(
            f"--share {share}: {prepared.facts['source']} leaves out cards known to be compromised, for which the "
            "whole of the stream is needed"
        )
    folder.mkdir(parents=True)
    events = pq.read_table(prepared.file("events"))
    codes = owners(events).combine_chunks().dictionary_encode().indices.to_numpy()
    own = codes % share.of == share.number - 1
    ordinals = np.flatnonzero(own).astype(np.int64)
    for file in sorted(prepared.folder.iterdir()):
        if file.stem in ORDERED and file.suffix == ".parquet":
            rows = pq.read_table(file).take(ordinals)
            pq.write_table(rows, folder / file.name, compression="zstd", compression_level=1)
        else:
            link_or_copy(file, folder / file.name)
    facts = {**prepared.facts, "events": len(ordinals)}
    return Part(
        share=share,
        prepared=replace(prepared, folder=folder, facts=facts),
        ordinals=ordinals,
        schedule_ns=schedule_ns[ordinals],
        side=_side(prepared, events["event_time_ns"].to_numpy(), ordinals, share),
        others=events["event_id"].take(np.flatnonzero(~own)).to_pylist(),
    )


def _side(prepared: Prepared, times: Int64s, ordinals: Int64s, share: Share) -> SideMessages:
    """The first share sends all that goes beside the events of all shares: its totals are of the whole stream."""
    dispositions = pq.read_table(prepared.file("dispositions"))
    whole = side_messages(times, dispositions)
    before = np.searchsorted(ordinals, whole.before).astype(np.int64)
    return SideMessages(before, whole.topic, whole.values) if share.first else NO_SIDE_MESSAGES
