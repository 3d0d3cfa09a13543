"""From the command line's options to a scenario with these changes."""

from pathlib import Path
from typing import Any

from harness.commands.run_options import OPTION_NAMES
from harness.scenario import Scenario, load_scenario
from streams.errors import BadInputError


def seeds_from(seed: int | None) -> dict[str, Any]:
    """The seeds that one number sets, by key path; none where it is not given."""
    if seed is None:
        return {}
    return {
        f"seeds.{name}": seed + step for step, name in enumerate(("world", "arrivals", "faults", "training", "drift"))
    }


def absolute(path: Path | None) -> str | None:
    """A path that another folder does not change; None where it is not given."""
    return None if path is None else str(path.resolve())


def columns_file(columns: str | None) -> str | None:
    """A column map's file as an absolute path, a shipped name as it is."""
    if columns is None:
        return None
    return str(Path(columns).resolve()) if Path(columns).suffix in {".yaml", ".yml"} else columns


def resolve(scenario: str, changes: dict[str, Any], data: Path | None, *, timed: bool) -> Scenario:
    """The scenario with the command line's changes; a data file is streamed to its end unless `timed`."""
    if data is None:
        return load_scenario(scenario, changes, OPTION_NAMES)
    loaded = load_scenario(scenario, {**changes, "data.file": str(data.resolve())}, OPTION_NAMES)
    if timed:
        return loaded
    # to the end of the data
    return loaded.model_copy(update={"load": loaded.load.model_copy(update={"duration_s": None})})


def refuse_contradictions(
    *, data: Path | None, columns: str | None, broker: str | None, servers: str | None, config: Path | None
) -> None:
    """Raise BadInputError for options that cannot be given together."""
    if columns is not None and data is None:
        raise BadInputError("--columns is the column map of a data file: give the file with --data FILE")
    if config is not None and servers is None:
        raise BadInputError("--kafka-config says how to be let into a running Kafka: give it with --bootstrap-servers")
    if broker is not None and servers is not None:
        raise BadInputError("--broker starts a broker, --bootstrap-servers reaches a running one: give one of the two")
