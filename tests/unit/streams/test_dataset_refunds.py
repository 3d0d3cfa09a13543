"""A column of a data file may say which events are refunds."""

from pathlib import Path

import pytest
import yaml

from streams.datasets import load_dataset

FIELDS = {
    "event_time": {"column": "at", "format": "s"},
    "card_id": "card",
    "amount": {"column": "eur", "unit": "major"},
    "currency": {"constant": "EUR"},
}


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (("Y", "n", ""), {"column": "back", "positive": ["y"]}),
        (("true", "false", ""), "back"),
        (("1", "0", "0"), "back"),
    ],
)
def test_what_means_yes_is_a_refund_and_the_rest_says_nothing(
    tmp_path: Path, words: tuple[str, ...], field: object
) -> None:
    rows = [f"{n},card,{n}.50,{word}" for n, word in enumerate(words, start=1)]
    (tmp_path / "shop.csv").write_text("\n".join(["at,card,eur,back", *rows]))
    (tmp_path / "shop.yaml").write_text(yaml.safe_dump({"name": "shop", "fields": {**FIELDS, "is_refund": field}}))
    found = load_dataset(tmp_path / "shop.csv", tmp_path / "shop.yaml").events
    assert found["is_refund"].to_pylist() == [True, None, None]
