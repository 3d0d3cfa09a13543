"""Somebody's accounts as ours (ACCOUNT_SCHEMA), with what a source does not say filled in as said in the mapping."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from streams.account import ACCOUNT_SCHEMA, KINDS, RISK_RATING_MAX, RISK_RATING_MIN
from streams.datasets.columns import Columns, full_table, words
from streams.datasets.mapping import AmountField, FlagField, TextField, TimeField
from streams.datasets.money import CURRENCY_CHECK
from streams.datasets.times import as_time_ns
from streams.datasets.transfer_mapping import AccountFields, BankField, KindField
from streams.datasets.values import IDENTIFIER_CHECK, WORD_CHECKS, Column, as_amount_minor, as_flags, as_numbers
from streams.errors import BadInputError

BANK_CHECK = ("(?s).{1,64}", "is no bank (1 to 64 characters)")
KIND_CHECK = ("|".join(KINDS), f"is none of {', '.join(KINDS)}; rename it with `values` or give `otherwise`")
SEGMENT_CHECK = ("(?s).{1,64}", "is no segment (1 to 64 characters)")
ACCOUNT_CHECK = ("(?s).{1,128}", "is no account (1 to 128 characters)")


def account_table(columns: Columns, fields: AccountFields) -> pa.Table:
    """ACCOUNT_SCHEMA, in the file's order. Raises BadInputError with file, column, row and value."""
    rows = columns.rows
    bank = bank_codes(columns, fields.bank_id, "accounts.bank_id")
    ids = account_ids(columns, fields.account_id, "accounts.account_id", bank if fields.within_bank else None)
    if bank is None or ids is None:
        raise BadInputError(f"{columns.file}: accounts.account_id and accounts.bank_id cannot be optional")
    _refuse_repeated(columns, fields, ids)
    customer = ids
    if fields.customer_id is not None:
        customer = _required(columns, fields.customer_id, "customer_id", IDENTIFIER_CHECK)
    arrays: dict[str, pa.Array | None] = {
        "account_id": ids.dictionary_decode(),
        "customer_id": customer,
        "bank_id": bank,
        "market": _required(columns, fields.market, "market", WORD_CHECKS["country"]),
        "currency": _required(columns, fields.currency, "currency", CURRENCY_CHECK),
        "kind": kind_codes(columns, fields.kind, "accounts.kind", KIND_CHECK),
        "segment": kind_codes(columns, fields.segment, "accounts.segment", SEGMENT_CHECK),
        "opened_at_ns": _times(columns, fields.opened_at, rows),
        "risk_rating": _rating(columns, fields, rows),
        "is_pep": _flags(columns, fields.is_pep, "is_pep", rows),
        "expected_monthly_minor": _money(columns, fields.expected_monthly, "expected_monthly", rows),
        "expected_cash_monthly_minor": _money(columns, fields.expected_cash_monthly, "expected_cash_monthly", rows),
        "expects_foreign": _flags(columns, fields.expects_foreign, "expects_foreign", rows),
    }
    return full_table(arrays, rows, ACCOUNT_SCHEMA)


def bank_codes(columns: Columns, field: BankField, key: str) -> pa.DictionaryArray | None:
    """Banks, padded zeros taken off where the mapping says so; null where none is given."""
    found = words(columns, field, key, BANK_CHECK, nullable=True)
    if found is None or not field.strip_zeros:
        return found
    return _recoded(found, pc.replace_substring_regex(found.dictionary, r"^0+([0-9])", r"\1"))


