"""The scenarios with a fault in them that are shipped, and which of them a broker can have."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from harness.faults.staging import refuse_impossible
from harness.scenario import SCENARIOS, Scenario, load_scenario
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


def names(patterns: list[str], domain: Domain = "fraud") -> list[str]:
    """The shipped ones of a domain that match any of the patterns (`model-*`), in order; all without one.

    Raises BadInputError for a pattern that none matches.
    """
    known = sorted(path.stem for path in (SCENARIOS / FOLDERS[domain]).glob("*.yaml"))
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in known):
            raise BadInputError(f"--only {pattern}: matches none of {', '.join(known)}")
    return [name for name in known if not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)]


def ready(
    patterns: list[str],
    changes: Mapping[str, Any],
    options: Mapping[str, str],
    *,
    given_kafka: bool,
    domain: Domain = "fraud",
) -> list[Ready]:
    """The chosen scenarios with `changes` put over them; `options` as for `load_scenario`."""
    found = []
    for name in names(patterns, domain):
        scenario = load_scenario(f"{FOLDERS[domain]}/{name}", dict(changes), dict(options), domain)
        try:
            refuse_impossible(scenario, given_kafka=given_kafka)
            without = None
        except BadInputError as error:
            without = str(error)
        found.append(Ready(name, about(name, domain), scenario, without))
    return found


def about(name: str, domain: Domain = "fraud") -> str:
    """What a scenario is about: the comment its file begins with."""
    first = (SCENARIOS / FOLDERS[domain] / f"{name}.yaml").read_text(encoding="utf-8").partition("\n")[0]
    return first.removeprefix("#").strip()
