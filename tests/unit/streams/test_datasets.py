"""Somebody's files: read right, or refused with the file, column, row, value and bound."""

import datetime as dt
import gzip
import re
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
import yaml

from streams.codec import decode_transactions, encode_events
from streams.datasets import Dataset, load_dataset, load_mapping, shipped_mappings
from streams.errors import BadInputError
from streams.labels import LABEL_SCHEMA, NS_PER_DAY
from streams.transaction import TRANSACTION_SCHEMA

BASE = 1_522_540_800_000_000_000  # 2018-04-01T00:00:00Z
MAP = {
    "name": "mine",
    "fields": {
        "event_id": "id",
        "event_time": {"column": "when", "format": "iso"},
        "card_id": "card",
        "amount": {"column": "amount", "unit": "major"},
        "currency": {"constant": "EUR"},
    },
}
CSV = "id,when,card,amount\n1,2018-04-01T00:00:00,a,1.50\n2,2018-04-01T00:00:01,b,20\n3,2018-04-01 00:00:01.5,a,0.07\n"


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Dataset]:
    """Load CSV text with MAP, changed."""

    def loaded(text: str | bytes = CSV, **changes: Any) -> Dataset:
        path = tmp_path / "mine.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        fields = {**MAP["fields"], **changes.pop("fields", {})}  # type: ignore[dict-item]
        mapping = tmp_path / "map.yaml"
        mapping.write_text(
            yaml.safe_dump({**MAP, **changes, "fields": {k: v for k, v in fields.items() if v is not None}})
        )
        return load_dataset(path, mapping)

    return loaded


def handbook_table(rows: int = 50) -> pa.Table:
    return pa.table(
        {
            "TRANSACTION_ID": np.arange(rows),
            "TX_DATETIME": pa.array(BASE + np.arange(rows) * 1_000_000_000).cast(pa.timestamp("ns")),
            "CUSTOMER_ID": pa.array(np.arange(rows) % 7, pa.int32()),
            "TERMINAL_ID": pa.array(np.arange(rows) % 5, pa.int32()),
            "TX_AMOUNT": np.arange(rows) + 0.29,
            "TX_FRAUD": pa.array((np.arange(rows) % 10 == 0).astype(np.int8)),
            "TX_FRAUD_SCENARIO": pa.array(np.where(np.arange(rows) % 10 == 0, 2, 0), pa.int8()),
        }
    )


def test_the_handbooks_columns_are_recognised(tmp_path: Path) -> None:
    pq.write_table(handbook_table(), tmp_path / "h.parquet")
    found = load_dataset(tmp_path / "h.parquet")
    assert found.mapping == "handbook"
    assert found.events.schema == TRANSACTION_SCHEMA
    assert found.labels is not None
    assert found.labels.schema == LABEL_SCHEMA
    first = found.events.slice(3, 1).to_pylist()[0]
    assert (first["event_id"], first["card_id"], first["terminal_id"], first["amount_minor"]) == ("3", "3", "3", 329)
    assert (first["event_time_ns"], first["currency"], first["merchant_id"]) == (BASE + 3_000_000_000, "EUR", None)
    fraud, genuine = found.labels.slice(0, 2).to_pylist()
    assert (fraud["is_fraud"], fraud["scenario"], fraud["reported_at_ns"]) == (
        True,
        "compromised_terminal",
        BASE + 7 * NS_PER_DAY,
    )
    assert (genuine["is_fraud"], genuine["scenario"], genuine["reported_at_ns"]) == (False, None, None)
    assert found.protocol is not None
    assert found.protocol.train_until_ns == int(dt.datetime(2018, 8, 1, tzinfo=dt.UTC).timestamp()) * 10**9
    assert found.protocol.stream_from_ns == int(dt.datetime(2018, 8, 8, tzinfo=dt.UTC).timestamp()) * 10**9
    assert [p.average_precision for p in found.protocol.published] == [0.606, 0.658, 0.639]


