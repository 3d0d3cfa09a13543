"""Loads somebody's transfers and accounts, CSV or Parquet, as ours, with the truth about them where there is one."""

import logging
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from streams.datasets.account_table import account_ids, account_table, bank_codes
from streams.datasets.columns import Columns, full_table, time_order, unique_ids, words
from streams.datasets.laundering_truth import Read, build_truth
from streams.datasets.mapping import TextField
from streams.datasets.money import CURRENCY_CHECK, as_money
from streams.datasets.protocol import Protocol
from streams.datasets.source import open_source, require_columns
from streams.datasets.times import as_time_ns
from streams.datasets.transfer_mapping import (
    BankField,
    TransferMapping,
    load_transfer_mapping,
    shipped_transfer_mappings,
)
from streams.datasets.values import WORD_CHECKS
from streams.errors import BadInputError
from streams.transfer import TRANSFER_CHANNELS, TRANSFER_SCHEMA

_log = logging.getLogger("riskbench.streams")
CHANNEL_CHECK = (
    "|".join(TRANSFER_CHANNELS),
    f"is no channel of ours ({', '.join(TRANSFER_CHANNELS)}); rename it with `values`",
)


@dataclass(frozen=True, slots=True)
class TransferDataset:
    """Transfers in event-time order (TRANSFER_SCHEMA), accounts (ACCOUNT_SCHEMA), and where there is a truth the labels
    row for row (LAUNDERING_SCHEMA) and the members of patterns (MEMBER_SCHEMA). `outside`: transfers' sides that name
    an account which the accounts' file does not have."""

    transfers: pa.Table
    accounts: pa.Table
    laundering: pa.Table | None
    members: pa.Table | None
    protocol: Protocol | None
    mapping: str
    outside: int


def load_transfers(transfers: str | Path, accounts: str | Path, columns: str | Path | None = None) -> TransferDataset:
    """Load both files.

    `columns`: a shipped mapping's name, a mapping file, or None to choose the shipped mapping whose columns are there.
    Raises BadInputError with file, column, row (from 1, the header aside), value and bound.
    """
    paths = Path(transfers), Path(accounts)
    mapping = _detect(*paths) if columns is None else load_transfer_mapping(columns)
    moved, holders = (open_source(path, mapping.csv) for path in paths)
    tables = []
    for source, wanted in ((moved, mapping.transfer_columns()), (holders, mapping.account_columns())):
        tables.append(source.read(require_columns(source, wanted, mapping.name)))
        if len(tables[-1]) == 0:
            raise BadInputError(f"{source.path}: no rows, only columns ({', '.join(source.columns[:10])})")
    held = Columns(str(paths[1]), tables[1])
    holder_table = account_table(held, mapping.accounts)
    read = Columns(str(paths[0]), tables[0])
    table, outside = _transfers(read, mapping, holder_table)
    names = [name for name in moved.columns if name in tables[0].column_names]
    labels, members = build_truth(Read(paths[0], read, names, table, held, holder_table), mapping)
    time = mapping.transfers.event_time.column
    order = time_order(read, time, "transfers.event_time", table["event_time_ns"].to_numpy(), mapping.sort)
    if order is not None:
        table = table.take(pa.array(order))
        labels = None if labels is None else labels.take(pa.array(order))
    _log.info("%s: %d transfers read with the column map %s", paths[0], len(table), mapping.name)
    return TransferDataset(table, holder_table, labels, members, mapping.protocol, mapping.name, outside)


def _detect(transfers: Path, accounts: Path) -> TransferMapping:
    """The shipped mapping whose required columns are all there; of several, the one that asks for most."""
    fitting: list[tuple[int, TransferMapping]] = []
    mappings = shipped_transfer_mappings()
    seen: list[str] = []
    for mapping in mappings.values():
        required = 0
        seen = []
        for path, wanted in ((transfers, mapping.transfer_columns()), (accounts, mapping.account_columns())):
            source = open_source(path, mapping.csv.model_copy(update={"number_repeated": True}))
            needed = [want.column for want in wanted if not want.optional]
            seen.append(", ".join(source.columns[:40]))
            required += len(needed) if all(column in source.columns for column in needed) else -1_000
        if required > 0:
            fitting.append((required, mapping))
    if fitting:
        return max(fitting, key=lambda pair: pair[0])[1]
    raise BadInputError(
        f"{transfers}, {accounts}: their columns fit none of the shipped column maps ({', '.join(mappings)}).\n"
        f"  columns there: {seen[0]}\n  and of the accounts: {seen[1]}\n"
        "  write a map that says which column is which, and give it with --columns MAP.yaml (see docs/own-data.md)"
    )


