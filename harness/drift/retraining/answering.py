"""Puts an answer together for a run: desk, watch, course and the attendant that holds the stream."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from harness.drift.retraining.attending import Answering
from harness.drift.retraining.course import Course
from harness.drift.retraining.desk import TrainingDesk, profiles_of
from harness.drift.retraining.live_watch import LiveWatch
from harness.drift.retraining.material import Known
from harness.drift.retraining.settings import AnswerSettings
from harness.drift.retraining.so_far import SoFar
from harness.drift.sides import arrivals_of, card_sides
from harness.measures import K_DEFAULT
from harness.prepared import Prepared
from harness.processes import Family
from harness.quality.rule_hits import rule_outcomes
from harness.runfolder import RunFolder
from harness.scenario import Scenario
from harness.scorers import ScorerSetup
from harness.training import Workshop, read_bundle
from streams.errors import BadInputError
from streams.labels import NS_PER_DAY
from streams.rollout import Candidate

CONTROL = "rollout.json"


@dataclass(frozen=True, slots=True)
class OnDrift:
    """What is asked of a run: to answer drift, by a model trained then, or by `candidate`, a bundle put on trial."""

    candidate: Path | None = None
    settings: AnswerSettings = field(default_factory=AnswerSettings)

    @property
    def of_candidate(self) -> AnswerSettings:
        """A bundle that was given is tried once: it does not learn."""
        if self.candidate is None:
            return self.settings
        return replace(self.settings, attempts_max=1, renewals_max=0)


def refuse_unanswerable(scenario: Scenario) -> None:
    """Raises BadInputError for a run whose drift cannot be answered."""
    if scenario.domain != "fraud":
        raise BadInputError("--on-drift retrain: is for card fraud; models of transfers cannot be changed in a stream")
    if scenario.scorer.engine != "inprocess":
        raise BadInputError(
            f"--on-drift retrain: event time has to stand still while a model is trained, which engine "
            f"{scenario.scorer.engine} cannot: leave out --engine, or give --engine inprocess"
        )
    if scenario.faults:
        raise BadInputError("--on-drift retrain: goes with no faults: what they do to the stream is no drift")


@contextmanager
def answering(
    asked: OnDrift, scenario: Scenario, prepared: Prepared, setup: ScorerSetup, folder: RunFolder, cache: Path,
    say: Callable[[str], None],
) -> Iterator[Answering]:  # fmt: skip
    """The attendant of a run; what it starts has ended when the context is left. Raises BadInputError when nothing is
    known of the stream's labels."""
    if not prepared.labelled:
        raise BadInputError("--on-drift retrain: the data has no labels to train on")
    events, labels = (pq.read_table(prepared.file(name)) for name in ("events", "labels"))
    delay_ns = round(scenario.training.label_delay_days * NS_PER_DAY)
    bundle = read_bundle(setup.bundle)
    profiles = profiles_of(prepared)
    work = folder.work / "answers"
    work.mkdir(parents=True, exist_ok=True)
    so_far = SoFar(folder.work / "inprocess" / "decisions.jsonl", events["event_id"])
    rules = tuple(rule_outcomes(setup.rules)) if setup.rules is not None else ()
    watch = LiveWatch(
        events, card_sides(events, profiles), arrivals_of(events, labels, delay_ns),
        (tuple(bundle["feature_names"]), rules),
    )  # fmt: skip
    schedule = np.load(folder.work / "feed" / "schedule.npy")
    with Family() as family:
        shop = Workshop(cache, folder.path / "logs", family, lambda text: None)
        # the desk asks the attendant, which is made of the course, which is made of the desk
        refused: list[Answering] = []
        desk = TrainingDesk(
            scenario, prepared, Known(events, labels, delay_ns), so_far, shop, asked.settings,
            scenario.measure.k or prepared.facts.get("k") or K_DEFAULT, profiles,
            lambda candidate: refused[0].refused(candidate), asked.candidate,  # noqa: PLW0108 - it is there only later
        )  # fmt: skip
        champion = Candidate(bundle=str(setup.bundle.resolve()), model_version=str(bundle["model_version"]))
        attendant = Answering(
            work / CONTROL, Course(champion, desk, asked.of_candidate), watch, events["event_time_ns"].to_numpy(),
            float(schedule[-1]) / 1e9 if len(schedule) else 0.0, say,
        )  # fmt: skip
        attendant.follow(so_far)
        refused.append(attendant)
        yield attendant