def test_csv_and_parquet_of_the_same_rows_are_the_same(tmp_path: Path) -> None:
    pq.write_table(handbook_table(), tmp_path / "h.parquet")
    pacsv.write_csv(handbook_table(), tmp_path / "h.csv")
    (tmp_path / "h.csv.gz").write_bytes(gzip.compress((tmp_path / "h.csv").read_bytes()))
    expected = load_dataset(tmp_path / "h.parquet")
    for name in ("h.csv", "h.csv.gz"):
        found = load_dataset(tmp_path / name)
        assert found.events.equals(expected.events)
        assert found.labels is not None
        assert found.labels.equals(expected.labels)


def our_tables() -> tuple[pa.Table, pa.Table]:
    blank: dict[str, Any] = {name: [None, None] for name in TRANSACTION_SCHEMA.names}
    given = {
        "event_id": ["x", "y"],
        "event_time_ns": [BASE, BASE + 1],
        "card_id": ["a", "b"],
        "amount_minor": [150, 2],
        "currency": ["EUR", "USD"],
        "channel": ["chip", None],
        "country": ["NA", "BE"],
        "latitude": [1.5, None],
    }
    labels = {
        "event_id": ["y", "x"],
        "is_fraud": [True, False],
        "scenario": ["stolen", None],
        "look_alike": [None, "travel"],
        "reported_at_ns": [BASE + NS_PER_DAY, None],
    }
    return pa.table({**blank, **given}, schema=TRANSACTION_SCHEMA), pa.table(labels, schema=LABEL_SCHEMA)


def test_our_own_files_go_through_unchanged_with_labels_beside(tmp_path: Path) -> None:
    events, labels = our_tables()
    pq.write_table(events, tmp_path / "events.parquet")
    assert load_dataset(tmp_path / "events.parquet").labels is None
    pq.write_table(labels, tmp_path / "labels.parquet")
    found = load_dataset(tmp_path / "events.parquet")
    assert (found.mapping, found.protocol) == ("riskbench", None)
    assert found.events.to_pylist() == events.to_pylist()
    assert found.labels is not None
    assert found.labels.to_pylist() == labels.take([1, 0]).to_pylist()
    pq.write_table(labels.slice(0, 1), tmp_path / "labels.parquet")
    with pytest.raises(BadInputError, match=r"1 events have no label there; the first is 'x'"):
        load_dataset(tmp_path / "events.parquet")


def test_what_is_loaded_passes_the_wire(tmp_path: Path) -> None:
    pq.write_table(handbook_table(), tmp_path / "h.parquet")
    decoded, _, malformed = decode_transactions(encode_events(load_dataset(tmp_path / "h.parquet").events))
    assert (len(decoded), malformed) == (50, [])


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ({"format": "s"}, ["1522540800", "1522540801"]),
        ({"format": "s"}, ["1522540800.0", "1522540801.0"]),
        ({"format": "ms"}, ["1522540800000", "1522540801000"]),
        ({"format": "us"}, ["1522540800000000", "1522540801000000"]),
        ({"format": "ns"}, ["1522540800000000000", "1522540801000000000"]),
        ({"format": "s", "origin": "2018-04-01"}, ["0", "1"]),
        ({"format": "s", "origin": "2018-04-01T02:00:00+02:00"}, ["0", "1"]),
        ({"format": "iso"}, ["2018-04-01T00:00:00", "2018-04-01 00:00:01"]),
        ({"format": "iso"}, ["2018-04-01T00:00:00Z", "2018-04-01T02:00:01+02:00"]),
        ({"format": "iso", "timezone": "Europe/Brussels"}, ["2018-04-01T02:00:00", "2018-04-01 02:00:01"]),
        ({"format": "datetime"}, ["2018-04-01T00:00:00", "2018-04-01 00:00:01"]),
        ({"format": "%d/%m/%Y %H:%M:%S"}, ["01/04/2018 00:00:00", "01/04/2018 00:00:01"]),
        (
            {"format": "%d/%m/%Y %H:%M:%S", "timezone": "America/New_York"},
            ["31/03/2018 20:00:00", "31/03/2018 20:00:01"],
        ),
        ({"format": "%d/%m/%Y %I:%M:%S %p"}, ["01/04/2018 12:00:00 AM", "01/04/2018 12:00:01 AM"]),
        ({"format": "%d/%m/%Y %H:%M:%S %z"}, ["01/04/2018 02:00:00 +0200", "01/04/2018 02:00:01 +0200"]),
    ],
)
def test_times_in_every_notation(load: Callable[..., Dataset], field: dict[str, str], values: list[str]) -> None:
    text = "id,when,card,amount\n" + "".join(f"{n},{value},a,1\n" for n, value in enumerate(values))
    found = load(text, fields={"event_time": {"column": "when", **field}})
    assert found.events["event_time_ns"].to_pylist() == [BASE, BASE + 1_000_000_000]


