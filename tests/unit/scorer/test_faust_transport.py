"""What the agent gets of a message is what Faust's own way would give it."""

import asyncio
from pathlib import Path
from typing import Any

import faust
import pytest
from faust.types import Message

from scorer.engines.faust_transport import AsTaken


@pytest.fixture
def app(tmp_path: Path) -> Any:
    return faust.App("as-taken", datadir=tmp_path, autodiscover=False)


@pytest.mark.parametrize("value", [b'{"event_id": "e"}', b"", None])
@pytest.mark.parametrize("headers", [None, [("trace", b"1")]])
def test_a_message_becomes_the_event_that_faust_makes_of_raw_bytes(app: Any, value: Any, headers: Any) -> None:
    message = Message(
        "events", 1, 7, timestamp=0.0, timestamp_type=0, headers=headers, key=b"card", value=value, checksum=None
    )
    raw = faust.Schema(key_serializer="raw", value_serializer="raw")
    ours, theirs = (asyncio.run(schema.decode(app, message)) for schema in (AsTaken(), raw))
    assert (ours.key, ours.value, ours.headers) == (theirs.key, theirs.value, theirs.headers)
    assert ours.message is theirs.message is message
