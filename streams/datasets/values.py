"""Turns one of their columns into one of ours; whatever does not fit is refused with file, column, row and value."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from streams.currencies import CURRENCIES
from streams.datasets.mapping import AmountField, FlagField, TextField
from streams.errors import BadInputError
from streams.transaction import CHANNELS

AMOUNT_MINOR_MAX = 100_000_000_000
TEXT_TYPE = pa.string()


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a file, with what is needed to speak of it: the file, its name, the mapping's key."""

    file: str
    name: str
    key: str
    values: pa.Array

    def refuse(self, row: int, why: str) -> NoReturn:
        """Raise for the value in a row (index from 0; people count rows from 1, the header aside)."""
        value = self.values[row].as_py()
        raise BadInputError(f"{self.file}: column {self.name!r}, row {row + 1}: {value!r} {why} (mapped by {self.key})")

    def refuse_first(self, bad: pa.Array, why: str) -> None:
        """Raise for the first row in which `bad` (boolean, nulls count as false) is true, if there is one."""
        row = pc.index(pc.fill_null(bad, False), pa.scalar(True)).as_py()
        if row >= 0:
            self.refuse(row, why)

    def refuse_type(self, wanted: str) -> NoReturn:
        """Raise because the column as a whole is of the wrong type."""
        raise BadInputError(
            f"{self.file}: column {self.name!r} holds {self.values.type}, expected {wanted} (mapped by {self.key})"
        )

    def require_all(self) -> None:
        """Raise when a value is missing."""
        if self.values.null_count:
            self.refuse(pc.index(self.values.is_null(), pa.scalar(True)).as_py(), "is missing; every row needs a value")


def convert(column: Column, conversion: Callable[[pa.Array], pa.Array], why: str) -> pa.Array:
    """Apply an element-wise conversion; when it fails, find the first row at fault by bisection and refuse it."""
    try:
        return conversion(column.values)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError) as error:
        if isinstance(error, pa.ArrowNotImplementedError):
            column.refuse_type(why)
        low, high = 0, len(column.values)
        while high - low > 1:
            middle = (low + high) // 2
            try:
                conversion(column.values.slice(low, middle - low))
                low = middle
            except (pa.ArrowInvalid, ValueError):
                high = middle
        column.refuse(low, why)


def is_text(kind: pa.DataType) -> bool:
    """Any of Arrow's text types."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def as_numbers(column: Column, decimal_separator: str = ".") -> pa.Array:
    """A column of numbers, or of text that spells numbers, as int64 or float64."""
    kind = column.values.type
    if pa.types.is_integer(kind):
        return convert(column, lambda values: values.cast(pa.int64()), "is too large for a 64-bit number")
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return (
            pc.fill_null(column.values.cast(pa.float64(), safe=False), np.nan)
            if kind != pa.float64()
            else column.values
        )
    if not is_text(kind):
        column.refuse_type("numbers")

    def spell(values: pa.Array) -> pa.Array:
        pointed = values if decimal_separator == "." else pc.replace_substring(values, decimal_separator, ".")
        return pc.utf8_trim_whitespace(pointed).cast(pa.float64())

    try:
        return pc.utf8_trim_whitespace(column.values).cast(pa.int64())
    except pa.ArrowInvalid:
        return convert(column, spell, "is no number")


def as_text(column: Column) -> pa.Array:
    """Identifiers and words as text; whole numbers are spelled without a fraction (`7.0` is `7`)."""
    kind = column.values.type
    if pa.types.is_dictionary(kind):
        return as_text(Column(column.file, column.name, column.key, column.values.dictionary_decode()))
    if is_text(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return column.values.cast(TEXT_TYPE)
    if not pa.types.is_floating(kind):
        column.refuse_type("text or whole numbers")
    known = pc.if_else(pc.is_nan(column.values), pa.scalar(None, kind), column.values)
    whole = Column(column.file, column.name, column.key, known)
    return convert(whole, lambda values: values.cast(pa.int64()), "is no whole number").cast(TEXT_TYPE)


def as_codes(column: Column, field: TextField) -> pa.DictionaryArray:
    """Text, dictionary-encoded, with the mapping's `values` put in place of theirs."""
    kind = column.values.type
    encoded = column.values if pa.types.is_dictionary(kind) else pc.dictionary_encode(column.values)
    words = _as_text_at_first_row(column, encoded)
    if field.values:
        words = pa.array(
            [field.values.get(word, word) if word is not None else None for word in words.to_pylist()], TEXT_TYPE
        )
    unique = pc.dictionary_encode(words)
    return pa.DictionaryArray.from_arrays(unique.indices.take(encoded.indices).cast(pa.int32()), unique.dictionary)


