"""The command line: bad usage ends with 2 and one message, never a traceback."""

from pathlib import Path

import pytest

from harness.cli import main


def _run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    captured = capsys.readouterr()
    return int(ended.value.code or 0), captured.out + captured.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "fraud", "--rate", "-5"], "--rate (load.rate_per_s) = -5.0: must be greater than 0"),
        (["run", "fraud", "--rate", "0"], "must be greater than 0"),
        (["run", "fraud", "--rate", "fast"], "--rate"),
        (["run", "fraud", "--duration", "-1"], "--duration"),
        (["run", "fraud", "--engine", "spark"], "--engine"),
        (["run", "fraud", "--broker", "rabbit"], "--broker"),
        (["run", "fraud", "--scenario", "nope"], "scenario nope: no such file"),
        (["run", "fraud", "--partitions", "0"], "--partitions (load.partitions) = 0: must be at least 1"),
        (["run", "fraud", "--workers", "0"], "--workers"),
        (["run", "fraud", "--k", "0"], "--k"),
        (["run", "fraud", "--seed", "-1"], "seeds.world = -1"),
        (["run", "fraud", "--columns", "handbook"], "--data FILE"),
        (["run", "fraud", "--kafka-config", "x"], "--bootstrap-servers"),
        (["run", "fraud", "--broker", "apache", "--bootstrap-servers", "a:1"], "give one of the two"),
        (["run", "fraud", "--scorer", "theirs"], "--scorer"),
        (["run", "fraud", "--scorer", "external", "--engine", "native"], "--engine is of our own scorer"),
        (["run", "fraud", "--scorer", "external", "--workers", "2"], "--workers is of our own scorer"),
        (["run", "fraud", "--scorer", "external", "--bundle", "b"], "--bundle is of our own scorer"),
        (["run", "fraud", "--scorer", "external", "--rules", "r.yaml"], "--rules is of our own scorer"),
        (["run", "fraud", "--scorer", "external", "--explain", "all"], "--explain is of our own scorer"),
        (["run", "fraud", "--scorer", "external", "--scorer-command", "x"], "name two scorers: give one of the two"),
        (["run", "fraud", "--scorer", "ours", "--scorer-command", "x"], "name two scorers: give one of the two"),
        (["run", "fraud", "--scorer-command", "x", "--rules", "r.yaml"], "--scorer-command measures another one"),
        (["run", "aml", "--scorer", "external", "--bundle", "b"], "--bundle is of our own scorer"),
        (["run", "aml", "--last-days", "9"], "--last-days is of a file"),
        (["run", "aml", "--settle", "3"], "--settle: our own scorer says when it is ready"),
        (["run", "aml", "--topic-prefix", "a b"], "--topic-prefix 'a b'"),
        (["run", "fraud", "--settle", "3"], "--settle: our own scorer says when it is ready"),
        (["run", "fraud", "--scorer-command", "x {ready}", "--settle", "3"], "--settle: a command that takes {ready}"),
        (["run", "fraud", "--scorer", "external", "--settle", "-1"], "--settle (scorer.settle_s) = -1.0"),
        (["run", "fraud", "--topic-prefix", "a b"], "--topic-prefix 'a b': 1 to 200 of the characters"),
        (["run", "fraud", "--topic-prefix", "a", "--engine", "inprocess"], "engine inprocess has none"),
        (["run", "fraud", "--nonsense"], "--nonsense"),
        (["run", "horse"], "horse"),
        (["inject", "fraud"], "say which fault: --fault KIND, or --all"),
        (["inject", "fraud", "--fault", "nope"], "--fault nope: no such kind; known are model-slow"),
        (
            ["inject", "fraud", "--fault", "model-slow", "delay_ms=-1"],
            "faults[0].delay_ms = -1: must be",
        ),
        (["inject", "fraud", "--fault", "worker-kill"], "needs 2 workers, the scorer has 1"),
        (["inject", "fraud", "--fault", "broker-kill", "--broker", "embedded"], "loses messages when it is killed"),
        (["inject", "fraud", "--all", "--only", "nope"], "--only nope: matches none of"),
        (["inject", "fraud", "--all", "--write", "x.txt"], "--write x.txt: the page is Markdown"),
        (["capacity", "fraud", "--slo", "fast"], "write for example p99=50ms"),
        (["capacity", "fraud", "--start", "5000", "--highest", "2000"], "--start 5000 and --highest 2000"),
        (["capacity", "fraud", "--start", "-1"], "must be above 0"),
        (["capacity", "fraud", "--highest", "5e7"], "at most 1,000,000"),
        (["capacity", "fraud", "--duration", "2"], "--duration 2 s is too short"),
        (["capacity", "fraud", "--duration", "8", "--start", "30"], "give --duration 17 or more"),
        (["capacity", "fraud", "--resolution", "3"], "--resolution 3"),
        (["capacity", "fraud", "--broker", "apache", "--bootstrap-servers", "a:1"], "give one of the two"),
        (["report", "nowhere"], "nowhere: not a finished run"),
        (["replay", "nowhere"], "nowhere: no such run folder"),
        (["replay", "nowhere", "--speed", "0"], "--speed 0: must be from 0.001 to 1000"),
        (["replay", "nowhere", "--engine", "spark"], "--engine"),
        (["replay", "nowhere", "--broker", "apache", "--bootstrap-servers", "a:1"], "give one of the two"),
        (["replay", "nowhere", "--kafka-config", "x"], "--bootstrap-servers"),
        (["replay"], "RUN (the folder of an earlier run), drift/NAME, or --all"),
        (["replay", "drift/nope"], "drift/nope: no such drift; there are adapting-criminals"),
        (["replay", "drift/payday", "--all"], "--all replays every known drift: leave out drift/payday"),
        (["replay", "drift/payday", "--only", "x"], "--only belongs to --all"),
        (["replay", "nowhere", "--seeds", "2"], "belong to known drifts"),
        (["replay", "--all", "--only", "nope"], "--only nope: matches none of"),
        (["replay", "--all", "--write", "x.txt"], "--write x.txt: the page is Markdown"),
        (["replay", "--all", "--speed", "2"], "--speed is of an earlier run's schedule"),
        (["replay", "--all", "--again", "nowhere"], "nowhere: no such folder"),
        (["replay", "--all", "--engine", "inprocess", "--broker", "apache"], "has no broker"),
        (["world", "fraud"], "--out"),
        (["train", "fraud", "--out", "/"], "exists already"),
    ],
)
def test_bad_usage(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, text = _run(arguments, capsys)
    assert code == 2
    assert words in text
    assert "Traceback" not in text


def test_unwritable_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    code, text = _run(["run", "fraud", "--out", str(blocked)], capsys)
    assert code == 2
    assert "a run folder cannot be made there" in text


def test_a_file_that_is_missing_leaves_a_marked_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--data", str(tmp_path / "no.csv"), "--out", str(tmp_path / "runs"), "--cache-dir", str(tmp_path / "c")]
    code, text = _run(["run", "fraud", *options], capsys)
    assert code == 2
    assert "no.csv cannot be read" in text
    (folder,) = (tmp_path / "runs").iterdir()
    assert "no.csv" in (folder / "INCOMPLETE").read_text(encoding="utf-8")


def test_help_lists_every_command_and_option(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = _run(["--help"], capsys)
    assert code == 0
    assert all(command in text for command in ("run", "replay", "train", "world", "report", "version"))
    code, text = _run(["run", "fraud", "--help"], capsys)
    assert code == 0
    for option in ("--rate", "--engine", "--broker", "--bootstrap-serv", "--data", "--columns", "--no-floor", "--json"):
        assert option in text


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = _run(["version"], capsys)
    assert code == 0
    assert text.strip()
