"""Codes of a day table's ids: by the table before where both say the same, else by their bytes."""

import numpy as np

from models.features.batch import Int32s, Int64s, UInt8s
from models.features.id_text import IdText
from models.features.interner import Interner
from models.features.wire.names import LENGTH_BITS, UNMET, NameTable, addresses_of, code_of
from streams.kernels.compiled import compiled
from streams.kernels.memory import address_of
from streams.kernels.words import same_text


class Listed:
    """The ids of a kind that a table listed last, with their codes. Tables of two days list nearly the same places in
    the same order: an id is compared with the one expected before it is looked for."""

    __slots__ = ("_codes", "_ids", "_row_of")

    def __init__(self) -> None:
        self._ids = IdText.of(())
        self._codes = np.zeros(0, np.int32)
        self._row_of = np.zeros(0, np.int32)

    def codes(self, ids: IdText, kind: int, names: NameTable) -> tuple[Int32s, Int64s]:
        """Codes of the ids, int32 [n], and the rows of those that `names` does not know: there the code is UNMET."""
        codes, before = np.empty(len(ids), np.int32), self._ids
        text, text_before = np.frombuffer(ids.text, np.uint8), np.frombuffer(before.text, np.uint8)
        unmet = find_codes(text, ids.ends, kind, names, text_before, before.ends, self._codes, self._row_of, codes)
        return codes, np.flatnonzero(codes == UNMET) if unmet else np.zeros(0, np.int64)

    def keep(self, ids: IdText, codes: Int32s, interner: Interner) -> None:
        """These were listed last, with these codes of the interner."""
        row_of = np.full(len(interner), -1, np.int32)
        row_of[codes] = np.arange(len(codes), dtype=np.int32)
        self._ids, self._codes, self._row_of = ids, codes, row_of


@compiled
def find_codes(
    text: UInt8s, ends: Int64s, kind: int, names: NameTable,
    text_before: UInt8s, ends_before: Int64s, codes_before: Int32s, row_of: Int32s, codes: Int32s,
) -> int:  # fmt: skip
    """Fill in `codes` of the ids in `text`; how many are UNMET. `row_of` gives the row of a code among those listed
    before, -1 where it is not: behind it the next id is expected."""
    address, before, table = address_of(text), address_of(text_before), addresses_of(names)
    unmet = start = expected = 0
    for row in range(len(ends)):
        end, code = ends[row], UNMET
        if expected < len(ends_before):
            begin = ends_before[expected - 1] if expected else 0
            if ends_before[expected] - begin == end - start and same_text(address, start, end, before, begin):
                code = codes_before[expected]
                expected += 1
        if code == UNMET and end - start < 1 << LENGTH_BITS:
            code = code_of(address, start, end, kind, table)
            if code != UNMET and code < len(row_of) and row_of[code] >= 0:
                expected = row_of[code] + 1
        unmet += code == UNMET
        codes[row] = code
        start = end
    return unmet