@pytest.mark.parametrize(
    "kind", [pa.timestamp("s"), pa.timestamp("us", "Europe/Brussels"), pa.date32(), pa.timestamp("ns")]
)
def test_parquet_times(tmp_path: Path, kind: pa.DataType) -> None:
    table = handbook_table(1)
    place = table.column_names.index("TX_DATETIME")
    times = pa.array([BASE // 10**9]).cast(pa.timestamp("s"))
    cast = times.cast(pa.timestamp("s", "UTC")).cast(kind) if getattr(kind, "tz", None) else times.cast(kind)
    pq.write_table(table.set_column(place, "TX_DATETIME", cast), tmp_path / "h.parquet")
    assert load_dataset(tmp_path / "h.parquet").events["event_time_ns"].to_pylist() == [BASE]


def test_amounts_in_every_notation(load: Callable[..., Dataset]) -> None:
    assert load().events["amount_minor"].to_pylist() == [150, 2000, 7]
    minor = load(
        CSV.replace("1.50", "150").replace("0.07", "7"), fields={"amount": {"column": "amount", "unit": "minor"}}
    )
    assert minor.events["amount_minor"].to_pylist() == [150, 20, 7]
    yen = load(fields={"amount": {"column": "amount", "unit": "major", "decimals": 0}})
    assert yen.events["amount_minor"].to_pylist() == [2, 20, 0]
    comma = {"amount": {"column": "amount", "unit": "major", "decimal_separator": ","}}
    text = CSV.replace(",", ";").replace(".", ",").replace("01,5", "01.5")
    assert load(text, csv={"delimiter": ";"}, fields=comma).events["amount_minor"].to_pylist() == [150, 2000, 7]


def test_words_are_renamed_and_identifiers_made_up(load: Callable[..., Dataset]) -> None:
    renamed = {"channel": {"column": "card", "values": {"a": "chip", "b": "online"}}, "event_id": None}
    found = load(fields=renamed).events
    assert found["channel"].to_pylist() == ["chip", "online", "chip"]
    assert found["event_id"].to_pylist() == ["row-1", "row-2", "row-3"]


def test_whole_numbers_with_a_fraction_of_nothing_are_the_same_identifier(tmp_path: Path) -> None:
    table = handbook_table(4).set_column(3, "TERMINAL_ID", pa.array([7.0, None, float("nan"), 8.0]))
    pq.write_table(table, tmp_path / "h.parquet")
    assert load_dataset(tmp_path / "h.parquet").events["terminal_id"].to_pylist() == ["7", None, None, "8"]


def test_sorting_when_asked_keeps_labels_with_their_events(load: Callable[..., Dataset]) -> None:
    text = "id,when,card,amount,bad\nlate,2018-04-02T00:00:00,a,1,1\nearly,2018-04-01T00:00:00,a,1,0\n"
    found = load(text, sort=True, label={"column": "bad"})
    assert found.events["event_id"].to_pylist() == ["early", "late"]
    assert found.labels is not None
    assert found.labels["is_fraud"].to_pylist() == [False, True]


ROWS = "id,when,card,amount\n"
REFUSED = {
    "unsorted": (
        CSV.replace("04-01T00:00:01", "04-02T00:00:01"),
        r"row 3: time 2018-04-01 00:00:01.5 is before .* in row 2.*sort: true",
    ),
    "no time": (CSV.replace("2018-04-01T00:00:01", "soon"), r"'when', row 2: 'soon' is no ISO time.*fields.event_time"),
    "missing time": (CSV.replace("2018-04-01T00:00:01", ""), r"'when', row 2: None is missing"),
    "mixed zones": (
        CSV.replace("00:00:00,", "00:00:00Z,"),
        r"row 2: '2018-04-01T00:00:01' is no ISO time with a zone offset",
    ),
    "year 2150": (
        CSV.replace("2018-04-01 00:00:01.5", "2150-01-01"),
        r"row 3: '2150-01-01' lies outside the years 1970",
    ),
    "duplicate": (CSV.replace("\n3,", "\n1,"), r"'id', row 3: '1' is the event id of row 1 too"),
    "missing id": (CSV.replace("\n3,", "\n,"), r"'id', row 3: None is missing"),
    "long id": (CSV.replace("\n3,", "\n" + "x" * 129 + ","), r"row 3: 'x+' is no identifier \(1 to 128"),
    "missing card": (CSV.replace(",b,", ",,"), r"'card', row 2: None is missing"),
    "negative": (CSV.replace("b,20", "b,-20"), r"'amount', row 2: '-20' is negative; amounts are ≥ 0"),
    "no number": (CSV.replace("b,20", "b,twenty"), r"'amount', row 2: 'twenty' is no number"),
    "missing amount": (CSV.replace("b,20", "b,"), r"'amount', row 2: None is missing"),
    "nan amount": (CSV.replace("b,20", "b,nan"), r"'amount', row 2: 'nan' is missing"),
    "huge amount": (CSV.replace("b,20", "b,1e12"), r"row 2: '1e12' is above the largest amount, 1,000,000,000"),
    "ragged": (CSV.replace("b,20", "b"), r"mine.csv: cannot be read as CSV: .*Row #3.*Expected 4 columns, got 3"),
    "no rows": (ROWS, r"no rows, only columns \(id, when, card, amount\)"),
    "empty": ("", r"mine.csv: the file is empty \(0 bytes\)"),
    "binary": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", r"mine.csv: is neither CSV nor Parquet"),
    "half a Parquet": (b"PAR1 and no more", r"mine.csv: damaged Parquet file"),
    "wrong encoding": (CSV.replace("b", "é").encode("latin-1"), r"mine.csv: cannot be read as CSV.*UTF"),
    "twice": ("id,when,card,amount,id\n" + "1,2018-04-01T00:00:00,a,1,1\n", r"column 'id' is there twice"),
    "not there": (
        CSV.replace("card", "CARD_NR"),
        r"column is missing .*\n +'card' .asked for by fields.card_id.*\n.*id, when, CARD_NR",
    ),
    "nearly there": (CSV.replace("amount", "Amount"), r"'amount' .*; nearest there: 'Amount'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_wrong_with_a_file_is_said(load: Callable[..., Dataset], name: str) -> None:
    text, message = REFUSED[name]
    with pytest.raises(BadInputError, match=message):
        load(text)


def test_the_row_is_found_in_a_long_file(load: Callable[..., Dataset]) -> None:
    lines = [f"{n},2018-04-01T00:00:00,a,{'x' if n == 7_654 else n}" for n in range(1, 9_001)]
    with pytest.raises(BadInputError, match=r"row 7654: 'x' is no number"):
        load(ROWS + "\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fields": {"card_id": None}}, r"map.yaml: fields.card_id: missing"),
        ({"fields": {"crad_id": "card"}}, r"fields.crad_id: unknown key; did you mean card_id\?"),
        ({"srot": True}, r"srot: unknown key; did you mean sort\?"),
        ({"sort": "yes"}, r"sort = 'yes': must be true or false"),
        (
            {"fields": {"amount": {"column": "amount", "unit": "euro"}}},
            r"fields.amount.unit = 'euro': must be one of 'minor' or 'major'",
        ),
        ({"fields": {"amount": {"column": "amount"}}}, r"fields.amount.unit: missing"),
        ({"fields": {"amount": {"column": "amount", "unit": "major", "decimals": 9}}}, r"decimals = 9: must be ≤ 4"),
        ({"fields": {"currency": {"constant": "EUR", "column": "c"}}}, r"fields.currency: .*either column or constant"),
        ({"fields": {"currency": {"constant": "euro"}}}, r"'euro' is no currency code"),
        (
            {"fields": {"event_time": {"column": "when", "timezone": "Mars"}}},
            r"fields.event_time: .*'Mars' is no IANA time zone",
        ),
        (
            {"fields": {"event_time": {"column": "when", "format": "epoch"}}},
            r"fields.event_time.format = 'epoch': must",
        ),
        (
            {"fields": {"channel": "card"}},
            r"'card', row 1: 'a' is no channel of ours \(chip, contactless, online, atm\)",
        ),
        (
            {"fields": {"latitude": "id", "longitude": {"column": "amount"}, "country": "card"}},
            r"'a' is no country code",
        ),
        ({"fields": {"latitude": "when"}}, r"'when', row 1: '2018-04-01T00:00:00' is no number"),
        ({"label": {"column": "fraud"}}, r"no column 'fraud'|'fraud' .asked for by label.column"),
        (
            {"label": {"column": "card", "positive": ["fraud"]}},
            r"'card' holds 'a', 'b'; none of it is in label.positive \(fraud\)",
        ),
        ({"protocol": {"train_from": "2018-04-02", "train_until": "2018-04-01"}}, r"protocol.stream_from: missing"),
    ],
)
def test_what_is_wrong_with_a_map_is_said(load: Callable[..., Dataset], changes: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInputError, match=message):
        load(**changes)


def test_a_protocol_out_of_order_is_refused(load: Callable[..., Dataset]) -> None:
    days = {
        "train_from": "2018-04-02",
        "train_until": "2018-04-05",
        "stream_from": "2018-04-04",
        "stream_until": "2018-04-09",
    }
    with pytest.raises(BadInputError, match="stream_from = 2018-04-04 must not lie before train_until = 2018-04-05"):
        load(protocol=days)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: [", r"map.yaml, line \d+, column \d+: not valid YAML"),
        ("- a", "expected keys and values"),
        ("", "found NoneType"),
    ],
)
def test_a_map_that_is_no_map(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "map.yaml").write_text(text)
    with pytest.raises(BadInputError, match=message):
        load_mapping(tmp_path / "map.yaml")


