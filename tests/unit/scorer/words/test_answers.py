"""What is written of columns is, to the byte, what the encoder writes of the decisions."""

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scorer.judgement import BY_FALLBACK, BY_MODEL, BY_RULES, Judgement
from scorer.rollout.judging import Decided as DecidedByParts
from scorer.words import answers
from scorer.words.answers import FEW, Answers, Speaker
from scorer.words.decided import Decided
from scorer.words.written import Written
from streams.codec import decode_decision, encode_decision
from streams.decision import Reason

ODD_FLOATS = (0.0, -0.0, 1.0, 5e-324, 1e-7, 1e-5, 0.1, 1 / 3, 1e16, 1e22, 123456789012345678.0, 1.7e308, float("nan"))
ODD_IDS = ('a"', "\\", '","', "a,", "],[", "\n", "\x7f", "é", "\u2028", "💳", "[", "e" * 64)

scores = st.sampled_from(ODD_FLOATS) | st.floats(allow_nan=True, allow_infinity=True)
ids = st.sampled_from(ODD_IDS) | st.text(st.characters(codec="utf-8"), min_size=1, max_size=64)
plain_ids = st.text(st.characters(codec="utf-8", exclude_characters='"\\', min_codepoint=32), min_size=1, max_size=64)


class FiredOrNot:
    """A pack that says a reason for each rule that fired."""

    version = "rules-1"

    def reasons(self, fired: np.ndarray, values: np.ndarray) -> list[Reason]:
        return [Reason(code=f"R{rule}", text='said in "quotes"', kind="rule") for rule in np.flatnonzero(fired)]


@st.composite
def micro_batches(draw: Any, names: Any = ids, features: int | None = None) -> Decided:
    """Decided in columns, whatever stands in them."""
    count = draw(st.integers(0, 40))
    width = draw(st.integers(1, 5)) if features is None else features

    def column(of: Any, dtype: Any) -> Any:
        return np.array(draw(st.lists(of, min_size=count, max_size=count)), dtype)

    margin = column(scores, np.float64)
    with np.errstate(over="ignore"):
        judged = Judgement(
            column(st.sampled_from([1, 1, 1, 2, 3]), np.int8),
            column(st.sampled_from([BY_RULES, BY_MODEL, BY_MODEL, BY_FALLBACK]), np.int8),
            column(scores, np.float64),
            margin.astype(np.float32),
            np.zeros(count, np.float32),
        )
    values = np.frombuffer(draw(st.binary(min_size=4 * count * width, max_size=4 * count * width)), "<f4")
    verdicts: Any = type("Verdicts", (), {"fired": column(st.booleans(), np.bool_)[:, None]})
    stages = draw(st.dictionaries(st.sampled_from(["features", "rules", "model"]), st.integers(0, 2**63 - 1)))
    return Decided(
        draw(st.lists(names, min_size=count, max_size=count)), values.reshape(count, width), verdicts, judged, stages
    )


def speaker(worker: str = "w", *, tells_all: bool = False) -> Speaker:
    pack: Any = FiredOrNot()
    return Speaker(pack, "model-1", worker, tells_all)


def said_at(instants: list[int]) -> Any:
    return iter(instants).__next__


def spoken(found: Answers, cuts: list[int]) -> tuple[list[Written], list[bytes]]:
    """In words by these cuts, and what the encoder writes of the decisions at the same instants."""
    bounds = sorted({0, len(found), *(cut for cut in cuts if cut < len(found))})
    parts = [
        found.written(low, high, itertools.count(low + 10**15).__next__) for low, high in itertools.pairwise(bounds)
    ]
    instants = [low + 10**15 for low, high in itertools.pairwise(bounds) for _ in range(low, high)]
    return parts, [encode_decision(each) for each in found.decisions(said_at(instants))]


