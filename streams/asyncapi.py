"""The topics and their messages as an AsyncAPI 3.0 document, for whoever writes a scorer of their own."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from streams.topics import DOMAINS, Domain, Topics

FILES: dict[Domain, str] = {"fraud": "asyncapi.yaml", "aml": "asyncapi-aml.yaml"}
"""A document a domain: its topics and what is in them differ."""
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
_DEAD_LETTER = Channel(
    "dead-letter", "receive", "What the scorer could not take, with the reason (optional).", _ANY_KEY
)
_FRAUD: dict[str, Channel] = {
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
    "dead_letter": _DEAD_LETTER,
    "dispositions": Channel("disposition", "send", "Frauds that became known, after their delay in event time.", None),
    "day_ends": Channel("day-end", "send", "Business days closed, with control totals.", None),
}
_AML: dict[str, Channel] = {
    "events": Channel(
        "transfer",
        "send",
        "Transfers between accounts, in the order of event time. Each is sent at its scheduled instant, whether earlier"
        " ones were answered or not.",
        "The account that pays; where it is outside, the one that is paid; where both are, empty.",
    ),
    "decisions": Channel(
        "decision",
        "receive",
        "One decision a transfer, in any order. Its customers (at most two, the sender's first) are what ranks: a"
        " customer's scores put it on worklists, and one who is in no decision is never found. The response time runs"
        " from the transfer's scheduled instant to the decision's receipt. A further one is a duplicate; one after the"
        " time-out is late; a transfer without one is lost.",
        _ANY_KEY,
    ),
    "explanations": Channel(
        "explanation",
        "receive",
        "What moved the score of decisions that are explained (optional); no latency is judged.",
        _ANY_KEY,
    ),
    "alerts": Channel(
        "alert",
        "receive",
        "Raw alerts of a first stage (optional): a customer, a typology, a window, with reasons and evidence. They are"
        " kept with the run and fill its case files; they rank nobody.",
        "Free: the harness reads the value alone. The customer's id is usual.",
    ),
    "dead_letter": _DEAD_LETTER,
    "dispositions": Channel(
        "finding",
        "send",
        "What investigators found of a customer, once event time has come to it. Nothing has to be made of it.",
        "The customer's id.",
    ),
}
CHANNELS: dict[Domain, dict[str, Channel]] = {"fraud": _FRAUD, "aml": _AML}
"""By domain, by attribute of `Topics`."""
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


TITLES: dict[Domain, str] = {
    "fraud": "Riskbench: the contract between harness and scorer",
    "aml": "Riskbench: the contract between harness and scorer, money laundering",
}
_ORDER = {
    "fraud": "",
    "aml": " Features of a transfer depend on others' accounts, so there is one partition, and one order: that of event"
    " time.",
}


def document(version: str, domain: Domain = "fraud") -> dict[str, Any]:
    """The AsyncAPI document of a domain; `version` is the contract's."""
    topics = Topics(_PREFIX, domain)
    channels, operations, messages = {}, {}, {}
    for name, channel in CHANNELS[domain].items():
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
    asked = topics.events.rsplit(".", 1)[1]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": TITLES[domain],
            "version": version,
            "description": "Operations are the harness's: what it sends the scorer reads, what it receives the scorer"
            f" writes. Of a scorer only `{asked}` and `decisions` are asked. No record has headers, and none are read."
            " A value is one JSON text in UTF-8. Names ending in _ns are nanoseconds: event times since the Unix epoch,"
            " taken_ns and emitted_ns readings of the scorer's own monotonic clock, of which only differences count."
            f"{_ORDER[domain]}",
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages},
    }


def render(domain: Domain = "fraud", version: str = "1.2.0") -> str:
    """The document as YAML, stable to the byte."""
    return yaml.safe_dump(document(version, domain), sort_keys=False, width=118, allow_unicode=True)


def write(folder: Path) -> None:
    """Write the documents into `folder`."""
    for domain in DOMAINS:
        (folder / FILES[domain]).write_text(render(domain), encoding="utf-8")


if __name__ == "__main__":
    write(Path("docs"))
