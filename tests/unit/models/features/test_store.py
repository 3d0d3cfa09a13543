"""The feature store: built by the kernel, read through DuckDB, held against what a scorer recorded."""

import json
import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from models.features.batch import Status
from models.features.catalog import FEATURE_NAMES
from models.features.catalogue_page import with_catalogue
from models.features.command import app
from models.features.comparison import compare
from models.features.inspection import ask, summary
from models.features.offline import compute_history
from models.features.store import FILE, open_store
from streams.errors import BadInputError
from streams.labels import LABEL_SCHEMA, NS_PER_DAY
from streams.transaction import TRANSACTION_SCHEMA
from tests.unit.models.features.streams import ORDERLY, VOCABULARY, StreamShape, as_table, random_labels, random_stream

ROOT = Path(__file__).parents[4]
RUN = CliRunner()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """events.parquet and labels.parquet of a history in event-time order, and its store in `store`."""
    folder = tmp_path_factory.mktemp("store")
    events = random_stream(3, StreamShape(**{**vars(ORDERLY), "days": 40.0}))
    pq.write_table(as_table(events), folder / "events.parquet")
    pq.write_table(random_labels(3, events), folder / "labels.parquet")
    built = RUN.invoke(app, ["build", *options(folder), "--out", str(folder / "store"), "--label-delay-days", "3"])
    assert built.exit_code == 0, built.output
    return folder


def options(folder: Path) -> list[str]:
    return ["--events", str(folder / "events.parquet"), "--labels", str(folder / "labels.parquet")]


def recorded(folder: Path, out: Path, rows: slice = slice(None)) -> Path:
    """Decisions that recorded the store's features, in another order."""
    table = pq.read_table(folder / "store" / FILE)
    values = np.stack([table[name].to_numpy() for name in FEATURE_NAMES], axis=1)[rows][::-1]
    content = [row.astype("<f4").tobytes() for row in values]
    ids = table["event_id"].to_pylist()[rows][::-1]
    pq.write_table(pa.table({"event_id": ids, "features": pa.array(content, pa.binary())}), out)
    return out


def test_the_store_holds_the_kernels_rows(files: Path) -> None:
    path, metadata = open_store(files / "store")
    table = pq.read_table(path)
    events, labels = (pq.read_table(files / f"{name}.parquet") for name in ("events", "labels"))
    categories = tuple(metadata["vocabulary"]["category"])
    assert categories == ("food", "fuel", "travel", "unheard")
    from models.features.batch import Vocabulary

    vocabulary = Vocabulary(categories, tuple(metadata["vocabulary"]["channel"]))
    expected = compute_history(events, labels, vocabulary, 3)
    for column, name in enumerate(FEATURE_NAMES):
        assert table[name].to_numpy().tobytes() == np.ascontiguousarray(expected.values[:, column]).tobytes(), name
    assert (metadata["rows"], metadata["features"], metadata["label_delay_days"]) == (400, len(FEATURE_NAMES), 3)
    assert table["is_fraud"].equals(labels["is_fraud"])


def test_the_summary_is_numpys(files: Path) -> None:
    found = {feature["name"]: feature for feature in summary(files / "store")["features"]}
    table = pq.read_table(files / "store" / FILE)
    fraud = table["is_fraud"].to_numpy(zero_copy_only=False)
    for name in ("amount", "seconds_since_merchant", "device_frauds_30d", "merchant_risk_30d"):
        values = table[name].to_numpy()
        for group, rows in (("all", slice(None)), ("fraud", fraud), ("genuine", ~fraud)):
            known = values[rows][~np.isnan(values[rows])].astype(np.float64)
            told = found[name][group]
            assert math.isclose(told["missing_share"], 1 - len(known) / len(values[rows]), abs_tol=1e-12)
            assert (told["min"], told["max"]) == (known.min(), known.max())
            assert math.isclose(told["mean"], known.mean(), rel_tol=1e-6)
            assert math.isclose(told["quantiles"]["0.5"], np.median(known), rel_tol=1e-6)


def test_questions_in_sql_only_read(files: Path) -> None:
    store = files / "store"
    assert ask(store, "SELECT count(*) AS n FROM features") == {"columns": ["n"], "rows": [[400]]}
    elsewhere = files / "events.parquet"
    for sql, said in (
        ("DROP VIEW features", "one SELECT"),
        ("SELECT 1; SELECT 2", "one SELECT"),
        (f"COPY features TO '{files / 'stolen.csv'}'", "one SELECT"),
        (f"FROM '{elsewhere}'", "disabled by configuration"),
        ("SELECT nothing FROM features", "nothing"),
    ):
        with pytest.raises(BadInputError, match=said):
            ask(store, sql)


def test_equal_features_are_equal_in_any_order(files: Path, tmp_path: Path) -> None:
    found = compare(files / "store", recorded(files, tmp_path / "decisions.parquet"))
    assert (found["equal"], found["compared"], found["not_in_store"], found["differing_features"]) == (True, 400, 0, 0)