def _transfers(columns: Columns, mapping: TransferMapping, accounts: pa.Table) -> tuple[pa.Table, int]:
    fields = mapping.transfers
    time = columns.required(fields.event_time.column, "transfers.event_time")
    currency = _words(columns, fields.currency, "currency")
    if currency is None:
        raise BadInputError(f"{columns.file}: transfers.currency cannot be optional")
    arrays: dict[str, pa.Array | None] = {
        "event_id": unique_ids(columns, fields.event_id, "transfers.event_id"),
        "event_time_ns": as_time_ns(time, fields.event_time),
        "amount_minor": as_money(columns.required(fields.amount.column, "transfers.amount"), fields.amount, currency),
        "currency": currency,
        "channel": _words(columns, fields.channel, "channel"),
        "from_country": _words(columns, fields.from_country, "from_country"),
        "to_country": _words(columns, fields.to_country, "to_country"),
    }
    outside = 0
    for side in ("from", "to"):
        bank_field: BankField | None = getattr(fields, f"{side}_bank")
        bank = None if bank_field is None else bank_codes(columns, bank_field, f"transfers.{side}_bank")
        account_field: TextField = getattr(fields, f"{side}_account")
        if mapping.accounts.within_bank and bank is None:
            raise BadInputError(f"accounts.within_bank: transfers.{side}_bank is needed to tell accounts apart")
        within = bank if mapping.accounts.within_bank else None
        codes = account_ids(columns, account_field, f"transfers.{side}_account", within)
        if codes is not None:
            codes, unknown = _known(codes, accounts)
            outside += unknown
        arrays[f"{side}_bank"], arrays[f"{side}_account"] = bank, codes
    if outside:
        _log.warning(
            "%s: %d sides of transfers name an account that is not in the accounts' file", columns.file, outside
        )
    _received(columns, mapping, arrays)
    return full_table(arrays, columns.rows, TRANSFER_SCHEMA), outside


def _known(codes: pa.DictionaryArray, accounts: pa.Table) -> tuple[pa.DictionaryArray, int]:
    """Only accounts that are known; others become null."""
    ids = accounts["account_id"].combine_chunks()
    known = pc.is_in(codes.dictionary, value_set=ids)
    if pc.all(known).as_py() is not False:
        return codes, 0
    kept = codes.dictionary.filter(known)
    place = pc.index_in(codes.dictionary, value_set=kept)
    indices = place.take(codes.indices)
    return pa.DictionaryArray.from_arrays(indices, kept), indices.null_count - codes.null_count


def _received(columns: Columns, mapping: TransferMapping, arrays: dict[str, pa.Array | None]) -> None:
    """What reached the receiver, where money was converted: other amounts or currencies than what was sent."""
    field, currency_field = mapping.transfers.received, mapping.transfers.received_currency
    column = None if field is None else columns.column(field.column, "transfers.received")
    currency = _words(columns, currency_field, "received_currency", nullable=True)
    sent = arrays["currency"]
    if field is None or column is None or currency is None or sent is None:
        return
    amount = as_money(column, field, currency, required=False)
    converted = pc.fill_null(pc.not_equal(currency.dictionary_decode(), sent.dictionary_decode()), False)
    arrays["received_minor"] = pc.if_else(converted, amount, pa.scalar(None, pa.int64()))
    indices = pc.if_else(converted, currency.indices, pa.scalar(None, pa.int32()))
    arrays["received_currency"] = pa.DictionaryArray.from_arrays(indices, currency.dictionary)


def _words(
    columns: Columns, field: TextField | None, name: str, nullable: bool | None = None
) -> pa.DictionaryArray | None:
    if field is None:
        return None
    check = (
        CHANNEL_CHECK if name == "channel" else WORD_CHECKS["country"] if name.endswith("country") else CURRENCY_CHECK
    )
    if nullable is None:
        nullable = TRANSFER_SCHEMA.field(name).nullable
    return words(columns, field, f"transfers.{name}", check, nullable)
