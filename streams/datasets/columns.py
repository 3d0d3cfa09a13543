"""The columns of a file that was read, by name, and what every mapping makes of them: ids, words, tables, an order."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from streams.datasets.mapping import TextField
from streams.datasets.values import IDENTIFIER_CHECK, Column, as_codes, as_text, check_words, constant_codes
from streams.errors import BadInputError


class Columns:
    """The columns of a read table, each as one array, by name."""

    def __init__(self, file: str, table: pa.Table) -> None:
        self.file = file
        self.rows = len(table)
        self._table = table

    def column(self, name: str, key: str) -> Column | None:
        """None when the file has no such column (it was optional)."""
        if name not in self._table.column_names:
            return None
        values = self._table[name].combine_chunks()
        return Column(self.file, name, key, values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values)

    def required(self, name: str, key: str) -> Column:
        """Raises BadInputError when it is not there."""
        found = self.column(name, key)
        if found is None:
            raise BadInputError(f"{self.file}: column {name!r} is missing (asked for by {key})")
        return found


def unique_ids(columns: Columns, field: TextField | None, key: str) -> pa.Array:
    """Their identifiers, refused when one is there twice; without any, the row's number."""
    if field is None:
        return pc.binary_join_element_wise("row-", pa.array(np.arange(1, columns.rows + 1)).cast(pa.string()), "")
    name = key.rpartition(".")[2]
    if field.column is None:
        raise BadInputError(f"{key}: a constant cannot tell events apart; name a column, or leave {name} out")
    column = columns.required(field.column, key)
    column.require_all()
    ids = as_text(column)
    if ids.null_count:
        column.refuse_first(ids.is_null(), "is missing; every row needs a value")
    lengths = pc.utf8_length(ids)
    column.refuse_first(pc.or_(pc.less(lengths, 1), pc.greater(lengths, 128)), IDENTIFIER_CHECK[1])
    _refuse_duplicates(column, ids)
    return ids


def _refuse_duplicates(column: Column, ids: pa.Array) -> None:
    if pc.count_distinct(ids).as_py() == len(ids):
        return
    codes = pc.dictionary_encode(ids).indices.to_numpy()
    first_row = np.full(codes.max() + 1, len(codes))
    np.minimum.at(first_row, codes, np.arange(len(codes)))
    row = int(np.flatnonzero(first_row[codes] != np.arange(len(codes)))[0])
    column.refuse(row, f"is the event id of row {first_row[codes[row]] + 1} too; event ids must be unique")


def words(
    columns: Columns, field: TextField, key: str, check: tuple[str, str], nullable: bool
) -> pa.DictionaryArray | None:
    """A column of words (or one constant) as codes; None when it is optional and not there. `check` is a pattern and
    what is wrong with a word that does not match it."""
    pattern, why = check
    if field.constant is not None:
        codes = constant_codes(field.constant, columns.rows)
        check_words(Column("column map", "constant", key, codes), codes, pattern, why)
        return codes
    column = columns.column(field.column or "", key)
    if column is None:
        return None
    if not nullable:
        column.require_all()
    codes = as_codes(column, field)
    check_words(column, codes, pattern, why)
    if codes.null_count and not nullable:
        column.refuse_first(codes.is_null(), "is missing; every row needs a value")
    return codes


def full_table(arrays: dict[str, pa.Array | None], rows: int, schema: pa.Schema) -> pa.Table:
    """A table of that schema; columns that are not there are null."""
    full = []
    for column in schema:
        found = arrays.get(column.name)
        if found is None:
            indices = pa.nulls(rows, pa.int32())
            coded = pa.types.is_dictionary(column.type)
            found = (
                pa.DictionaryArray.from_arrays(indices, pa.array([], pa.string()))
                if coded
                else pa.nulls(rows, column.type)
            )
        full.append(found)
    return pa.Table.from_arrays(full, schema=schema)


def time_order(
    columns: Columns, name: str, key: str, times: npt.NDArray[np.int64], sort: bool
) -> npt.NDArray[np.intp] | None:
    """The order by time (stable) where times go back and `sort` allows it; None where they do not go back.

    Raises BadInputError with the first row that goes back when `sort` is false.
    """
    back = np.flatnonzero(np.diff(times) < 0)
    if back.size == 0:
        return None
    if not sort:
        row = int(back[0]) + 1
        values = columns.required(name, key).values
        now, before = values[row].as_py(), values[row - 1].as_py()
        raise BadInputError(
            f"{columns.file}: column {name!r}, row {row + 1}: time {now} is before {before} in row {row}; events must "
            "be in time order (sort the file, or put `sort: true` in the column map)"
        )
    return np.argsort(times, kind="stable")
