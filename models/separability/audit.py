"""The whole audit: every check on one labelled stream, as one dictionary that a file can hold."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.progress import Tell, silent
from models.separability import behaviour, by_scenario, depth, leaks, motifs, shuffled, single_feature
from models.separability.checks import Findings
from models.separability.learners import enter, smaller
from models.separability.material import Truth, counted_from_ns, features, read_truth, split_rows
from models.separability.settings import AuditSettings
from streams.labels import NS_PER_DAY

SCHEMA_VERSION = 1
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
    _within(tell, "read events")
    return audit(read_truth(events, labels), settings, tell)


def audit(truth: Truth, settings: AuditSettings, tell: Tell = silent) -> dict[str, Any]:
    """Every check. The same events and the same settings give the same dictionary."""
    _within(tell, "compute features")
    values, counts = features(truth, truth.labels, settings.label_delay_days)
    split = split_rows(truth, counts, settings)
    _within(tell, "single features")
    found = [single_feature.measure(truth, values, split)]
    _within(tell, "train the full model")
    contest = enter(values, truth.fraud, split, settings)
    full = contest.scores()
    compared = smaller(contest)
    found.append(depth.measure(contest, full, _within(tell, "feature families")))
    found.append(by_scenario.measure(truth, contest, full))
    again = _within(tell, "shuffled labels")
    found.append(
        shuffled.measure(truth, compared, lambda labels: features(truth, labels, settings.label_delay_days)[0], again)
    )
    _within(tell, "traces and behaviour")
    counted = np.flatnonzero(counts & (truth.time_ns >= counted_from_ns(truth.time_ns, settings)))
    found += [leaks.measure(truth, counted), behaviour.measure(truth, settings.seed), motifs.measure(truth)]
    return _document(truth, settings, found, (len(split.train), len(split.test)))


def _document(truth: Truth, settings: AuditSettings, found: list[Findings], rows: tuple[int, int]) -> dict[str, Any]:
    checks = [check for one in found for check in one.checks]
    broken = [check.name for check in checks if check.verdict == "fail"]
    status = ("fail" if broken else "pass") if settings.strict else "information"
    return {
        "schema_version": SCHEMA_VERSION,
        "status": status,
        "broken": broken if settings.strict else [],
        "data": {
            "events": len(truth),
            "frauds": int(truth.fraud.sum()),
            "cards": len(np.unique(truth.codes("card_id"))),
            "days": round((int(truth.time_ns[-1]) - int(truth.time_ns[0])) / NS_PER_DAY, 3),
            "train_rows": rows[0],
            "test_rows": rows[1],
        },
        "settings": {
            "seed": settings.seed,
            "label_delay_days": settings.label_delay_days,
            "warm_up_days": settings.warm_up_days,
            "test_share": settings.test_share,
            "genuine_max": settings.genuine_max,
            "genuine_compared": settings.genuine_compared,
            "permutations": settings.permutations,
            "alert_share": settings.alert_share,
        },
        "checks": [check.to_dict(settings.strict) for check in checks],
        "tables": {name: rows for one in found for name, rows in one.tables.items()},
    }


def _within(tell: Tell, step: str) -> Callable[[float], None]:
    names = [name for name, _ in STEPS]
    index = names.index(step)
    start, end = STEPS[index - 1][1] if index else 0.0, STEPS[index][1]
    tell(step, start)
    return lambda share: tell(step, start + (end - start) * share)