def _as_text_at_first_row(column: Column, encoded: pa.DictionaryArray) -> pa.Array:
    try:
        return as_text(Column(column.file, column.name, column.key, encoded.dictionary))
    except BadInputError:
        as_text(Column(column.file, column.name, column.key, encoded.dictionary_decode()))
        raise


def constant_codes(value: str, rows: int) -> pa.DictionaryArray:
    """The same word in every row."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array([value], TEXT_TYPE))


def check_words(column: Column, codes: pa.DictionaryArray, pattern: str, why: str) -> None:
    """Refuse the first row whose word does not match `pattern` (whole word, RE2)."""
    bad = pc.invert(pc.match_substring_regex(codes.dictionary, f"^(?:{pattern})$"))
    if pc.any(bad).as_py():
        column.refuse_first(pc.fill_null(bad, False).take(codes.indices), why)


WORD_CHECKS = {
    "currency": ("|".join(CURRENCIES), "is no currency code of ISO 4217 (three capital letters, such as EUR)"),
    "country": ("[A-Z]{2}", "is no country code (two capital letters, such as BE)"),
    "channel": ("|".join(CHANNELS), f"is no channel of ours ({', '.join(CHANNELS)}); rename it with `values`"),
    "category": ("(?s).{0,64}", "is longer than 64 characters"),
}
IDENTIFIER_CHECK = ("(?s).{1,128}", "is no identifier (1 to 128 characters)")


def as_amount_minor(column: Column, field: AmountField) -> pa.Array:
    """Money in minor units, int64, 0 … 10¹¹. Fractions of a minor unit are rounded to the nearest, halves to even."""
    numbers = as_numbers(column, field.decimal_separator)
    column.require_all()
    if pa.types.is_floating(numbers.type):
        column.refuse_first(pc.is_nan(numbers), "is missing; every row needs a value")
        if field.unit == "minor":
            column.refuse_first(
                pc.not_equal(numbers, pc.round(numbers)), "is no whole number of minor units; is `unit` major?"
            )
    column.refuse_first(
        pc.less(numbers, 0), "is negative; amounts are ≥ 0 (a refund is positive and marked by is_refund)"
    )
    scale = 1 if field.unit == "minor" else 10**field.decimals
    column.refuse_first(
        pc.greater(numbers, AMOUNT_MINOR_MAX // scale), f"is above the largest amount, {AMOUNT_MINOR_MAX // scale:,}"
    )
    if pa.types.is_integer(numbers.type):
        return pc.multiply(numbers, scale)
    return pa.array(np.rint(numbers.to_numpy(zero_copy_only=False) * scale).astype(np.int64))


def as_flags(column: Column, field: FlagField) -> pa.Array:
    """True where the mapping's `positive` says so, null elsewhere."""
    words = pc.utf8_lower(as_text(column))
    return pc.if_else(pc.is_in(words, value_set=pa.array(field.positive, TEXT_TYPE)), True, pa.scalar(None, pa.bool_()))


def as_degrees(column: Column, bound: int) -> pa.Array:
    """Latitude or longitude in degrees, null where unknown (missing or NaN)."""
    numbers = as_numbers(column).cast(pa.float64())
    numbers = pc.if_else(pc.is_nan(numbers), pa.scalar(None, pa.float64()), numbers)
    column.refuse_first(pc.greater(pc.abs(numbers), bound), f"is outside −{bound} … {bound} degrees")
    return numbers
