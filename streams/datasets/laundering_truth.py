"""The truth about somebody's transfers: which are laundering, in which pattern, of which typology, whose they are."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from streams.datasets.attempts import match_attempts, read_attempts, row_key, spelt
from streams.datasets.columns import Columns
from streams.datasets.mapping import CsvFormat
from streams.datasets.source import open_source
from streams.datasets.transfer_mapping import (
    Attempts,
    FlaggedAccounts,
    LaunderingFlag,
    OwnTables,
    PatternField,
    TransferMapping,
)
from streams.datasets.values import Column, as_flags, as_text
from streams.errors import BadInputError
from streams.laundering import LAUNDERING_SCHEMA, MEMBER_SCHEMA, UNTYPED

_log = logging.getLogger("riskbench.streams")
Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
NONE = -1


@dataclass(frozen=True, slots=True)
class Read:
    """What was read, before it is put in order: the transfers' file and table, and the accounts'."""

    path: Path
    columns: Columns
    names: list[str]
    transfers: pa.Table
    account_columns: Columns
    accounts: pa.Table

    def side(self, name: str) -> Int64s:
        """Row of each transfer's account in the accounts' table, int64 [n] (NONE: outside)."""
        codes = self.transfers[name].combine_chunks()
        codes = codes.combine_chunks() if isinstance(codes, pa.ChunkedArray) else codes
        row = pc.index_in(codes.dictionary, value_set=self.accounts["account_id"].combine_chunks())
        of_code = np.append(row.fill_null(NONE).to_numpy().astype(np.int64), NONE)
        found: Int64s = of_code[codes.indices.fill_null(len(codes.dictionary)).to_numpy()]
        return found


@dataclass(frozen=True, slots=True)
class _Found:
    """One entry a transfer: laundering, its pattern as a code (NONE: none), and each pattern's typology; `look_alike`
    names of genuine transfers."""

    laundering: Bools
    pattern: Int64s
    typology: list[str]
    look_alike: list[str | None] | None = None


def build_truth(read: Read, mapping: TransferMapping) -> tuple[pa.Table | None, pa.Table | None]:
    """LAUNDERING_SCHEMA row for row with the transfers, and MEMBER_SCHEMA; None where the mapping has no truth."""
    truth = mapping.truth
    if truth is None:
        return None, None
    if truth.tables is not None:
        return _own_tables(read, truth.tables)
    if truth.accounts is not None:
        found = _by_accounts(read, truth.accounts, truth.typology)
    else:
        flags = _flags(read, truth.laundering) if truth.laundering else None
        if flags is None:
            return None, None
        found = _by_transfers(read, flags, truth.pattern, truth.attempts)
    if not found.laundering.any():
        _log.warning("%s: no transfer is called laundering", read.path)
    return _tables(read, found, truth.typology)


def _flags(read: Read, field: LaunderingFlag) -> Bools | None:
    """Which transfers are called laundering, bool [n]; None when an optional column is not there."""
    for name in field.names:
        column = read.columns.column(name, "truth.laundering")
        if column is not None:
            found: Bools = pc.fill_null(as_flags(column, field), False).to_numpy(zero_copy_only=False)
            return found
    if field.optional:
        return None
    raise BadInputError(f"{read.path}: none of the columns {', '.join(field.names)} is there (truth.laundering)")


def _own_tables(read: Read, tables: OwnTables) -> tuple[pa.Table | None, pa.Table | None]:
    paths = [read.path.parent / name for name in (tables.laundering, tables.members)]
    if not all(path.is_file() for path in paths):
        return None, None
    found = []
    for path, schema in zip(paths, (LAUNDERING_SCHEMA, MEMBER_SCHEMA), strict=True):
        try:
            found.append(pq.read_table(path).select(schema.names).cast(schema))
        except (pa.ArrowException, KeyError, OSError) as error:
            raise BadInputError(f"{path}: not the table {schema.names} as we write it: {error}") from error
    labels, members = found
    row = pc.index_in(read.transfers["event_id"].combine_chunks(), value_set=labels["event_id"].combine_chunks())
    if row.null_count:
        event = read.transfers["event_id"][pc.index(row.is_null(), pa.scalar(True)).as_py()].as_py()
        raise BadInputError(f"{paths[0]}: {row.null_count} transfers have no label; the first is {event!r}")
    return labels.take(row), members


def _by_accounts(read: Read, field: FlaggedAccounts, typology: str) -> _Found:
    """Between flagged accounts, up to an amount; grouped by the account that receives (or sends)."""
    column = read.account_columns.required(field.column, "truth.accounts")
    flagged = np.append(pc.fill_null(as_flags(column, field), False).to_numpy(zero_copy_only=False), False)
    sender, receiver = read.side("from_account"), read.side("to_account")
    laundering = flagged[sender] & flagged[receiver] & (sender != receiver)
    if field.amount_max is not None:
        laundering &= read.transfers["amount_minor"].to_numpy() <= round(field.amount_max * 100)
    hub = receiver if field.pattern_by == "receiver" else sender
    pattern = np.full(len(hub), NONE, np.int64)
    hubs, pattern[laundering] = np.unique(hub[laundering], return_inverse=True)
    return _Found(laundering, pattern, [typology] * len(hubs))


def _by_transfers(read: Read, flags: Bools, pattern: PatternField | None, attempts: Attempts | None) -> _Found:
    if attempts is not None:
        return _by_attempts(read, flags, attempts)
    if pattern is None:
        return _Found(flags, np.full(len(flags), NONE, np.int64), [])
    words = as_text(read.columns.required(pattern.column, "truth.pattern"))
    known = pc.invert(pc.fill_null(pc.is_in(words, value_set=pa.array(pattern.none)), True))
    codes = pc.if_else(known, words, pa.scalar(None, pa.string())).dictionary_encode()
    names = codes.dictionary.to_pylist()
    types = _alert_types(read, pattern)
    typology = [types.get(name, UNTYPED) for name in names]
    place = codes.indices.fill_null(NONE).to_numpy().astype(np.int64)
    alike = [typology[p] if p >= 0 and not guilty else None for p, guilty in zip(place, flags, strict=True)]
    return _Found(flags, np.where(flags, place, NONE), typology, alike)


def _alert_types(read: Read, pattern: PatternField) -> dict[str, str]:
    """Typology by pattern, from the file beside the transfers."""
    types = pattern.types
    if types is None:
        return {}
    path = read.path.parent / types.file
    if types.optional and not path.is_file():
        _log.warning("%s: no %s beside it, so patterns have no type", read.path, types.file)
        return {}
    source = open_source(path, CsvFormat())
    for name in (types.key, types.column):
        if name not in source.columns:
            raise BadInputError(f"{path}: column {name!r} is missing (asked for by truth.pattern.types)")
    table = source.read([types.key, types.column])
    pairs = [
        as_text(Column(str(path), name, "truth.pattern.types", table[name].combine_chunks())).to_pylist()
        for name in (types.key, types.column)
    ]
    return {key: spelt(name) for key, name in zip(*pairs, strict=True) if key is not None and name}


def _by_attempts(read: Read, flags: Bools, field: Attempts) -> _Found:
    pattern = np.full(len(flags), NONE, np.int64)
    if not read.path.name.endswith(field.suffix):
        raise BadInputError(
            f"{read.path}: its name does not end in {field.suffix!r}, so the file of its laundering attempts "
            f"(…{field.replace}) cannot be told (truth.attempts)"
        )
    path = read.path.with_name(read.path.name.removesuffix(field.suffix) + field.replace)
    if not path.is_file():
        _log.warning("%s: no %s beside it, so all laundering is untyped", read.path, path.name)
        return _Found(flags, pattern, [])
    attempts = read_attempts(path)
    rows = np.flatnonzero(flags)
    parts = [
        as_text(read.columns.required(name, "truth.attempts")).take(pa.array(rows)).fill_null("").to_pylist()
        for name in read.names
    ]
    keys = ((int(row), row_key(values)) for row, values in zip(rows, zip(*parts, strict=True), strict=True))
    matched, unanswered = match_attempts(attempts, keys)
    if unanswered:
        _log.warning("%s: %d transfers of laundering attempts are not in %s", path, unanswered, read.path.name)
    for row, place in matched.items():
        pattern[row] = place
    return _Found(flags, pattern, [attempt.typology for attempt in attempts])


def _tables(read: Read, found: _Found, untyped: str) -> tuple[pa.Table, pa.Table]:
    """Labels and members. Laundering without a pattern is grouped by the customer who sends it (or, from outside, who
    receives it), and only that customer is a member."""
    sender, receiver = read.side("from_account"), read.side("to_account")
    customer = read.accounts["customer_id"].combine_chunks()
    customer = customer.combine_chunks() if isinstance(customer, pa.ChunkedArray) else customer
    of_account = np.append(customer.indices.to_numpy().astype(np.int64), NONE)
    alone = found.laundering & (found.pattern == NONE)
    owner = np.where(sender >= 0, of_account[sender], of_account[receiver])
    pattern = found.pattern.copy()
    owners, place = np.unique(owner[alone], return_inverse=True)
    pattern[alone] = len(found.typology) + place
    names = [*found.typology, *([untyped] * len(owners))]
    words, of_pattern = np.unique(np.array(names or [untyped]), return_inverse=True)
    code = np.where(found.laundering, of_pattern[np.maximum(pattern, 0)], 0).astype(np.int32)
    genuine = ~found.laundering
    labels = pa.Table.from_arrays(
        [
            read.transfers["event_id"].combine_chunks(),
            pa.array(found.laundering),
            pa.array(pattern, mask=genuine),
            pa.DictionaryArray.from_arrays(pa.array(code, mask=genuine), pa.array(words.tolist())),
            _coded(found.look_alike or [None] * len(genuine)),
        ],
        schema=LAUNDERING_SCHEMA,
    )
    sides = [
        (pattern[rows], side[rows], sends)
        for side, sends in ((sender, True), (receiver, False))
        for rows in [np.flatnonzero(found.laundering & (side >= 0) & (~alone | (sends == (sender >= 0))))]
    ]
    return labels, _members(read, sides, names)


def _members(read: Read, sides: list[tuple[Int64s, Int64s, bool]], names: list[str]) -> pa.Table:
    """One row an account of a pattern: it sends (source), receives (sink) or both (layer)."""
    pattern = np.concatenate([part[0] for part in sides])
    account = np.concatenate([part[1] for part in sides])
    sends = np.concatenate([np.full(len(part[0]), part[2]) for part in sides])
    pairs, place = np.unique(np.column_stack([pattern, account]), axis=0, return_inverse=True)
    place = place.ravel()
    gave, got = (np.bincount(place[sends == way], minlength=len(pairs)) > 0 for way in (True, False))
    role = np.where(gave & got, "layer", np.where(gave, "source", "sink"))
    accounts = read.accounts.take(pa.array(pairs[:, 1]))
    return pa.Table.from_arrays(
        [
            pa.array(pairs[:, 0]),
            _coded([names[number] for number in pairs[:, 0]]),
            accounts["customer_id"].cast(pa.string()).combine_chunks().dictionary_encode(),
            accounts["account_id"].combine_chunks().dictionary_encode(),
            _coded(role.tolist()),
        ],
        schema=MEMBER_SCHEMA,
    )


def _coded(words: Sequence[str | None]) -> pa.DictionaryArray:
    return pa.array(words, pa.string()).dictionary_encode()
