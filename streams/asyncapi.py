"""The topics and their messages as an AsyncAPI 3.0 document, for whoever writes a scorer of their own."""

from pathlib import Path
from typing import Any

import yaml

from streams.topics import Topics

FILE = "asyncapi.yaml"
_PREFIX = "{run}"

CHANNELS: dict[str, tuple[str, str, str]] = {
    "events": ("event", "send", "Card transactions, keyed by card, in event-time order within a card."),
    "decisions": ("decision", "receive", "One decision an event, keyed by event id."),
    "explanations": ("explanation", "receive", "What moved the score of decisions that are explained (optional)."),
    "dead_letter": ("dead-letter", "receive", "What the scorer could not take, with the reason (optional)."),
    "dispositions": ("disposition", "send", "Frauds that became known, after their delay in event time."),
    "day_ends": ("day-end", "send", "Business days closed, with control totals."),
}
"""Attribute of `Topics` → schema file's stem, what the harness does with the topic, and what is in it."""


def document(version: str) -> dict[str, Any]:
    """The AsyncAPI document; `version` is the contract's."""
    topics = Topics(_PREFIX)
    channels, operations, messages = {}, {}, {}
    for name, (schema, action, words) in CHANNELS.items():
        messages[schema] = {
            "contentType": "application/json",
            "payload": {
                "schemaFormat": "application/schema+json;version=draft-2020-12",
                "schema": {"$ref": f"./schemas/{schema}.schema.json"},
            },
        }
        channels[name] = {
            "address": getattr(topics, name),
            "description": words,
            "parameters": {"run": {"description": "The run's own prefix, so that runs never meet."}},
            "messages": {schema: {"$ref": f"#/components/messages/{schema}"}},
        }
        operations[f"{action}_{name}"] = {"action": action, "channel": {"$ref": f"#/channels/{name}"}}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Riskbench: the contract between harness and scorer",
            "version": version,
            "description": "Operations are the harness's: what it sends the scorer reads, what it receives the scorer"
            " writes. Of a scorer only `events` and `decisions` are asked.",
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages},
    }


def render(version: str = "1.0.0") -> str:
    """The document as YAML, stable to the byte."""
    return yaml.safe_dump(document(version), sort_keys=False, width=118, allow_unicode=True)


def write(folder: Path) -> None:
    """Write the document into `folder`."""
    (folder / FILE).write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    write(Path("docs"))
