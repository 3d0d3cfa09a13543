"""The published JSON Schemas are the ones that the code speaks."""

from pathlib import Path

import pytest

from streams.schemas import MESSAGES, render

SCHEMAS = Path(__file__).parents[3] / "docs" / "schemas"


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_published_schema_is_current(name: str) -> None:
    published = SCHEMAS / f"{name}.schema.json"
    assert published.read_text() == render(name), "write it anew: python -m streams.schemas"


def test_no_schema_is_left_over() -> None:
    assert {path.name for path in SCHEMAS.iterdir()} == {f"{name}.schema.json" for name in MESSAGES}
