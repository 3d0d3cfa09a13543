"""The scenarios with a fault in them that are shipped, and which of them a broker can have."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.faults.staging import refuse_impossible
from harness.scenario import Scenario, load_scenario
from harness.shipped import about, names
from streams.errors import BadInputError
from streams.topics import Domain

FOLDERS: dict[Domain, str] = {"fraud": "faults", "aml": "faults/aml"}


@dataclass(frozen=True, slots=True)
class Ready:
    """A shipped scenario; `without` says why this run leaves it out, where it does."""

    name: str
    about: str
    scenario: Scenario
    without: str | None


def ready(
    patterns: list[str],
    changes: Mapping[str, Any],
    options: Mapping[str, str],
    *,
    given_kafka: bool,
    domain: Domain = "fraud",
) -> list[Ready]:
    """The chosen scenarios with `changes` put over them; `options` as for `load_scenario`."""
    found, folder = [], FOLDERS[domain]
    for name in names(folder, patterns):
        scenario = load_scenario(f"{folder}/{name}", dict(changes), dict(options), domain)
        try:
            refuse_impossible(scenario, given_kafka=given_kafka)
            without = None
        except BadInputError as error:
            without = str(error)
        found.append(Ready(name, about(folder, name), scenario, without))
    return found
