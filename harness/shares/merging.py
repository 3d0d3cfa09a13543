"""The shares of a run as one: all rows in one order on one clock, and everything measured anew from them.

A response time is the difference of two readings of one host's clock, so it needs no other clock to be right; merging
moves each host's readings so that all streams begin at the same instant, which changes no difference.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from hdrh.histogram import HdrHistogram

from harness.dead_letters import DEAD_LETTER_SCHEMA, DEAD_LETTERS_FILE
from harness.decision_rows import open_rows, with_large_features
from harness.explanations import EXPLANATIONS_FILE
from harness.feed import NO_SIDE_MESSAGES, write_feed
from harness.findings import Ready, Streamed, find_results
from harness.footprint import Footprint
from harness.latency import new_histogram
from harness.other_scorer import other_scorer
from harness.prepared import Prepared, Windows
from harness.results import Counts, MergedShare, Results, read_results
from harness.runfolder import RunFolder, is_complete
from harness.scenario import load_scenario
from harness.shares.share import ROWS_FILE, SHARE_FILE, ShareFile
from harness.stream import StreamOutcome
from streams.decision import PATHS
from streams.errors import BadInputError, RunInvalidError

INSTANTS = ("intended_ns", "sent_ns", "taken_ns", "emitted_ns", "received_ns")
ROWS_PER_GROUP = 8_192
TAG = "Tag=response,"


@dataclass(frozen=True, slots=True)
class Kept:
    """One share's run folder, its results, and what it kept for the merging."""

    folder: Path
    results: Results
    file: ShareFile
    rows: pa.Table


def read_shares(folders: Sequence[Path]) -> list[Kept]:
    """The shares of one run, by their number. Raises BadInputError where they are not: one that is missing, or given
    twice, or of another run, or no share at all."""
    shares = sorted((_read(folder) for folder in folders), key=lambda kept: kept.file.share)
    first = shares[0]
    for kept in shares[1:]:
        if kept.file.run != first.file.run or kept.file.of != first.file.of:
            raise BadInputError(
                f"{kept.folder} is share {kept.file.share}/{kept.file.of} of run {kept.file.run!r}, {first.folder} is "
                f"{first.file.share}/{first.file.of} of {first.file.run!r}: only shares of the same run can be merged"
            )
        if (kept.folder / "scenario.yaml").read_bytes() != (first.folder / "scenario.yaml").read_bytes():
            raise BadInputError(f"{kept.folder} and {first.folder} have different scenarios: one was changed since")
    numbers = [kept.file.share for kept in shares]
    if len(set(numbers)) != len(numbers):
        raise BadInputError(
            f"share {max(numbers, key=numbers.count)} is given {max(map(numbers.count, numbers))} times"
        )
    if missing := sorted(set(range(1, first.file.of + 1)) - set(numbers)):
        raise BadInputError(f"of {first.file.of} shares of run {first.file.run!r}, {missing} are missing")
    ordinals = np.sort(np.concatenate([kept.rows["ordinal"].to_numpy() for kept in shares]))
    if not np.array_equal(ordinals, np.arange(len(ordinals))):
        raise BadInputError(f"the shares of run {first.file.run!r} do not have every event of the stream once")
    return shares


def _read(folder: Path) -> Kept:
    if not is_complete(folder):
        raise BadInputError(f"{folder}: no finished run; name folders that bench run --share left behind")
    if not (folder / SHARE_FILE).is_file():
        raise BadInputError(f"{folder}: is a whole run, and no share of one (bench run fraud --share I/N makes shares)")
    try:
        told = msgspec.json.decode((folder / SHARE_FILE).read_bytes(), type=ShareFile)
        return Kept(folder, read_results(folder / "results.json"), told, pq.read_table(folder / ROWS_FILE))
    except (OSError, msgspec.DecodeError, pa.ArrowException) as error:
        raise BadInputError(f"{folder}: cannot be read: {error}") from error


