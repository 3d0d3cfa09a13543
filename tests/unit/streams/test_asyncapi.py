from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import yaml

from harness.feed import write_feed
from harness.pages import Pages
from streams.asyncapi import CHANNELS, FILES, document, render
from streams.schemas import MESSAGES
from streams.topics import DOMAINS, Domain, Topics
from streams.transfer import TRANSFER_SCHEMA

DOCS = Path(__file__).parents[3] / "docs"
OF_DOMAIN = pytest.mark.parametrize("domain", DOMAINS)


@OF_DOMAIN
def test_the_published_document_is_current(domain: Domain) -> None:
    assert (DOCS / FILES[domain]).read_text(encoding="utf-8") == render(domain), "run: python -m streams.asyncapi"


@OF_DOMAIN
def test_every_topic_but_the_scorers_own_is_a_channel(domain: Domain) -> None:
    topics = Topics("{run}", domain)
    addresses = {channel["address"] for channel in document("1", domain)["channels"].values()}
    assert addresses == set(topics.all()) - {topics.day_tables}


@OF_DOMAIN
def test_every_reference_leads_somewhere(domain: Domain) -> None:
    page = yaml.safe_load(render(domain))
    for channel in page["channels"].values():
        for message in channel["messages"].values():
            name = message["$ref"].removeprefix("#/components/messages/")
            schema = page["components"]["messages"][name]["payload"]["schema"]["$ref"]
            assert (DOCS / schema).is_file()
    assert {operation["channel"]["$ref"] for operation in page["operations"].values()} == {
        f"#/channels/{name}" for name in CHANNELS[domain]
    }


def test_every_message_is_in_a_document() -> None:
    """A new kind of message is not forgotten."""
    assert {channel.schema for channels in CHANNELS.values() for channel in channels.values()} == set(MESSAGES)


@pytest.mark.parametrize(("domain", "keyless"), [("fraud", {"disposition", "day-end"}), ("aml", set())])
def test_keys_are_those_the_load_sends(domain: Domain, keyless: set[str]) -> None:
    messages = document("1", domain)["components"]["messages"]
    kinds = {name: message["bindings"]["kafka"]["key"]["type"] for name, message in messages.items()}
    assert {name for name, kind in kinds.items() if kind == "null"} == keyless


def test_the_key_of_a_transfer_is_what_the_document_says(tmp_path: Path) -> None:
    sides = (("a", "b"), (None, "b"), (None, None))
    rows = [
        {
            "event_id": f"t{number}", "event_time_ns": number, "amount_minor": 1, "currency": "EUR", "channel": "wire",
            "from_account": payer, "to_account": payee,
        }
        for number, (payer, payee) in enumerate(sides)
    ]  # fmt: skip
    schedule = np.array([0, 1, 2], np.int64)
    none = pa.table({"reported_at_ns": pa.array([], pa.int64())})
    write_feed(tmp_path, pa.Table.from_pylist(rows, schema=TRANSFER_SCHEMA), none, schedule)
    keys = Pages(tmp_path / "keys")
    assert keys.take(np.arange(len(keys))) == [b"a", b"b", b""]
    words = document("1", "aml")["components"]["messages"]["transfer"]["bindings"]["kafka"]["key"]["description"]
    assert words == "The account that pays; where it is outside, the one that is paid; where both are, empty."
