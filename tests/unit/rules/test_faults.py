"""Faulty rule files: each is refused with file, line, rule, column, value and bound."""

import logging
from collections.abc import Callable

import pytest

from rules.columns import Column
from rules.errors import RuleError
from rules.pack import RulePack, parse_pack
from streams.errors import BadInputError

Pack = Callable[..., RulePack]
Rule = Callable[..., str]


def fault(pack: Pack, *rules: str, **head: str) -> str:
    with pytest.raises(RuleError) as caught:
        pack(*rules, **head)
    return str(caught.value)


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ("{column: hour, at_least: 27}", "column 'hour': 27 is above its bound 24"),
        ("{column: hour, below: -1}", "column 'hour': -1 is below its bound 0"),
        ("{column: hour, between: [3, 25]}", "column 'hour': 25 is above its bound 24"),
        ("{column: hour, between: [5, 3]}", "column 'hour': between 5 and 3 is empty: the smaller comes first"),
        ("{column: hour, below: 0}", "column 'hour': below 0 is never true: 0 is the column's bound"),
        ("{column: hour, above: 24}", "column 'hour': above 24 is never true: 24 is the column's bound"),
        ("{column: count_1x, above: 3}", "unknown column 'count_1x' (did you mean 'count_1h'?)"),
        ("{column: zzz, above: 3}", "unknown column 'zzz'"),
        (
            "{column: hour, is_true: true}",
            "column 'hour' is a number: 'is_true' does not apply "
            "(use at_least, above, at_most, below, between, is_missing)",
        ),
        (
            "{column: is_new_device, above: 0.5}",
            "column 'is_new_device' is a flag: 'above' does not apply (use is_true, is_missing)",
        ),
        (
            "{column: channel, at_least: 1}",
            "column 'channel' is a category: 'at_least' does not apply (use is, in, is_missing)",
        ),
    ],
)
def test_a_comparison_that_does_not_fit_its_column(pack: Pack, rule: Rule, when: str, message: str) -> None:
    assert fault(pack, rule("first", when)) == f"rules/test.yaml:11: rule 'first': {message}"


@pytest.mark.parametrize(
    ("when", "message"),
    [
        (
            "{column: hour, at_leest: 3}",
            "column 'hour': unknown key 'at_leest' (did you mean 'at_least'?); known: column,",
        ),
        ("{column: hour, at_least: three}", "column 'hour': key 'at_least': 'three' is no number"),
        ("{column: hour, at_least: true}", "column 'hour': key 'at_least': true is no number"),
        ("{column: hour, at_least: .nan}", "column 'hour': key 'at_least': nan is no finite number"),
        ("{column: hour}", "column 'hour': a comparison needs exactly one of at_least,"),
        ("{column: hour, above: 1, below: 2}", "column 'hour': a comparison needs exactly one of at_least,"),
        ("{column: hour, above: null}", "column 'hour': a comparison needs exactly one of at_least,"),
        ("{above: 3}", "key 'column' is missing"),
        ("{column: is_new_device, is_true: 1}", "column 'is_new_device': key 'is_true': 1 is neither true nor false"),
        ("{column: channel, is: 3}", "column 'channel': key 'is': 3 is no text"),
        ("{column: channel, in: online}", "column 'channel': key 'in': 'online' is no list"),
        ("{column: channel, in: []}", "column 'channel': key 'in': 0 items are too few: at least 1"),
        ("{column: hour, between: [1]}", "column 'hour': key 'between': 1 items are too few: at least 2"),
        ("{all: []}", "key 'all': 0 items are too few: at least 1"),
        ("{all: [{column: hour, above: 1}], any: []}", "unknown key 'any'; known: all"),
        ("{not: [{column: hour, above: 3}]}", "key 'not': [{'column'"),
        ("amount > 10", "key 'when': 'amount > 10' is no mapping of keys to values"),
    ],
)
def test_a_condition_that_is_none(pack: Pack, rule: Rule, when: str, message: str) -> None:
    assert fault(pack, rule("first", when)).startswith(f"rules/test.yaml:11: rule 'first': {message}")


