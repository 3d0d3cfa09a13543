"""GET /health and /metrics, the ready file and the summary."""

import itertools
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from scorer.breaker import CircuitBreaker
from scorer.breaker_config import BreakerConfig
from scorer.breaker_desk import breaker_desk
from scorer.counters import Counters
from scorer.health import HealthServer, WorkerMetrics
from scorer.summary import worker_summary, write_json
from streams.errors import BadInputError


@pytest.fixture
def counters() -> Counters:
    found = Counters(taken=5, decided=4, repeated=1, lag=7)
    found.by_path["model"] = 4
    found.by_outcome["approve"] = 4
    found.observe_stage("model", 300_000)
    found.observe_stage("model", 20_000_000_000)
    found.observe_table_wait(2_000_000)
    return found


@pytest.fixture
def server(counters: Counters) -> Iterator[HealthServer]:
    breaker = CircuitBreaker(BreakerConfig(), itertools.count().__next__)
    registry = CollectorRegistry()
    registry.register(WorkerMetrics(counters))
    found = HealthServer(
        lambda: worker_summary(
            counters, status="ready", engine="native", worker="w", guard={"breaker": breaker.summary()}
        ),
        registry,
        "127.0.0.1",
        0,
        breaker_desk(breaker),
    )
    found.start()
    yield found
    found.close()


def get(server: HealthServer, path: str) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}", timeout=5) as answer:
        body: bytes = answer.read()
        return body


def test_health_says_what_was_done(server: HealthServer) -> None:
    told = json.loads(get(server, "/health"))
    assert (told["status"], told["engine"], told["decided"], told["lag"]) == ("ready", "native", 4, 7)
    assert told["table_wait_ms"] == 2.0
    assert told["breaker"]["state"] == "closed"


def test_metrics_are_prometheus_text(server: HealthServer) -> None:
    families = {f.name: f for f in text_string_to_metric_families(get(server, "/metrics").decode())}
    assert families["riskbench_taken"].samples[0].value == 5
    stages = {
        sample.labels["le"]: sample.value
        for sample in families["riskbench_stage_seconds"].samples
        if sample.name.endswith("_bucket")
    }
    assert stages["0.00025"] == 0
    assert stages["0.0005"] == 1
    assert stages["+Inf"] == 2


def post(server: HealthServer, body: object, **headers: str) -> tuple[int, bytes]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.port}/breaker",
        json.dumps(body).encode(),
        {"Content-Type": "application/json", **headers},
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
            return int(answer.status), bytes(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_the_breaker_is_forced_and_given_back_by_hand(server: HealthServer) -> None:
    assert post(server, {"state": "forced-open", "cause": "new model"}) == (200, b'{"state": "forced-open"}')
    told = json.loads(get(server, "/health"))["breaker"]
    assert (told["state"], told["transitions"][0]["cause"]) == ("forced-open", "new model")
    assert post(server, {"state": "disabled"}) == (200, b'{"state": "disabled"}')
    assert post(server, {"state": "closed"}) == (200, b'{"state": "closed"}')


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        ({"state": "open"}, {}, 400),
        ({"state": "closed", "more": 1}, {}, 400),
        ({"state": "closed"}, {"Content-Type": "text/plain"}, 415),
        ({"state": "closed"}, {"Host": "evil.example:80"}, 403),
        ({"state": "closed", "cause": "x" * 5_000}, {}, 413),
    ],
)
def test_an_order_that_is_none_changes_nothing(
    server: HealthServer, body: object, headers: dict[str, str], status: int
) -> None:
    assert post(server, body, **headers)[0] == status
    assert json.loads(get(server, "/health"))["breaker"]["transitions"] == []


@pytest.mark.parametrize(("status", "code"), [("starting", 503), ("ready", 200), ("stopped", 503), ("failed", 503)])
def test_ready_is_an_answer_in_the_status_code(status: str, code: int) -> None:
    server = HealthServer(lambda: {"status": status}, CollectorRegistry(), "127.0.0.1", 0)
    server.start()
    try:
        assert json.loads(get(server, "/health")) == {"status": status}
        if code == 200:
            assert json.loads(get(server, "/ready")) == {"status": status}
        else:
            with pytest.raises(urllib.error.HTTPError, match=str(code)) as caught:
                get(server, "/ready")
            caught.value.close()
    finally:
        server.close()


def test_another_path_is_not_found(server: HealthServer) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404") as caught:
        get(server, "/secrets")
    caught.value.close()


def test_a_taken_port_is_said(server: HealthServer) -> None:
    with pytest.raises(BadInputError, match="--metrics-port"):
        HealthServer(dict, CollectorRegistry(), "127.0.0.1", server.port)


def test_json_files_appear_whole(tmp_path: Path) -> None:
    write_json(tmp_path / "new" / "ready.json", {"port": 1})
    assert json.loads((tmp_path / "new" / "ready.json").read_text()) == {"port": 1}
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["ready.json"]


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInputError, match="cannot be written"):
        write_json(tmp_path / "file" / "ready.json", {})
