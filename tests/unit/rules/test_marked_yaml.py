"""YAML with line numbers: what it takes, and what it refuses where."""

from pathlib import Path

import pytest

from rules.errors import RuleError
from rules.marked_yaml import FILE_BYTES_MAX, parse_marked_yaml, read_marked_yaml


def test_every_key_and_item_knows_its_line() -> None:
    document = parse_marked_yaml("a: 1\nb:\n  - x\n  - {c: 2,\n     d: 3}\n", "f.yaml")
    assert document.data == {"a": 1, "b": ["x", {"c": 2, "d": 3}]}
    assert [document.line(path) for path in (("a",), ("b",), ("b", 0), ("b", 1, "c"), ("b", 1, "d"))] == [1, 2, 3, 4, 5]


def test_a_path_that_is_not_there_has_the_line_of_what_is() -> None:
    document = parse_marked_yaml("# first\nb:\n  - x\n", "f.yaml")
    assert document.line(("b", 0, "nothing")) == 3
    assert document.line(("nothing",)) == 2


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("no", "no"),
        ("on", "on"),
        ("12:30", "12:30"),
        ("2024-01-01", "2024-01-01"),
        ("1_000", "1_000"),
        ("0x1f", "0x1f"),
        ("1e9", 1e9),
        ("-3", -3),
        (".5", 0.5),
        ("true", True),
        ("null", None),
        ('"8"', "8"),
    ],
)
def test_scalars_are_what_a_reader_takes_them_for(written: str, read: object) -> None:
    found = parse_marked_yaml(f"key: {written}", "f.yaml").data["key"]
    assert found == read
    assert type(found) is type(read)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2\n", "f.yaml:2: key 'a' is there twice"),
        ("a: &x 1\nb: *x\n", "f.yaml:1: anchors and aliases"),
        ("a: !!python/object/apply:os.system [ls]\n", "f.yaml:1: tags are not taken: tag:yaml.org,2002:python"),
        ("a: [1,\n", "f.yaml:2: "),
        ("a: 1\n---\nb: 2\n", "f.yaml:2: but found another document"),
        ("? [1, 2]\n: 3\n", "f.yaml:1: a key must be plain text"),
        ("a: " + "[" * 5_000, "f.yaml: nested too deeply"),
        ("a: \x07", "f.yaml: no valid YAML: "),
    ],
)
def test_what_a_reader_would_not_expect_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse_marked_yaml(text, "f.yaml")
    assert str(caught.value).startswith(message)


def test_an_empty_file_holds_nothing() -> None:
    assert parse_marked_yaml("", "f.yaml").data is None


def test_what_cannot_be_read_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match=r"none\.yaml: cannot be read"):
        read_marked_yaml(tmp_path / "none.yaml")
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"a: \xe9")
    with pytest.raises(RuleError, match=r"latin\.yaml: cannot be read"):
        read_marked_yaml(latin)
    long = tmp_path / "long.yaml"
    long.write_bytes(b"#" * (FILE_BYTES_MAX + 1))
    with pytest.raises(RuleError, match="1000001 bytes is above its bound 1000000"):
        read_marked_yaml(long)


def test_a_leading_nought_means_nothing() -> None:
    assert parse_marked_yaml("a: 010\nb: -09\nc: +7", "f").data == {"a": 10, "b": -9, "c": 7}
    with pytest.raises(RuleError, match="f:2: a number of 101 digits is not taken"):
        parse_marked_yaml("a: 1\nb: " + "9" * 101, "f")
