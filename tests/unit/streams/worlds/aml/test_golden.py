"""Every typology and look-alike against its golden sample. If one should change: see golden.py."""

import json

import pytest

from tests.unit.streams.worlds.aml.golden import FOLDER, samples

HOW_TO_RENEW = "meant? then: python -m tests.unit.streams.worlds.aml.golden"


@pytest.mark.parametrize("file", samples())
def test_the_golden_sample_is_what_comes_out(file: str) -> None:
    make, name = samples()[file]
    golden = json.loads((FOLDER / f"{file}.json").read_text(encoding="utf-8"))
    found = make(name)
    assert len(found) == len(golden) > 0, HOW_TO_RENEW
    for row, expected in zip(found, golden, strict=True):
        # one in a thousand, because processors differ in the last digit of a logarithm
        assert row.pop("amount", 0) == pytest.approx(expected.pop("amount", 0), rel=1e-3), HOW_TO_RENEW
        assert row == expected, HOW_TO_RENEW


def test_no_golden_sample_is_left_over() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(samples())
