"""From a finished run with a known drift to what came of it: watched, held against the truth, measured by side."""

import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from harness.aml.monitoring import capacity, known_patterns
from harness.comparison import read_finished
from harness.drift.assess import Assessment, assess
from harness.drift.blame import in_words
from harness.drift.detector import Detector
from harness.drift.recorded import read_reference, recorded
from harness.drift.replays.card_quality import card_side
from harness.drift.replays.customer_quality import Bank, customer_side
from harness.drift.replays.days import by_day
from harness.drift.replays.latency import latency_sides
from harness.drift.replays.replayed import BothSides, Replayed, Side
from harness.drift.settings import Settings
from harness.drifting import TRUTH_TABLE, DriftFile, read_truth
from harness.measures import K_DEFAULT
from harness.prepared import Prepared
from harness.quality.scored import Bools
from harness.replaying.earlier import Earlier, put_together
from harness.scenario import Scenario
from harness.training import read_bundle
from streams.drift.truth import DriftTruth
from streams.errors import BadInputError
from streams.labels import NS_PER_DAY


def judge_run(folder: Path, scenario: Scenario, about: str, cache: Path, settings: Settings | None = None) -> Replayed:
    """What came of the drifts of a finished run of ours. Raises BadInputError when it has none, or was of another
    scorer, of whose features and rules nothing is known."""
    truth = read_truth(folder)
    if truth is None or not truth.drifts:
        raise BadInputError(f"{folder}: its scenario has no drifts: there is nothing that was to be noticed")
    earlier = Earlier(read_finished(folder), scenario)
    with tempfile.TemporaryDirectory(prefix="riskbench-drift-") as work:
        prepared = put_together(earlier, Path(work) / "prepared", cache)
        return _judge(_Run(folder, scenario, prepared, truth), about, earlier.bundle, earlier.state, settings)


class _Run:
    """A run's tables, read once, and on which side of the onset each event lies."""

    def __init__(self, folder: Path, scenario: Scenario, prepared: Prepared, truth: DriftFile) -> None:
        self.folder, self.scenario, self.prepared, self.truth = folder, scenario, prepared, truth
        self.decisions = pq.read_table(folder / "decisions.parquet")
        self.events = pq.read_table(prepared.file("events"))
        self.onset_ns = first_onset(truth.drifts).onset_ns
        self.is_after = _is_after(self.events["event_id"], folder / TRUTH_TABLE, self.onset_ns)


def first_onset(drifts: Sequence[DriftTruth]) -> DriftTruth:
    """The drift (without any, the control) that begins first."""
    return min(drifts, key=lambda drift: (drift.is_control, drift.onset_ns))


def _is_after(event_id: pa.ChunkedArray, table: Path, onset_ns: int) -> Bools:
    """By ordinal, whether the event happened from the onset on, whatever the clock said."""
    told = pq.read_table(table, columns=["event_id", "true_time_ns"])
    place = pc.index_in(event_id.cast(pa.string()), value_set=told["event_id"].cast(pa.string()).combine_chunks())
    return np.asarray(told["true_time_ns"].to_numpy()[place.to_numpy()] >= onset_ns, dtype=bool)


def _judge(run: _Run, about: str, bundle: Path, state: Path, settings: Settings | None) -> Replayed:
    settings = settings or Settings()
    stream = recorded(run.scenario, run.prepared, run.decisions, read_bundle(bundle), read_reference(state))
    detector = stream.watch(settings)
    times = run.events["event_time_ns"].to_numpy()
    found = assess(detector.alarms, detector.worst, run.truth.drifts, times, settings.burn_in_ns)
    drifts = [drift for drift in found.drifts if not drift.is_control]
    moved = list(dict.fromkeys(each.feature for drift in drifts for each in drift.blamed))
    onset = first_onset(run.truth.drifts)
    return Replayed(
        name=run.scenario.name,
        about=about,
        domain=run.scenario.domain,
        seed=run.scenario.seeds.world,
        kinds=[drift.kind for drift in run.truth.drifts],
        is_control=onset.is_control,
        onset=datetime.fromtimestamp(onset.onset_ns / 1e9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        onset_ns=onset.onset_ns,
        onset_day=round((onset.onset_ns - run.truth.stream_start_ns) / NS_PER_DAY, 3),
        **_noticed(found),
        alarms_after_control=found.false_alarms if onset.is_control else 0,
        blamed=moved,
        true=list(dict.fromkeys(name for drift in run.truth.drifts for name in drift.blamed)),
        in_words=_words(detector, onset, drifts_there=bool(drifts)),
        drifts=[msgspec.to_builtins(drift.to_dict()) for drift in found.drifts],
        quality=_quality(run),
        latency=latency_sides(run.decisions, run.is_after, in_process=run.scenario.scorer.engine == "inprocess"),
        alarms=[alarm.to_dict() for alarm in detector.alarms],
        days=by_day(stream, moved, settings),
        lost=int(pc.sum(pc.equal(run.decisions["status"].cast(pa.string()), "lost")).as_py() or 0),
    )


def _noticed(found: Assessment) -> dict[str, Any]:
    """Detected when every drift was; the delay is that of the one noticed last, blame is right when all of it is."""
    drifts = [drift for drift in found.drifts if not drift.is_control]
    delays = [drift.delay for drift in drifts if drift.delay is not None]
    last = max(delays, key=lambda delay: delay.days, default=None)
    rights = [drift.is_blamed_rightly for drift in drifts if drift.is_blamed_rightly is not None]
    return {
        "detected": bool(drifts) and len(delays) == len(drifts),
        "delay_events": None if last is None else last.events,
        "delay_days": None if last is None else round(last.days, 3),
        "detected_by": None if last is None else _named(last.monitor, last.name, last.group),
        "false_alarms": found.false_alarms,
        "events_watched": found.events_watched,
        "false_alarms_per_100k": found.false_alarms_per_100k,
        "is_blamed_rightly": all(rights) if rights else None,
    }


def _named(monitor: str, name: str, group: str) -> str:
    what = monitor if name in monitor else f"{monitor} {name}"
    return what if group == "all" else f"{what} ({group})"


def _words(detector: Detector, onset: DriftTruth, *, drifts_there: bool) -> str:
    """The blame in words: of what was told since the onset, or of all where nothing was to be told."""
    told = [alarm for alarm in detector.alarms if alarm.event_time_ns >= onset.onset_ns or not drifts_there]
    keys = {(alarm.monitor, alarm.name, alarm.group) for alarm in told}
    return in_words([worst for worst in detector.worst if (worst.monitor, worst.name, worst.group) in keys])


def _quality(run: _Run) -> dict[str, BothSides]:
    """Before and after, by who decided."""
    if not run.prepared.labelled:
        return {}
    before, after = (_side(run, here) for here in (~run.is_after, run.is_after))
    return {name: BothSides(before=before[name], after=after[name]) for name in before}


def _side(run: _Run, here: Bools) -> dict[str, Side]:
    labels = pq.read_table(run.prepared.file("labels"))
    if run.scenario.domain == "fraud":
        k = run.scenario.measure.k or run.prepared.facts.get("k") or K_DEFAULT
        return card_side(run.decisions, run.events, labels, here, k)
    members, accounts = (pq.read_table(run.prepared.file(name)) for name in ("members", "accounts"))
    bank = Bank(run.events, labels, accounts, members, known_patterns(run.prepared))
    return customer_side(bank, run.decisions, here, capacity(run.scenario, run.prepared))
