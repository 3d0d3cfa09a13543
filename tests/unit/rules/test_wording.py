"""Values in words."""

import pytest

from rules.columns import Column
from rules.wording import in_words


@pytest.mark.parametrize(
    ("unit", "value", "words"),
    [
        ("money", 1234.5, "1,234.50"),
        ("transactions", 1, "1 transaction"),
        ("transactions", 12, "12 transactions"),
        ("hours", 0.5, "30 min"),
        ("share", 0.125, "12.5 %"),
        ("h", 14.5, "14:30 UTC"),
        ("h", 24, "24:00 UTC"),
        ("s", 12, "12 s"),
        ("s", 90, "1.5 min"),
        ("s", 5_400, "1.5 h"),
        ("s", 200_000, "2.3 days"),
        ("km", 12_345.6, "12,346 km"),
        ("km/h", 99.94, "99.9 km/h"),
        ("times", 10.2, "10.2 times"),
        ("", 3, "3"),
        ("money", float("nan"), "unknown"),
        ("s", float("inf"), "inf days"),
    ],
)
def test_numbers_are_said_with_their_unit(unit: str, value: float, words: str) -> None:
    high = 24 if unit == "h" else 1e9
    assert in_words(Column("x", "number", 0, high, unit=unit), value) == words


def test_hours_beyond_a_day_are_a_duration() -> None:
    assert in_words(Column("x", "number", 0, 168, unit="h"), 36) == "1.5 days"
    assert in_words(Column("x", "number", 0, 168, unit="h"), 14.5) == "14.5 h"


def test_one_of_a_count_is_singular() -> None:
    assert in_words(Column("x", "number", 0, 100, unit="senders"), 1) == "1 sender"
    assert in_words(Column("x", "number", 0, 100, unit="US dollars"), 1) == "1 US dollars"


def test_flags_and_categories_are_said_in_words() -> None:
    flag = Column("f", "flag", 0, 1)
    assert [in_words(flag, value) for value in (0, 1)] == ["no", "yes"]
    category = Column("c", "category", -1, 15, ("chip", "online"))
    assert [in_words(category, value) for value in (1, -1, 7)] == [
        "online",
        "not in the vocabulary",
        "not in the vocabulary",
    ]
