"""alerts.jsonl: the raw alerts that a run's scorer raised, as they stood on their topic."""

import logging
from collections.abc import Iterable
from pathlib import Path

from streams.alert import RawAlert
from streams.codec import UNDECODABLE, decode_alert

logger = logging.getLogger("riskbench.harness.aml.alerts")
ALERTS_FILE = "alerts.jsonl"


def keep_lines(messages: Iterable[bytes], path: Path) -> None:
    """Write messages as lines; what holds a line break in it is no message of ours, and is said."""
    with path.open("wb") as file:
        for message in messages:
            if b"\n" in message:
                logger.warning("%s: a message is left out: it has several lines", path.name)
            else:
                file.write(message + b"\n")


def read_alerts(path: Path) -> list[RawAlert]:
    """The alerts of a file; lines that are none are counted in the log. None without a file: a scorer need not raise
    any."""
    if not path.is_file():
        return []
    found, strange = [], 0
    with path.open("rb") as file:
        for line in file:
            try:
                found.append(decode_alert(line))
            except UNDECODABLE:
                strange += 1
    if strange:
        logger.warning("%s: %d of %d lines are no alerts", path.name, strange, strange + len(found))
    return found
