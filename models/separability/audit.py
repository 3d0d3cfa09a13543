"""The whole audit: every check on one labelled stream, as one dictionary that a file can hold."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.progress import Tell, silent
from models.separability import behaviour, by_scenario, depth, leaks, motifs, shuffled, single_feature
from models.separability.document import document, within
from models.separability.learners import enter, smaller
from models.separability.material import Truth, counted_from_ns, features, read_truth, split_rows
from models.separability.settings import AuditSettings
from streams.labels import NS_PER_DAY

STEPS: tuple[tuple[str, float], ...] = (
    ("read events", 0.03),
    ("compute features", 0.08),
    ("single features", 0.14),
    ("train the full model", 0.25),
    ("feature families", 0.70),
    ("shuffled labels", 0.95),
    ("traces and behaviour", 1.0),
)


def audit_files(
    events: Sequence[Path], labels: Sequence[Path], settings: AuditSettings, tell: Tell = silent
) -> dict[str, Any]:
    """Audit files of events, one after another in time. Raises `BadInputError` for what cannot be used."""
    within(tell, STEPS, "read events")
    return audit(read_truth(events, labels), settings, tell)


def audit(truth: Truth, settings: AuditSettings, tell: Tell = silent) -> dict[str, Any]:
    """Every check. The same events and the same settings give the same dictionary."""
    within(tell, STEPS, "compute features")
    values, counts = features(truth, truth.labels, settings.label_delay_days)
    split = split_rows(truth, counts, settings)
    within(tell, STEPS, "single features")
    found = [single_feature.measure(truth, values, split)]
    within(tell, STEPS, "train the full model")
    contest = enter(values, truth.fraud, split, settings)
    full = contest.scores()
    compared = smaller(contest)
    found.append(depth.measure(contest, full, within(tell, STEPS, "feature families")))
    found.append(by_scenario.measure(truth, contest, full))
    again = within(tell, STEPS, "shuffled labels")
    found.append(
        shuffled.measure(truth, compared, lambda labels: features(truth, labels, settings.label_delay_days)[0], again)
    )
    within(tell, STEPS, "traces and behaviour")
    counted = np.flatnonzero(counts & (truth.time_ns >= counted_from_ns(truth.time_ns, settings)))
    found += [leaks.measure(truth, counted), behaviour.measure(truth, settings.seed), motifs.measure(truth)]
    return document(_data(truth), settings, found, (len(split.train), len(split.test)))


def _data(truth: Truth) -> dict[str, Any]:
    return {
        "events": len(truth),
        "frauds": int(truth.fraud.sum()),
        "cards": len(np.unique(truth.codes("card_id"))),
        "days": round((int(truth.time_ns[-1]) - int(truth.time_ns[0])) / NS_PER_DAY, 3),
    }
