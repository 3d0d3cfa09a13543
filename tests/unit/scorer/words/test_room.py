"""The kernel stays within its memory: it looks at no bounds, so its rows are put between bytes that must not change."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorer.words import columns
from scorer.words.columns import Columns, spelled, written
from scorer.words.kernel import said
from streams.codec import encode_decision
from streams.decision import OUTCOMES, PATHS, Decision
from streams.kernels.memory import WORD_BYTES

LONGEST = -1.2345678901234567e-308
UNTOUCHED, AROUND = 0xA5, 4096


def hemmed_in(kernel: Any) -> Any:
    """The kernel, writing between bytes that it must leave alone."""

    def write(text: Any, places: Any, kinds: Any, features: Any, width: int, out: Any) -> None:
        memory = np.full(len(out) + 2 * AROUND, UNTOUCHED, np.uint8)
        kernel(text, places, kinds, features, width, memory[AROUND:-AROUND])
        room = len(kinds) * width + WORD_BYTES
        assert room <= len(out)
        assert np.all(memory[:AROUND] == UNTOUCHED)
        assert np.all(memory[AROUND + room :] == UNTOUCHED)
        out[:] = memory[AROUND:-AROUND]

    return write


def decision(of: Columns, row: int, rest: dict[str, Any]) -> Decision:
    outcome, path = divmod(int(of.kinds[row]), len(PATHS))
    return Decision(
        event_id=of.ids[row],
        outcome=OUTCOMES[outcome],
        score=of.score[row],
        path=PATHS[path],
        margin=of.margin[row] if PATHS[path] == "model" else None,
        features=of.features[row].tobytes(),
        **rest,
    )


@pytest.fixture(scope="module", autouse=True)
def _between_bytes() -> Any:
    hemmed = hemmed_in(columns._kernel())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columns, "_kernel", lambda: hemmed)
        yield


@given(
    ids=st.lists(st.sampled_from(["", "e", "é" * 5, "e" * 128, "💳" * 128]), min_size=1, max_size=9),
    number=st.sampled_from([LONGEST, 0.5, float("nan")]),
    kind=st.integers(0, len(OUTCOMES) * len(PATHS) - 1),
    width=st.integers(1, 14),
    worker=st.text(max_size=9),
)
def test_nothing_is_written_beside_the_rows(ids: list[str], number: float, kind: int, width: int, worker: str) -> None:
    count, rest = len(ids), {"worker": worker, "taken_ns": 2**63 - 1}
    kinds, features = np.full(count, kind, np.int8), np.arange(count * width, dtype=np.uint8).reshape(count, width)
    of = Columns(ids, [number] * count, [number] * count, kinds, features)
    parts = spelled(of)
    assert parts is not None
    found = written(of, parts, said(**rest, features=b"")[:-1].encode())
    assert found == [encode_decision(decision(of, row, rest)) for row in range(count)]
