"""Which family of evidence a rule's reason names."""

import pytest

from rules.columns import Column
from rules.errors import RuleError
from rules.pack import RulePack, parse_pack
from tests.unit.rules.conftest import HEAD, rule_text

COLUMNS = (
    Column("amount", "number", 0, 1e9, unit="money", family="amount"),
    Column("count_1h", "number", 0, 1e6, unit="transactions", family="velocity"),
    Column("is_new_device", "flag", 0, 1, family="device"),
    Column("channel", "category", -1, 15, ("chip", "online"), family="merchant"),
    Column("plain", "number", 0, 10),
)
ONLINE = "{column: channel, is: online}"
COUNT = "{column: count_1h, at_least: 5}"
KNOWN_DEVICE = "{column: is_new_device, is_true: false}"
NEW_DEVICE = "{column: is_new_device, is_true: true}"


def pack(when: str, **keys: str) -> RulePack:
    return parse_pack(HEAD + rule_text(when=when, sentence='"so it is"', **keys), COLUMNS)


def cause(made: RulePack) -> str | None:
    return made._causes[made.rules[0].code]


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (COUNT, "velocity"),
        (f"{{all: [{ONLINE}, {COUNT}, {NEW_DEVICE}]}}", "velocity"),
        (f"{{all: [{KNOWN_DEVICE}, {ONLINE}, {{column: amount, above: 5}}]}}", "amount"),
        (f"{{any: [{NEW_DEVICE}, {COUNT}]}}", "device"),
        (f"{{not: {COUNT}}}", "velocity"),
        (ONLINE, "merchant"),
        (f"{{all: [{KNOWN_DEVICE}, {ONLINE}]}}", "device"),
        ("{column: amount, is_missing: true}", "amount"),
        ("{column: plain, above: 1}", None),
    ],
)
def test_the_column_that_tells_most(when: str, expected: str | None) -> None:
    assert cause(pack(when)) == expected


def test_a_rule_may_name_its_cause() -> None:
    assert cause(pack(COUNT, cause="risk")) == "risk"
    assert pack(COUNT, cause="risk").version != pack(COUNT).version


def test_a_cause_that_is_none_is_refused_with_its_line() -> None:
    with pytest.raises(RuleError, match=r"rules\.yaml:\d+: rule 'first': key 'cause': 'speed' is not one of 'amount'"):
        pack(COUNT, cause="speed")
