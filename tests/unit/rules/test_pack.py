"""A pack decides: priority, scores, fallback, reasons, version."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rules.columns import Column
from rules.pack import APPROVE, BLOCK, ESCALATE, REVIEW, RulePack, load_pack, parse_pack
from tests.unit.rules.conftest import HEAD, rule_text

Pack = Callable[..., RulePack]

SMALL = rule_text(
    "small", "{column: amount, below: 5}", priority=30, outcome="approve", score=0.01, code="OK", sentence='"small"'
)
LARGE = rule_text("large", "{column: amount, above: 100}", priority=20, outcome="block", score=0.95, code="BIG")
NIGHT = rule_text(
    "night", "{column: hour, below: 6}", priority=10, outcome="escalate", score=0.5, code="N", sentence='"at {hour}"'
)
FAST = rule_text(
    "fast",
    "{column: count_1h, at_least: 5}",
    priority=5,
    outcome="review",
    score=0.6,
    code="F",
    sentence='"{count_1h}"',
)
ODD = rule_text(
    "odd",
    "{column: is_new_device, is_true: true}",
    priority=40,
    outcome="escalate",
    score=0.4,
    code="D",
    sentence='"new"',
)

EVENTS = np.array(
    [
        # amount, hour, count_1h, is_new_device, channel
        [3, 12, 1, 0, 0],
        [500, 12, 1, 0, 0],
        [500, 3, 9, 0, 0],
        [50, 3, 1, 0, 0],
        [50, 3, 1, 1, 0],
        [50, 12, 1, 0, 0],
        [np.nan, np.nan, np.nan, np.nan, np.nan],
    ],
    dtype=np.float32,
)


@pytest.fixture
def five(pack: Pack) -> RulePack:
    return pack(SMALL, LARGE, NIGHT, FAST, ODD)


def test_rules_are_asked_by_priority_whatever_their_order_in_the_file(five: RulePack) -> None:
    assert [rule.name for rule in five.rules] == ["fast", "night", "large", "small", "odd"]


def test_the_first_rule_that_does_not_escalate_decides(five: RulePack) -> None:
    verdicts = five.decide(EVENTS)
    assert verdicts.outcome.tolist() == [APPROVE, BLOCK, REVIEW, ESCALATE, ESCALATE, ESCALATE, ESCALATE]
    assert verdicts.deciding.tolist() == [3, 2, 0, -1, -1, -1, -1]
    assert verdicts.fired[2].tolist() == [True, True, True, False, False]
    assert [verdicts.outcome.dtype.name, verdicts.deciding.dtype.name] == ["int8", "int16"]


def test_the_score_is_the_deciding_rules_or_the_noisy_or_of_what_fired(five: RulePack) -> None:
    verdicts = five.decide(EVENTS)
    assert verdicts.score == pytest.approx([0.01, 0.95, 0.6, 0.5, 0.7, 0.0, 0.0])


def test_the_fallback_keeps_what_rules_decided_and_holds_the_others_against_thresholds(five: RulePack) -> None:
    outcome, score = five.fallback(five.decide(EVENTS))
    assert outcome.tolist() == [APPROVE, BLOCK, REVIEW, REVIEW, REVIEW, APPROVE, APPROVE]
    assert outcome.dtype == np.int8
    assert score == pytest.approx([0.01, 0.95, 0.6, 0.5, 0.7, 0.0, 0.0])


def test_the_fallback_blocks_at_its_threshold(pack: Pack) -> None:
    made = pack(NIGHT, ODD, head=HEAD.replace("0.8", "0.7"))
    assert made.fallback(made.decide(EVENTS))[0].tolist()[3:5] == [REVIEW, BLOCK]


def test_reasons_name_the_deciding_rule_first_and_speak_in_values(five: RulePack) -> None:
    verdicts = five.decide(EVENTS)
    told = [(reason.code, reason.text, reason.kind) for reason in five.reasons(verdicts.fired[2], EVENTS[2])]
    assert told == [("F", "9 transactions", "rule"), ("N", "at 03:00 UTC", "rule"), ("BIG", "amount is 500.00", "rule")]


def test_a_rule_that_approves_is_a_reason_only_where_it_decided(pack: Pack) -> None:
    made = pack(SMALL, rule_text("tiny", "{column: amount, below: 4}", priority=1, code="T"))
    verdicts = made.decide(EVENTS[:1])
    assert [reason.code for reason in made.reasons(verdicts.fired[0], EVENTS[0])] == ["T"]
    approving = pack(SMALL)
    assert [each.code for each in approving.reasons(approving.decide(EVENTS[:1]).fired[0], EVENTS[0])] == ["OK"]


def test_no_event_is_no_verdict(five: RulePack) -> None:
    verdicts = five.decide(np.empty((0, 5), dtype=np.float32))
    assert verdicts.fired.shape == (0, 5)
    assert len(five.fallback(verdicts)[0]) == 0


@pytest.mark.parametrize("values", [np.zeros((2, 5)), np.zeros((2, 4), np.float32), np.zeros(5, np.float32)])
def test_other_types_and_shapes_are_refused(five: RulePack, values: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"rules take float32\[n, 5\], found"):
        five.decide(values)


def test_columns_may_lie_anywhere_in_memory(five: RulePack) -> None:
    expected = five.decide(EVENTS)
    for values in (np.asfortranarray(EVENTS), np.repeat(EVENTS, 2, axis=0)[::2]):
        assert five.decide(values).fired.tolist() == expected.fired.tolist()
    frozen = EVENTS.copy()
    frozen.flags.writeable = False
    assert five.decide(frozen).fired.tolist() == expected.fired.tolist()


def test_the_version_follows_the_content_and_not_the_layout(pack: Pack) -> None:
    version = pack(LARGE, NIGHT).version
    assert len(version) == 12
    assert pack(NIGHT, LARGE).version == version
    assert pack("  # a comment\n", LARGE, NIGHT.replace("below: 6", "below:   6.0")).version == version
    assert pack(LARGE, NIGHT.replace("below: 6", "below: 7")).version != version
    assert pack(LARGE, NIGHT, head=HEAD.replace("0.8", "0.81")).version != version


def test_a_pack_is_loaded_from_a_file(tmp_path: Path, columns: tuple[Column, ...]) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(HEAD + LARGE)
    assert load_pack(path, columns).version == parse_pack(HEAD + LARGE, columns).version
