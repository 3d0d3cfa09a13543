"""Strings to small integers, one by one online and by whole dictionaries offline."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from models.features.batch import MISSING_CODE, Int32s, Int64s, UInt8s


def dictionary_of(column: pa.ChunkedArray) -> tuple[Int64s, list[str | None]]:
    """A string column, plain or dictionary-encoded, as places (int64 [n], -1 null) in a dictionary, and that one."""
    if pa.types.is_null(column.type):
        column = column.cast(pa.string())
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    if coded.num_chunks == 0:
        return np.zeros(0, np.int64), []
    coded = coded.unify_dictionaries().combine_chunks()
    indices: Int64s = coded.indices.cast(pa.int64()).fill_null(MISSING_CODE).to_numpy(zero_copy_only=False)
    return indices, coded.dictionary.to_pylist()


def text_arrays(name: str, strings: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
    """Strings as two arrays for a snapshot: UTF-8 bytes and the length of each."""
    encoded = [string.encode() for string in strings]
    return {
        f"{name}_text": np.frombuffer(b"".join(encoded), np.uint8),
        f"{name}_lengths": np.array([len(text) for text in encoded], np.int32),
    }


def strings_of(text: UInt8s, lengths: Int32s) -> list[str]:
    """The strings that `text_arrays` wrote."""
    whole = text.tobytes()
    ends = np.cumsum(lengths, dtype=np.int64).tolist()
    starts = [0, *ends][:-1]
    return [whole[start:end].decode() for start, end in zip(starts, ends, strict=True)]


FIRST_STRINGS = 87_380
"""Two thirds of 2**17, one of them null: beyond, a dictionary would be laid out anew, which stops the stream ever
longer."""
PARTS, PART_BITS_FROM = 1_024, 40
"""Dictionaries that share the strings beyond the first ones by bits of their hash: each stays small. Not by its lowest
bits: by those a dictionary finds its own places."""


class _Codes(dict[str | None, int]):
    """A dictionary that gives an unknown key the next code, and lists the keys in the order of their codes."""

    __slots__ = ("_more", "strings")

    def __init__(self, strings: Iterable[str]) -> None:
        self.strings = list(strings)
        first = self.strings[:FIRST_STRINGS]
        super().__init__((string, code) for code, string in enumerate(first))
        self[None] = MISSING_CODE
        # all there from the start: what is made after a scorer has begun is looked at by the garbage collector
        self._more = [_Part(self.strings) for _ in range(PARTS)]
        for code in range(len(first), len(self.strings)):
            key = self.strings[code]
            self._more[_part(key)][key] = code

    def __missing__(self, key: str) -> int:
        code = len(self.strings)
        if code >= FIRST_STRINGS:
            return self._more[_part(key)][key]
        self[key] = code
        self.strings.append(key)
        return code


def _part(key: str) -> int:
    return (hash(key) >> PART_BITS_FROM) % PARTS


class _Part(dict[str, int]):
    """One of the dictionaries beyond the first."""

    __slots__ = ("_strings",)

    def __init__(self, strings: list[str]) -> None:
        self._strings = strings

    def __missing__(self, key: str) -> int:
        code = self[key] = len(self._strings)
        self._strings.append(key)
        return code


class Interner:
    """Codes of one kind of id: 0, 1, 2, … in the order they were first met; null is -1."""

    __slots__ = ("_codes", "_told")

    def __init__(self, strings: Iterable[str] = ()) -> None:
        self._codes = _Codes(strings)
        self._told: tuple[UInt8s, Int32s] = np.zeros(0, np.uint8), np.zeros(0, np.int32)

    def __len__(self) -> int:
        return len(self._codes.strings)

    def strings(self) -> list[str]:
        """All strings in the order of their codes."""
        return list(self._codes.strings)

    def names(self, codes: Int32s) -> list[str]:
        """The strings of these codes; may be asked by another thread than the one that codes."""
        strings = self._codes.strings
        return [strings[code] for code in codes.tolist()]

    def code(self, string: str | None) -> int:
        """Code of one string; a new one is added."""
        return self._codes[string]

    def codes(self, strings: Sequence[str | None]) -> list[int]:
        """Codes of these strings; new ones are added."""
        return list(map(self._codes.__getitem__, strings))

    def encode(self, strings: Sequence[str | None]) -> Int32s:
        """As `codes`, as an array."""
        return np.fromiter(map(self._codes.__getitem__, strings), np.int32, len(strings))

    def encode_column(self, column: pa.ChunkedArray) -> Int32s:
        """Codes of a string column, plain or dictionary-encoded; only strings that occur in a row are added."""
        indices, dictionary = dictionary_of(column)
        occurs = np.zeros(len(dictionary) + 1, np.bool_)
        occurs[indices] = True
        code_of = np.full(len(dictionary) + 1, MISSING_CODE, np.int32)  # the last place answers for null (index -1)
        used = np.flatnonzero(occurs[:-1])
        code_of[used] = self.encode([dictionary[place] for place in used.tolist()])
        found: Int32s = code_of[indices]
        return found

    def text(self) -> tuple[UInt8s, Int32s]:
        """All strings in UTF-8, one behind the other, and the length of each. Cheap when few are new since the last
        time; the arrays do not change later."""
        text, lengths = self._told
        new = self._codes.strings[len(lengths) :]
        if new:
            found = text_arrays("new", new)
            text, lengths = np.append(text, found["new_text"]), np.append(lengths, found["new_lengths"])
            self._told = text, lengths
        return text, lengths

    def to_arrays(self, name: str) -> dict[str, npt.NDArray[Any]]:
        """The strings as two arrays for a snapshot, see `text`."""
        text, lengths = self.text()
        return {f"{name}_text": text, f"{name}_lengths": lengths}

    @staticmethod
    def layout(name: str) -> dict[str, tuple[Any, tuple[int | None, ...]]]:
        """Type and shape of what `to_arrays` gives."""
        return {f"{name}_text": (np.uint8, (None,)), f"{name}_lengths": (np.int32, (None,))}

    @classmethod
    def from_arrays(cls, text: UInt8s, lengths: Int32s) -> "Interner":
        """The interner that `to_arrays` wrote."""
        return cls(strings_of(text, lengths))
