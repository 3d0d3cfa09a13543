"""`bench run fraud`, whole: as a person starts it, on both brokers, with every engine; and when it is cut short."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet as pq
import pytest
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader

from harness.audit_trail.verify import verify
from harness.cli import main
from harness.hgrm import HGRM_TAGS
from streams.brokers import Broker
from streams.brokers.control import ControlPlane

ROOT = Path(__file__).parents[2]
RUN_S = 280.0

SCENARIO = """
name: small
world: {history_days: 60, cards: 500, fraud_share: 0.02}
load: {rate_per_s: 200.0, duration_s: 5.0, warmup_s: 1.0, partitions: 3}
measure: {k: 20, event_timeout_s: 20.0, floor_s: 2.0}
slo: {response_p99_ms: 15000.0}
"""

pytestmark = [pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory, broker_cache_dir: Path) -> Path:
    """A folder with a small scenario, and the user's cache: Kafka's jars are there, one model serves all tests."""
    folder: Path = tmp_path_factory.mktemp("run-fraud")
    (folder / "small.yaml").write_text(SCENARIO, encoding="utf-8")
    (folder / "cache").symlink_to(broker_cache_dir, target_is_directory=True)
    broker_cache_dir.mkdir(parents=True, exist_ok=True)
    return folder


def _command(workshop: Path, out: Path, *options: str) -> list[str]:
    return [
        *(sys.executable, "-m", "harness.cli", "run", "fraud"),
        *("--scenario", str(workshop / "small.yaml")),
        *("--cache-dir", str(workshop / "cache")),
        *("--out", str(out)),
        *options,
    ]


def _environment(token: str) -> dict[str, str]:
    """The mark is inherited by every process the run starts: so they are found, wherever they went."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "RISKBENCH_TEST_MARK": token}


