"""Opens a CSV or Parquet file and brings the columns a mapping asks for, untouched."""

import difflib
from collections.abc import Sequence
from csv import reader
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from streams.datasets.mapping import CsvFormat, Wanted
from streams.datasets.values import is_text
from streams.errors import BadInputError

PARQUET_MAGIC = b"PAR1"
LISTED_MAX = 40
HEADER_BYTES_MAX = 1 << 16


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that can be read: its path, kind and the names of its columns."""

    path: Path
    is_parquet: bool
    columns: tuple[str, ...]
    csv: CsvFormat

    def read(self, wanted: Sequence[str]) -> pa.Table:
        """The wanted columns, in the file's row order; a CSV's are all text. Raises BadInputError if damaged."""
        names = list(dict.fromkeys(wanted))
        header = list(self.columns) if self.csv.number_repeated else None
        return self._read_parquet(names) if self.is_parquet else _read_csv(self.path, names, self.csv, header)

    def _read_parquet(self, names: list[str]) -> pa.Table:
        try:
            table = pq.read_table(self.path, columns=names)
        except (pa.ArrowException, OSError) as error:
            raise BadInputError(f"{self.path}: damaged Parquet file: {_first_line(error)}") from error
        for name in table.column_names:
            _require_utf8(self.path, name, table[name])
        return table


def open_source(path: Path, csv: CsvFormat) -> SourceFile:
    """Find out what the file is and which columns it has. Raises BadInputError when it is neither CSV nor Parquet."""
    if path.is_dir():
        raise BadInputError(f"{path}: is a folder; give one CSV or Parquet file")
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise BadInputError(f"{path}: cannot be read: {error.strerror or error}") from error
    if not head:
        raise BadInputError(f"{path}: the file is empty (0 bytes); expected CSV with a header line, or Parquet")
    is_parquet = head.startswith(PARQUET_MAGIC)
    columns = _parquet_columns(path) if is_parquet else _csv_columns(path, csv)
    if csv.number_repeated and not is_parquet:
        columns = _numbered(columns)
    repeated = sorted({name for name in columns if columns.count(name) > 1})
    if repeated:
        raise BadInputError(f"{path}: column {repeated[0]!r} is there twice; every column needs a name of its own")
    return SourceFile(path, is_parquet, tuple(columns), csv)


def require_columns(source: SourceFile, wanted: Sequence[Wanted], mapping_name: str) -> list[str]:
    """The wanted columns that are there. Raises BadInputError for those that must be there and are not."""
    missing = [want for want in wanted if want.column not in source.columns and not want.optional]
    if missing:
        lines = [
            f"  {want.column!r} (asked for by {want.key}){_nearest(want.column, source.columns)}" for want in missing
        ]
        listed = ", ".join(source.columns[:LISTED_MAX]) + (", …" if len(source.columns) > LISTED_MAX else "")
        noun = "column is" if len(missing) == 1 else "columns are"
        raise BadInputError(
            f"{source.path}: {len(missing)} {noun} missing for the column map {mapping_name!r}:\n"
            + "\n".join(lines)
            + f"\n  columns there: {listed}"
        )
    return [want.column for want in wanted if want.column in source.columns]


def _nearest(name: str, columns: Sequence[str]) -> str:
    by_lower = {column.lower(): column for column in columns}
    close = difflib.get_close_matches(name.lower(), list(by_lower), n=1, cutoff=0.6)
    return f"; nearest there: {by_lower[close[0]]!r}" if close else ""


def _parquet_columns(path: Path) -> list[str]:
    try:
        return list(pq.read_schema(path).names)
    except (pa.ArrowException, OSError) as error:
        raise BadInputError(f"{path}: damaged Parquet file: {_first_line(error)}") from error


def _csv_columns(path: Path, csv: CsvFormat) -> list[str]:
    """The header line, without parsing what follows: a damaged row is then reported with its number."""
    try:
        with pa.input_stream(str(path), compression="detect") as stream:
            head = stream.read(HEADER_BYTES_MAX)
        text = head.decode("utf-8-sig" if _is_utf8(csv.encoding) else csv.encoding, errors="replace")
    except (pa.ArrowException, OSError, LookupError) as error:
        raise BadInputError(f"{path}: cannot be read as CSV: {_first_line(error)}") from error
    if "\x00" in text:
        raise BadInputError(f"{path}: is neither CSV nor Parquet (binary content)")
    lines = reader(text.splitlines(keepends=True), delimiter=csv.delimiter, quotechar=csv.quote)
    return next((line for line in lines if line), [])


def _numbered(columns: Sequence[str]) -> list[str]:
    """Repeated names told apart: `Account`, `Account.1`, …"""
    seen: dict[str, int] = {}
    found = []
    for name in columns:
        times = seen.get(name, 0)
        seen[name] = times + 1
        found.append(f"{name}.{times}" if times else name)
    return found


def _is_utf8(encoding: str) -> bool:
    return encoding.lower().replace("-", "") == "utf8"


def _csv_options(csv: CsvFormat, names: list[str], header: list[str] | None, threads: bool = True) -> dict[str, Any]:
    """`header` stands in for the file's own (its first line is then skipped)."""
    as_text = {name: pa.string() for name in names}
    own = {"column_names": header, "skip_rows": 1} if header else {}
    return {
        "read_options": pacsv.ReadOptions(encoding=csv.encoding, use_threads=threads, block_size=4 << 20, **own),
        "parse_options": pacsv.ParseOptions(delimiter=csv.delimiter, quote_char=csv.quote, newlines_in_values=True),
        "convert_options": pacsv.ConvertOptions(
            column_types=as_text, include_columns=names, null_values=csv.empty, strings_can_be_null=True
        ),
    }


def _read_csv(path: Path, names: list[str], csv: CsvFormat, header: list[str] | None) -> pa.Table:
    try:
        with pa.input_stream(str(path), compression="detect") as stream:
            return pacsv.read_csv(stream, **_csv_options(csv, names, header))
    except pa.ArrowException as error:
        complaint = _csv_complaint(path, names, csv, header, error)
        raise BadInputError(f"{path}: cannot be read as CSV: {complaint}") from error


def _csv_complaint(path: Path, names: list[str], csv: CsvFormat, header: list[str] | None, error: Exception) -> str:
    """Read once more on one thread: only then does the parser know the number of the row."""
    try:
        with pa.input_stream(str(path), compression="detect") as stream:
            pacsv.read_csv(stream, **_csv_options(csv, names, header, threads=False))
    except pa.ArrowException as numbered:
        return _first_line(numbered)
    return _first_line(error)


def _require_utf8(path: Path, name: str, column: pa.ChunkedArray) -> None:
    """Refuse texts of another encoding: a Parquet file is read whatever the bytes of its texts are."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if not is_text(kind):
        return
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        for row, value in enumerate(column):
            try:
                value.as_py()
            except UnicodeDecodeError as error:
                raise BadInputError(
                    f"{path}: column {name!r}, row {row + 1}: the text is not UTF-8 ({error})"
                ) from error


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
