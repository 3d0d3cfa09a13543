"""`bench audit fraud`, `bench audit aml`: what is shown, what is saved, and how it ends."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from harness.cli import main
from harness.commands import audit_world
from harness.scenario import AmlScenario, Scenario
from harness.world_audit import figure, headline, limits, print_audit, to_markdown, verdict


def check(name: str, value: float | None, low: float | None, high: float | None, found: str) -> dict[str, Any]:
    keeps = None if value is None or low is high is None else (low or 0) <= value <= (high or 1e9)
    return {"group": "depth", "check": name, "figure": value, "low": low, "high": high, "verdict": found,
            "keeps_limits": keeps, "detail": f"of {name} | as measured"}  # fmt: skip


def document(status: str = "fail") -> dict[str, Any]:
    checks = [
        check("too easy", 0.91, None, 0.8, "fail" if status == "fail" else "information"),
        check("like people", 0.3, 0.1, 0.6, "pass" if status == "fail" else "information"),
        check("Benford", 0.00213, None, None, "information"),
        check("absent", None, None, 0.5, "not measured"),
    ]
    return {
        "schema_version": 1, "status": status, "broken": ["too easy"] if status == "fail" else [], "checks": checks,
        "data": {"events": 4_000, "cards": 50, "days": 62.6, "frauds": 40}, "settings": {"seed": 4, "permutations": 5},
        "tables": {"single_features": [{"feature": f"column {n}", "auc": 0.9 - n / 100} for n in range(20)],
                   "leaks": [], "scenarios": [{"scenario": "spree", "recall": None}]},
    }  # fmt: skip


def test_figures_and_limits_in_words() -> None:
    assert [figure(value) for value in (None, 0.25, 0.00213, 73.4794, 0.0)] == [
        "–",
        "0.250",
        "0.0021",
        "73.48",
        "0.000",
    ]
    checks = document()["checks"]
    assert [limits(one) for one in checks] == ["≤ 0.800", "0.100 to 0.600", "", "≤ 0.500"]
    assert limits(check("low", 1.0, 0.2, None, "pass")) == "≥ 0.200"
    assert [verdict(one) for one in checks] == ["fail", "pass", "information", "not measured"]
    assert [verdict(one) for one in document("information")["checks"][:2]] == ["outside", "within"]


def test_the_page_holds_every_check_and_the_tables() -> None:
    page = to_markdown(document(), "Audit of world fraud, seed 1")
    assert page.startswith("# Audit of world fraud, seed 1\n\nSeparability audit: fail (4,000 events of 50 cards")
    assert "| too easy | 0.910 | ≤ 0.800 | fail | of too easy / as measured |" in page
    assert "Broken: too easy." in page
    assert "5 more in audit.json." in page
    assert "## Traces" not in page
    assert "| spree | – |" in page


@pytest.mark.parametrize("width", [80, 160])
def test_the_table_shows_what_broke_whatever_the_width(width: int) -> None:
    console = Console(record=True, width=width, file=StringIO())
    print_audit(document(), console)
    text = console.export_text()
    assert "broken  too easy: of too easy | as measured" in text
    assert ("found" in text) == (width == 160)


@pytest.mark.parametrize(("status", "code"), [("fail", 1), ("pass", 0), ("information", 0)])
def test_the_exit_code_says_whether_a_limit_is_broken(
    status: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[bool] = []

    def made(*_: object, strict: bool) -> dict[str, Any]:
        asked.append(strict)
        return document(status)

    monkeypatch.setattr(audit_world, "_audit", made)
    options = ["--out", str(tmp_path / "audit"), "--json", "--preset", "hard", "--seed", "7", "--history-days", "30"]
    with pytest.raises(SystemExit) as ended:
        main(["audit", "fraud", *options])
    assert (ended.value.code or 0) == code
    assert asked == [True]
    printed = json.loads(capsys.readouterr().out)
    assert printed == document(status)
    assert json.loads((tmp_path / "audit" / "audit.json").read_text(encoding="utf-8")) == printed
    assert (tmp_path / "audit" / "audit.md").read_text(encoding="utf-8").startswith("# Audit of world fraud, seed 7")


def test_data_are_not_held_to_limits_unless_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    def made(*_: object, strict: bool) -> dict[str, Any]:
        asked.append(strict)
        return document("information")

    monkeypatch.setattr(audit_world, "_audit", made)
    for extra in ([], ["--strict"]):
        with pytest.raises(SystemExit) as ended:
            main(["audit", "fraud", "--data", str(tmp_path / "a.csv"), "--out", str(tmp_path / "audit"), *extra])
        assert not ended.value.code
    assert asked == [False, True]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--columns", "handbook"], "name it with --data FILE"),
        (["--data", "a.csv", "--seed", "3"], "--seed: it shapes a world"),
        (["--data", "a.csv", "--preset", "easy"], "--preset: it shapes a world"),
        (["--data", "/nowhere/a.csv"], "a.csv"),
        (["--preset", "brutal"], "--preset"),
        (["--history-days", "3"], "--history-days"),
        (["--scenario", "nope"], "scenario nope"),
    ],
)
def test_bad_input(options: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["audit", "fraud", "--cache-dir", str(tmp_path), *options])
    assert ended.value.code == 2
    captured = capsys.readouterr()
    assert words in captured.out + captured.err
    assert "Traceback" not in captured.err


def test_a_folder_that_cannot_be_written_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(audit_world, "_audit", lambda *_, strict: document("pass"))
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["audit", "fraud", "--out", str(blocked)])
    assert ended.value.code == 2
    assert "cannot be written" in capsys.readouterr().err


TRANSFERS = {"transfers": 9_000, "laundering": 40, "patterns": 12, "customers": 300, "markets": 2, "days": 100.2}


def laundering_document(status: str = "fail") -> dict[str, Any]:
    tables = {"typologies": [{"typology": "cycle", "judged": "too few patterns"}], "markets": [{"market": "DE"}]}
    return {**document(status), "data": TRANSFERS, "tables": tables}


def test_the_page_of_transfers_has_typologies_and_markets() -> None:
    found = laundering_document()
    words = "fail (9,000 transfers of 300 customers over 100 days, 40 of them laundering, in 12 patterns)"
    assert headline(found) == f"Separability audit: {words}"
    page = to_markdown(found, "Audit of world aml, seed 1")
    assert "## Typologies" in page
    assert "| cycle | too few patterns |" in page
    assert "## Markets" in page


@pytest.mark.parametrize(("status", "code"), [("fail", 1), ("pass", 0)])
def test_the_audit_of_transfers_ends_as_that_of_cards(
    status: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[Scenario] = []

    def made(scenario: Scenario, *_: object, strict: bool) -> dict[str, Any]:
        assert strict
        asked.append(scenario)
        return laundering_document(status)

    monkeypatch.setattr(audit_world, "_audit", made)
    options = ["--out", str(tmp_path), "--json", "--customers", "900", "--markets", "us,de", "--denser", "4"]
    with pytest.raises(SystemExit) as ended:
        main(["audit", "aml", *options, "--preset", "hard", "--history-days", "60", "--seed", "9"])
    assert (ended.value.code or 0) == code
    scenario = asked[0]
    assert isinstance(scenario, AmlScenario)
    config = scenario.world.config
    assert (config.customers, config.market_codes) == (900, ("US", "DE"))
    assert config.laundering_share == pytest.approx(0.0048)
    assert config.look_alike_share == pytest.approx(0.00576)
    assert (scenario.seeds.world, scenario.world.history_days) == (9, 60)
    assert json.loads(capsys.readouterr().out) == laundering_document(status)
    assert (tmp_path / "audit.md").read_text(encoding="utf-8").startswith("# Audit of world aml, seed 9")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--transfers", "a.csv"], "give --accounts too"),
        (["--transfers", "a.csv", "--accounts", "b.csv", "--denser", "2"], "--denser is of the synthetic world"),
        (["--transfers", "a.csv", "--accounts", "b.csv", "--seed", "2"], "--seed: it shapes a world"),
        (["--columns", "amlsim"], "--columns"),
        (["--denser", "100"], "laundering_share"),
        (["--markets", "XX"], "XX"),
        (["--scenario", "fraud"], "domain"),
    ],
)
def test_bad_input_about_transfers(
    options: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["audit", "aml", "--cache-dir", str(tmp_path), *options])
    assert ended.value.code == 2
    captured = capsys.readouterr()
    assert words in captured.out + captured.err
    assert "Traceback" not in captured.err
