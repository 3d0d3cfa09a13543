"""Which transfers are flagged: the model's threshold is held against the model's scores, the rules have their own."""

import numpy as np

from rules.typologies.pack import SHIPPED
from scorer.aml.assembly import load_packs
from scorer.aml.judging import APPROVE, REVIEW, is_flagged, judge_sides

NOBODY, RAISED = np.zeros(3, bool), np.array([False, False, True])


def test_a_low_threshold_is_not_passed_by_what_rules_add_to_the_ranking() -> None:
    pack = load_packs(SHIPPED)
    typologies = np.full((6, len(pack.typologies)), 0.4)
    place = np.arange(6, dtype=np.int32)
    model = np.array([1e-6, 1e-6, 1e-6, 2e-4, 0.0, 0.0])
    sides = judge_sides(typologies, place, model, RAISED, 1e-4)
    assert (sides.ranked.score >= 1e-4).all(), "rules alone carry every ranking score past it"
    assert sides.outcome.tolist() == [APPROVE, REVIEW, REVIEW]


def test_a_side_that_is_no_known_account_flags_nothing() -> None:
    model = np.array([0.9, 0.0, 0.0, 0.9, 0.9, 0.9])
    known = np.array([True, True, True, False, False, False])
    assert is_flagged(model, known, NOBODY, 0.5).tolist() == [True, False, False]


def test_without_the_model_the_rules_flag() -> None:
    assert is_flagged(None, np.ones(6, bool), RAISED, 1e-4).tolist() == RAISED.tolist()
