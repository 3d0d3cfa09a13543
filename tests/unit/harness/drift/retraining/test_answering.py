"""What drift can be answered in, and what is said where it cannot."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from harness.cli import app
from harness.drift.retraining.answering import OnDrift, refuse_unanswerable
from harness.scenario import load_scenario
from streams.errors import BadInputError
from streams.topics import Domain


@pytest.mark.parametrize(
    ("domain", "changes", "words"),
    [
        ("aml", {}, "is for card fraud"),
        ("fraud", {"scorer.engine": "native"}, "which engine native cannot"),
    ],
)
def test_what_cannot_be_answered_is_refused_in_words(domain: Domain, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        refuse_unanswerable(load_scenario(domain, changes, domain=domain))


def test_cards_in_process_can_be_answered() -> None:
    refuse_unanswerable(load_scenario("fraud", {"scorer.engine": "inprocess"}))


def test_a_bundle_that_is_given_is_tried_once(tmp_path: Path) -> None:
    assert OnDrift().of_candidate == OnDrift().settings
    given = OnDrift(tmp_path).of_candidate
    assert (given.attempts_max, given.renewals_max) == (1, 0)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["drift/new-scenario", "--candidate", "here"], "--candidate belongs to --on-drift retrain"),
        (["--all", "--on-drift", "retrain"], "answers one known drift"),
        (["drift/aml-new-region", "--on-drift", "retrain"], "is for card fraud"),
        (["drift/new-region", "--on-drift", "retrain", "--engine", "native"], "engine native cannot"),
    ],
)
def test_what_does_not_go_together_is_refused(options: list[str], words: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["replay", *options, "--out", str(tmp_path)], obj={})
    assert isinstance(done.exception, BadInputError)
    assert words in str(done.exception)
    assert list(tmp_path.iterdir()) == []
