"""The originals of dead letters, byte for byte: to files, or to a topic once more."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
from confluent_kafka import KafkaException

from harness.load import Failures
from streams.brokers.clients import producer
from streams.brokers.connection import KafkaConnection
from streams.brokers.control import ControlPlane, wait_until_ready
from streams.errors import BadInputError, BrokerError

INDEX = "index.json"
FLUSH_S = 30.0
ROWS = 1_024


def _rows(letters: pa.Table) -> Iterator[dict[str, Any]]:
    for batch in letters.to_batches(max_chunksize=ROWS):
        yield from batch.to_pylist()


def _whole(row: dict[str, Any]) -> bool:
    return bool(len(row["original"]) == row["size_bytes"])


def save_originals(letters: pa.Table, folder: Path) -> tuple[int, int]:
    """Write each original into a file of its own, and `index.json`, which says of each what it is; returns how many
    were written and how many were not whole.

    Raises BadInputError when the folder holds something, or cannot be written.
    """
    index, cut = [], 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise BadInputError(f"--save {folder}: there is something in it; give a folder that is empty or not there")
        for number, row in enumerate(_rows(letters)):
            if not _whole(row):
                cut += 1
                continue
            name = f"{number:07d}.bin"
            (folder / name).write_bytes(row["original"])
            key = None if row["key"] is None else row["key"].decode("utf-8", "backslashreplace")
            named = {each: row[each] for each in ("reason", "topic", "partition", "offset", "size_bytes", "fault")}
            index.append({"file": name, "key": key, **named})
        (folder / INDEX).write_text(json.dumps(index, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise BadInputError(f"--save {folder}: cannot be written: {error.strerror or error}") from error
    return len(index), cut


def send_originals(letters: pa.Table, topic: str, connection: KafkaConnection) -> tuple[int, int]:
    """Send each original with its key to a topic, in order; returns how many the broker took, and how many letters were
    not whole and left out.

    Raises BrokerError when the broker does not answer or take them all, BadInputError when the topic is not there.
    """
    wait_until_ready(connection)
    with ControlPlane(connection) as control:
        if topic not in control.topics():
            raise BadInputError(f"--replay {topic}: there is no such topic at {connection.bootstrap_servers}")
    failures, sent, cut = Failures(), 0, 0
    client = producer(connection, extra={"on_delivery": failures})
    for row in _rows(letters):
        if not _whole(row):
            cut += 1
            continue
        _produce(client, topic, row)
        sent += 1
    unsent = client.flush(FLUSH_S)
    if failures.count or unsent:
        raise BrokerError(
            f"{failures.count + unsent:,} of {sent:,} messages were not taken: {failures.first or 'no answer in time'}"
        )
    return sent, cut


def _produce(client: Any, topic: str, row: dict[str, Any]) -> None:
    while True:
        try:
            client.produce(topic, row["original"], row["key"])
        except BufferError:  # the queue is full: wait for room
            client.poll(0.1)
        except KafkaException as error:
            raise BrokerError(
                f"a message of {row['size_bytes']:,} bytes was not taken: {error.args[0].str()}"
            ) from None
        else:
            client.poll(0)
            return
