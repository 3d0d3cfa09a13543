"""`bench explain`: what the scorer computes again is shown and held against the record; here a stand-in computes it."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from harness import recompute
from harness.cli import app
from harness.recompute import Recomputed, compare_shares, recorded_shares
from streams.errors import BadInputError
from tests.audited_run import LOST, RULED, build_audited_run, event_id

FAKE = """
import json, shutil, sys
options = sys.argv[1:]
assert options[0] == "recompute", options
out = options[options.index("--out") + 1]
shutil.copyfile({answer!r}, out)
json.dump(options, open({asked!r}, "w"))
"""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    build_audited_run(tmp_path / "run", tmp_path / "work")
    return tmp_path / "run"


def recomputed(ordinal: int, share: float = 0.75, **changes: Any) -> dict[str, Any]:
    """A decision of the audited run as the scorer would compute it again."""
    ruled = ordinal == RULED
    recorded = {
        "score": ordinal / 100,
        "outcome": "review" if ordinal % 2 else "approve",
        "path": "rules" if ruled else "model",
        "margin": None if ruled else float(ordinal - 6),
    }
    shares = [
        {"feature": "velocity_1h", "value": 9.0, "text": "many at once", "contribution": share, "cause": "velocity"},
        {"feature": "amount", "value": None, "text": "amount is not known", "contribution": -0.5, "cause": "amount"},
    ]
    rule = {"code": "R1", "text": "far from [home]", "outcome": "review", "deciding": True}
    return {
        "event_id": event_id(ordinal),
        "features": {"amount": {"value": None, "text": "amount is not known"}},
        "features_equal": True,
        "rules": [rule] if ruled else [],
        **recorded,
        "recorded": recorded,
        "equal": True,
        "contributions": [] if ruled else shares,
        "base": None if ruled else -4.0,
        "versions": {"rules": "r1", "model": "fraud-1", "bundle": "b", "features": "f"},
        "thresholds": {"review": 0.3, "block": 0.9},
        **changes,
    }


def explain(run: Path, tmp_path: Path, monkeypatch: Any, answer: list[dict[str, Any]], *options: str) -> Result:
    """Run the command with a stand-in for the scorer's process; what it was asked is in `asked.json`."""
    (tmp_path / "answer.json").write_text(json.dumps(answer), encoding="utf-8")
    fake = FAKE.format(answer=str(tmp_path / "answer.json"), asked=str(tmp_path / "asked.json"))
    monkeypatch.setattr(recompute, "module_command", lambda module, *given: [sys.executable, "-c", fake, *given])
    return CliRunner().invoke(app, ["explain", str(run), *options], env={"COLUMNS": "160"})


def test_one_decision_is_shown(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = explain(run, tmp_path, monkeypatch, [recomputed(7)], event_id(7))
    assert result.exit_code == 0, result.output
    for words in ("review", "0.07", "+0.750", "velocity", "many at once", "-4.000", "fraud-1", "EQUAL", "genuine"):
        assert words in result.output
    assert "known only to the harness" in result.output
    assert "the recorded explanation agrees" in result.output
    asked = json.loads((tmp_path / "asked.json").read_text())
    assert asked[asked.index("--event") + 1] == event_id(7)
    assert asked[asked.index("--case") + 1] == str(run / "case")


def test_a_decision_by_rules(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = explain(run, tmp_path, monkeypatch, [recomputed(RULED)], event_id(RULED))
    assert result.exit_code == 0
    assert "far from [home]" in result.output
    assert "decided" in result.output
    assert "What moved the score" not in result.output


def test_the_truth_of_a_fraud_is_told(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = explain(run, tmp_path, monkeypatch, [recomputed(1)], event_id(1))
    assert "fraud (card_testing)" in result.output


def test_a_difference_is_said_and_is_the_exit_code(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = recomputed(7, score=0.5, equal=False)
    result = explain(run, tmp_path, monkeypatch, [other], event_id(7))
    assert result.exit_code == 1
    assert "NOT EQUAL" in result.output


def test_another_contribution_than_recorded_is_a_difference(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = explain(run, tmp_path, monkeypatch, [recomputed(7, share=0.76)], event_id(7))
    assert result.exit_code == 1
    assert "differs from" in result.output


def test_json(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = explain(run, tmp_path, monkeypatch, [recomputed(7)], event_id(7), "--json")
    found = json.loads(result.stdout)
    assert found["decision"]["score"] == 0.07
    assert found["shares"] == {"compared": 1, "agree": 1, "largest_difference": 0.0}
    assert found["truth"]["is_fraud"] is False
    assert found["event"]["card_id"] == "card-1"


@pytest.mark.parametrize(("differing", "code"), [((), 0), ((1,), 1)])
def test_a_sample_is_counted(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, differing: tuple[int, ...], code: int
) -> None:
    answer = [recomputed(n, equal=n not in differing) for n in (1, RULED, 7, 9)]
    result = explain(run, tmp_path, monkeypatch, answer, "--sample", "4", "--seed", "9", "--json")
    assert result.exit_code == code
    found = json.loads(result.stdout)
    assert (found["sampled"], found["equal"]) == (4, 4 - len(differing))
    assert found["by_path"] == {"rules": 1, "model": 3, "fallback": 0}
    assert found["different"] == [event_id(n) for n in differing]
    assert found["shares"]["compared"] == 3
    asked = json.loads((tmp_path / "asked.json").read_text())
    assert asked[asked.index("--seed") + 1] == "9"
    said = explain(run, tmp_path, monkeypatch, answer, "--sample", "4").output
    assert f"{4 - len(differing)} of 4 recomputed decisions" in said


def test_an_unknown_event_is_told_the_closest(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInputError, match=r"evt-00007: no such event .* evt-0007"):
        recompute.find_decision(run, "evt-00007")


@pytest.mark.parametrize("name", ["decisions", "explanations"])
def test_a_damaged_file_is_said(run: Path, name: str) -> None:
    (run / f"{name}.parquet").write_bytes(b"garbage")
    with pytest.raises(BadInputError, match=f"{name}.parquet: cannot be read as Parquet"):
        recorded_shares(run, [event_id(1)])


def test_a_lost_event_has_no_decision(run: Path) -> None:
    with pytest.raises(BadInputError, match="never decided"):
        recompute.find_decision(run, event_id(LOST))


def test_a_run_without_a_case_is_refused(run: Path, tmp_path: Path) -> None:
    (run / "case").rename(tmp_path / "gone")
    with pytest.raises(BadInputError, match="a scorer that is not ours"):
        recompute.check_case(run)
    (run / "results.json").unlink()
    with pytest.raises(BadInputError, match="not a finished run"):
        recompute.check_case(run)


@pytest.mark.parametrize("options", [[], ["evt-0001", "--all"], ["--sample", "3", "--all"]])
def test_one_of_three_is_asked_for(run: Path, options: list[str]) -> None:
    result = CliRunner().invoke(app, ["explain", str(run), *options])
    assert isinstance(result.exception, BadInputError)


def test_recorded_contributions_come_from_decision_or_explanation(run: Path) -> None:
    assert recorded_shares(run, [event_id(n) for n in (1, 5, 6)]) == {
        event_id(1): {"velocity_1h": 0.75},
        event_id(5): {"amount": 1.5},
    }


def test_what_was_not_explained_again_is_not_compared() -> None:
    import msgspec

    found = msgspec.convert([recomputed(1, contributions=[])], list[Recomputed])
    assert compare_shares(found, {event_id(1): {"velocity_1h": 0.75}}).compared == 0
