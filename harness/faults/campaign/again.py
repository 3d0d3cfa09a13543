"""Going on with a campaign: what passed in it stands, the rest is carried out again."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from harness.faults.campaign.campaign import FAULTS_FILE
from harness.faults.campaign.ready import Ready
from harness.faults.campaign.trial import Trial
from harness.results import read_results
from streams.errors import BadInputError


def passed_before(folder: Path, chosen: Sequence[Ready]) -> dict[str, Trial]:
    """The trials of a campaign's folder that passed, by scenario: of the very scenario that would be run now, with its
    run folder still there. Raises BadInputError when the folder holds no campaign."""
    wanted = {each.name: each for each in chosen}
    found: dict[str, Trial] = {}
    for told in _trials(folder):
        each = wanted.get(str(told.get("scenario")))
        if each is None or told.get("status") != "pass" or not told.get("run"):
            continue
        trial = _trial(each, folder / str(told["run"]))
        if trial is not None:
            found[each.name] = trial
    return found


def _trials(folder: Path) -> list[Mapping[str, Any]]:
    path = folder / FAULTS_FILE
    try:
        return list(json.loads(path.read_bytes())["trials"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInputError(
            f"--again {folder}: {FAULTS_FILE} cannot be read: {error}; name a folder of --all"
        ) from None


def _trial(each: Ready, run: Path) -> Trial | None:
    try:
        results = read_results(run / "results.json")
    except (OSError, msgspec.DecodeError):
        return None
    if not agrees(results.config, each.scenario.model_dump(mode="json")):
        return None
    return Trial(each.name, each.about, results.verdict.status, results.verdict.reasons, run, results)


def agrees(then: Any, now: Any) -> bool:
    """Whether a scenario's values are what they were; keys that have been added since have their defaults."""
    if isinstance(then, dict) and isinstance(now, dict):
        return all(key in now and agrees(value, now[key]) for key, value in then.items())
    return bool(then == now)
