"""Every ready scenario in turn: what one does is no matter to the others, and all of it is told."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rich.console import Console

from harness.faults.campaign.again import passed_before
from harness.faults.campaign.campaign import FAULTS_FILE, FAULTS_PAGE, Campaign, tell
from harness.faults.campaign.figures import COLUMNS, figures_table, problems
from harness.faults.campaign.markdown import part, write_part
from harness.faults.campaign.ready import FOLDERS, ready
from harness.faults.campaign.trial import Trial, exit_code
from harness.faults.kinds import KINDS
from harness.report.words import DASH
from harness.results import encode_results, read_results
from harness.run import Finished, Outside, RunOptions
from harness.scenario import load_scenario
from harness.shipped import names
from streams.errors import BadInputError, BrokerError
from tests.example_run import build_run
from tests.unit.harness.faults.results_of import fault


def test_there_is_a_ready_scenario_for_every_kind() -> None:
    chosen = ready([], {}, {}, given_kafka=False)
    assert len(chosen) >= 12
    assert {each.kind for one in chosen for each in one.scenario.faults} == set(KINDS)
    for one in chosen:
        assert one.scenario.name == one.name
        assert one.without is None
        assert one.about.endswith(".")
        (found,) = one.scenario.faults
        assert found.at_s is not None
        rest_s = one.scenario.load.total_s - found.at_s - found.duration_s
        assert found.at_s - one.scenario.load.warmup_s >= 5.0
        assert rest_s >= 15.0


def test_what_a_broker_cannot_have_is_left_out_and_said() -> None:
    chosen = ready([], {"broker": "embedded"}, {}, given_kafka=False)
    left_out = {one.name for one in chosen if one.without}
    assert left_out == {"broker-kill", "network-latency", "network-reset", "network-blackhole"}


def test_the_ready_scenarios_of_transfers_are_of_their_domain_and_can_be_carried_out() -> None:
    chosen = ready([], {}, {}, given_kafka=False, domain="aml")
    assert [each.name for each in chosen] == names(FOLDERS["aml"], [])
    for each in chosen:
        (fault,) = each.scenario.faults
        assert (each.scenario.domain, each.scenario.name, fault.kind) == ("aml", each.name, each.name)
        assert each.without is None
        assert each.about.endswith(".")


def test_some_of_them_by_pattern() -> None:
    assert names(FOLDERS["fraud"], ["model-slow*", "broker-kill"]) == ["broker-kill", "model-slow", "model-slow-tail"]
    with pytest.raises(BadInputError, match=r"--only nothing-\*: matches none of broker-kill"):
        names(FOLDERS["fraud"], ["nothing-*"])


def trials() -> list[Trial]:
    bad = fault(kind="scorer-kill", felt=[], lost=3, quality=None, by_path=None, status="fail", reasons=["x"])
    return [
        Trial("model-hang", "Hangs.", "pass", [], None, _results([fault()])),
        Trial("scorer-kill", "Killed.", "fail", ["fault scorer-kill: 3 events were lost"], None, _results([bad])),
        Trial("broker-kill", "Killed.", "left out", ["cannot be had"]),
        Trial("load-spike", "More.", "failed", ["no broker"]),
    ]


RESULTS: list[Any] = []


def _results(faults: list[Any]) -> Any:
    return msgspec.structs.replace(RESULTS[0], faults=faults)


@pytest.fixture(scope="module", autouse=True)
def example(tmp_path_factory: pytest.TempPathFactory) -> None:
    run = build_run(tmp_path_factory.mktemp("example") / "run")
    RESULTS[:] = [read_results(run / "results.json")]


def test_the_table_has_a_row_a_fault() -> None:
    found = figures_table(trials())
    rows = {row[0].text: [cell.text for cell in row] for row in found.rows}
    assert all(len(row) == len(COLUMNS) for row in rows.values())
    hang = dict(zip(COLUMNS, rows["model-hang"], strict=True))
    assert hang["Verdict"] == "pass"
    assert hang["Breaker opened"] == "1,001 ms"
    assert hang["Recovered"] == "5.30 s"
    assert hang["Rules / model / fallback"] == "28% / 2% / 70%"
    assert hang["Precision@K (model)"] == "0.100 (0.300)"
    assert hang["Alerts missed"] == "7"
    killed = dict(zip(COLUMNS, rows["scorer-kill"], strict=True))
    assert (killed["Felt by"], killed["Lost"], killed["Alerts missed"]) == ("not felt", "3", DASH)
    assert rows["broker-kill"][1:3] == ["left out", DASH]
    assert problems(trials())[0] == ("scorer-kill", "fault scorer-kill: 3 events were lost")


@pytest.mark.parametrize(
    ("standings", "code"),
    [(["pass", "left out"], 0), (["pass", "fail"], 1), (["invalid"], 1), (["failed"], 1), (["left out"], 1), ([], 1)],
)
def test_the_exit_code(standings: list[Any], code: int) -> None:
    assert exit_code([Trial("x", "", standing, []) for standing in standings]) == code


def test_a_scenario_that_cannot_be_carried_out_does_not_stop_the_others(tmp_path: Path) -> None:
    chosen = ready(["model-*"], {"broker": "embedded"}, {}, given_kafka=False)[:3]
    seen = []

    def carry_out(options: RunOptions, _steps: Any, _outside: Any) -> Finished:
        seen.append(options.scenario.name)
        if len(seen) == 2:
            raise BrokerError("no broker today")
        folder = options.out / options.scenario.name
        folder.mkdir(parents=True)
        (folder / "report.html").write_text("", encoding="utf-8")
        return Finished(folder, _results([fault()]), None)

    options = RunOptions(scenario=load_scenario("fraud"), out=tmp_path, cache=tmp_path)
    outside = Outside(now=lambda: None, token=lambda: "t")  # type: ignore[arg-type,return-value]
    console = Console(record=True, width=400)
    campaign = Campaign(tmp_path / "all", options, outside, console, carry_out)
    found = campaign.run(chosen, "three scenarios")
    tell(found, console)
    assert seen == [one.name for one in chosen]
    assert [trial.standing for trial in found][1] == "failed"
    content = json.loads((tmp_path / "all" / FAULTS_FILE).read_text(encoding="utf-8"))
    assert [trial["status"] for trial in content["trials"]] == [trial.standing for trial in found]
    assert content["trials"][0]["faults"][0]["kind"] == "model-hang"
    page = (tmp_path / "all" / FAULTS_PAGE).read_text(encoding="utf-8")
    assert f'href="{seen[0]}/report.html"' in page
    assert "no broker today" in page
    assert "http://" not in page.split("<script", maxsplit=1)[0]
    told = console.export_text()
    assert "no broker today" in told
    assert "1,001 ms" in told


def test_what_passed_before_stands_if_it_was_the_same_scenario(tmp_path: Path) -> None:
    chosen = ready(["model-*"], {"broker": "embedded"}, {}, given_kafka=False)[:4]
    other = msgspec.structs.replace(RESULTS[0], config={"name": "another"})
    older = {"investigators", "data"}
    same = [
        msgspec.structs.replace(RESULTS[0], config=each.scenario.model_dump(mode="json", exclude=older))
        for each in chosen
    ]
    passed, failed, gone, changed = (each.name for each in chosen)
    for name, results in ((passed, same[0]), (failed, same[1]), (changed, other)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "results.json").write_text(encode_results(results), encoding="utf-8")
    told = [(passed, "pass"), (failed, "fail"), (gone, "pass"), (changed, "pass")]
    content = {"trials": [{"scenario": name, "status": status, "run": name} for name, status in told]}
    (tmp_path / FAULTS_FILE).write_text(json.dumps(content), encoding="utf-8")
    known = passed_before(tmp_path, chosen)
    assert list(known) == [passed]

    options = RunOptions(scenario=load_scenario("fraud"), out=tmp_path, cache=tmp_path)
    outside = Outside(now=lambda: None, token=lambda: "t")  # type: ignore[arg-type,return-value]
    seen = []

    def carry_out(options: RunOptions, _steps: Any, _outside: Any) -> Finished:
        seen.append(options.scenario.name)
        raise BrokerError("no broker today")

    campaign = Campaign(tmp_path, options, outside, Console(record=True), carry_out)
    standings = [trial.standing for trial in campaign.run(chosen, "again", known)]
    assert standings == [RESULTS[0].verdict.status, "failed", "failed", "failed"]
    assert seen == [failed, gone, changed]


def test_a_folder_without_a_campaign_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="name a folder of --all"):
        passed_before(tmp_path, [])


def test_a_page_keeps_a_part_a_broker(tmp_path: Path) -> None:
    page = tmp_path / "docs" / "reliability.md"
    page.parent.mkdir()
    page.write_text("# Failures\n\nWords.\n", encoding="utf-8")
    for broker, date in (("apache", "2026-01-01"), ("embedded", "2026-01-02"), ("apache", "2026-01-03")):
        write_part(page, broker, part(trials(), broker, "bench inject fraud --all", date, "4 scenarios"))
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# Failures\n\nWords.\n\n<!-- faults: apache -->")
    assert text.count("### On apache") == text.count("### On embedded") == 1
    assert "2026-01-01" not in text
    assert "2026-01-03" in text
    assert text.index("### On apache") < text.index("### On embedded")
    assert "| model-hang | pass | breaker, fallback |" in text
    assert "- load-spike: no broker" in text
