"""Which transfers are flagged: the model's threshold is held against the model's scores, the rules have their own."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rules.typologies.pack import SHIPPED
from scorer.aml.assembly import load_packs
from scorer.aml.judging import APPROVE, REVIEW, is_flagged, judge_sides
from scorer.aml.places import NOWHERE
from scorer.aml.ranking import RULE_WEIGHT
from scorer.judgement import BY_FALLBACK, BY_MODEL, BY_RULES

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
    place = np.array([0, 1, 2, NOWHERE, NOWHERE, NOWHERE], np.int32)
    assert is_flagged(model, place, NOBODY, 0.5).tolist() == [True, False, False]


def test_without_the_model_the_rules_flag() -> None:
    assert is_flagged(None, np.arange(6, dtype=np.int32), RAISED, 1e-4).tolist() == RAISED.tolist()


def judged_slowly(typologies: np.ndarray, place: np.ndarray, model: np.ndarray | None) -> tuple[list[Any], list[int]]:
    """Each side's score, rule score and typology, and each transfer's higher side, one by one."""
    rows: list[Any] = []
    for row, scores in enumerate(typologies.tolist()):
        rules = max(scores)
        score = rules if model is None else 1.0 - (1.0 - float(model[row])) * (1.0 - RULE_WEIGHT * rules)
        rows.append((score if place[row] != NOWHERE else -1.0, rules, scores.index(rules)))
    return rows, [max((first, first + 1), key=lambda row: rows[row][0]) for first in range(0, len(rows), 2)]


@given(
    st.lists(st.tuples(st.lists(st.sampled_from([0.0, 0.3, 0.7, 1.0]), min_size=3, max_size=3), st.booleans())),
    st.lists(st.floats(0, 1), min_size=80, max_size=80),
    st.booleans(),
)
def test_sides_are_ranked_as_one_by_one(
    drawn: list[tuple[list[float], bool]], scores: list[float], silent: bool
) -> None:
    drawn = drawn[: len(drawn) // 2 * 2]
    typologies = np.array([each for each, _ in drawn]).reshape(-1, 3)
    place = np.array([5 if known else NOWHERE for _, known in drawn], np.int32)
    model = None if silent else np.resize(np.array(scores), len(drawn))
    raised = np.zeros(len(drawn) // 2, bool)
    sides = judge_sides(typologies, place, model, raised, 0.5)
    rows, top = judged_slowly(typologies, place, model)
    ranked = sides.ranked
    assert list(zip(ranked.score.tolist(), ranked.rule_score.tolist(), ranked.typology.tolist(), strict=True)) == rows
    assert sides.top.tolist() == top
    known = (place != NOWHERE).reshape(-1, 2).any(axis=1)
    assert sides.path.tolist() == np.where(known, BY_FALLBACK if silent else BY_MODEL, BY_RULES).tolist()
    flagged = raised if model is None else ((model >= 0.5) & (place != NOWHERE)).reshape(-1, 2).any(axis=1)
    assert sides.outcome.tolist() == np.where(flagged, REVIEW, APPROVE).tolist()
