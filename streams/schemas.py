"""The wire contract as JSON Schema, so that a scorer in any language can be checked against it."""

from pathlib import Path
from typing import Any

import msgspec

from streams.alert import RawAlert
from streams.decision import DeadLetter, Decision, Explanation
from streams.labels import DayEnd, Disposition
from streams.laundering import Finding
from streams.transaction import CardTransaction
from streams.transfer import Transfer

MESSAGES: dict[str, type[msgspec.Struct]] = {
    "event": CardTransaction,
    "decision": Decision,
    "explanation": Explanation,
    "disposition": Disposition,
    "day-end": DayEnd,
    "dead-letter": DeadLetter,
    "transfer": Transfer,
    "alert": RawAlert,
    "finding": Finding,
}
"""File stem under `docs/schemas/` → message."""


def message_schema(name: str) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of one message of `MESSAGES`."""
    (schema,), definitions = msgspec.json.schema_components([MESSAGES[name]], ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": MESSAGES[name].__name__,
        **schema,
        "$defs": definitions,
    }


def render(name: str) -> str:
    """The schema's file content, stable to the byte."""
    encoded = msgspec.json.encode(message_schema(name), order="deterministic")
    return msgspec.json.format(encoded, indent=2).decode() + "\n"


def write_all(folder: Path) -> None:
    """Write every message's schema into `folder` as `<name>.schema.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in MESSAGES:
        (folder / f"{name}.schema.json").write_text(render(name))


if __name__ == "__main__":
    write_all(Path("docs/schemas"))
