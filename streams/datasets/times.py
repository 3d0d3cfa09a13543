"""Turns one of their time columns into nanoseconds since the epoch, UTC."""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from streams.datasets.mapping import TimeField
from streams.datasets.protocol import instant_ns
from streams.datasets.values import Column, as_numbers, convert, is_text

TIME_NS_MAX = 4_102_444_800_000_000_000
NS_PER_UNIT = {
    "d": 86_400_000_000_000,
    "h": 3_600_000_000_000,
    "s": 1_000_000_000,
    "ms": 1_000_000,
    "us": 1_000,
    "ns": 1,
}
_NANO = pa.timestamp("ns")


def as_time_ns(column: Column, field: TimeField, required: bool = True) -> pa.Array:
    """int64 ns since the epoch, 1970 … 2100. A local time that a clock change makes ambiguous or skips is taken as the
    earlier instant. Raises BadInputError naming the first row that cannot be read or lies outside those years."""
    if required:
        column.require_all()
    if field.format in NS_PER_UNIT:
        found = _from_numbers(column, field)
    elif field.format in {"iso", "datetime"}:
        found = _from_timestamps(column, field)
    else:
        found = _from_pattern(column, field)
    outside = pc.or_(pc.less(found, 0), pc.greater(found, TIME_NS_MAX))
    column.refuse_first(outside, f"lies outside the years 1970 … 2100 (read as {field.format}); is `format` right?")
    return found


def _from_numbers(column: Column, field: TimeField) -> pa.Array:
    if pa.types.is_temporal(column.values.type):
        column.refuse_type(f"numbers ({field.format} since {field.origin}); for times use `format: datetime`")
    numbers = as_numbers(column)
    scale, origin = NS_PER_UNIT[field.format], instant_ns(field.origin)
    bound = (TIME_NS_MAX - origin) // scale
    beyond = pc.or_(pc.greater(numbers, bound), pc.less(numbers, -origin // scale))
    column.refuse_first(
        beyond, f"{field.format} since {field.origin} lies outside the years 1970 … 2100; is `format` right?"
    )
    if pa.types.is_integer(numbers.type):
        return pc.add(pc.multiply(numbers, scale), origin)
    column.refuse_first(pc.is_nan(numbers), "is missing; every row needs a value")
    whole = pc.floor(numbers)
    rest = pc.round(pc.multiply(pc.subtract(numbers, whole), float(scale)))
    return pc.add(pc.add(pc.multiply(whole.cast(pa.int64()), scale), rest.cast(pa.int64())), origin)


def _from_timestamps(column: Column, field: TimeField) -> pa.Array:
    kind = column.values.type
    if pa.types.is_date(kind):
        return _localise(column.values.cast(_NANO), field.timezone)
    if pa.types.is_timestamp(kind):
        fits = "lies outside what nanoseconds can hold"
        if kind.tz:
            return convert(column, lambda values: values.cast(pa.timestamp("ns", kind.tz)), fits).cast(pa.int64())
        return _localise(convert(column, lambda values: values.cast(_NANO), fits), field.timezone)
    if not is_text(kind):
        column.refuse_type("times (a timestamp column or ISO text); for numbers use `format` d, h, s, ms, us or ns")
    return _from_iso(column, field)


def _from_iso(column: Column, field: TimeField) -> pa.Array:
    """All with a zone offset, or none with one."""
    trimmed = Column(column.file, column.name, column.key, pc.utf8_trim_whitespace(column.values))
    try:
        return _localise(trimmed.values.cast(_NANO), field.timezone)
    except pa.ArrowInvalid:
        pass
    zoned = pc.any(pc.match_substring_regex(trimmed.values.slice(0, 1), r"(Z|[+-]\d\d:?\d\d)$")).as_py()
    if zoned:
        why = "is no ISO time with a zone offset, as the first row has (such as 2018-04-01T00:00:31Z)"
        return convert(trimmed, lambda values: values.cast(pa.timestamp("ns", "UTC")), why).cast(pa.int64())
    why = "is no ISO time (such as 2018-04-01T00:00:31); for another notation give a `format` such as %d/%m/%Y %H:%M:%S"
    return _localise(convert(trimmed, lambda values: values.cast(_NANO), why), field.timezone)


def _from_pattern(column: Column, field: TimeField) -> pa.Array:
    if not is_text(column.values.type):
        column.refuse_type(f"text to be read with the pattern {field.format}")
    why = f"does not match the pattern {field.format}"
    if any(part in field.format for part in ("%f", "%z", "%Z", "%p")):
        return _from_slow_pattern(column, field, why)
    parsed = pc.strptime(column.values, format=field.format, unit="us", error_is_null=True)
    column.refuse_first(pc.and_(parsed.is_null(), column.values.is_valid()), why)
    return _localise(parsed.cast(_NANO), field.timezone)


def _from_slow_pattern(column: Column, field: TimeField, why: str) -> pa.Array:
    """Patterns that Arrow's parser does not know (fractions, zones, AM/PM): one row at a time."""
    zone = ZoneInfo(field.timezone)
    found = np.empty(len(column.values), np.int64)
    for row, value in enumerate(column.values.to_pylist()):
        try:
            parsed = dt.datetime.strptime(value or "", field.format)  # noqa: DTZ007 - the zone is put on below
        except ValueError:
            column.refuse(row, why)
        found[row] = instant_ns(parsed if parsed.tzinfo else parsed.replace(tzinfo=zone))
    return pa.array(found)


def _localise(naive: pa.Array, timezone: str) -> pa.Array:
    if timezone != "UTC":
        naive = pc.assume_timezone(naive, timezone, ambiguous="earliest", nonexistent="earliest")
    return naive.cast(pa.int64())
