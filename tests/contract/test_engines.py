"""All engines decide the same, however the stream is cut: partitions, workers, micro-batches, engines."""

import signal
import sys
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.flink import flink_home
from harness.processes import Family
from harness.scorers import FlinkHome
from harness.training import Workshop
from streams.brokers import Broker
from streams.codec import decode_dead_letter, decode_decision, decode_explanation
from tests.contract.scorer_process import Reader, essence, explained, fresh_topics, scorer_system, send_stream, start
from tests.scorer_case import ScorerCase

MALFORMED = (10, 300)


@dataclass(frozen=True)
class Answers:
    """What was decided and how it was explained, by event."""

    decisions: dict[str, dict[str, Any]]
    explanations: dict[str, dict[str, Any]]

    @property
    def flagged_by_model(self) -> set[str]:
        decided = self.decisions.items()
        return {name for name, told in decided if told["outcome"] != "approve" and told["path"] == "model"}


@pytest.fixture(scope="module")
def expected(case: ScorerCase, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """What the in-process engine answers."""
    return _on_files(case, tmp_path_factory.mktemp("inprocess"), "inprocess", "--batch-max", "256")


def _on_files(case: ScorerCase, folder: Path, engine: str, *more: str) -> Answers:
    out, explanations = folder / "decisions.jsonl", folder / "explanations.jsonl"
    options = [
        "--engine", engine, "--bundle", str(case.bundle), "--rules", str(case.rules), "--state", str(case.state),
        "--events", str(case.events_file), "--dispositions", str(case.dispositions_file),
        "--decisions-out", str(out), "--explanations-out", str(explanations), *more,
    ]  # fmt: skip
    process = start(folder, engine, options)
    assert process.child.wait(120) == 0, process.log.read_text()
    return Answers(_by_event(out.read_bytes().splitlines()), _explained(explanations.read_bytes().splitlines()))


def _by_event(values: list[bytes]) -> dict[str, dict[str, Any]]:
    decisions = [decode_decision(value) for value in values]
    found = {decision.event_id: essence(decision) for decision in decisions}
    assert len(found) == len(decisions), "an event was decided twice"
    return found


def _explained(values: list[bytes]) -> dict[str, dict[str, Any]]:
    explanations = [decode_explanation(value) for value in values]
    assert all((e.emitted_ns or 0) >= (e.decided_ns or 1) and e.explain_ns for e in explanations)
    found = {explanation.event_id: explained(explanation) for explanation in explanations}
    assert len(found) == len(explanations), "an event was explained twice"
    return found


def test_the_case_is_worth_it(case: ScorerCase, expected: Answers) -> None:
    decisions = expected.decisions
    assert len(decisions) == len(case.stream) - case.repeated
    assert case.repeated > 5
    assert len(case.dispositions) > 5
    assert {"approve"} < {decision["outcome"] for decision in decisions.values()}
    told = [reason for explanation in expected.explanations.values() for reason in explanation["reasons"]]
    assert all(reason.cause and reason.text and reason.kind == "feature" for reason in told)


def test_every_flagged_decision_has_its_reasons(expected: Answers) -> None:
    assert set(expected.explanations) == expected.flagged_by_model
    assert all(explanation["reasons"] for explanation in expected.explanations.values())


def test_micro_batches_of_one_answer_the_same(case: ScorerCase, expected: Answers, tmp_path: Path) -> None:
    assert _on_files(case, tmp_path, "inprocess", "--batch-max", "1") == expected


def test_a_stream_asked_for_by_loadgen_is_decided_the_same(case: ScorerCase, expected: Answers, tmp_path: Path) -> None:
    load = ("--loadgen-out", str(tmp_path / "loadgen"), "--loadgen-rate", "2000")
    assert _on_files(case, tmp_path, "loadgen", *load) == expected


@pytest.mark.broker("apache")
@pytest.mark.parametrize(
    "layout",
    [
        ("native", 1, 1),
        ("native", 4, 4),
        ("faust", 4, 2),
        pytest.param(("native", 4, 2), marks=pytest.mark.slow),
        pytest.param(("faust", 1, 1), marks=pytest.mark.slow),
        pytest.param(("faust", 4, 1), marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_engines_on_kafka_decide_the_same(
    case: ScorerCase,
    expected: Answers,
    broker_apache: Broker,
    tmp_path: Path,
    layout: tuple[str, int, int],
) -> None:
    engine, partitions, workers = layout
    _check(case, expected, broker_apache, tmp_path, engine=engine, partitions=partitions, workers=workers)


@pytest.mark.broker("embedded")
@pytest.mark.parametrize("engine", ["native", pytest.param("faust", marks=pytest.mark.slow)])
def test_engines_on_the_embedded_broker_decide_the_same(
    case: ScorerCase, expected: Answers, broker_embedded: Broker, tmp_path: Path, engine: str
) -> None:
    _check(case, expected, broker_embedded, tmp_path, engine=engine, partitions=4, workers=1)


@pytest.fixture(scope="module")
def flink(broker_cache_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> FlinkHome:
    """PyFlink's environment, built on first use: needs the network then."""
    with Family() as family:
        return flink_home(Workshop(broker_cache_dir, tmp_path_factory.mktemp("flink"), family, lambda _: None))


@pytest.mark.slow
@pytest.mark.timeout(1_800)
@pytest.mark.broker("apache")
@pytest.mark.parametrize("partitions", [1, 4])
def test_flink_decides_the_same(
    case: ScorerCase, expected: Answers, broker_apache: Broker, tmp_path: Path, flink: FlinkHome, partitions: int
) -> None:
    more = ("--flink-connector", str(flink.connector))
    told = {"engine": "flink", "partitions": partitions, "workers": 1, "more": more, "python": str(flink.python)}
    _check(case, expected, broker_apache, tmp_path, **told)  # type: ignore[arg-type]


def _check(
    case: ScorerCase,
    expected: Answers,
    broker: Broker,
    tmp_path: Path,
    *,
    engine: str,
    partitions: int,
    workers: int,
    more: Sequence[str] = (),
    python: str = sys.executable,
) -> None:
    connection = broker.connection
    with (
        fresh_topics(connection, partitions) as topics,
        scorer_system(
            tmp_path, case, connection, topics, engine=engine, workers=workers, more=more, python=python
        ) as processes,
    ):
        send_stream(case, connection, topics, malformed=MALFORMED)
        decisions = _by_event(Reader(connection, topics.decisions).read(len(expected.decisions)))
        explanations = _explained(Reader(connection, topics.explanations).read(len(expected.explanations), grace_s=0.1))
        letters = [decode_dead_letter(value) for value in Reader(connection, topics.dead_letter).read(len(MALFORMED))]
        summaries = [process.stop() for process in processes]
    assert Answers(decisions, explanations) == expected
    assert [letter.original for letter in letters] == [b'{"event_id": "no event"'] * len(MALFORMED)
    assert all(letter.topic == topics.events and letter.reason for letter in letters)
    nightly, *workers_told = summaries
    assert nightly["tables_published"] >= 3
    assert sum(told["decided"] for told in workers_told) == len(expected.decisions)
    assert sum(told["repeated"] for told in workers_told) == case.repeated
    assert sum(told["dead_lettered"] for told in workers_told) == len(MALFORMED)
    assert sum(told["explained"] for told in workers_told) == len(expected.explanations)
    assert all(told["explain_failed"] == told["explain_waiting"] == 0 for told in workers_told)
    assert sum(told["tables_missed"] for told in workers_told) == 0
    assert all(told["status"] == "stopped" and told["breaker"]["state"] == "closed" for told in workers_told)


@pytest.mark.broker("apache")
@pytest.mark.parametrize("engine", [pytest.param("native", marks=pytest.mark.slow), "faust"])
def test_a_restarted_worker_goes_on_where_it_committed(
    case: ScorerCase, broker_apache: Broker, tmp_path: Path, engine: str
) -> None:
    _check_restart(case, broker_apache, tmp_path, engine=engine)


@pytest.mark.slow
@pytest.mark.timeout(1_800)
@pytest.mark.broker("apache")
def test_a_restarted_flink_goes_on_where_it_committed(
    case: ScorerCase, broker_apache: Broker, tmp_path: Path, flink: FlinkHome
) -> None:
    more = ("--flink-connector", str(flink.connector))
    _check_restart(case, broker_apache, tmp_path, engine="flink", more=more, python=str(flink.python))


def _check_restart(
    case: ScorerCase,
    broker: Broker,
    tmp_path: Path,
    *,
    engine: str,
    more: Sequence[str] = (),
    python: str = sys.executable,
) -> None:
    connection = broker.connection
    undecided = len(case.stream) - case.repeated
    with fresh_topics(connection, 2) as topics:
        for attempt in ("first", "second"):
            folder = tmp_path / attempt
            folder.mkdir()
            with scorer_system(
                folder, case, connection, topics, engine=engine, workers=1, more=more, python=python
            ) as processes:
                if attempt == "first":
                    send_stream(case, connection, topics)
                    Reader(connection, topics.decisions).read(undecided)
                told = [process.stop() for process in processes][1]
            assert told["decided"] == (undecided if attempt == "first" else 0)
        _by_event(Reader(connection, topics.decisions).read(undecided))


@pytest.mark.broker("apache")
def test_the_null_engine_echoes_and_sigterm_leaves_a_summary(
    case: ScorerCase, broker_apache: Broker, tmp_path: Path
) -> None:
    connection = broker_apache.connection
    with fresh_topics(connection, 2) as topics:
        options = [
            "--engine", "null", "--bootstrap-servers", connection.bootstrap_servers, "--prefix", topics.prefix
        ]  # fmt: skip
        process = start(tmp_path, "null", options)
        ready = process.await_ready()
        send_stream(case, connection, topics, malformed=MALFORMED)
        values = Reader(connection, topics.decisions).read(len(case.stream))
        with urllib.request.urlopen(f"http://{ready['host']}:{ready['port']}/metrics", timeout=5) as answer:
            assert b"riskbench_taken_total" in answer.read()
        process.child.send_signal(signal.SIGTERM)
        told = process.stop()
    decisions = [decode_decision(value) for value in values]
    assert len(decisions) == len(case.stream)
    assert {(d.outcome, d.path, d.score) for d in decisions} == {("approve", "rules", 0.0)}
    assert all((d.emitted_ns or 0) >= (d.taken_ns or 1) for d in decisions)
    assert (told["decided"], told["dead_lettered"]) == (len(case.stream), len(MALFORMED))


def test_an_unreachable_broker_is_one_line_and_exit_code_2(case: ScorerCase, tmp_path: Path) -> None:
    options = ["--engine", "null", "--role", "nightly", "--bootstrap-servers", "127.0.0.1:9", "--prefix", "none"]
    process = start(tmp_path, "lost", [*options, "--state", str(case.state)])
    assert process.child.wait(60) == 2
    log = process.log.read_text()
    assert "no broker answers at 127.0.0.1:9" in log
    assert "Traceback" not in log
