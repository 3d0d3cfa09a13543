"""What is trained on, and what the stability of the stream is held against."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness import training
from harness.prepare import prepare
from harness.prepared import Prepared, Windows, world_windows
from harness.processes import Family
from harness.scenario import FraudScenario
from streams.labels import NS_PER_DAY
from streams.profiles import PROFILE_SCHEMA

START, STREAM = 100 * NS_PER_DAY, 160 * NS_PER_DAY
EMPTY = pa.table({})


@pytest.mark.parametrize(("delay_days", "reference_days"), [(0, 7), (2, 2), (7, 7), (30, 7)])
def test_the_reference_is_of_days_that_were_not_trained_on(delay_days: int, reference_days: int) -> None:
    scenario = FraudScenario.model_validate({"name": "s", "training": {"label_delay_days": delay_days}})
    windows = world_windows(scenario.training, STREAM, START)
    assert windows.train_until_ns == STREAM - delay_days * NS_PER_DAY
    assert windows.reference_from_ns == STREAM - reference_days * NS_PER_DAY
    assert delay_days == 0 or windows.reference_from_ns >= windows.train_until_ns


@pytest.mark.parametrize(("of_the_data", "told"), [(None, "7"), (0, "0"), (3, "3")])
def test_the_data_s_own_label_delay_wins(
    of_the_data: int | None, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class StopError(Exception):
        pass

    commands: list[list[str]] = []

    def run_step(_shop: Any, _name: str, command: list[str], _timeout_s: float) -> None:
        commands.append(command)
        raise StopError

    monkeypatch.setattr(training, "run_step", run_step)
    prepared = Prepared(tmp_path, "key", False, Windows(0, 1, 2, 3), {"label_delay_days": of_the_data})
    with pytest.raises(StopError):
        training.train(
            FraudScenario(name="s"), prepared, training.Workshop(tmp_path, tmp_path, Family(), lambda _: None)
        )
    assert commands[0][commands[0].index("--label-delay-days") + 1] == told


def test_profiles_are_written_beside_labels_for_the_cards_that_occur(tmp_path: Path) -> None:
    scenario = FraudScenario.model_validate(
        {"name": "s", "load": {"duration_s": 1.0}, "world": {"history_days": 15, "cards": 60}}
    )
    prepared = prepare(scenario, tmp_path)
    profiles = pq.read_table(prepared.file("profiles"))
    seen = {
        card
        for name in ("history", "events")
        for card in pq.read_table(prepared.file(name), columns=["card_id"])["card_id"].to_pylist()
    }
    assert profiles.schema.equals(PROFILE_SCHEMA)
    assert set(profiles["card_id"].to_pylist()) == seen
