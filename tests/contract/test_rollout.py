"""A model changed under the stream, as a user does it: a plan in a file, whichever engine, nothing lost."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from models.bundle import Bundle, BundleError, write_bundle
from scorer.rollout.contender import contender
from streams.brokers import Broker
from streams.labels import NS_PER_HOUR
from streams.rollout import Candidate, Phase, RolloutPlan, RolloutStep, write_plan
from tests.contract.scorer_process import Reader, fresh_topics, scorer_system, send_stream, start
from tests.scorer_case import STREAM_START_NS, ScorerCase

PHASES: tuple[tuple[Phase, int], ...] = (("shadow", 12), ("canary", 30), ("full", 54), ("rolled-back", 80))
"""A phase and the hour of the stream at which it begins."""
TIMES = ("taken_ns", "emitted_ns", "stages_ns", "worker")


@dataclass(frozen=True)
class Trial:
    """A second bundle, of the same trees but another version and thresholds, and the plan that tries it."""

    plan: Path
    first: str
    second: str

    @property
    def options(self) -> list[str]:
        return ["--rollout-control", str(self.plan)]


def another_bundle(case: ScorerCase, folder: Path, **changed: Any) -> Candidate:
    bundle = Bundle.load(case.bundle)
    kept = {key: value for key, value in bundle.manifest.items() if key not in ("files", "manifest_hash")}
    kept |= {"model_version": "fraud-second", **changed}
    write_bundle(folder, kept, bundle.graph, bundle.booster)
    return Candidate(bundle=str(folder), model_version=str(kept["model_version"]))


def write_trial(path: Path, candidate: Candidate) -> None:
    steps = tuple(
        RolloutStep(
            phase=phase,
            from_event_time_ns=STREAM_START_NS + hour * NS_PER_HOUR,
            candidate=candidate,
            share=0.4 if phase == "canary" else None,
        )
        for phase, hour in PHASES
    )
    write_plan(path, RolloutPlan(steps=steps))


@pytest.fixture(scope="module")
def trial(case: ScorerCase, tmp_path_factory: pytest.TempPathFactory) -> Trial:
    folder = tmp_path_factory.mktemp("trial")
    thresholds = Bundle.load(case.bundle).thresholds
    lower = {"review": thresholds.review / 2, "block": (thresholds.review + thresholds.block) / 2}
    candidate = another_bundle(case, folder / "second", thresholds=lower)
    write_trial(folder / "plan", candidate)
    return Trial(folder / "plan", Bundle.load(case.bundle).model_version, candidate.model_version)


@dataclass(frozen=True)
class Ran:
    decisions: dict[str, dict[str, Any]]
    summary: dict[str, Any]


def by_event(values: list[bytes]) -> dict[str, dict[str, Any]]:
    """Decisions by event, without what differs between engines."""
    found = [json.loads(value) for value in values]
    assert len({each["event_id"] for each in found}) == len(found)
    return {each["event_id"]: {key: each[key] for key in each if key not in TIMES} for each in found}


def on_file(case: ScorerCase, folder: Path, *more: str) -> Ran:
    out = folder / "decisions.jsonl"
    options = [
        "--engine", "inprocess", "--bundle", str(case.bundle), "--rules", str(case.rules), "--state", str(case.state),
        "--events", str(case.events_file), "--dispositions", str(case.dispositions_file),
        "--decisions-out", str(out), *more,
    ]  # fmt: skip
    process = start(folder, "inprocess", options)
    assert process.child.wait(120) == 0, process.log.read_text()
    return Ran(by_event(out.read_bytes().splitlines()), json.loads(process.summary_file.read_text())["rollout"])


@pytest.fixture(scope="module")
def expected(case: ScorerCase, trial: Trial, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return on_file(case, tmp_path_factory.mktemp("expected"), *trial.options)


def test_each_phase_is_in_the_decisions_and_nothing_is_lost(case: ScorerCase, trial: Trial, expected: Ran) -> None:
    times = dict(zip(case.stream["event_id"].to_pylist(), case.stream["event_time_ns"].to_pylist(), strict=True))
    assert set(expected.decisions) == set(times)
    deciding: dict[str, set[str]] = {}
    for name, decision in expected.decisions.items():
        hour = (times[name] - STREAM_START_NS) / NS_PER_HOUR
        phase = next((each for each, begin in reversed(PHASES) if hour >= begin), "before")
        deciding.setdefault(phase, set()).add(decision["model_version"])
        by_model = decision.get("path", "model") == "model"
        assert ("shadow" in decision) == (by_model and phase in ("shadow", "canary"))
    first, second = {trial.first}, {trial.second}
    assert deciding == {
        "before": first, "shadow": first, "canary": first | second, "full": second, "rolled-back": first
    }  # fmt: skip
    assert expected.summary["phase"] == "rolled-back"
    assert sum(expected.summary["decided_by"].values()) == len(times)
    assert expected.summary["late_steps"] == 0


def test_micro_batches_of_five_decide_the_same(case: ScorerCase, trial: Trial, expected: Ran, tmp_path: Path) -> None:
    assert on_file(case, tmp_path, *trial.options, "--batch-max", "5").decisions == expected.decisions


@pytest.mark.broker("embedded")
@pytest.mark.parametrize(("engine", "workers"), [("native", 2), ("faust", 1)])
def test_engines_on_a_broker_decide_the_same(
    case: ScorerCase, trial: Trial, expected: Ran, broker_embedded: Broker, tmp_path: Path, engine: str, workers: int
) -> None:
    connection = broker_embedded.connection
    with (
        fresh_topics(connection, 4) as topics,
        scorer_system(
            tmp_path, case, connection, topics, engine=engine, workers=workers, more=trial.options
        ) as processes,
    ):
        send_stream(case, connection, topics)
        found = by_event(Reader(connection, topics.decisions).read(len(expected.decisions)))
        summaries = [process.stop() for process in processes]
    assert found == expected.decisions
    assert sum(told["decided"] for told in summaries[1:]) == len(expected.decisions)
    assert {told["rollout"]["phase"] for told in summaries[1:]} == {"rolled-back"}


def test_a_damaged_candidate_is_refused_and_the_champion_goes_on(
    case: ScorerCase, trial: Trial, tmp_path: Path
) -> None:
    candidate = another_bundle(case, tmp_path / "damaged")
    graph = tmp_path / "damaged" / "model.onnx"
    graph.write_bytes(graph.read_bytes()[:-7] + b"garbage")
    write_trial(tmp_path / "plan", candidate)
    ran = on_file(case, tmp_path, "--rollout-control", str(tmp_path / "plan"))
    assert ran.summary["refused"].keys() == {"fraud-second"}
    assert "model.onnx is corrupted: its hash is" in ran.summary["refused"]["fraud-second"]
    assert ran.summary["champion"] == trial.first
    assert {each["model_version"] for each in ran.decisions.values()} == {trial.first}
    assert len(ran.decisions) == len(set(case.stream["event_id"].to_pylist()))


def test_what_does_not_fit_is_refused_in_words(case: ScorerCase, tmp_path: Path) -> None:
    names = list(Bundle.load(case.bundle).feature_names)
    words: dict[str, tuple[str, dict[str, Any]]] = {
        "features": ("has unknown phase_of_moon", {"feature_names": [*names, "phase_of_moon"]}),
        "delay": ("takes a label delay (days) of 9, the champion", {"label_delay_days": 9}),
        "version": ("is fraud-third, the plan says fraud-version", {"model_version": "fraud-third"}),
    }
    home: Any = SimpleNamespace(bundle=Bundle.load(case.bundle))
    for name, (said, changed) in words.items():
        made = another_bundle(case, tmp_path / name, **{"model_version": f"fraud-{name}", **changed})
        told = Candidate(bundle=made.bundle, model_version=f"fraud-{name}")
        with pytest.raises(BundleError, match=re.escape(said)), contender(told, home):
            pass
