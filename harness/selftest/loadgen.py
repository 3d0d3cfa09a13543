"""One run, two instruments: MLPerf LoadGen drives our scorer in process and times it; so do we, with our own clock,
accounts and histograms. Both have to say the same, however busy the machine is, for they time the same answers.
"""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import pyarrow.parquet as pq

from harness.feed import write_feed
from harness.inprocess import await_end, collect
from harness.instruments import StreamPlan
from harness.latency import measure_latency
from harness.prepare import prepare
from harness.prepared import Prepared
from harness.processes import Family, module_command
from harness.scenario import Breaker, parse_scenario
from harness.scorers import READY_S, ScorerSetup, scorer_options
from harness.selftest.bench import TIMEOUT_S, Measured, no_dispositions
from harness.selftest.findings import Finding, at_most, exactly
from harness.selftest.loadgen_log import PERCENTS, Int64s, LoadgenLog, read_loadgen
from harness.training import SHIPPED_RULES, Workshop, train, warm
from streams.codec import decode_decision
from streams.errors import RunInvalidError

MODULE = "mlperf_loadgen"
REQUIREMENT = "mlcommons-loadgen==6.0.17"
RATE_PER_S, MEASURED_S = 1_000.0, 5.0
SCENARIO = {
    "name": "selftest-loadgen",
    "world": {"history_days": 30, "cards": 500, "fraud_share": 0.02},
    "training": {"kernel_warmup_days": 7},
    "load": {"process": "constant", "rate_per_s": RATE_PER_S, "duration_s": MEASURED_S, "warmup_s": 0.0},
}
"""A world as small as a model can be trained on: what is proved does not depend on how good the model is."""
SEEDS = 2**32
"""As many schedules LoadGen can draw (its generator takes 32 bits)."""
SHARE = 0.01
"""Our histograms keep three significant digits."""
HAND_OVER_MS = 0.05
"""LoadGen reads its clock when the answer has come back through its Python binding, we when it is handed over."""


@dataclass(frozen=True, slots=True)
class SmallCase:
    """What the scorer starts from: the small world's files, a model bundle, a warm state."""

    prepared: Prepared
    bundle: Path
    state: Path


def loadgen_installed() -> bool:
    """Whether MLPerf LoadGen can be imported here."""
    return importlib.util.find_spec(MODULE) is not None


def make_small_case(shop: Workshop) -> SmallCase:
    """The small world, its model and its warm state, from the cache where they are there."""
    scenario = parse_scenario(SCENARIO, "the self-test's scenario")
    prepared = prepare(scenario, shop.cache)
    bundle = train(scenario, prepared, shop)
    state, _ = warm(scenario, prepared, bundle, SHIPPED_RULES["fraud"], shop)
    return SmallCase(prepared, bundle, state)


def drive_scorer(case: SmallCase, folder: Path, seed: int, family: Family) -> LoadgenLog:
    """Start the scorer with LoadGen in its process and wait for its end: decisions.jsonl is in `folder` then. Raises
    `RunInvalidError` when it fails."""
    folder.mkdir(parents=True)
    setup = ScorerSetup("loadgen", 1, case.bundle, None, case.state, "none", Breaker(), nightly=False)
    command = module_command(
        "scorer",
        *("--engine", setup.engine),
        *("--events", str(case.prepared.file("events"))),
        *("--dispositions", str(case.prepared.file("dispositions"))),
        *("--decisions-out", str(folder / "decisions.jsonl")),
        *("--loadgen-out", str(folder / "loadgen")),
        *("--loadgen-rate", str(RATE_PER_S)),
        *("--loadgen-seed", str(seed % SEEDS)),
        *scorer_options(setup),
    )
    child = family.start("scorer under LoadGen", command, folder / "scorer.log")
    await_end(child, MEASURED_S + TIMEOUT_S + READY_S)
    return read_loadgen(folder / "loadgen")


def account(events: Path, folder: Path, log: LoadgenLog) -> Measured:
    """Our side of the run: `folder`/decisions.jsonl through accounts, collector and histograms, as in any run in
    process. The schedule is LoadGen's, event by event; every other instant is our clock's. Raises `RunInvalidError`
    when LoadGen asked for more or fewer samples than there are events."""
    table = pq.read_table(events)
    if len(table) != len(log.scheduled_ns):
        raise RunInvalidError(f"MLPerf LoadGen asked for {len(log.scheduled_ns):,} samples of {len(table):,} events")
    write_feed(folder / "feed", table, no_dispositions(), log.scheduled_ns)
    plan = StreamPlan(
        title="loadgen",
        feed=folder / "feed",
        events=events,
        dispositions=events,
        partitions=1,
        timeout_s=TIMEOUT_S,
        measured_from=0,
        decisions=folder / "decisions.parquet",
    )
    origin_ns = clock_origin_ns(folder / "decisions.jsonl", table["event_id"].to_pylist(), log.issued_ns)
    counts, _ = collect(plan, origin_ns, folder)
    latency = measure_latency(plan.decisions, origin_ns, None)
    rows = pq.read_table(plan.decisions)
    return Measured(counts, latency, rows, int(np.count_nonzero(rows["measured"])))


def clock_origin_ns(decisions: Path, event_ids: list[str], issued_ns: Int64s) -> int:
    """The origin of LoadGen's clock on ours: no event is taken before it is issued, and the one that was taken the
    soonest after it was taken at once. Raises `RunInvalidError` without any decision."""
    issued: dict[str, int] = dict(zip(event_ids, issued_ns.tolist(), strict=True))
    apart: list[int] = []
    for line in decisions.read_bytes().splitlines():
        try:
            decision = decode_decision(line)
        except msgspec.DecodeError:
            continue  # the collector counts it
        if decision.event_id in issued and decision.taken_ns is not None:
            apart.append(decision.taken_ns - issued[decision.event_id])
    if not apart:
        raise RunInvalidError(f"{decisions} holds no decision on an event that MLPerf LoadGen asked for")
    return min(apart)


def prove_loadgen(log: LoadgenLog, ours: Measured) -> list[Finding]:
    """Every sample is in both books, and percentiles and single response times agree."""
    proof = "LoadGen"
    lasting = np.full(len(log.latency_ns), np.iinfo(np.int64).max // 2)
    lasting[ours.decisions["ordinal"].to_numpy()] = ours.decisions["response_ns"].to_numpy()
    apart_us = np.abs(lasting - log.latency_ns) / 1e3
    return [
        exactly(proof, "samples", len(log.latency_ns), ours.events),
        exactly(proof, "lost", 0, int(ours.counts["lost"])),
        *(_same_percentile(proof, log, ours, percent) for percent in PERCENTS),
        at_most(proof, "one response, median difference", "µs", 1e3 * HAND_OVER_MS, float(np.median(apart_us))),
    ]


def _same_percentile(proof: str, log: LoadgenLog, ours: Measured, percent: float) -> Finding:
    """LoadGen takes the sample at rank ⌊q · n⌋ + 1, HdrHistogram the one at ⌈q · n⌉: where samples lie far apart, as in
    a tail, one rank more or less is allowed."""
    reported = log.percentile_ns[percent]
    ordered = np.sort(log.latency_ns)
    rank = int(np.searchsorted(ordered, reported))
    around = ordered[[max(0, rank - 1), min(len(ordered) - 1, rank + 1)]]
    allowed_ms = SHARE * reported / 1e6 + HAND_OVER_MS + float(np.ptp(around)) / 1e6
    return Finding(
        proof, f"response P{percent:g}", "ms", reported / 1e6, ours.ms("response", percent / 100.0), allowed_ms
    )
