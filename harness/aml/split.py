"""How a file of transfers was split by time: what taught, what streamed, and what did neither."""

from datetime import UTC, datetime

import msgspec
import numpy as np

from harness.own_data import Spans
from harness.quality.scored import Int64s


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """Instants (ISO 8601, UTC; `_until` is exclusive) and numbers of transfers, which add up to the file's.

    `before_training` only warm the graph, as do `between` training and stream (the labels' delay); `not_sent` are of
    the stream's time but were left out by the asked duration, `after_stream` come later than the stream's time.
    `before_last_days` were left out, by the asked number of last days.
    `sides_outside`: sides of transfers that name an account which the accounts' file does not have.
    """

    train_from: str
    train_until: str
    stream_from: str
    stream_until: str
    before_training: int
    training: int
    between: int
    streamed: int
    not_sent: int
    after_stream: int
    sides_outside: int
    before_last_days: int = 0


def split_of(times: Int64s, spans: Spans, streamed: int, sides_outside: int, before_last_days: int = 0) -> Split:
    """Count the transfers at `times` (ns UTC, ascending) by `spans`; `streamed` of them are sent, `before_last_days`
    further ones were left out."""
    edges = (spans.train_from_ns, spans.train_until_ns, spans.stream_from_ns, spans.stream_until_ns)
    train_from, train_until, stream_from, stream_until = np.searchsorted(times, edges, side="left").tolist()
    return Split(
        train_from=_instant(spans.train_from_ns),
        train_until=_instant(spans.train_until_ns),
        stream_from=_instant(spans.stream_from_ns),
        stream_until=_instant(spans.stream_until_ns),
        before_training=train_from,
        training=train_until - train_from,
        between=stream_from - train_until,
        streamed=streamed,
        not_sent=stream_until - stream_from - streamed,
        after_stream=len(times) - stream_until,
        sides_outside=sides_outside,
        before_last_days=before_last_days,
    )


def split_told(split: Split) -> list[str]:
    """The split in words, a line each; nothing of the file is left out in silence."""
    lines = [
        f"Split by time: {split.training:,} transfers from {split.train_from} to {split.train_until} teach, "
        f"{split.streamed:,} from {split.stream_from} to {split.stream_until} stream"
    ]
    warming = split.before_training + split.between
    if warming:
        lines.append(
            f"{warming:,} transfers only warm the graph ({split.before_training:,} before the training, "
            f"{split.between:,} between training and stream)"
        )
    if split.not_sent:
        lines.append(f"{split.not_sent:,} transfers of the stream's time are not sent: the duration ends before them")
    if split.after_stream:
        lines.append(f"{split.after_stream:,} transfers come after the stream's time and are not used")
    if split.before_last_days:
        lines.append(f"{split.before_last_days:,} transfers come before the last days that were asked for: not used")
    if split.sides_outside:
        lines.append(
            f"{split.sides_outside:,} sides of transfers name an account that the accounts' file does not have: outside"
        )
    return lines


def _instant(time_ns: int) -> str:
    # to the second, and only as far as it says something: most splits are at midnight
    text = datetime.fromtimestamp(time_ns // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return text.removesuffix("T00:00:00Z")
