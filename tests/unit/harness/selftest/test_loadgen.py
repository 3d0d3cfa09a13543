"""MLPerf LoadGen really runs here, against a trivial scorer that stalls once; our side of the same run has to agree,
and every way of breaking it makes the proof fail."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from harness import latency
from harness.commands import selftest as command
from harness.selftest.bench import event_ids, plain_events
from harness.selftest.loadgen import REQUIREMENT, account, clock_origin_ns, prove_loadgen
from harness.selftest.loadgen_log import SUMMARY, TRACE, LoadgenLog, read_loadgen
from harness.steps import Steps
from scorer.engines.loadgen import drive, load_loadgen
from scorer.options import LoadgenLoad
from streams.codec import encode
from streams.decision import Decision
from streams.errors import BadInputError, RunInvalidError

ROOT = Path(__file__).parents[4]
SAMPLES = 600
RATE_PER_S = 2_000.0
STALL_S = 0.06


@dataclass(frozen=True)
class Played:
    """A run: its folder with decisions.jsonl, its events, and LoadGen's logs."""

    folder: Path
    events: Path
    log: LoadgenLog


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    folder = tmp_path_factory.mktemp("loadgen")
    pq.write_table(plain_events(SAMPLES, 20), folder / "events.parquet")
    loadgen, names, lines = load_loadgen(), iter(event_ids(SAMPLES)), list[bytes]()

    def answer(queries: Sequence[int]) -> None:
        taken_ns = time.monotonic_ns()
        if not lines:
            time.sleep(STALL_S)
        for query in queries:
            emitted_ns = time.monotonic_ns()
            loadgen.QuerySamplesComplete([loadgen.QuerySampleResponse(query, 0, 0)])
            decision = Decision(
                event_id=next(names), outcome="approve", score=0.0, taken_ns=taken_ns, emitted_ns=emitted_ns
            )
            lines.append(encode(decision) + b"\n")

    drive(loadgen, LoadgenLoad(rate_per_s=RATE_PER_S, seed=3), SAMPLES, folder, answer)
    (folder / "decisions.jsonl").write_bytes(b"".join(lines))
    return Played(folder, folder / "events.parquet", read_loadgen(folder))


def wrong(
    played: Played, folder: Path, log: LoadgenLog | None = None, alter: Callable[[bytes], bytes] = bytes
) -> set[str]:
    """What the proof says is wrong, our side being given `log` for LoadGen's and an altered decisions.jsonl."""
    (folder / "decisions.jsonl").write_bytes(alter((played.folder / "decisions.jsonl").read_bytes()))
    ours = account(played.events, folder, log or played.log)
    return {found.what for found in prove_loadgen(played.log, ours) if not found.passed}


def test_the_log_is_of_every_sample_on_one_schedule(played: Played) -> None:
    log = played.log
    assert len(log.scheduled_ns) == SAMPLES
    assert (np.diff(log.scheduled_ns) > 0).all()
    assert (log.issued_ns >= log.scheduled_ns).all()
    assert (log.latency_ns >= log.issued_ns - log.scheduled_ns).all()
    assert log.percentile_ns[50.0] == np.sort(log.latency_ns)[SAMPLES // 2]


def test_the_same_seed_is_the_same_schedule(played: Played, tmp_path: Path) -> None:
    loadgen = load_loadgen()

    def answer(queries: Sequence[int]) -> None:
        loadgen.QuerySamplesComplete([loadgen.QuerySampleResponse(query, 0, 0) for query in queries])

    drive(loadgen, LoadgenLoad(rate_per_s=RATE_PER_S, seed=3), 20, tmp_path, answer)
    assert np.diff(read_loadgen(tmp_path).scheduled_ns).tolist() == np.diff(played.log.scheduled_ns[:20]).tolist()


def test_two_instruments_agree(played: Played, tmp_path: Path) -> None:
    assert wrong(played, tmp_path) == set()


def test_counting_from_the_issue_is_found(played: Played, tmp_path: Path) -> None:
    closed_loop = replace(played.log, scheduled_ns=played.log.issued_ns)
    assert {"response P90", "response P99"} <= wrong(played, tmp_path, closed_loop)


def test_a_lost_sample_is_found(played: Played, tmp_path: Path) -> None:
    assert "lost" in wrong(played, tmp_path, alter=lambda lines: lines[lines.index(b"\n") + 1 :])


def test_a_clock_read_too_late_is_found(played: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    times = clock_origin_ns

    def early(decisions: Path, names: list[str], issued_ns: np.ndarray) -> int:
        return times(decisions, names, issued_ns) - 1_000_000

    monkeypatch.setattr("harness.selftest.loadgen.clock_origin_ns", early)
    assert "one response, median difference" in wrong(played, tmp_path)


def test_a_dropped_tail_is_found(played: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = latency.record
    monkeypatch.setattr(latency, "record", lambda histogram, values: whole(histogram, values[values < 30_000_000]))
    assert "response P99" in wrong(played, tmp_path)


def test_another_number_of_samples_is_refused(played: Played, tmp_path: Path) -> None:
    pq.write_table(plain_events(SAMPLES + 1, 20), tmp_path / "events.parquet")
    with pytest.raises(RunInvalidError, match="600 samples of 601 events"):
        account(tmp_path / "events.parquet", tmp_path, played.log)


def test_decisions_on_nothing_that_was_asked_are_refused(played: Played, tmp_path: Path) -> None:
    (tmp_path / "decisions.jsonl").write_bytes(b"no decision\n")
    with pytest.raises(RunInvalidError, match="no decision"):
        account(played.events, tmp_path, played.log)


@pytest.mark.parametrize(
    ("name", "alter"),
    [
        (TRACE, lambda text: text.replace('"sample_seq":7,', '"sample_seq":8,')),
        (TRACE, lambda text: ""),
        (SUMMARY, lambda text: text.replace("99.00 percentile", "98.00 percentile")),
    ],
)
def test_logs_of_an_unfinished_run_are_refused(
    played: Played, tmp_path: Path, name: str, alter: Callable[[str], str]
) -> None:
    for each in (SUMMARY, TRACE):
        text = (played.folder / each).read_text()
        (tmp_path / each).write_text(alter(text) if each == name else text)
    with pytest.raises(RunInvalidError, match="every sample"):
        read_loadgen(tmp_path)


def test_logs_that_are_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RunInvalidError, match="cannot be read"):
        read_loadgen(tmp_path)


def test_the_command_asks_for_what_the_project_names() -> None:
    assert f'loadgen = ["{REQUIREMENT}"]' in (ROOT / "pyproject.toml").read_text()


@pytest.mark.parametrize(
    ("asked", "installed", "wanted"),
    [(None, True, True), (None, False, False), (True, True, True), (False, True, False), (False, False, False)],
)
def test_the_proof_is_made_where_loadgen_is_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch, asked: bool | None, installed: bool, wanted: bool
) -> None:
    monkeypatch.setattr(command, "loadgen_installed", lambda: installed)
    assert command._loadgen_wanted(asked) is wanted


def test_asked_for_and_not_installed_is_bad_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "loadgen_installed", lambda: False)
    with pytest.raises(BadInputError, match=REQUIREMENT):
        command._loadgen_wanted(True)


def test_a_proof_left_out_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(command, "loadgen_installed", lambda: False)
    command._say_left_out(Steps(Console()))
    assert REQUIREMENT in capsys.readouterr().out
