from pathlib import Path

import yaml

from streams.asyncapi import CHANNELS, FILE, document, render
from streams.topics import Topics

DOCS = Path(__file__).parents[3] / "docs"


def test_the_published_document_is_current() -> None:
    assert (DOCS / FILE).read_text(encoding="utf-8") == render(), "run: python -m streams.asyncapi"


def test_every_topic_but_the_scorers_own_is_a_channel() -> None:
    addresses = {channel["address"] for channel in document("1")["channels"].values()}
    assert addresses == set(Topics("{run}").all()) - {Topics("{run}").day_tables}


def test_every_reference_leads_somewhere() -> None:
    page = yaml.safe_load(render())
    for channel in page["channels"].values():
        for message in channel["messages"].values():
            name = message["$ref"].removeprefix("#/components/messages/")
            schema = page["components"]["messages"][name]["payload"]["schema"]["$ref"]
            assert (DOCS / schema).is_file()
    assert {operation["channel"]["$ref"] for operation in page["operations"].values()} == {
        f"#/channels/{name}" for name in CHANNELS
    }


def test_keys_are_those_the_load_sends() -> None:
    messages = document("1")["components"]["messages"]
    kinds = {name: message["bindings"]["kafka"]["key"]["type"] for name, message in messages.items()}
    assert {name for name, kind in kinds.items() if kind == "null"} == {"disposition", "day-end"}