def account_ids(
    columns: Columns, field: TextField, key: str, bank: pa.DictionaryArray | None
) -> pa.DictionaryArray | None:
    """Accounts; with `bank`, as `bank-number`. Null where none is given (outside)."""
    found = words(columns, field, key, ACCOUNT_CHECK, nullable=True)
    if found is None or bank is None:
        return found
    # few pairs of bank and number are there, so each is spelt once
    wide = max(1, len(found.dictionary))
    codes = bank.indices.cast(pa.int64()).fill_null(-1).to_numpy() * wide + found.indices.fill_null(-1).to_numpy()
    known = (bank.is_valid().to_numpy(zero_copy_only=False)) & (found.is_valid().to_numpy(zero_copy_only=False))
    pairs, place = np.unique(codes[known], return_inverse=True)
    spelt = pc.binary_join_element_wise(
        bank.dictionary.take(pa.array(pairs // wide)), found.dictionary.take(pa.array(pairs % wide)), "-"
    )
    indices = np.full(len(found), -1, np.int32)
    indices[known] = place
    return pa.DictionaryArray.from_arrays(pa.array(indices, mask=~known), spelt)


def kind_codes(columns: Columns, field: KindField, key: str, check: tuple[str, str]) -> pa.DictionaryArray | None:
    """Words cut and renamed as the mapping says."""
    if field.constant is not None or (field.until is None and field.otherwise is None):
        return words(columns, field, key, check, nullable=False)
    plain = TextField(column=field.column, optional=field.optional)
    found = words(columns, plain, key, IDENTIFIER_CHECK, nullable=False)
    if found is None:
        return None
    spoken = [str(word).partition(field.until or "\0")[0] for word in found.dictionary.to_pylist()]
    renamed = [field.values.get(word, field.otherwise or word) for word in spoken]
    codes = _recoded(found, pa.array(renamed, pa.string()))
    column = columns.required(field.column or "", key)
    bad = pc.invert(pc.match_substring_regex(codes.dictionary, f"^(?:{check[0]})$"))
    if pc.any(bad).as_py():
        column.refuse_first(bad.take(codes.indices), check[1])
    return codes


def _recoded(codes: pa.DictionaryArray, dictionary: pa.Array) -> pa.DictionaryArray:
    """With other words for the same codes, each word once."""
    unique = pc.dictionary_encode(dictionary)
    return pa.DictionaryArray.from_arrays(unique.indices.take(codes.indices).cast(pa.int32()), unique.dictionary)


def _required(columns: Columns, field: TextField, name: str, check: tuple[str, str]) -> pa.DictionaryArray:
    found = words(columns, field, f"accounts.{name}", check, nullable=False)
    if found is None:
        raise BadInputError(f"{columns.file}: column {field.column!r} is missing (asked for by accounts.{name})")
    return found


def _refuse_repeated(columns: Columns, fields: AccountFields, ids: pa.DictionaryArray) -> None:
    column = columns.required(fields.account_id.column or "", "accounts.account_id")
    column.require_all()
    codes = ids.indices.to_numpy()
    _, first = np.unique(codes, return_index=True)
    if len(first) < len(codes):
        row = int(np.setdiff1d(np.arange(len(codes)), first)[0])
        column.refuse(row, "is the account of an earlier row too; accounts must be unique")


def _column(columns: Columns, name: str, key: str) -> Column | None:
    return columns.column(name, f"accounts.{key}")


def _times(columns: Columns, field: TimeField | None, rows: int) -> pa.Array:
    column = None if field is None else _column(columns, field.column, "opened_at")
    return pa.array(np.zeros(rows, np.int64)) if field is None or column is None else as_time_ns(column, field)


def _rating(columns: Columns, fields: AccountFields, rows: int) -> pa.Array:
    column = None if fields.risk_rating is None else _column(columns, fields.risk_rating.column, "risk_rating")
    if column is None:
        return pa.array(np.full(rows, RISK_RATING_MIN, np.int8))
    column.require_all()
    numbers = as_numbers(column)
    outside = pc.or_(pc.less(numbers, RISK_RATING_MIN), pc.greater(numbers, RISK_RATING_MAX))
    column.refuse_first(outside, f"is no risk rating ({RISK_RATING_MIN} to {RISK_RATING_MAX})")
    return numbers.cast(pa.int8())


def _flags(columns: Columns, field: FlagField | None, name: str, rows: int) -> pa.Array:
    column = None if field is None else _column(columns, field.column, name)
    if field is None or column is None:
        return pa.array(np.zeros(rows, bool))
    return pc.fill_null(as_flags(column, field), False)


def _money(columns: Columns, field: AmountField | None, name: str, rows: int) -> pa.Array:
    column = None if field is None else _column(columns, field.column, name)
    return pa.array(np.zeros(rows, np.int64)) if field is None or column is None else as_amount_minor(column, field)
