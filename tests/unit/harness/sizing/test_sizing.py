"""What a rate takes: every figure is a product of costs and assumptions, and the page shows all of them."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from harness.cli import app
from harness.commands.size import MARK
from harness.sizing.costs import PARTS, Costs, latest_run, measured_costs
from harness.sizing.page import ROWS, to_markdown
from harness.sizing.sizes import Assumed, size_of
from streams.errors import BadInputError
from tests.example_run import build_run

PAGE = Path(__file__).parents[4] / "docs" / "sizing.md"
CPU = {"worker": 50.0, "nightly": 5.0, "load": 20.0, "receiver": 10.0, "reader": 10.0, "collector": 5.0, "broker": 25.0}
COSTS = Costs(
    run="r", domain="fraud", engine="native", broker="apache 4", machine="2 cores", rate_per_s=2_000.0, events=20_000,
    cpu_us=dict(CPU), event_bytes=360.0, decision_bytes=760.0, entities=1_000, entity_bytes=500.0,
    worker_bytes=300_000_000,
)  # fmt: skip


def test_a_rate_takes_what_its_events_cost() -> None:
    found = size_of(100_000.0, COSTS, Assumed())
    # 100,000/s x 50 µs = 5 cores, at half their time 10
    assert (found.workers, found.partitions) == (10, 20)
    assert (found.senders, found.collectors, found.hosts) == (4, 4, 1)
    assert found.broker_cores == 15  # three copies
    assert found.brokers == 3
    assert found.network_in_bytes_s == pytest.approx(100_000 * 1_200 * 3)
    assert found.network_out_bytes_s == pytest.approx(100_000 * (2 * 400 + 800 + 2 * 1_200))
    assert found.disk_bytes == pytest.approx(found.network_in_bytes_s * 3_600 * 24)
    assert found.worker_memory_bytes == pytest.approx(300e6 + 2 * 500 * 1_000_000 / 10)
    assert found.nightly_cores == pytest.approx(0.5)
    assert [limit.rate_per_s for limit in found.reached] == []
    assert found.next is not None
    assert found.next.rate_per_s == pytest.approx(100_000)


def test_what_there_is_one_of_is_named_as_a_limit() -> None:
    found = size_of(1_000_000.0, COSTS, Assumed())
    assert [limit.what.split(" (")[0] for limit in found.reached] == [
        "the collector behind the readers", "the nightly job",
    ]  # fmt: skip
    assert found.hosts == 10
    assert found.next is None


def test_transfers_have_one_graph_worker_however_many_there_are() -> None:
    found = size_of(1_000_000.0, replace(COSTS, domain="aml"), Assumed())
    assert (found.workers, found.partitions, found.collectors, found.hosts) == (1, 1, 1, 1)
    assert any("graph worker" in limit.what for limit in found.reached)


@given(st.floats(1, 1e6), st.floats(1, 1e6), st.floats(0.05, 0.95))
def test_more_takes_no_less(one: float, other: float, utilisation: float) -> None:
    low, high = sorted((one, other))
    assumed = Assumed(utilisation=utilisation)
    small, large = size_of(low, COSTS, assumed), size_of(high, COSTS, assumed)
    assert size_of(low, replace(COSTS, cpu_us={**CPU, "broker": None}), assumed).broker_cores is None
    for name in ("workers", "partitions", "broker_cores", "brokers", "senders", "collectors", "hosts", "disk_bytes"):
        assert getattr(small, name) <= getattr(large, name)
    for size in (small, large):
        assert size.workers * utilisation * 1e6 >= size.rate_per_s * CPU["worker"] * (1 - 1e-9)


def measured_run(folder: Path, **changes: Any) -> Path:
    """A run folder that says what its processes cost."""
    build_run(folder)
    results = json.loads((folder / "results.json").read_text())
    memory = {f"memory_{which}_bytes": 10**8 for which in ("start", "end", "max")}
    names = {"scorer worker-1": 1.0, "scorer worker-2": 1.0, "load": 0.5, "receiver": 0.1, "collector": 0.4}
    results["processes"] = [
        {"name": name, "cpu_s": cpu_s, "cpu_us_per_event": None, **memory} for name, cpu_s in names.items()
    ]
    results["load"] |= {"event_bytes": 300.0, "decision_bytes": 700.0}
    results |= {"config": {"domain": "fraud"}} | changes
    (folder / "results.json").write_text(json.dumps(results))
    case = folder / "case"
    for name in ("state", "prepared"):
        (case / name).mkdir(parents=True)
    (case / "state" / "features.state").write_bytes(bytes(4_000))
    (case / "state" / "ledger.state").write_bytes(bytes(9_000))
    cards = pa.array(["a", "b", "a", "c", "d"]).dictionary_encode()
    pq.write_table(pa.table({"card_id": cards}), case / "prepared" / "history.parquet")
    return folder


def test_costs_are_read_from_a_run(tmp_path: Path) -> None:
    found = measured_costs(measured_run(tmp_path / "run"))
    assert found.cpu_us["worker"] == pytest.approx(2e6 / found.events)
    assert found.cpu_us["broker"] is None
    assert set(found.cpu_us) == set(PARTS)
    assert (found.entities, found.entity_bytes, found.event_bytes) == (4, 1_000.0, 300.0)
    assert latest_run(tmp_path, "fraud") == tmp_path / "run"


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"processes": []}, "was not measured through a broker"), ({"model": None}, "as a scorer of ours")],
)
def test_a_run_that_cannot_say_is_refused(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        measured_costs(measured_run(tmp_path / "run", **changes))
    with pytest.raises(BadInputError, match="make one"):
        latest_run(tmp_path, "fraud")
    with pytest.raises(BadInputError, match="no finished run"):
        measured_costs(tmp_path)


def test_the_command_writes_its_table_into_a_page(tmp_path: Path) -> None:
    run, page = measured_run(tmp_path / "run"), tmp_path / "page.md"
    page.write_text(f"# Sizing\n\nBefore.\n\n<!-- {MARK} fraud -->\nstale\n<!-- end of {MARK} fraud -->\n\nAfter.\n")
    told = CliRunner().invoke(app, ["size", "--from", str(run), "--rate", "5000", "--write", str(page)])
    assert told.exit_code == 0, told.output
    written = page.read_text()
    assert "stale" not in written
    assert "| events/s | 5,000 |" in written
    assert written.endswith("After.\n")
    as_json = CliRunner().invoke(app, ["size", "--from", str(run), "--rate", "5000", "--json"])
    assert json.loads(as_json.stdout)["sizes"][0]["rate_per_s"] == 5_000


@pytest.mark.parametrize(
    "options", [["--rate", "0"], ["--utilisation", "1.5"], ["--domain", "aml"]], ids=lambda options: options[0]
)
def test_what_cannot_be_is_refused(tmp_path: Path, options: list[str]) -> None:
    run = measured_run(tmp_path / "run")
    found = CliRunner().invoke(app, ["size", "--from", str(run), *options])
    assert isinstance(found.exception, BadInputError)
    assert found.exception.exit_code == 2


@pytest.mark.parametrize("domain", ["fraud", "aml"])
def test_the_page_has_the_tables_the_command_prints(domain: Literal["fraud", "aml"]) -> None:
    """In docs/sizing.md, however the figures read today."""
    found = re.search(f"<!-- {MARK} {domain} -->(.*?)<!-- end of {MARK} {domain} -->", PAGE.read_text(), re.DOTALL)
    assert found is not None
    costs = replace(COSTS, domain=domain)
    printed = to_markdown(
        [size_of(rate, costs, Assumed()) for rate in (1e3, 1e4, 1e5, 1e6)], costs, Assumed(), "bench size"
    )
    assert _shape(found[1]) == _shape(printed)
    assert [name for name, _ in ROWS] == _shape(found[1])[1 : 1 + len(ROWS)]


def _shape(page: str) -> list[str]:
    """First cells of all tables."""
    return [line.split("|")[1].strip() for line in page.splitlines() if line.startswith("| ") and "---" not in line]