@given(
    micro_batches() | micro_batches(plain_ids),
    st.lists(st.integers(0, 40), max_size=3),
    st.text(max_size=5),
    st.booleans(),
)
def test_words_are_the_encoders(decided: Decided, cuts: list[int], worker: str, tells_all: bool) -> None:
    parts, expected = spoken(Answers(decided, speaker(worker, tells_all=tells_all), 2**63 - 1), cuts)
    assert [value for part in parts for value in part.values] == expected
    assert [event_id for part in parts for event_id in part.ids] == list(decided.ids)


def rows(count: int, **changed: Any) -> Decided:
    """So many approvals of the model, with features as a bundle has them."""
    judged = Judgement(
        np.ones(count, np.int8),
        np.full(count, BY_MODEL, np.int8),
        np.linspace(0, 1, count),
        np.linspace(-9, 9, count).astype(np.float32),
        np.zeros(count, np.float32),
    )
    values = np.random.default_rng(count).normal(size=(count, 65)).astype(np.float32)
    verdicts: Any = type("Verdicts", (), {"fired": np.zeros((count, 2), np.bool_)})
    made = Decided([f"e{row}" for row in range(count)], values, verdicts, judged, {"features": 1, "model": 2})
    return replace(made, **changed)


@pytest.mark.parametrize("number", ODD_FLOATS)
def test_numbers_are_written_as_the_encoder_writes_them(number: float) -> None:
    decided = rows(2 * FEW)
    decided.judged.score[:] = number
    decided.judged.margin[:] = np.float32(min(number, 1e38))
    (part,), expected = spoken(Answers(decided, speaker(), 5), [])
    assert part.values == expected


def test_rows_with_reasons_stand_in_their_places(monkeypatch: pytest.MonkeyPatch) -> None:
    decided, encoded = rows(100), []
    decided.judged.outcome[[0, 7, 50, 99]] = 2, 3, 3, 2
    decided.verdicts.fired[[7, 50]] = True
    found = Answers(decided, speaker(), 5)
    (part,), expected = spoken(found, [])
    assert part.values == expected
    again = [decode_decision(value) for value in part.values]
    assert [each.event_id for each in again if each.reasons] == ["e7", "e50"]

    def counted(decision: Any) -> bytes:
        encoded.append(decision.event_id)
        return encode_decision(decision)

    monkeypatch.setattr(answers, "encode_decision", counted)
    found.written(0, 100, lambda: 10)
    assert encoded == ["e0", "e7", "e50", "e99"], "all others are written by the kernel"


@pytest.mark.parametrize("count", [1, FEW - 1, FEW, 257])
def test_a_few_and_many_say_the_same(count: int) -> None:
    (part,), expected = spoken(Answers(rows(count), speaker(), 5), [])
    assert part.values == expected


def test_while_a_model_is_changed_each_row_says_whose_it_is() -> None:
    decided = rows(2 * FEW)
    judged, by = decided.judged, np.arange(2 * FEW, dtype=np.int8) % 2
    contenders: Any = [type("Contender", (), {"model_version": name, "explained": None}) for name in ("old", "new")]
    parts = DecidedByParts(
        judged, contenders, by, (1 - by).astype(np.int8), judged.margin, judged.score, judged.outcome
    )
    (part,), expected = spoken(Answers(replace(decided, parts=parts), speaker(), 5), [])
    assert part.values == expected
    again = [decode_decision(value) for value in part.values]
    assert [each.model_version for each in again] == ["old", "new"] * FEW
    assert [each.shadow.model_version for each in again if each.shadow] == ["new", "old"] * FEW


@given(st.integers(1, 12), st.integers(FEW, 20))
@example(2, FEW)
@example(3, FEW)
def test_features_of_any_width(width: int, count: int) -> None:
    values = np.random.default_rng(width).normal(size=(count, width)).astype(np.float32)
    (part,), expected = spoken(Answers(rows(count, values=values), speaker(), 5), [])
    assert part.values == expected


def test_features_that_lie_apart_in_memory() -> None:
    values = np.asfortranarray(rows(20).values)
    (part,), expected = spoken(Answers(rows(20, values=values), speaker(), 5), [])
    assert part.values == expected
    assert np.frombuffer(decode_decision(part.values[3]).features or b"", "<f4").tolist() == values[3].tolist()