def merge(shares: Sequence[Kept], folder: RunFolder, now: datetime) -> Results:
    """Write the merged run's files into `folder`, and measure and judge it; results.json is the caller's to write."""
    first = shares[0]
    scenario = load_scenario(first.folder / "scenario.yaml")
    folder.write("scenario.yaml", (first.folder / "scenario.yaml").read_text(encoding="utf-8"))
    folder.write("environment.json", (first.folder / "environment.json").read_text(encoding="utf-8"))
    rows = _in_stream_order(shares)
    prepared = _prepared(shares, folder)
    schedule = rows["due_ns"].to_numpy()
    events = pq.read_table(prepared.file("events"))
    write_feed(folder.work / "feed", events, pa.table({}), schedule, side=NO_SIDE_MESSAGES)
    _write_decisions(shares, folder.path / "decisions.parquet")
    _write_explanations(shares, folder.path / EXPLANATIONS_FILE)
    _write_letters(shares, folder.path / DEAD_LETTERS_FILE)
    setup = other_scorer(scenario.scorer, lambda _: None)
    if setup is None:
        raise BadInputError(f"{first.folder}: its scorer was not an external one, as a share's is")
    measured_from = int(np.searchsorted(schedule, first.file.measured_from_ns))
    streamed = Streamed(_outcome(shares, folder, rows), None, first.results.broker)
    found = find_results(scenario, folder, now, Ready(prepared, setup, None, measured_from), streamed, None)
    _check_histograms(shares, found, folder)
    load = msgspec.structs.replace(found.load, senders=sum(kept.results.load.senders for kept in shares), by_sender=[])
    return msgspec.structs.replace(found, load=load, shares=[_told(kept) for kept in shares])


def _told(kept: Kept) -> MergedShare:
    results = kept.results
    return MergedShare(
        share=kept.file.share,
        folder=kept.folder.name,
        sent=results.counts.sent,
        decided=results.counts.decided,
        response=results.latency_ms.response,
    )


def _moved_ns(kept: Kept, shares: Sequence[Kept]) -> int:
    """What is added to a share's instants, so that it begins when the first share does."""
    return shares[0].file.start_ns - kept.file.start_ns


def _in_stream_order(shares: Sequence[Kept]) -> pa.Table:
    """What every share kept of its events, in the order of the whole stream, on the first share's clock."""
    parts = []
    for kept in shares:
        rows, move = kept.rows, _moved_ns(kept, shares)
        for name in ("sent_ns", "appended_ns"):
            values = rows[name].to_numpy()
            moved = pa.array(np.where(values > 0, values + move, 0))
            rows = rows.set_column(rows.schema.get_field_index(name), name, moved)
        parts.append(rows)
    return pa.concat_tables(parts).sort_by("ordinal").combine_chunks()


def _prepared(shares: Sequence[Kept], folder: RunFolder) -> Prepared:
    """Events and labels of the whole stream, in the run folder as any run has them and as prepared data."""
    first, place = shares[0], folder.work / "prepared"
    place.mkdir(parents=True)
    order = pc.sort_indices(pa.concat_arrays([_column(kept.rows, "ordinal") for kept in shares]))
    for name in ("events", "labels", "profiles"):
        files = [kept.folder / f"{name}.parquet" for kept in shares]
        if not all(file.is_file() for file in files):
            continue
        whole = pq.read_table(files[0])
        if name != "profiles":  # every share has those of all cards
            whole = pa.concat_tables([pq.read_table(file) for file in files]).unify_dictionaries().take(order)
        for target in (place, folder.path):
            pq.write_table(whole, target / f"{name}.parquet", compression="zstd", compression_level=1)
    facts = {**first.file.facts, "events": sum(int(kept.file.facts["events"]) for kept in shares)}
    return Prepared(place, first.file.run, True, Windows(**first.file.windows), facts)


def _column(rows: pa.Table, name: str) -> pa.Array:
    return rows[name].combine_chunks()


def _as_whole(table: pa.Table, kept: Kept, move_ns: int, instants: Sequence[str]) -> pa.Table:
    """A share's rows with the ordinals of the whole stream, their instants moved."""
    columns = {name: pc.add(table[name], move_ns) for name in instants}
    columns["ordinal"] = _column(kept.rows, "ordinal").take(table["ordinal"])
    return pa.table([columns.get(name, table[name]) for name in table.column_names], schema=table.schema)


def _all(shares: Sequence[Kept], name: str, instants: Sequence[str]) -> pa.Table:
    """The rows of a file of all shares."""
    tables = [_as_whole(pq.read_table(kept.folder / name), kept, _moved_ns(kept, shares), instants) for kept in shares]
    return pa.concat_tables(tables).unify_dictionaries()