def test_paths_that_lead_nowhere(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"nothing\.csv: cannot be read: No such file"):
        load_dataset(tmp_path / "nothing.csv", "handbook")
    with pytest.raises(BadInputError, match="is a folder"):
        load_dataset(tmp_path, "handbook")
    with pytest.raises(BadInputError, match=r"no such file, nor a shipped map \(known: handbook, riskbench\)"):
        load_mapping("handbok")


def test_unknown_columns_without_a_map_say_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(CSV)
    with pytest.raises(
        BadInputError,
        match=r"fit none of the shipped column maps .*\n +columns there: id, when.*\n.*--columns MAP.yaml",
    ):
        load_dataset(tmp_path / "mine.csv")


def test_parquet_of_the_wrong_type_is_refused_as_a_column(tmp_path: Path) -> None:
    table = handbook_table(3).set_column(4, "TX_AMOUNT", pa.array([[1], [2], [3]]))
    pq.write_table(table, tmp_path / "h.parquet")
    with pytest.raises(BadInputError, match=r"column 'TX_AMOUNT' holds list<.*>, expected numbers"):
        load_dataset(tmp_path / "h.parquet")
    table = handbook_table(3).set_column(1, "TX_DATETIME", pa.array([1, 2, 3]))
    pq.write_table(table, tmp_path / "h.parquet")
    with pytest.raises(BadInputError, match=r"column 'TX_DATETIME' holds int64, expected times"):
        load_dataset(tmp_path / "h.parquet")


def test_every_shipped_map_is_valid() -> None:
    assert set(shipped_mappings()) == {"handbook", "riskbench"}


def test_the_worked_example_of_the_documentation_loads(tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / "docs" / "own-data.md").read_text(encoding="utf-8")
    for name in ("payments.csv", "chargebacks.csv"):
        block = re.search(rf"`{re.escape(name)}`.*?:\n\n((?:    .+\n)+)", text)
        assert block is not None
        (tmp_path / name).write_text(textwrap.dedent(block[1]))
    mapping = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert mapping is not None
    (tmp_path / "payments.yaml").write_text(mapping[1])
    found = load_dataset(tmp_path / "payments.csv", tmp_path / "payments.yaml")
    second = found.events.to_pylist()[1]
    assert (second["amount_minor"], second["channel"], second["terminal_id"]) == (41_200, "online", "S-02")
    assert found.labels is not None
    assert found.labels["is_fraud"].to_pylist() == [False, True, False]
    assert found.protocol is not None
    assert found.protocol.k == 50
