"""What due diligence knows of accounts, coded for the kernel."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from models.features.batch import Int64s
from models.features.interner import dictionary_of
from models.graph.coding import TransferCoder
from models.graph.kernel.layout import (
    EXPECTED,
    EXPECTED_CASH,
    EXPECTS_FOREIGN,
    IS_BUSINESS,
    IS_PEP,
    KNOWN,
    MARKET,
    OPENED_NS,
    PROFILE_FIELDS,
    RISK_RATING,
)
from streams.account import ACCOUNT_SCHEMA
from streams.errors import BadInputError

NEEDED = (
    "account_id",
    "market",
    "currency",
    "kind",
    "opened_at_ns",
    "risk_rating",
    "is_pep",
    "expected_monthly_minor",
    "expected_cash_monthly_minor",
    "expects_foreign",
)


def code_profiles(
    accounts: pa.Table, coder: TransferCoder, minor_per_usd: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.int32], Int64s]:
    """Codes of the accounts (`ACCOUNT_SCHEMA`), int32 [n], and what is known of each, int64 [n, 9].

    Raises `BadInputError`, naming column and row, for a column that is not there, a null, a currency without rate and
    an account named twice.
    """
    columns = {name: _required(accounts, name) for name in NEEDED}
    codes = coder.accounts.encode_column(columns["account_id"])
    _refuse_repeated(accounts, codes)
    rows = np.zeros((len(accounts), PROFILE_FIELDS), np.int64)
    rows[:, KNOWN] = 1
    rows[:, MARKET] = coder.countries.encode_column(columns["market"])
    rate = minor_per_usd[_currencies(columns["currency"], coder)]
    rows[:, OPENED_NS] = _numbers(columns["opened_at_ns"])
    rows[:, EXPECTED] = np.rint(_numbers(columns["expected_monthly_minor"]) * 100.0 / rate)
    rows[:, EXPECTED_CASH] = np.rint(_numbers(columns["expected_cash_monthly_minor"]) * 100.0 / rate)
    rows[:, RISK_RATING] = _numbers(columns["risk_rating"])
    rows[:, IS_PEP] = _numbers(columns["is_pep"])
    indices, kinds = dictionary_of(columns["kind"])
    rows[:, IS_BUSINESS] = np.array([kind == "business" for kind in kinds], np.int64)[indices]
    rows[:, EXPECTS_FOREIGN] = _numbers(columns["expects_foreign"])
    return codes, rows


def _required(accounts: pa.Table, name: str) -> pa.ChunkedArray:
    if name not in accounts.column_names:
        raise BadInputError(
            f"accounts have no column {name}; needed are {', '.join(ACCOUNT_SCHEMA.names)},"
            f" there are {', '.join(accounts.column_names)}"
        )
    column = accounts.column(name)
    if column.null_count:
        row = int(np.flatnonzero(column.is_null().to_numpy())[0])
        raise BadInputError(f"accounts, row {row}: {name} is null ({column.null_count} rows are); it is required")
    return column


def _refuse_repeated(accounts: pa.Table, codes: npt.NDArray[np.int32]) -> None:
    _, firsts = np.unique(codes, return_index=True)
    if len(firsts) == len(codes):
        return
    again = int(np.setdiff1d(np.arange(len(codes)), firsts)[0])
    name = accounts.column("account_id")[again].as_py()
    raise BadInputError(f"accounts, row {again}: account {name!r} is named twice; one row an account")


def _currencies(column: pa.ChunkedArray, coder: TransferCoder) -> npt.NDArray[Any]:
    indices, dictionary = dictionary_of(column)
    known = {currency: code for code, currency in enumerate(coder.currencies)}
    codes = np.array([known.get(currency or "", -1) for currency in dictionary], np.int64)[indices]
    unknown = np.flatnonzero(codes < 0)
    if len(unknown):
        row = int(unknown[0])
        raise BadInputError(
            f"accounts, row {row}: currency {dictionary[int(indices[row])]!r} is none of {', '.join(sorted(known))}"
        )
    return codes


def _numbers(column: pa.ChunkedArray) -> Int64s:
    found: Int64s = column.cast(pa.int64()).to_numpy()
    return found
