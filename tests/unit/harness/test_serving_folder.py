"""The folder that scorers elsewhere start from: whole, the same for the same, and never over somebody's files."""

import json
from pathlib import Path

import pytest

from harness.cli import main
from harness.scenario import FraudScenario, load_scenario
from harness.serving_folder import MANIFEST, SCENARIO, refuse_other_content, write_serving_folder
from streams.errors import BadInputError


@pytest.fixture
def made(tmp_path: Path) -> tuple[Path, Path, Path]:
    """A bundle, a rule file and a state of the cache."""
    bundle, rules, state = tmp_path / "bundle", tmp_path / "my-rules.yaml", tmp_path / "states" / "abc"
    bundle.mkdir()
    (bundle / "bundle.json").write_text("{}", encoding="utf-8")
    (bundle / "model.onnx").write_bytes(b"graph")
    rules.write_text("rules: []\n", encoding="utf-8")
    state.mkdir(parents=True)
    (state / "features.state").write_bytes(b"features")
    return bundle, rules, state


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_it_holds_all_that_a_scorer_needs_and_its_scenario(made: tuple[Path, Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "volume" / "serving"
    scenario = FraudScenario.model_validate({"name": "s", "load": {"rate_per_s": 123.0}})
    assert write_serving_folder(out, scenario, *made)
    found = content(out)
    assert set(found) == {
        "bundle/bundle.json", "bundle/model.onnx", "rules.yaml", "state/features.state", SCENARIO, MANIFEST,
    }  # fmt: skip
    assert load_scenario(out / SCENARIO) == scenario
    assert [path.name for path in out.parent.iterdir()] == ["serving"]


def test_the_same_is_not_written_twice_and_other_content_replaces_it(
    made: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    out, scenario = tmp_path / "serving", FraudScenario(name="s")
    assert write_serving_folder(out, scenario, *made)
    before, inode = content(out), out.stat().st_ino
    assert not write_serving_folder(out, scenario, *made)
    assert (content(out), out.stat().st_ino) == (before, inode)
    made[1].write_text("rules: [another]\n", encoding="utf-8")
    assert write_serving_folder(out, scenario, *made)
    assert content(out)["rules.yaml"] == b"rules: [another]\n"
    assert json.loads(content(out)[MANIFEST])["key"] != json.loads(before[MANIFEST])["key"]


def test_other_people_s_files_are_not_removed(tmp_path: Path) -> None:
    refuse_other_content(tmp_path / "new")
    refuse_other_content(tmp_path)
    (tmp_path / "thesis.tex").write_text("words", encoding="utf-8")
    with pytest.raises(BadInputError, match="holds other things than a serving folder"):
        refuse_other_content(tmp_path)
    with pytest.raises(BadInputError, match="holds other things"):
        refuse_other_content(tmp_path / "thesis.tex")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "--out"),
        (["--out", "OUT", "--rules", "no.yaml"], "no.yaml: no such file"),
        (["--out", "OUT", "--rate", "0"], "--rate (load.rate_per_s) = 0.0: must be greater than 0"),
        (["--out", "/"], "holds other things than a serving folder"),
    ],
)
def test_bad_usage_of_the_command(
    options: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["prepare", "fraud", *(str(tmp_path / "out") if word == "OUT" else word for word in options)])
    captured = capsys.readouterr()
    assert ended.value.code == 2
    assert words in captured.out + captured.err
    assert not (tmp_path / "out").exists()