def test_faults_within_nested_conditions_have_their_own_line(pack: Pack, rule: Rule) -> None:
    when = """
      all:
        - {column: hour, above: 3}
        - not:
            any:
              - {column: hour, at_least: 99}
              - not: {column: amont, above: 1}"""
    assert fault(pack, rule("first", when)).splitlines() == [
        "rules/test.yaml:16: rule 'first': column 'hour': 99 is above its bound 24",
        "rules/test.yaml:17: rule 'first': unknown column 'amont' (did you mean 'amount'?)",
    ]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"score": 1.5}, "rules/test.yaml:9: rule 'first': key 'score': 1.5 is above its bound 1"),
        ({"score": -0.5}, "rules/test.yaml:9: rule 'first': key 'score': -0.5 is below its bound 0"),
        ({"priority": 0}, "rules/test.yaml:6: rule 'first': key 'priority': 0 is below its bound 1"),
        ({"priority": 1.5}, "rules/test.yaml:6: rule 'first': key 'priority': 1.5 is no whole number"),
        ({"outcome": "refuse"}, "rules/test.yaml:7: rule 'first': key 'outcome': 'refuse' is not one of"),
        ({"code": '"a b"'}, "rules/test.yaml:8: rule 'first': key 'code': 'a b' does not match"),
        ({"name": "First"}, "rules/test.yaml:5: rule 'First': key 'name': 'First' does not match"),
        ({"when": None}, "rules/test.yaml:5: rule 'first': key 'when' is missing"),
        ({"colour": "red"}, "rules/test.yaml:12: rule 'first': unknown key 'colour'"),
        ({"sentence": '"{amoumt}"'}, "rules/test.yaml:10: rule 'first': in the sentence: unknown column 'amoumt'"),
        ({"sentence": '"{amount.__class__}"'}, "rules/test.yaml:10: rule 'first': in the sentence: unknown column"),
        ({"sentence": '"{amount"'}, "rules/test.yaml:10: rule 'first': a brace without its partner"),
    ],
)
def test_a_faulty_rule(pack: Pack, rule: Rule, changed: dict[str, object], message: str) -> None:
    assert fault(pack, rule(**changed)).startswith(message)


def test_two_rules_may_not_share_name_priority_or_code(pack: Pack, rule: Rule) -> None:
    message = fault(pack, rule("first", priority=1, code="A"), rule("first", priority=1, code="A"))
    assert message.splitlines() == [
        "rules/test.yaml:12: rule 'first': name 'first' is already that of rule 'first'",
        "rules/test.yaml:13: rule 'first': priority 1 is already that of rule 'first'",
        "rules/test.yaml:15: rule 'first': code 'A' is already that of rule 'first'",
    ]


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ("rules:\n", "rules/test.yaml:1: key 'language' is missing"),
        ("langage: 1\nrules:\n", "unknown key 'langage' (did you mean 'language'?); known: language, name,"),
        (
            "language: 2\nname: x\nfallback: {review: 0, block: 1}\nrules:\n",
            "rules/test.yaml:1: key 'language': 2 is not one of 1",
        ),
        (
            "language: 1\nname: x\nfallback: {review: 0.9, block: 0.5}\nrules:\n",
            "rules/test.yaml:3: review: 0.9 is above block: 0.5",
        ),
        (
            "language: 1\nname: x\nfallback: {revew: 0.9, block: 0.5}\nrules:\n",
            "rules/test.yaml:3: unknown key 'revew' (did you mean 'review'?); known: review, block",
        ),
    ],
)
def test_a_faulty_head(pack: Pack, rule: Rule, head: str, message: str) -> None:
    assert message in fault(pack, rule(), head=head)


@pytest.mark.parametrize("text", ["", "just words", "- a\n- b\n"])
def test_a_file_that_is_no_rule_file(columns: tuple[Column, ...], text: str) -> None:
    with pytest.raises(RuleError, match=r"^rules/test.yaml:1: .*is no mapping of keys to values$"):
        parse_pack(text, columns, "rules/test.yaml")


def test_rules_that_are_no_list(columns: tuple[Column, ...]) -> None:
    text = "language: 1\nname: x\nfallback: {review: 0.1, block: 0.5}\nrules: all\n"
    with pytest.raises(RuleError, match=r"^rules/test\.yaml:4: key 'rules': 'all' is no list$"):
        parse_pack(text, columns, "rules/test.yaml")


@pytest.mark.parametrize("depth", [17, 80])
def test_conditions_nested_too_deeply(pack: Pack, rule: Rule, depth: int) -> None:
    when = "{not: " * depth + "{column: hour, above: 3}" + "}" * depth
    assert "conditions are nested deeper than 16" in fault(pack, rule("first", when))


def test_every_fault_is_said_at_once_up_to_twenty(pack: Pack, rule: Rule) -> None:
    names = [f"rule_{number}" for number in range(25)]
    rules = [rule(name, "{column: hour, above: 99}", priority=n + 1, code=name) for n, name in enumerate(names)]
    lines = fault(pack, *rules).splitlines()
    assert len(lines) == 21
    assert lines[-1] == "… and 5 more"


def test_a_rule_error_is_bad_input() -> None:
    assert issubclass(RuleError, BadInputError)


def test_a_category_outside_the_vocabulary_is_a_warning(
    pack: Pack, rule: Rule, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "riskbench.rules"):
        found = pack(rule("first", "{column: channel, in: [chip, onlin]}"))
    text = (
        "rules/test.yaml:11: rule 'first': column 'channel': 'onlin' is not in the vocabulary of this data "
        "(did you mean 'online'?); it never matches"
    )
    assert found.warnings == (text,)
    assert caplog.messages == [text]
