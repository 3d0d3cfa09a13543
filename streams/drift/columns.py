"""Columns of words as codes, and back: what drifts read and write of events, whoever made them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from streams.topics import Domain
from streams.transaction import CHANNELS, TRANSACTION_SCHEMA
from streams.transfer import TRANSFER_CHANNELS, TRANSFER_SCHEMA

Codes = npt.NDArray[np.int32]
SCHEMAS: dict[Domain, pa.Schema] = {"fraud": TRANSACTION_SCHEMA, "aml": TRANSFER_SCHEMA}
CHANNELS_OF: dict[Domain, tuple[str, ...]] = {"fraud": CHANNELS, "aml": TRANSFER_CHANNELS}
"""Channels that an event may have; another would be refused."""
BAD: dict[Domain, str] = {"fraud": "is_fraud", "aml": "is_laundering"}
"""The label's column that says whether an event is what one looks for."""
UNKNOWN = -1
"""Code of a value that is not there."""


def coded(column: Any) -> tuple[Codes, list[str]]:
    """A column of text as codes into its words, int32 [n], `UNKNOWN` where it is null."""
    text = column.cast(pa.string())
    whole = (text.combine_chunks() if isinstance(text, pa.ChunkedArray) else text).dictionary_encode()
    codes: Codes = whole.indices.fill_null(UNKNOWN).to_numpy(zero_copy_only=False).astype(np.int32)
    return codes, whole.dictionary.to_pylist()


def spelt(codes: Codes, words: Sequence[str]) -> Any:
    """Codes as a column of an event (dictionary-encoded text)."""
    indices = pa.array(codes.astype(np.int32), mask=codes < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(list(words), pa.string()))


def texts(domain: Domain) -> list[str]:
    """The columns of words of a domain's events."""
    return [field.name for field in SCHEMAS[domain] if pa.types.is_dictionary(field.type)]


def nullable(domain: Domain) -> list[str]:
    """The columns that may be left out of a domain's events."""
    return [field.name for field in SCHEMAS[domain] if field.nullable]


def flags(column: Any) -> npt.NDArray[np.bool_]:
    """A column of true and false, bool [n]; null is false."""
    found = column.fill_null(False).to_numpy()
    return np.asarray(found, np.bool_)


def ints(column: Any, missing: int = 0) -> npt.NDArray[np.int64]:
    """A column of whole numbers, int64 [n]; null is `missing`."""
    return np.asarray(column.fill_null(missing).to_numpy(), np.int64)
