"""The topics and their messages as an AsyncAPI 3.0 document, for whoever writes a scorer of their own."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from streams.topics import Topics

FILE = "asyncapi.yaml"
_PREFIX = "{run}"


@dataclass(frozen=True, slots=True)
class Channel:
    """A topic of the contract: its schema file's stem, what the harness does with it, and what is in it. `key` is the
    record key in words, None where it has none; `spread` topics have as many partitions as the run says."""

    schema: str
    action: Literal["send", "receive"]
    words: str
    key: str | None
    spread: bool = False


_ANY_KEY = "Free: the harness reads the value alone. The event's id is usual."
CHANNELS: dict[str, Channel] = {
    "events": Channel(
        "event",
        "send",
        "Card transactions, keyed by card, in event-time order within a card. Each is sent at its scheduled instant,"
        " whether earlier ones were answered or not.",
        "The event's card_id. The partition is the Java client's choice for it (murmur2).",
        spread=True,
    ),
    "decisions": Channel(
        "decision",
        "receive",
        "One decision an event, in any order, on any partition. The response time runs from the event's scheduled"
        " instant to the decision's receipt. A further one is a duplicate; one after the time-out is late; an"
        " event without one is lost.",
        _ANY_KEY,
        spread=True,
    ),
    "explanations": Channel(
        "explanation",
        "receive",
        "What moved the score of decisions that are explained (optional); no latency is judged.",
        _ANY_KEY,
        spread=True,
    ),
    "dead_letter": Channel(
        "dead-letter", "receive", "What the scorer could not take, with the reason (optional).", _ANY_KEY
    ),
    "dispositions": Channel("disposition", "send", "Frauds that became known, after their delay in event time.", None),
    "day_ends": Channel("day-end", "send", "Business days closed, with control totals.", None),
}
"""By attribute of `Topics`."""
_BINDING = "0.5.0"


def _message(channel: Channel) -> dict[str, Any]:
    key = {"type": "null"} if channel.key is None else {"type": "string", "description": channel.key}
    return {
        "contentType": "application/json",
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-2020-12",
            "schema": {"$ref": f"./schemas/{channel.schema}.schema.json"},
        },
        "bindings": {"kafka": {"key": key, "bindingVersion": _BINDING}},
    }


def document(version: str) -> dict[str, Any]:
    """The AsyncAPI document; `version` is the contract's."""
    topics = Topics(_PREFIX)
    channels, operations, messages = {}, {}, {}
    for name, channel in CHANNELS.items():
        messages[channel.schema] = _message(channel)
        channels[name] = {
            "address": getattr(topics, name),
            "description": channel.words
            + (" Partitions: as the run says (load.partitions)." if channel.spread else " One partition."),
            "parameters": {"run": {"description": "The run's own prefix, so that runs never meet (--topic-prefix)."}},
            "messages": {channel.schema: {"$ref": f"#/components/messages/{channel.schema}"}},
        }
        operations[f"{channel.action}_{name}"] = {
            "action": channel.action,
            "channel": {"$ref": f"#/channels/{name}"},
        }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Riskbench: the contract between harness and scorer",
            "version": version,
            "description": "Operations are the harness's: what it sends the scorer reads, what it receives the scorer"
            " writes. Of a scorer only `events` and `decisions` are asked. No record has headers, and none are read."
            " A value is one JSON text in UTF-8. Names ending in _ns are nanoseconds: event times since the Unix epoch,"
            " taken_ns and emitted_ns readings of the scorer's own monotonic clock, of which only differences count.",
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages},
    }


def render(version: str = "1.2.0") -> str:
    """The document as YAML, stable to the byte."""
    return yaml.safe_dump(document(version), sort_keys=False, width=118, allow_unicode=True)


def write(folder: Path) -> None:
    """Write the document into `folder`."""
    (folder / FILE).write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    write(Path("docs"))
