"""`bench features`: bad usage ends with 2 and says what is wrong; the tables hold what the kernel's room found."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.commands.features import _summary_table, app
from streams.errors import BadInputError


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["build", "--out", "x"], "give one of the three"),
        (["build", "--out", "x", "--scenario", "fraud", "--run", "y"], "give one of the three"),
        (["build", "--out", "x", "--run", "y", "--labels", "z"], "--labels goes with --events"),
        (["compare", "a", "b", "--store", "s"], "--store goes with one run"),
        (["compare", "nowhere"], "not a finished run"),
        (["build", "--out", "x", "--run", "nowhere"], "not a finished run"),
    ],
)
def test_bad_usage_is_said(arguments: list[str], said: str) -> None:
    refused = CliRunner().invoke(app, arguments)
    assert isinstance(refused.exception, BadInputError)
    assert said in str(refused.exception)


def test_a_run_of_another_scorer_has_nothing_to_compare(tmp_path: Path) -> None:
    (tmp_path / "results.json").touch()
    refused = CliRunner().invoke(app, ["compare", str(tmp_path)])
    assert isinstance(refused.exception, BadInputError)
    assert "another scorer's run?" in str(refused.exception)


def test_the_summary_shows_fraud_where_there_are_labels() -> None:
    quantiles = {"0.01": 1.0, "0.5": 2.0, "0.99": 3.0}
    figures = {"rows": 2, "missing_share": 0.5, "min": 1.0, "max": 3.0, "mean": 2.0, "quantiles": quantiles}
    feature = {"name": "amount", "unit": "money", "all": figures}
    found = {"store": {"first_event_ns": 0, "last_event_ns": 86_400 * 10**9}, "rows_by_status": {"on_time": 2}}
    plain = _summary_table({**found, "features": [feature]})
    labelled = _summary_table({**found, "features": [{**feature, "fraud": figures, "genuine": figures}]})
    assert plain.title == "2 rows, 1970-01-01 to 1970-01-02"
    assert len(labelled.columns) == len(plain.columns) + 2
