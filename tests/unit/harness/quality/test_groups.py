"""Error rates by group, counted by hand, and the bias check."""

import pyarrow as pa
import pytest

from harness.quality.groups import error_rates, group_codes
from harness.quality.intervals import wilson
from streams.profiles import PROFILE_SCHEMA
from tests.quality_case import Row, scored_of


def profiles(rows: dict[str, str | None]) -> pa.Table:
    columns = {"card_id": list(rows), "segment": list(rows.values()), "region": [None] * len(rows)}
    return pa.table({name: pa.array(values, PROFILE_SCHEMA.field(name).type) for name, values in columns.items()})


def genuine(card: str, events: int, flagged: int) -> list[Row]:
    return [{"card": card, "score": 0.9 if n < flagged else 0.1} for n in range(events)]


def test_rates_of_each_group_and_of_all() -> None:
    rows = [
        {"card": "a", "fraud": True, "score": 0.9},
        {"card": "a", "fraud": True, "score": 0.1},
        {"card": "a", "score": 0.9},
        {"card": "b", "score": 0.1},
        {"card": "unheard of", "score": 0.1},
    ]
    scored = scored_of(rows)
    found = error_rates(scored, *group_codes(scored, profiles({"b": "old", "a": "young", "z": "old"}), "segment"))
    young, old = found["groups"]
    assert (young["name"], young["events"], young["frauds"], young["flagged"], young["caught"]) == ("young", 3, 2, 2, 1)
    assert (young["recall"], young["false_positive_rate"], young["precision"]) == (0.5, 1.0, 0.5)
    assert (young["recall_low"], young["recall_high"]) == tuple(wilson(1, 2).values())
    assert (old["recall"], old["false_positive_rate"], old["precision"]) == (None, 0.0, None)
    assert (found["overall"]["events"], found["unknown"], found["disparity"]) == (5, 1, None)


@pytest.mark.parametrize(("worst", "overlap"), [(26, True), (80, False)])
def test_the_worst_group_is_named_and_compared(worst: int, overlap: bool) -> None:
    scored = scored_of([*genuine("a", 1_000, worst), *genuine("b", 3_000, 60), *genuine("few", 50, 50)])
    groups = group_codes(scored, profiles({"a": "young", "b": "old", "few": "tiny"}), "segment")
    found = error_rates(scored, *groups)["disparity"]
    overall = (worst + 60 + 50) / 4_050
    assert found["group"] == ("young" if worst > 20 else "old")
    assert found["ratio"] == pytest.approx(worst / 1_000 / overall)
    assert (found["compared"], found["intervals_overlap"]) == (2, overlap)


def test_profiles_without_groups_leave_every_card_unknown() -> None:
    scored = scored_of(genuine("a", 3, 1))
    codes, names = group_codes(scored, profiles({"a": "young"}), "region")
    assert (codes.tolist(), names) == ([-1, -1, -1], [])
