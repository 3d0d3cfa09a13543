"""A candidate loaded under the stream: what it holds up, beside what loading takes by itself."""

import logging
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.test_pipeline import Scorer
from models.bundle import Bundle, write_bundle
from scorer.breaker_config import BreakerConfig
from scorer.guarded_model import Guards
from scorer.options import FileInput, RunOptions
from scorer.rollout.contender import Contender, Home, contender
from scorer.rollout.rollout import Rollout
from scorer.rollout.watching import PlanWatch, watching
from streams.rollout import NO_PLAN, Candidate, RolloutPlan, RolloutStep, write_plan

log = logging.getLogger("riskbench.benchmarks")

BATCH = 64
STALL_MAX = 0.5
"""The longest micro-batch while a candidate is loaded, as a share of what loading takes by itself."""
BATCHES_MAX = 20_000
OPTIONS = RunOptions(
    engine="inprocess", role="worker", worker="w", bootstrap_servers=None, kafka_config=None, prefix=None, group=None,
    bundle=None, rules=Path("rules"), state=None, explain="none", breaker=BreakerConfig(), guards=Guards(),
    batch_max=256, table_wait_s=1.0, metrics_host="127.0.0.1", metrics_port=0, ready_file=None, summary=None,
    late_scores=None, files=FileInput(),
)  # fmt: skip


def candidate_of(bundle: Bundle, folder: Path) -> Candidate:
    """The same model under another version."""
    kept = {key: value for key, value in bundle.manifest.items() if key not in ("files", "manifest_hash")}
    write_bundle(folder, {**kept, "model_version": "fraud-next"}, bundle.graph, bundle.booster)
    return Candidate(bundle=str(folder), model_version="fraud-next")


@pytest.fixture
def scorer(bundle: Bundle) -> Iterator[Scorer]:
    made = Scorer(bundle)
    yield made
    made.guard.close()


def loaded_s(candidate: Candidate, home: Home) -> float:
    """What loading takes by itself."""
    begin = time.perf_counter()
    with contender(candidate, home):
        return time.perf_counter() - begin


def longest_s(scorer: Scorer, watch: PlanWatch) -> tuple[float, int]:
    """Decide until the candidate goes along: the longest micro-batch, and how many there were. Nothing is lost."""
    longest, batches = 0.0, 0
    while batches < BATCHES_MAX:
        events = scorer.events(BATCH)
        begin = time.perf_counter()
        decided = scorer.decided(events)
        longest, batches = max(longest, time.perf_counter() - begin), batches + 1
        assert [each.event_id for each in decided] == [event.event_id for event in events]
        if any(each.shadow is not None for each in decided):
            assert all(each.shadow is not None for each in decided if each.path == "model")
            return longest, batches
    raise AssertionError(f"no candidate after {batches} micro-batches: {watch.refused or watch.error}")


def test_loading_a_candidate_stalls_no_micro_batch(bundle: Bundle, scorer: Scorer, tmp_path: Path) -> None:
    home = Home(OPTIONS, bundle, scorer.judge.pack, time.monotonic_ns)
    candidate, control = candidate_of(bundle, tmp_path / "next"), tmp_path / "plan"
    alone = min(loaded_s(candidate, home) for _ in range(3))
    write_plan(control, NO_PLAN)
    with watching(control, lambda told: contender(told, home)) as watch:
        scorer.pipeline.change_by(Rollout(Contender(bundle.model_version, scorer.judge), watch))
        for _ in range(50):
            scorer.decided(scorer.events(BATCH))
        step = RolloutStep(phase="shadow", from_event_time_ns=0, candidate=candidate)
        write_plan(control, RolloutPlan(steps=(step,)))
        longest, batches = longest_s(scorer, watch)
    words = f"{batches} micro-batches, the longest {longest * 1e3:.1f} ms; loading alone {alone * 1e3:.1f} ms"
    log.info(words)
    assert longest <= STALL_MAX * alone, words
