"""The way into the kernel: columns become the JSON of decisions."""

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np

from models.features.batch import UInt8s
from scorer.words.kernel import PIECES_BYTES, Int8s, write_rows
from streams.decision import PATHS
from streams.kernels.base64 import base64_bytes
from streams.kernels.compiled import entry_point
from streams.kernels.memory import PADDING

_LIST_END = b"],["
_ESCAPE = b"\\"
UTF8_BYTES_MAX = 4
"""Of a character."""
_encode = msgspec.json.Encoder().encode


class Columns(NamedTuple):
    """n decisions: `ids`, `score` and `margin` (NaN: none) n each, `kinds` int8 [n] and `features` uint8 [n, B] as
    `write_rows` takes them, in memory row by row."""

    ids: Sequence[str]
    score: Sequence[float]
    margin: Sequence[float]
    kinds: Int8s
    features: UInt8s


def kinds_of(outcome: Int8s, path: Int8s) -> Int8s:
    """Outcomes (1 approve, 2 review, 3 block) and paths (places in `PATHS`), int8 [n], as the kernel takes them."""
    return ((outcome - 1) * len(PATHS) + path).astype(np.int8, copy=False)


class Spelled(NamedTuple):
    """The numbers and ids of some decisions as JSON, a list each, and where the second and third begin."""

    text: bytes
    margins: int
    ids: int


def spelled(columns: Columns) -> Spelled | None:
    """The encoder's part; None when an id has something that JSON escapes: the kernel would not find its end."""
    text = _encode((columns.score, columns.margin, columns.ids))
    if _ESCAPE in text:
        return None
    margins = text.index(_LIST_END) + len(_LIST_END)
    return Spelled(text, margins, text.index(_LIST_END, margins) + len(_LIST_END))


def written(columns: Columns, parts: Spelled, rest: bytes) -> list[bytes]:
    """The decisions, in their order. `rest` is what all of them say between margin and features."""
    text, margins, ids = parts
    begin, count, row_bytes = len(text), *columns.features.shape
    # A list's last number has a bracket behind it, where the kernel looks for a comma.
    whole = b"".join((text[: margins - 3], b",,[", text[margins : ids - 3], b",,[", text[ids:], rest, PADDING))
    longest_id = max(map(len, columns.ids)) * (1 if text.isascii() else UTF8_BYTES_MAX)
    width = PIECES_BYTES + longest_id + len(rest) + base64_bytes(row_bytes)
    # Of bytes so wide NumPy makes objects by itself, without the zeros behind them. One more is room to write words in.
    rows = np.empty(count + 1, f"S{width}")
    places = 2, margins, ids + 1, begin, begin + len(rest)
    _kernel()(np.frombuffer(whole, np.uint8), places, columns.kinds, columns.features, width, rows.view(np.uint8))
    found: list[bytes] = rows[:count].tolist()
    return found


@functools.cache
def _kernel() -> Callable[..., Any]:
    """The kernel for arguments as `written` makes them, compiled."""
    nothing = np.zeros(1, np.uint8)
    text = np.frombuffer(PADDING, np.uint8)
    return entry_point(write_rows, text, (0, 0, 0, 0, 0), np.zeros(0, np.int8), nothing.reshape(1, 1), 1, nothing)
