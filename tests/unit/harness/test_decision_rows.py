"""What a scorer said becomes columns."""

import numpy as np

from harness.decision_rows import Answers, EventTimes, answered_rows
from streams.decision import Decision, ShadowScore


def test_what_another_model_says_has_columns_of_its_own() -> None:
    shadow = ShadowScore(model_version="m2", score=0.25, outcome="review", margin=-1.5)
    decisions = [
        Decision(event_id="a", outcome="approve", score=0.125, model_version="m1", shadow=shadow),
        Decision(event_id="b", outcome="block", score=1.0, model_version="m1"),
    ]
    ordinals = np.arange(2)
    answers = Answers(decisions, ordinals, ordinals)
    for some, expected in ((answers, ["m2", None]), (Answers(decisions[1:], ordinals[:1], ordinals[1:]), [None])):
        rows = answered_rows(some, np.zeros(len(some), np.bool_), EventTimes(ordinals, ordinals, 0))
        assert rows["shadow_model_version"].to_pylist() == expected
    rows = answered_rows(answers, np.zeros(2, np.bool_), EventTimes(ordinals, ordinals, 0))
    assert [rows[f"shadow_{name}"].to_pylist() for name in ("score", "outcome", "margin")] == [
        [0.25, None], ["review", None], [-1.5, None]
    ]  # fmt: skip
