"""Wrong input is one clear line and exit code 2."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from harness.scenario import Breaker
from harness.scorers import breaker_options
from scorer.__main__ import app
from scorer.input_files import read_dispositions, read_events, read_schedule
from streams.errors import BadInputError


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--engine", "flink"], "flink"),
        (["--role", "boss"], "boss"),
        (["--explain", "some"], "some"),
        (["--log-level", "loud"], "loud"),
        (["--engine", "null"], "--bootstrap-servers"),
        (["--engine", "null", "--bootstrap-servers", "127.0.0.1:9"], "--prefix"),
        (["--engine", "null", "--bootstrap-servers", "nowhere", "--prefix", "p"], "HOST:PORT"),
        (["--engine", "inprocess"], "--events"),
        (["--role", "nightly"], "--state"),
        (["--role", "nightly", "--state", "/nowhere"], "/nowhere"),
        (["--breaker-failure-rate", "1.5"], "failure_rate"),
        (
            ["--domain", "aml", "--engine", "native", "--rollout-control", "plan"],
            "--rollout-control is for domain fraud",
        ),
    ],
)
def test_bad_options_are_refused(options: list[str], said: str) -> None:
    result = CliRunner().invoke(app, options)
    assert isinstance(result.exception, BadInputError)
    assert said in str(result.exception)


def test_help_has_every_option() -> None:
    result = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    for option in ("--engine", "--table-wait-s", "--topics-wait-s", "--breaker-time-limit-ms", "--ready-file"):
        assert option in result.stdout


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("text")
    for read, option in (
        (read_events, "--events"),
        (read_dispositions, "--dispositions"),
        (read_schedule, "--schedule"),
    ):
        with pytest.raises(BadInputError, match=option):
            read(wrong)


def test_columns_and_values_of_files_are_checked(tmp_path: Path) -> None:
    pq.write_table(pa.table({"event_id": ["a"]}), tmp_path / "events.parquet")
    with pytest.raises(BadInputError, match="lacks column event_time_ns"):
        read_events(tmp_path / "events.parquet")
    with pytest.raises(BadInputError, match="does not hold dispositions"):
        read_dispositions(tmp_path / "events.parquet")
    np.save(tmp_path / "schedule.npy", np.array([2, 1], np.int64))
    with pytest.raises(BadInputError, match="ascending"):
        read_schedule(tmp_path / "schedule.npy")


def test_the_summary_of_a_failed_start_says_why(tmp_path: Path) -> None:
    summary = tmp_path / "summary.json"
    options = ["--engine", "null", "--bootstrap-servers", "127.0.0.1:9", "--prefix", "p", "--metrics-host", "256.0.0.1"]
    result = CliRunner().invoke(app, [*options, "--summary", str(summary)])
    assert isinstance(result.exception, BadInputError)
    assert "--metrics-port" in str(result.exception)
    assert not summary.exists() or "error" in json.loads(summary.read_text())


def test_every_breaker_key_of_a_scenario_is_an_option() -> None:
    breaker = Breaker(window="time", forced="open")
    assert breaker_options(breaker).count("--breaker-forced") == 1
    found = CliRunner().invoke(app, ["--engine", "inprocess", *breaker_options(breaker)])
    assert isinstance(found.exception, BadInputError)
    assert "--events is needed" in str(found.exception)  # all of them were taken
