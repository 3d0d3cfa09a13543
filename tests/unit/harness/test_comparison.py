import copy
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from harness.cli import app
from harness.comparison import Run, compare_runs, read_finished
from streams.errors import BadInputError

RESULTS: dict[str, Any] = {
    "scenario": "fraud",
    "engine": "native",
    "workers": 1,
    "broker": {"name": "apache", "version": "4.4.0"},
    "seeds": {"world": 1, "arrivals": 2},
    "config": {"load": {"rate_per_s": 500, "duration_s": 30}, "world": {"cards": 4000}, "scorer": {"engine": "native"}},
    "load": {"achieved_per_s": 500.0},
    "counts": {"sent": 15_000, "lost": 0},
    "latency_ms": {
        "response": {"p50": 4.0, "p99": 20.0},
        "floor": None,
        "stages": {"model": {"p50": 0.2, "p99": 0.5}},
    },
    "quality": {"pr_auc": 0.3},
}
ENVIRONMENT = {"cpu_model": "A", "cpu_usable": 2, "python": "3.11.7", "revision": "abc", "packages": {"numpy": "2.4"}}


def run(name: str, **changes: Any) -> Run:
    results, environment = copy.deepcopy(RESULTS), copy.deepcopy(ENVIRONMENT)
    for key, value in changes.items():
        place: Any = environment if key.startswith("env") else results
        *way, last = key.removeprefix("env__").split("__")
        for step in way:
            place = place[step]
        place[last] = value
    return Run(Path(name), results, environment)


def test_equal_runs_have_equal_figures() -> None:
    found = compare_runs(run("a"), run("b"))
    assert found.unequal == found.subject == ()
    assert {figure.change for figure in found.figures} == {None, 0.0}


def test_changes_are_from_a_to_b() -> None:
    found = compare_runs(run("a"), run("b", latency_ms__response__p99=25.0, latency_ms__stages={"rules": {"p50": 0.1}}))
    figures = {(figure.group, figure.name): figure for figure in found.figures}
    assert figures["response", "p99"].change == pytest.approx(0.25)
    assert (figures["stage model", "p50"].a, figures["stage model", "p50"].b) == (0.2, None)
    assert (figures["stage rules", "p50"].a, figures["stage rules", "p50"].b) == (None, 0.1)
    assert figures["counts", "lost"].change is None


def test_what_quantiles_are_made_of_is_held_side_by_side() -> None:
    def made(**parts: float) -> dict[str, Any]:
        return {"at": {"p99": {"parts": parts}}}

    a, b = made(sent=1.0, model=4.0), made(sent=1.0, answered=6.0)
    found = compare_runs(run("a", latency_ms__waterfall=a), run("b", latency_ms__waterfall=b))
    rows = [(figure.name, figure.a, figure.b) for figure in found.figures if figure.group == "p99 made of"]
    assert rows == [("sent", 1.0, 1.0), ("model", 4.0, None), ("answered", None, 6.0)]


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"env__cpu_model": "B"}, "cpu_model"),
        ({"env__python": "3.12.0"}, "python"),
        ({"broker__name": "embedded"}, "broker.name"),
        ({"config__load__rate_per_s": 600}, "config.load.rate_per_s"),
        ({"config__world__cards": 9}, "config.world.cards"),
        ({"seeds__world": 5}, "seeds.world"),
    ],
)
def test_another_machine_load_or_world_is_not_comparable(change: dict[str, Any], key: str) -> None:
    assert [difference.key for difference in compare_runs(run("a"), run("b", **change)).unequal] == [key]


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"engine": "faust"}, "engine"),
        ({"config__scorer__engine": "faust"}, "config.scorer.engine"),
        ({"env__revision": "def"}, "revision"),
        ({"env__packages": {"numpy": "2.5"}}, "packages.numpy"),
    ],
)
def test_what_is_compared_may_differ_and_is_said(change: dict[str, Any], key: str) -> None:
    found = compare_runs(run("a"), run("b", **change))
    assert found.unequal == ()
    assert [difference.key for difference in found.subject] == [key]


def write(folder: Path, written: Run) -> Path:
    folder.mkdir()
    (folder / "results.json").write_text(json.dumps(written.results))
    (folder / "environment.json").write_text(json.dumps(written.environment))
    return folder


def test_unequal_runs_are_refused_unless_forced(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a", run("a")), write(tmp_path / "b", run("b", env__cpu_usable=8))
    refused = CliRunner().invoke(app, ["compare", str(a), str(b)])
    assert isinstance(refused.exception, BadInputError)
    assert "cpu_usable: 2 against 8" in str(refused.exception)
    forced = CliRunner().invoke(app, ["compare", str(a), str(b), "--force"])
    assert forced.exit_code == 0
    assert "not equal: cpu_usable: 2 against 8" in forced.stdout


def test_json_holds_every_figure(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a", run("a")), write(tmp_path / "b", run("b", quality__pr_auc=0.6))
    found = json.loads(CliRunner().invoke(app, ["compare", str(a), str(b), "--json"]).stdout)
    assert {"group": "quality", "name": "pr_auc", "unit": "", "a": 0.3, "b": 0.6, "change": 1.0} in found["figures"]


def test_what_is_no_finished_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="no such run folder"):
        read_finished(tmp_path / "none")
    folder = write(tmp_path / "a", run("a"))
    (folder / "INCOMPLETE").write_text("killed\n")
    with pytest.raises(BadInputError, match=r"did not end \(killed\)"):
        read_finished(folder)
    (folder / "INCOMPLETE").unlink()
    (folder / "results.json").write_text("[]")
    with pytest.raises(BadInputError, match="no JSON object"):
        read_finished(folder)
    (folder / "results.json").write_text("{")
    with pytest.raises(BadInputError, match="cannot be read"):
        read_finished(folder)
