"""docs/aml-rules.md: its example works as it says, and its table lists what is shipped."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from models.graph.catalog import AML_FEATURE_INDEX, AML_FEATURES
from rules.columns import Column
from rules.typologies.language import Band, BandedRule, TypologyFile
from rules.typologies.pack import MARKET_NUMBERS, SHIPPED, parse_typologies

PAGE = (Path(__file__).parents[4] / "docs" / "aml-rules.md").read_text()


def test_the_example_scores_as_the_page_says() -> None:
    columns = [Column(f.name, f.kind, f.low, f.high, (), f.unit, f.family) for f in AML_FEATURES]
    pack = parse_typologies({"example.yaml": PAGE.split("```yaml\n")[1].split("```")[0]}, columns)
    row = np.full((2, len(columns)), np.nan, np.float32)
    case = {"is_cash": 1, "just_below_count_7d": 3, "cash_in_sum_7d": 25_000, "is_business": 0}
    for name, value in case.items():
        row[:, AML_FEATURE_INDEX[name]] = value
    markets = np.array([MARKET_NUMBERS["DE"], MARKET_NUMBERS["US"]], np.int32)
    assert pack.score(row, markets)[:, 0].tolist() == pytest.approx([0.625, 1])
    assert [reason.code for reason in pack.reasons(0, row[0], MARKET_NUMBERS["DE"])] == ["NGT-2.1", "NGT-1.1"]


def test_every_shipped_typology_and_every_key_is_on_the_page() -> None:
    for path in SHIPPED.glob("*.yaml"):
        assert f"| `{path.stem}` | {yaml.safe_load(path.read_text())['description']} |\n" in PAGE
    for model in (TypologyFile, BandedRule, Band):
        for name, field in model.model_fields.items():
            assert f"`{field.alias or name}" in PAGE
