"""Watching the scorer's processes from outside."""

import http.server
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.processes import Family, await_file, module_command
from harness.scenario import Breaker
from harness.scorers import (
    FlinkHome,
    OwnScorer,
    Reach,
    Scorers,
    ScorerSetup,
    Worker,
    _command,
    pinning_options,
    scorer_options,
)
from streams.errors import BadInputError


class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b'{"status": "ready"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
        pass


@pytest.fixture
def address() -> Iterator[str]:
    with http.server.HTTPServer(("127.0.0.1", 0), Health) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def worker_of(family: Family, folder: Path, address: str | None = None) -> Worker:
    child = family.start("scorer w", module_command("this_is_no_module"), folder / "w.log")
    return Worker("w", "worker", child, folder / "w.ready", folder / "w.summary", address)


def test_our_own_processes_are_asked_without_a_proxy(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    with Family() as family:
        assert worker_of(family, tmp_path, address).health() == {"status": "ready"}


def test_a_scorer_that_ends_badly_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with Family() as family:
        worker = worker_of(family, tmp_path)
        worker.child.wait(20)
        assert Scorers([worker]).stop(family) == []
    assert "scorer w ended with 1" in caplog.text


COUNTS_SIGNALS = """
import signal, sys, time
from pathlib import Path
from typing import Any
asked = []
signal.signal(signal.SIGTERM, lambda *_: asked.append(1))
Path(sys.argv[1]).touch()
while not asked:
    time.sleep(0.01)
time.sleep(float(sys.argv[3]))
Path(sys.argv[2]).write_text(str(len(asked)))
"""


def test_a_scorer_that_takes_longer_than_another_is_asked_to_end_once(tmp_path: Path) -> None:
    with Family() as family:
        workers = []
        for name, takes_s in (("quick", 0.1), ("slow", 0.6)):
            up, told = tmp_path / f"{name}.up", tmp_path / f"{name}.told"
            command = [sys.executable, "-c", COUNTS_SIGNALS, str(up), str(told), str(takes_s)]
            child = family.start(name, command, tmp_path / f"{name}.log")
            await_file(up, child, family, 20)
            workers.append(Worker(name, "worker", child, up, tmp_path / f"{name}.summary"))
        Scorers(workers).stop(family)
        assert [worker.child.process.returncode for worker in workers] == [0, 0]
    assert (tmp_path / "slow.told").read_text() == "1"


REACH = Reach("h:1", None, "p", Path("work"), Path("logs"))


def test_a_command_is_told_its_places() -> None:
    own = OwnScorer("x '{events} {decisions}' {explanations} {group} {bootstrap_servers} {ready}", 1.0)
    told = ["x", "p.events p.decisions", "p.explanations", "p.scorer", "h:1", "r"]
    assert own.arguments(REACH, Path("r")) == told


@pytest.mark.parametrize("command", ["scorer {evnts}", "scorer {}", "scorer {0}", "scorer {events"])
def test_an_unknown_placeholder_is_named(command: str) -> None:
    with pytest.raises(BadInputError, match=r"known are .*\{events\}"):
        OwnScorer(command, 1.0).arguments(REACH, Path("r"))


WRITES_READY = """
import sys, time
from pathlib import Path
from typing import Any
others = sorted(path.name for path in Path(sys.argv[1]).glob("*.ready"))
time.sleep(0.2)
Path(sys.argv[2]).write_text(" ".join(others))
time.sleep(60)
"""


def test_workers_join_one_by_one_where_the_broker_asks_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "harness.scorers.module_command",
        lambda _module, *options: [
            *(sys.executable, "-c", WRITES_READY, str(tmp_path)),
            options[options.index("--ready-file") + 1],
        ],
    )
    reach = Reach("h:1", None, "p", tmp_path, tmp_path, joins_one_by_one=True)
    setup = ScorerSetup("null", 3, Path(), None, None, "none", Breaker(), nightly=False)
    with Family() as family:
        scorers = Scorers.start(setup, reach, family)
        for worker in scorers.workers:
            await_file(worker.ready, worker.child, family, 20)
        met = [worker.ready.read_text() for worker in scorers.workers]
    assert met == ["", "worker-1.ready", "worker-1.ready worker-2.ready"]


def test_a_plan_for_changing_the_model_is_handed_over_when_there_is_one() -> None:
    setup = ScorerSetup("native", 1, Path("b"), None, Path("s"), "none", Breaker(), nightly=True)
    assert "--rollout-control" not in scorer_options(setup)
    options = scorer_options(replace(setup, rollout_control=Path("work/rollout.json")))
    assert options[options.index("--rollout-control") + 1] == "work/rollout.json"


def test_workers_are_pinned_to_processors_in_turn_where_that_is_asked() -> None:
    setup = ScorerSetup("native", 3, Path("b"), None, Path("s"), "none", Breaker(), nightly=True)
    assert pinning_options(setup, "worker-1") == []
    pinned = replace(setup, pinned_to=(4, 7))
    found = [pinning_options(pinned, f"worker-{number}") for number in (1, 2, 3)]
    assert found == [["--cpu", "4"], ["--cpu", "7"], ["--cpu", "4"]]


def test_a_flink_worker_runs_in_its_own_environment_and_the_nightly_job_in_ours() -> None:
    home = FlinkHome(Path("/apart/bin/python"), Path("/jars/connector.jar"))
    setup = ScorerSetup("flink", 1, Path("/b"), None, Path("/s"), "none", Breaker(), nightly=True, flink=home)
    reach = Reach("localhost:1", None, "run", Path("/work"), Path("/logs"))
    worker, nightly = (_command(setup, reach, role, role) for role in ("worker", "nightly"))
    assert worker[0] == "env"
    assert worker[2:5] == ["/apart/bin/python", "-m", "scorer"]
    assert worker[-2:] == ["--flink-connector", "/jars/connector.jar"]
    assert nightly[0] == sys.executable
    assert "--flink-connector" not in nightly


@pytest.mark.parametrize("nightly", [False, True])
def test_a_scorer_of_ones_own_has_the_nightly_job_beside_it_where_it_is_wanted(nightly: bool) -> None:
    started: list[str] = []

    class Starting:
        def start(self, name: str, command: list[str], log: Path) -> Any:
            started.append(name)
            return SimpleNamespace(process=SimpleNamespace(pid=2**22 - 1))  # there is none

    own = OwnScorer("mine --events {events} --ready {ready}", 0.0)
    setup = ScorerSetup("native", 1, Path("/b"), None, Path("/s"), "none", Breaker(), nightly=nightly, own=own)
    reach = Reach("localhost:1", None, "run", Path("/work"), Path("/logs"))
    family: Any = Starting()
    scorers = Scorers.start(setup, reach, family)
    assert sorted(started) == ["own scorer", *(["scorer nightly"] if nightly else [])]
    assert scorers.group == reach.group
