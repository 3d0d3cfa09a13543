"""Agreement of reasons with causes: by hand, and chance against all permutations."""

import itertools

import numpy as np
import pytest

from harness.quality.agreement import reason_agreement, scenario_bits
from harness.quality.intervals import wilson
from streams.causes import CAUSES
from tests.quality_case import given_of, scored_of

WANTED = {"stolen": ("location", "amount"), "testing": ("velocity",)}


def fraud(scenario: str, card: str, **more: object) -> dict[str, object]:
    return {"fraud": True, "scenario": scenario, "card": card, "score": 0.9, **more}


ROWS = [
    fraud("stolen", "a"),
    fraud("stolen", "b"),
    fraud("testing", "c", path="rules"),
    fraud("testing", "d", score=0.1),
    fraud("unheard", "e"),
    {"score": 0.9, "card": "f"},
]
REASONS = [
    (0, "rule", "R", "velocity", None),
    (0, "feature", "amount", "amount", 0.5),
    (0, "feature", "count", "velocity", 0.4),
    (1, "feature", "hour", "time", 0.2),
    (1, "feature", "km", "location", 0.1),
    (2, "rule", "R", "velocity", None),
    (2, "feature", "amount", "amount", 9.0),
    (3, "feature", "count", "velocity", 1.0),
    (4, "feature", "count", "velocity", 1.0),
    (5, "feature", "amount", "amount", 1.0),
]


def test_what_is_counted_and_what_agrees() -> None:
    found = reason_agreement(scored_of(ROWS), given_of(REASONS), WANTED)
    assert found is not None
    # not judged: the fraud that was not flagged, the one whose scenario has no causes, the genuine event
    assert (found["explained"], found["frauds_flagged"]) == (3, 4)
    assert found["top_agrees"] == pytest.approx(2 / 3)
    assert (found["top_agrees_low"], found["top_agrees_high"]) == pytest.approx(tuple(wilson(2, 3).values()))
    assert found["model_top"]["agrees"] == pytest.approx(1 / 3)
    assert found["any_of_three"]["agrees"] == 1.0
    stolen = found["by_scenario"]["stolen"]
    assert (stolen["explained"], stolen["top_agrees"], stolen["any_of_three"]) == (2, 0.5, 1.0)
    assert stolen["top_causes"] == {"amount": 1, "time": 1}
    assert found["by_scenario"]["testing"]["top_agrees"] == 1.0
    # first reasons of genuine events: amount, which two of the three frauds have among their causes
    assert found["chance_genuine"] == pytest.approx(2 / 3)


def test_chance_is_the_mean_over_all_permutations() -> None:
    random = np.random.default_rng(2)
    scenarios = [str(name) for name in random.choice(list(WANTED), 6)]
    causes = [str(cause) for cause in random.choice(CAUSES[:6], 6)]
    scored = scored_of([fraud(name, f"c{n}") for n, name in enumerate(scenarios)])
    found = reason_agreement(scored, given_of([(n, "feature", "x", c, 1.0) for n, c in enumerate(causes)]), WANTED)
    agreement = [
        np.mean([cause in WANTED[name] for cause, name in zip(causes, dealt, strict=True)])
        for dealt in itertools.permutations(scenarios)
    ]
    assert found is not None
    assert found["chance"] == pytest.approx(np.mean(agreement))


def test_the_frauds_of_one_card_count_as_one_story_in_the_interval() -> None:
    rows, reasons = [], []
    for n in range(40):
        rows.append(fraud("testing", f"c{n % 4}"))
        reasons.append((n, "feature", "x", "velocity", 1.0))
    found = reason_agreement(scored_of(rows), given_of(reasons), WANTED)
    assert found is not None
    assert (found["top_agrees"], found["top_agrees_low"]) == (1.0, pytest.approx(wilson(4, 4)["low"]))


def test_a_reason_that_names_no_cause_does_not_agree() -> None:
    rows = [fraud("testing", "a"), fraud("testing", "b")]
    reasons = [(0, "feature", "x", None, 2.0), (0, "feature", "y", "velocity", 1.0), (1, "feature", "x", None, 2.0)]
    found = reason_agreement(scored_of(rows), given_of(reasons), WANTED)
    assert found is not None
    assert (found["explained"], found["top_agrees"], found["any_of_three"]["agrees"]) == (1, 0.0, 1.0)


def test_the_anomaly_score_is_passed_over_for_the_first_reason_that_says_more() -> None:
    rows = [fraud("testing", "a"), fraud("stolen", "b")]
    reasons = [(0, "feature", "error", "anomaly", 2.0), (0, "feature", "count", "velocity", 1.0)]
    found = reason_agreement(scored_of(rows), given_of([*reasons, (1, "feature", "error", "anomaly", 1.0)]), WANTED)
    assert found is not None
    assert (found["top_agrees"], found["model_top"]["agrees"]) == (0.0, 0.0)
    assert (found["first_specific"]["events"], found["first_specific"]["agrees"]) == (1, 1.0)


def test_without_reasons_causes_or_frauds_there_is_none() -> None:
    assert reason_agreement(scored_of(ROWS), given_of([]), WANTED) is None
    assert reason_agreement(scored_of(ROWS), given_of(REASONS), {}) is None
    assert reason_agreement(scored_of([{"score": 0.9}]), given_of([(0, "rule", "R", "amount", None)]), WANTED) is None


def test_causes_as_bits() -> None:
    assert scenario_bits(("amount", "amount")) == 1
    assert scenario_bits(CAUSES) == (1 << len(CAUSES)) - 1