def test_the_first_event_that_differs_is_named(files: Path, tmp_path: Path) -> None:
    decisions = recorded(files, tmp_path / "decisions.parquet")
    table = pq.read_table(decisions)
    content = table["features"].to_pylist()
    ids = table["event_id"].to_pylist()
    column = FEATURE_NAMES.index("sum_30d")
    for event in ("event-7-é", "event-300-é"):
        values = np.frombuffer(content[ids.index(event)], "<f4").copy()
        values[column] = np.nextafter(values[column], np.float32(np.inf))
        content[ids.index(event)] = values.tobytes()
    pq.write_table(table.set_column(1, "features", pa.array(content, pa.binary())), decisions)
    result = tmp_path / "found.json"
    told = ["compare", str(files / "store"), "--decisions", str(decisions), "--result", str(result)]
    assert RUN.invoke(app, told).exit_code == 1
    found = json.loads(result.read_text())
    differing = {one["feature"]: one for one in found["features"] if one["differing"]}
    assert list(differing) == ["sum_30d"]
    assert (differing["sum_30d"]["differing"], differing["sum_30d"]["first"]["event_id"]) == (2, "event-7-é")


def test_events_that_the_store_lacks_are_no_agreement(files: Path, tmp_path: Path) -> None:
    decisions = recorded(files, tmp_path / "decisions.parquet")
    table = pq.read_table(decisions)
    ids = ["elsewhere", *table["event_id"].to_pylist()[1:]]
    pq.write_table(table.set_column(0, "event_id", pa.array(ids)), decisions)
    found = compare(files / "store", decisions)
    assert (found["equal"], found["not_in_store"], found["differing_features"]) == (False, 1, 0)


@pytest.mark.parametrize(
    ("features", "said"),
    [([None, None], "records no features"), ([b"1234", b"1234"], "another catalogue")],
)
def test_decisions_that_do_not_fit_are_refused(
    files: Path, tmp_path: Path, features: list[bytes | None], said: str
) -> None:
    decisions = tmp_path / "decisions.parquet"
    ids = ["event-0-é", "event-1-é"]
    pq.write_table(pa.table({"event_id": ids, "features": pa.array(features, pa.binary())}), decisions)
    with pytest.raises(BadInputError, match=said):
        compare(files / "store", decisions)


def test_what_is_no_store_is_refused(files: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"it holds no features\.parquet"):
        open_store(tmp_path)
    pq.write_table(pa.table({"amount": [1.0]}), tmp_path / FILE)
    with pytest.raises(BadInputError, match="not written by a feature store"):
        open_store(tmp_path)
    table = pq.read_table(files / "store" / FILE)
    metadata = {
        key: value.replace(b'"catalogue": "', b'"catalogue": "0') for key, value in table.schema.metadata.items()
    }
    pq.write_table(table.replace_schema_metadata(metadata), tmp_path / FILE)
    with pytest.raises(BadInputError, match="another catalogue"):
        open_store(tmp_path)


def test_a_stream_goes_on_from_a_state_bit_for_bit(tmp_path: Path) -> None:
    events = random_stream(5, StreamShape(**{**vars(ORDERLY), "days": 40.0}))
    table, labels = as_table(events), random_labels(5, events)
    until_ns = (events[250].event_time_ns // NS_PER_DAY + 1) * NS_PER_DAY
    cut = sum(event.event_time_ns < until_ns for event in events)
    history = compute_history(table.slice(0, cut), labels.slice(0, cut), VOCABULARY, 3, until_ns=until_ns)
    history.state.save(tmp_path / "features.state", {})
    history.ledger.save(tmp_path / "ledger.state", {})
    reported = labels["reported_at_ns"]
    later = pc.indices_nonzero(pc.fill_null(pc.greater_equal(reported, until_ns), False))
    names = ("event_id", "event_time_ns", "card_id", "merchant_id", "terminal_id", "device_id")
    told = {
        name: pc.cast(table[name].take(later), pa.string() if name.endswith("id") else pa.int64()) for name in names
    }
    told |= {"reported_at_ns": reported.take(later), "is_fraud": labels["is_fraud"].take(later)}
    pq.write_table(pa.table(told), tmp_path / "dispositions.parquet")
    pq.write_table(table.slice(cut), tmp_path / "events.parquet")
    command = ["build", "--events", str(tmp_path / "events.parquet"), "--out", str(tmp_path / "store")]
    command += ["--state", str(tmp_path), "--dispositions", str(tmp_path / "dispositions.parquet")]
    assert RUN.invoke(app, command).exit_code == 0
    whole = compute_history(table, labels, VOCABULARY, 3)
    stored = pq.read_table(tmp_path / "store" / FILE)
    for column, name in enumerate(FEATURE_NAMES):
        assert stored[name].to_numpy().tobytes() == np.ascontiguousarray(whole.values[cut:, column]).tobytes(), name
    assert set(stored["status"].to_pylist()) == {int(Status.ON_TIME)}


def test_no_events_make_an_empty_store(tmp_path: Path) -> None:
    pq.write_table(TRANSACTION_SCHEMA.empty_table(), tmp_path / "events.parquet")
    pq.write_table(LABEL_SCHEMA.empty_table(), tmp_path / "labels.parquet")
    refused = RUN.invoke(app, ["build", *options(tmp_path), "--out", str(tmp_path)])
    assert isinstance(refused.exception, BadInputError)


def test_the_pages_catalogue_is_current() -> None:
    page = (ROOT / "docs" / "features.md").read_text(encoding="utf-8")
    assert with_catalogue(page) == page
    aml = (ROOT / "docs" / "aml-features.md").read_text(encoding="utf-8")
    assert with_catalogue(aml, "aml") == aml
    refused = RUN.invoke(app, ["catalogue", "--of", "cards"])
    assert "--of cards: no such catalogue; there are fraud and aml" in str(refused.exception)
    with pytest.raises(BadInputError, match="has no lines"):
        with_catalogue("# Features\n")
