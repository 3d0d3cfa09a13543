"""A column map may say by what each kind of fraud can be seen."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.causes import CAUSES
from streams.datasets.mapping import load_mapping
from streams.errors import BadInputError

BASE: dict[str, Any] = {
    "name": "shop",
    "fields": {
        "event_time": "at",
        "card_id": "card",
        "amount": {"column": "eur", "unit": "major"},
        "currency": {"constant": "EUR"},
    },
}


def write_map(folder: Path, part: str, **settings: Any) -> Path:
    path = folder / "shop.yaml"
    path.write_text(yaml.safe_dump({**BASE, "label": {"column": "fraud", part: {"column": "kind", **settings}}}))
    return path


def test_the_handbooks_scenarios_have_causes() -> None:
    label = load_mapping("handbook").label
    assert label is not None
    assert label.scenario is not None
    assert set(label.scenario.causes) == set(label.scenario.names.values())
    assert label.scenario.causes["leaked_credentials"] == ["amount", "velocity"]
    assert all(cause in CAUSES for causes in label.scenario.causes.values() for cause in causes)


def test_causes_without_names_are_taken_as_they_are(tmp_path: Path) -> None:
    label = load_mapping(write_map(tmp_path, "scenario", causes={"theft": ["location"]})).label
    assert label is not None
    assert label.scenario is not None
    assert label.scenario.causes == {"theft": ["location"]}


@pytest.mark.parametrize(
    ("part", "settings", "words"),
    [
        ("scenario", {"names": {"1": "theft"}, "causes": {"thefd": ["amount"]}}, "causes are given for thefd"),
        ("scenario", {"causes": {"theft": ["amuont"]}}, "'amuont': must be one of 'amount', 'velocity'"),
        ("scenario", {"causes": {"theft": []}}, "label.scenario.causes"),
        ("look_alike", {"causes": {"trip": ["amount"]}}, "label.look_alike.causes: unknown key"),
    ],
)
def test_wrong_causes_are_refused(tmp_path: Path, part: str, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        load_mapping(write_map(tmp_path, part, **settings))
