"""Every known drift in turn: tables, page, what counts as passed, and runs that are watched again."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rich.console import Console

from harness.drift.replays.campaign import DRIFTS_FILE, DRIFTS_PAGE, Campaign, Trial, exit_code, runs_of
from harness.drift.replays.figures import COLUMNS, alone_table, drifts_table, short_table, summary
from harness.drift.replays.markdown import part, write_part
from harness.drift.replays.ready import ready
from harness.drift.replays.replayed import BothSides, Replayed, read_replayed
from harness.report.words import DASH
from harness.results import encode_results, read_results
from harness.run import Finished, Outside, RunOptions
from harness.scenario import load_scenario
from streams.errors import BadInputError, BrokerError
from tests.example_run import build_run
from tests.unit.harness.drift.replays.made import CHOSEN, control, replayed, side, trial

IN_PROCESS = {"scorer.engine": "inprocess"}


def test_there_are_enough_known_drifts_of_both_domains_and_four_controls() -> None:
    controls = [each for each in CHOSEN.values() if all(drift.is_control for drift in each.scenario.drifts)]
    drifts = [each for each in CHOSEN.values() if each not in controls]
    assert len(controls) >= 4
    assert len(drifts) >= 14
    assert {each.scenario.domain for each in drifts} == {"fraud", "aml"}
    assert all(each.about.endswith(".") and each.scenario.scorer.engine == "inprocess" for each in CHOSEN.values())


def test_each_turn_has_seeds_of_its_own_and_the_first_the_scenarios() -> None:
    turns = ready(["payday"], IN_PROCESS, {}, 3)
    assert [each.title for each in turns] == ["payday", "payday, seeds + 1", "payday, seeds + 2"]
    drawn = [
        getattr(each.scenario.seeds, name) for each in turns for name in ("world", "arrivals", "training", "drift")
    ]
    assert len(set(drawn)) == len(drawn)
    assert turns[0].scenario == CHOSEN["payday"].scenario


def test_the_table_has_a_row_a_drift_and_controls_last() -> None:
    failed = trial(None, "new-region", "no broker")
    found = drifts_table([trial(control(), "payday"), trial(replayed()), failed])
    rows = [dict(zip(COLUMNS, (cell.text for cell in row), strict=True)) for row in found.rows]
    assert [row["Drift"] for row in rows] == ["amount-inflation", "new-region", "payday"]
    assert rows[0]["Detected by"] == "csi amount"
    assert (rows[0]["Delay, events"], rows[0]["Delay, days"]) == ("1,234", "0.75")
    assert rows[0]["False alarms per 100,000"] == "5.00"
    assert (rows[0]["Blamed"], rows[0]["Rightly"]) == ("amount, sum_1d, sum_7d", "yes")
    assert rows[0]["Precision@K"] == "0.300 → 0.200"
    assert rows[0]["P99"] == "2.00 ms → 2.50 ms, unaffected"
    assert rows[1]["Detected by"] == DASH
    assert (rows[2]["Kind"], rows[2]["Detected by"]) == ("control: payday", "no alarm, rightly")
    assert rows[2]["Rightly"] == "nothing to blame"


def test_what_rules_and_model_each_lost() -> None:
    sides = {who: BothSides(before=side(0.3), after=side(0.3 - lost)) for who, lost in (("rules", 0.1), ("model", 0.2))}
    found = alone_table([trial(replayed(quality=sides))])
    row = dict(zip(found.columns, (cell.text for cell in found.rows[0]), strict=True))
    assert row["Rules alone, precision@K"] == "0.300 → 0.200"
    assert row["Model alone, precision@K"] == "0.300 → 0.100"
    assert sides["model"].lost("precision_at_k") == pytest.approx(0.2)


def test_the_sum_of_it() -> None:
    wrong = replayed(is_blamed_rightly=False, detected=False)
    lines = summary([trial(replayed()), trial(wrong), trial(control(alarms_after_control=2), "payday")])
    assert lines[0] == "1 of 2 drifts were detected"
    assert lines[1] == "1 of 2 were blamed rightly"
    assert lines[2] == "0 of 1 controls raised no alarm"
    assert short_table([trial(wrong)]).rows[0][2].text == "not detected"


@pytest.mark.parametrize(
    ("found", "code"),
    [
        ([replayed()], 0),
        ([replayed(), control()], 0),
        ([replayed(detected=False)], 1),
        ([control(alarms_after_control=1)], 1),
        ([replayed(), None], 1),
        ([], 1),
    ],
)
def test_the_exit_code(found: list[Replayed | None], code: int) -> None:
    assert exit_code([trial(one) for one in found]) == code


def test_the_part_of_a_page_is_written_in_the_place_of_the_one_before(tmp_path: Path) -> None:
    page = tmp_path / "drift.md"
    page.write_text("# Drift\n\nbefore\n\n<!-- drifts -->\nold\n<!-- end of drifts -->\n\nafter\n", encoding="utf-8")
    text = part([trial(replayed())], "bench replay --all", "2026-01-01", "one replay")
    write_part(page, text)
    content = page.read_text(encoding="utf-8")
    assert "old" not in content
    assert content.startswith("# Drift\n\nbefore")
    assert content.endswith("\n\nafter\n")
    assert "Written by `bench replay --all` on 2026-01-01: one replay." in content
    assert "| amount-inflation | fraud |" in content


def campaign(folder: Path, carry_out: Any, found: dict[str, Replayed], console: Console) -> Campaign:
    options = RunOptions(scenario=load_scenario("fraud"), out=folder, cache=folder)
    outside = Outside(now=lambda: datetime(2026, 1, 1, tzinfo=UTC), token=lambda: "t")
    return Campaign(folder, options, outside, console, carry_out, lambda run, *_: found[run.name])


def test_one_that_cannot_be_carried_out_does_not_stop_the_others(tmp_path: Path) -> None:
    chosen = [CHOSEN["amount-inflation"], CHOSEN["new-region"], CHOSEN["payday"]]

    def carry_out(options: RunOptions, *_: Any) -> Finished:
        if options.scenario.name == "new-region":
            raise BrokerError("no broker today")
        folder = options.out / options.scenario.name
        folder.mkdir(parents=True)
        (folder / "report.html").write_text("", encoding="utf-8")
        return Finished(folder, None, None)  # type: ignore[arg-type]

    console = Console(record=True, width=300)
    found = {"amount-inflation": replayed(), "payday": control()}
    folder = tmp_path / "all"
    trials = campaign(folder, carry_out, found, console).run(chosen, "three")
    assert [one.standing for one in trials] == ["pass", "failed", "pass"]
    content = json.loads((folder / DRIFTS_FILE).read_text(encoding="utf-8"))
    assert [row["status"] for row in content["trials"]] == ["pass", "failed", "pass"]
    assert content["trials"][0]["found"]["delay_events"] == 1_234
    assert read_replayed(folder / "payday") == control()
    page = (folder / DRIFTS_PAGE).read_text(encoding="utf-8")
    assert 'href="payday/report.html"' in page
    assert "drift-0-indices" in page
    assert "http://" not in page.split("<script", maxsplit=1)[0]
    assert "no broker today" in console.export_text()


def test_runs_of_the_same_scenario_are_watched_again_and_not_made_again(tmp_path: Path) -> None:
    plain = read_results(build_run(tmp_path / "example") / "results.json")
    folder = tmp_path / "all"
    for name, scenario in (("same", CHOSEN["payday"].scenario), ("unfinished", CHOSEN["new-region"].scenario)):
        (folder / name).mkdir(parents=True)
        results = msgspec.structs.replace(plain, config=scenario.model_dump(mode="json"))
        (folder / name / "results.json").write_text(encode_results(results), encoding="utf-8")
    (folder / "unfinished" / "INCOMPLETE").write_text("stopped", encoding="utf-8")
    chosen = [CHOSEN["payday"], CHOSEN["new-region"], *ready(["payday"], IN_PROCESS, {}, 2)[1:]]
    known = runs_of(folder, chosen)
    assert known == {"payday": folder / "same"}

    def carry_out(*_: Any) -> Finished:
        raise AssertionError("this run was there")

    (only,) = campaign(folder, carry_out, {"same": control()}, Console(quiet=True)).run(chosen[:1], "one", known)
    assert only == Trial(CHOSEN["payday"], control(), folder / "same")
    with pytest.raises(BadInputError, match="no such folder"):
        runs_of(tmp_path / "nowhere", chosen)