def _write_decisions(shares: Sequence[Kept], out: Path) -> None:
    """In the order of receipt, then the lost by their ordinal: as one collector writes them."""
    whole = with_large_features(_all(shares, out.name, INSTANTS))
    keys = [("received_ns", "ascending"), ("ordinal", "ascending")]
    order = pc.sort_indices(whole.select(["received_ns", "ordinal"]), keys)  # the lost, never received, come last
    with open_rows(out) as writer:
        for start in range(0, len(order), ROWS_PER_GROUP):
            group = whole.take(order.slice(start, ROWS_PER_GROUP)).cast(writer.schema)
            writer.write_table(group.unify_dictionaries())


def _write_explanations(shares: Sequence[Kept], out: Path) -> None:
    pq.write_table(_all(shares, out.name, ("decided_ns", "emitted_ns")), out, compression="zstd")


def _write_letters(shares: Sequence[Kept], out: Path) -> None:
    files = [kept.folder / DEAD_LETTERS_FILE for kept in shares]
    tables = [pq.read_table(file, schema=DEAD_LETTER_SCHEMA) for file in files if file.is_file()]
    pq.write_table(pa.concat_tables([DEAD_LETTER_SCHEMA.empty_table(), *tables]), out, compression="zstd")


def _outcome(shares: Sequence[Kept], folder: RunFolder, rows: pa.Table) -> StreamOutcome:
    """The whole stream's outcome: counts added up."""
    counts = [kept.results.counts for kept in shares]

    def added(name: str) -> int:
        return sum(int(getattr(each, name)) for each in counts)

    names = ("decided", "lost", "late", "duplicated", "reordered", "unknown", "malformed")
    collected: dict[str, Any] = {name: added(name) for name in names}
    collected["by_path"] = {path: sum(getattr(each.by_path, path) for each in counts) for path in PATHS}
    collected["received_bytes"] = round(
        sum((kept.results.load.decision_bytes or 0.0) * _received(kept.results.counts) for kept in shares)
    )
    collected["explanations"] = {
        "explained": added("explained"),
        "missing": None,
        **{name: added(f"explanations_{name}") for name in ("duplicated", "unknown", "malformed")},
    }
    load = {"sent": added("sent"), "side_sent": added("side_messages"), "undelivered": added("undelivered")}
    return StreamOutcome(
        start_ns=shares[0].file.start_ns,
        counts=collected,
        load=load,
        sent_ns=rows["sent_ns"].to_numpy(),
        dead_lettered=added("dead_lettered"),
        samples=[],
        scorers=[],
        decisions=folder.path / "decisions.parquet",
        footprints=list(chain.from_iterable(_footprints(kept) for kept in shares)),
        appended_ns=rows["appended_ns"].to_numpy(),
    )


def _received(counts: Counts) -> int:
    return counts.decided + counts.duplicated + counts.unknown + counts.malformed


def _footprints(kept: Kept) -> list[Footprint]:
    """What every share's own processes cost; they are this host's, and named so."""
    return [
        Footprint(
            f"share {kept.file.share}: {each.name}", 1, each.cpu_s, each.memory_start_bytes, each.memory_end_bytes,
            each.memory_max_bytes,
        )
        for each in kept.results.processes
    ]  # fmt: skip


def response_histogram(log: Path) -> Any:
    """All response times of a run's latency.hlog, its intervals added up."""
    whole = new_histogram()
    for line in log.read_text(encoding="ascii").splitlines():
        if line.startswith(TAG):
            whole.add(HdrHistogram.decode(line.rsplit(",", 1)[1]))
    return whole


def _check_histograms(shares: Sequence[Kept], found: Results, folder: RunFolder) -> None:
    """The shares' histograms, added, are the one measured from all rows; anything else would be a mistake of ours."""
    added = new_histogram()
    for kept in shares:
        added.add(response_histogram(kept.folder / "latency.hlog"))
    whole = response_histogram(folder.path / "latency.hlog")
    if list(added.counts) != list(whole.counts):
        raise RunInvalidError(
            f"the shares' response times add up to {added.total_count:,}, their rows give {whole.total_count:,} "
            f"({found.latency_ms.response.count:,} in the results): a share's latency.hlog is not of its decisions"
        )