def _marked(token: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("RISKBENCH_TEST_MARK") == token and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def _listened(connections: Iterable[Any]) -> set[int]:
    return {connection.laddr.port for connection in connections if connection.status == psutil.CONN_LISTEN}


def _ports(processes: list[psutil.Process]) -> set[int]:
    ports = set()
    for process in processes:
        try:
            ports |= _listened(process.net_connections("inet"))
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return ports


def _listening() -> set[int]:
    return _listened(psutil.net_connections("inet"))


@pytest.fixture
def token(request: pytest.FixtureRequest) -> Iterator[str]:
    """Marks the processes of one test; whatever is left at its end is killed, so that tests do not meet."""
    mark = f"{os.getpid()}-{request.node.name}-{time.monotonic_ns()}"
    yield mark
    for process in _marked(mark):
        process.kill()


def _run(workshop: Path, out: Path, token: str, *options: str) -> tuple[Path, dict[str, Any]]:
    done = subprocess.run(
        _command(workshop, out, "--json", *options),
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
        env=_environment(token),
        cwd=workshop,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    results = json.loads(done.stdout)
    (folder,) = out.iterdir()
    assert json.loads((folder / "results.json").read_text(encoding="utf-8")) == results
    assert _marked(token) == []
    return folder, results


def _check(folder: Path, results: dict[str, Any]) -> None:
    counts = results["counts"]
    assert results["verdict"] == {"status": "pass", "reasons": []}
    assert counts["sent"] == counts["decided"] > 900
    for kind in ("lost", "late", "duplicated", "unknown", "malformed", "dead_lettered", "undelivered"):
        assert counts[kind] == 0, kind
    assert sum(counts["by_path"].values()) == counts["decided"]
    assert results["load"]["achieved_per_s"] >= 0.99 * results["load"]["scheduled_per_s"]
    latency = results["latency_ms"]
    assert latency["negative"] == latency["overflow"] == 0
    assert latency["response"]["count"] == counts["sent"] - counts["warmup"]
    assert latency["response"]["p50"] <= latency["response"]["p99"] <= latency["response"]["max"]
    rows = pq.read_table(folder / "decisions.parquet")
    assert len(rows) == counts["sent"]
    assert set(rows["status"].to_pylist()) == {"decided"}
    assert sorted(rows["ordinal"].to_pylist()) == list(range(counts["sent"]))
    timeline = pq.read_table(folder / "timeline.parquet")
    assert sum(timeline["sent"].to_pylist()) == sum(timeline["decided"].to_pylist()) == counts["sent"]
    names = {path.name for path in folder.iterdir()}
    wanted = {"scenario.yaml", "environment.json", "results.json", "latency.hlog", "decisions.parquet", "logs"}
    assert wanted | {"events.parquet", "labels.parquet", "timeline.parquet"} <= names
    assert {"case", "audit.jsonl", "explanations.parquet"} <= names
    assert "INCOMPLETE" not in names
    assert ".work" not in names
    _check_waterfall(results)
    _check_records(folder, results)
    _check_histograms(folder, latency)


def _check_histograms(folder: Path, latency: dict[str, Any]) -> None:
    """HdrHistogram's own reader gives the reported percentiles, and the percentile files are whole."""
    totals: dict[str, Any] = {tag: HdrHistogram(1, 86_400_000_000_000, 3) for tag in HGRM_TAGS}
    reader = HistogramLogReader(str(folder / "latency.hlog"), HdrHistogram(1, 86_400_000_000_000, 3))
    while (interval := reader.get_next_interval_histogram()) is not None:
        if interval.get_tag() in totals:
            totals[interval.get_tag()].add(interval)
    reader.close()
    for tag, total in totals.items():
        reported = latency[tag]
        assert total.get_total_count() == reported["count"] > 0
        for q, key in ((50.0, "p50"), (90.0, "p90"), (99.0, "p99"), (99.9, "p999")):
            found = min(total.get_value_at_percentile(q) / 1e6, reported["max"])
            assert found == pytest.approx(reported[key], abs=1e-6), (tag, key)
        lines = (folder / f"latency-{tag}.hgrm").read_text(encoding="ascii").splitlines()
        rows = [
            [float(each) for each in line.split()[:3]]
            for line in lines
            if line[:1] == " " and line.strip()[0].isdigit()
        ]
        value, percentile, count = rows[-1]
        assert (percentile, count) == (1.0, reported["count"])
        assert value == pytest.approx(reported["max"], rel=2e-3, abs=1e-3)
        assert [row[0] for row in rows] == sorted(row[0] for row in rows)


def _check_waterfall(results: dict[str, Any]) -> None:
    """Every measured event's way is known from end to end, the broker's append time with it."""
    found = results["latency_ms"]["waterfall"]
    assert found["events"] == results["latency_ms"]["response"]["count"]
    assert found["contradicting"] == 0
    steps = ["sent", "broker", "taken", "table_wait", "features", "rules", "model", "emitted", "received"]
    if results["broker"]["name"] == "none":
        steps.remove("broker")
    else:
        assert found["steps"]["broker"]["count"] >= 0.9 * found["events"]
    assert list(found["steps"]) == steps
    for made in found["at"].values():
        assert sum(made["parts"].values()) == pytest.approx(made["response"], abs=1e-3)


def _check_records(folder: Path, results: dict[str, Any]) -> None:
    """Whoever was to be explained was, and the audit trail is whole."""
    counts = results["counts"]
    rows = pq.read_table(folder / "decisions.parquet", columns=["event_id", "path", "outcome"]).to_pylist()
    flagged = {row["event_id"] for row in rows if row["path"] == "model" and row["outcome"] != "approve"}
    explained = pq.read_table(folder / "explanations.parquet")["event_id"].to_pylist()
    assert set(explained) == flagged
    assert counts["explained"] == len(explained) > 0
    for kind in ("missing", "duplicated", "unknown", "malformed"):
        assert counts[f"explanations_{kind}"] == 0, kind
    found = verify(folder)
    assert found.findings == []
    assert found.records == results["audit"]["records"] == counts["sent"] + len(explained) + 2
    assert found.head == results["audit"]["head"]


def _check_recomputed(folder: Path, workshop: Path, token: str) -> None:
    """The run folder alone gives every decision again, bit for bit."""
    command = [sys.executable, "-m", "harness.cli", "explain", str(folder), "--sample", "1000", "--json"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=RUN_S, check=False, env=_environment(token), cwd=workshop
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert found["equal"] == found["features_equal"] == found["sampled"] > 900
    assert found["shares"]["agree"] == found["shares"]["compared"] > 0


@pytest.mark.parametrize(
    ("broker", "engine", "workers"),
    [
        pytest.param("apache", "faust", 1, marks=pytest.mark.broker("apache")),
        pytest.param("embedded", "native", 2, marks=pytest.mark.broker("embedded")),
        pytest.param("apache", "native", 1, marks=[pytest.mark.broker("apache"), pytest.mark.slow]),
        pytest.param("embedded", "faust", 1, marks=[pytest.mark.broker("embedded"), pytest.mark.slow]),
    ],
)
def test_everything_comes_back(
    workshop: Path, tmp_path: Path, token: str, broker: str, engine: str, workers: int
) -> None:
    """Each broker and each engine, and workers that share the partitions; the pairs that are left by name."""
    reported = (broker, engine) == ("apache", "faust")  # as by default; page and floor do not depend on the engine
    options: tuple[str, ...] = ("--broker", broker, "--engine", engine, "--workers", str(workers))
    page = () if reported else ("--no-report", "--no-floor")
    several = (broker, engine) == ("embedded", "native")
    collectors = ("--collectors", "2") if several else ()
    folder, results = _run(workshop, tmp_path / "runs", token, *options, *page, *collectors)
    _check(folder, results)
    assert results["broker"]["name"] == broker
    told = set(pq.read_table(folder / "decisions.parquet", columns=["worker"])["worker"].to_pylist())
    assert told == {f"worker-{number}" for number in range(1, workers + 1)}
    assert (folder / "report.html").exists() == (folder / "floor.hlog").exists() == reported
    if reported:
        assert results["latency_ms"]["floor"]["lost"] == 0
        assert results["latency_ms"]["floor"]["response"]["count"] > 0
        assert (folder / "report.html").stat().st_size < 5_000_000
    assert results["load"]["collectors"] == 1 + several
    if several:
        _check_recomputed(folder, workshop, token)


def test_without_a_broker(workshop: Path, tmp_path: Path, token: str) -> None:
    folder, results = _run(workshop, tmp_path / "runs", token, "--engine", "inprocess", "--no-report")
    _check(folder, results)
    assert results["broker"]["name"] == "none"


@pytest.mark.broker("apache")
def test_on_a_kafka_that_runs_already_and_is_left_as_it_was(
    workshop: Path, tmp_path: Path, token: str, broker_apache: Broker
) -> None:
    with ControlPlane(broker_apache.connection) as control:
        before = set(control.topics())
    options = ("--bootstrap-servers", broker_apache.info.bootstrap_servers, "--engine", "native")
    folder, results = _run(workshop, tmp_path / "runs", token, *options, "--no-floor", "--no-report")
    _check(folder, results)
    assert results["broker"]["name"] == "external"
    with ControlPlane(broker_apache.connection) as control:
        assert set(control.topics()) - {"__consumer_offsets"} == before - {"__consumer_offsets"}


@pytest.mark.broker("embedded")
@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_cut_short_leaves_nothing_behind(workshop: Path, tmp_path: Path, token: str, number: signal.Signals) -> None:
    options = ("--broker", "embedded", "--engine", "native", "--duration", "120", "--no-floor", "--no-report")
    process = subprocess.Popen(
        _command(workshop, tmp_path / "runs", *options),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=_environment(token),
        cwd=workshop,
        start_new_session=True,
    )
    _await_stream(tmp_path / "runs", process)
    ports = _ports(_marked(token))
    assert ports, "the broker and the workers listen while the stream runs"
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert f"interrupted by {number.name}" in errors.decode()
    assert "Traceback" not in errors.decode()
    assert _marked(token) == []
    assert not ports & _listening()
    (folder,) = (tmp_path / "runs").iterdir()
    assert number.name in (folder / "INCOMPLETE").read_text(encoding="utf-8")
    assert not (folder / ".work").exists()


def _await_stream(runs: Path, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + RUN_S
    while not list(runs.glob("*/.work/stream/start")):
        assert process.poll() is None, process.communicate()[1].decode()[-4000:]
        assert time.monotonic() < until
        time.sleep(0.2)
    time.sleep(1.0)


def test_unreachable_broker(workshop: Path, tmp_path: Path, token: str) -> None:
    done = subprocess.run(
        _command(workshop, tmp_path / "runs", "--bootstrap-servers", "127.0.0.1:1"),
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
        env=_environment(token),
        cwd=workshop,
    )
    assert done.returncode == 2, done.stdout[-2000:] + done.stderr[-2000:]
    assert "no Kafka answers at 127.0.0.1:1" in done.stderr
    assert "Traceback" not in done.stderr
    assert _marked(token) == []


@pytest.fixture
def refused(
    workshop: Path, tmp_path: Path, token: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """What a run says that is refused before it starts any process but the model's training; in this process."""
    for name, value in _environment(token).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(workshop)

    def said(*options: str) -> str:
        with pytest.raises(SystemExit) as stopped:
            main(_command(workshop, tmp_path / "runs", *options)[3:])
        assert stopped.value.code == 2
        assert _marked(token) == []
        return capsys.readouterr().err

    return said


def test_damaged_bundle(refused: Callable[..., str], tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    (bundle / "bundle.json").write_text('{"schema_version": 1}', encoding="utf-8")
    assert "bundle" in refused("--bundle", str(bundle))


def test_faulty_rules(refused: Callable[..., str], tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("rules: [{when: nonsense}]\n", encoding="utf-8")
    assert "rules.yaml" in refused("--rules", str(rules))
