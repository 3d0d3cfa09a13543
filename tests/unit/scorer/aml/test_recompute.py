"""Decisions about transfers are made again from a case, bit for bit, and what was changed since is noticed."""

import dataclasses
import itertools
import shutil
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from harness.decision_rows import CUSTOMER
from models.aml.history import TransferFiles
from models.aml.settings import AML_BOOSTING, AmlTrainSettings
from models.aml.train import train_aml_bundle
from models.bundle import Bundle
from models.fitting import FitSettings
from models.graph.catalog import AML_FEATURE_NAMES
from models.graph.link_ledger import LinkLedger
from models.graph.markets import every_market
from models.graph.state import GraphState
from models.onnx_model import OnnxModel
from rules.typologies.pack import SHIPPED
from scorer.aml.assembly import load_packs
from scorer.aml.pipeline import TransferParts, TransferPipeline
from scorer.aml.places import Places
from scorer.aml.raising import AlertRaiser
from scorer.aml.recompute import recompute_transfers
from scorer.aml.replaying import replay_transfers
from scorer.aml.state_files import ACCOUNTS, TransferState, load_state
from scorer.counters import Counters
from scorer.guarded_model import Fallback, Guarded
from scorer.recompute import Recomputed
from scorer.recorded import COLUMNS, Case, Choice
from streams.alert import RawAlert
from streams.codec import table_to_transfers
from streams.decision import Decision
from streams.errors import BadInputError
from streams.labels import NS_PER_DAY
from streams.worlds.aml.config import AmlWorldConfig
from streams.worlds.aml.world import AmlTables, AmlWorld
from tests.unit.models.aml.laundering_history import START_NS, easy_history

FIT = FitSettings(seed=3, boosting=dataclasses.replace(AML_BOOSTING, rounds_max=10))
SETTINGS = AmlTrainSettings(from_ns=START_NS + 2 * NS_PER_DAY, validation_share=0.35, fit=FIT, genuine_share=0.5)


class DownNowAndThen:
    """The model, which gives no score for every third micro-batch."""

    def __init__(self, bundle: Bundle) -> None:
        self._model, self._calls = OnnxModel(bundle), 0

    def score(self, values: NDArray[np.float32]) -> Guarded:
        self._calls += 1
        return Guarded(None, Fallback("open", "")) if self._calls % 3 == 0 else Guarded(self._model.score(values))


@dataclasses.dataclass(frozen=True)
class Run:
    """A run's files, and the alerts it raised."""

    folder: Path
    alerts: list[RawAlert]

    def again(self, choice: Choice, *, contributions: bool = False) -> list[Recomputed]:
        files = (self.folder / "events.parquet", self.folder / "decisions.parquet")
        return recompute_transfers(Case(self.folder / "case"), *files, choice, contributions)


def write_case(case: Path, tables: AmlTables, folder: Path) -> None:
    history = easy_history()
    files = TransferFiles(*(folder / f"easy_{name}.parquet" for name in ("events", "labels", "accounts", "members")))
    parts = (history.transfers, history.laundering, history.accounts, history.members)
    for path, table in zip(files.paths(), parts, strict=True):
        pq.write_table(table, path)
    train_aml_bundle(files, case / "bundle", SETTINGS)
    (case / "rules").mkdir()
    for pack in sorted(SHIPPED.glob("*.yaml")):
        shutil.copyfile(pack, case / "rules" / pack.name)
    (case / "state").mkdir()
    pq.write_table(tables.accounts, case / "state" / ACCOUNTS)
    packs = load_packs(case / "rules")
    graph, raiser = GraphState(tables.accounts, every_market()), AlertRaiser(packs, tables.accounts)
    state = TransferState(graph, LinkLedger(), raiser, tables.accounts)
    assert list(replay_transfers(state, packs, tables.history_events))
    state.save(case / "state")


def decide(case: Path, events: pa.Table) -> tuple[list[Decision], list[RawAlert]]:
    pack, bundle = load_packs(case / "rules"), Bundle.load(case / "bundle", AML_FEATURE_NAMES)
    state = load_state(case / "state", pack)
    parts = TransferParts(
        state.graph, state.ledger, Places.of(state.graph, state.accounts), pack, state.raiser, DownNowAndThen(bundle),
        bundle.calibration, bundle.thresholds, bundle.model_version,
    )  # fmt: skip
    ticks = itertools.count()
    made = TransferPipeline(parts, clock_ns=lambda: next(ticks), worker="w", counters=Counters())
    decisions: list[Decision] = []
    alerts: list[RawAlert] = []
    transfers = table_to_transfers(events)
    for start in range(0, len(transfers), 64):
        found = made.answer(transfers[start : start + 64], 0)
        decisions += found.decisions
        alerts += found.alerts
    made.evening.close()
    return decisions, alerts


def as_recorded(decisions: list[Decision]) -> pa.Table:
    columns = {name: pa.array([getattr(each, name) for each in decisions]) for name in COLUMNS}
    customers = [[{**dict.fromkeys(CUSTOMER.names), **msgspec.structs.asdict(one)} for one in each.customers]
                 for each in decisions]  # fmt: skip
    return pa.table({**columns, "customers": pa.array(customers, pa.list_(CUSTOMER))})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("transfers-again")
    tables = AmlWorld(AmlWorldConfig(customers=300, laundering_share=0.01), 3).generate(3, 900)
    (folder / "case").mkdir()
    write_case(folder / "case", tables, folder)
    pq.write_table(tables.stream_events, folder / "events.parquet")
    decisions, alerts = decide(folder / "case", tables.stream_events)
    pq.write_table(as_recorded(decisions), folder / "decisions.parquet")
    return Run(folder, alerts)


def test_every_decision_is_made_again_bit_for_bit(run: Run) -> None:
    found = run.again(Choice())
    assert len(found) == 900
    assert all(one.equal and one.features_equal is not False for one in found)
    assert {one.path for one in found} >= {"model", "fallback"}
    assert {one.outcome for one in found} == {"approve", "review"}
    assert any(len(one.customers) == 2 for one in found)


def test_one_decision_is_told_whole(run: Run) -> None:
    raised = {alert.raised_by: alert for alert in run.alerts}
    by_model = {one.event_id for one in run.again(Choice()) if one.path == "model"}
    event_id = next(name for name in raised if name in by_model)
    (one,) = run.again(Choice(event_id), contributions=True)
    assert one.equal
    assert set(one.features) == set(AML_FEATURE_NAMES)
    deciding = [rule.code for rule in one.rules if rule.deciding]
    assert deciding == [alert.typology for alert in run.alerts if alert.raised_by == event_id]
    assert any(not rule.deciding for rule in one.rules), "the bands of its highest typology"
    assert one.margin is not None
    assert one.base is not None
    assert sum(each.contribution for each in one.contributions) + one.base == pytest.approx(one.margin, abs=1e-4)


def test_a_sample_is_as_large_as_asked_for(run: Run) -> None:
    found = run.again(Choice(sample=50, seed=2), contributions=True)
    assert len(found) == 50
    assert all(one.equal for one in found)
    assert all(bool(one.contributions) == (one.path == "model") for one in found)


def test_what_was_changed_is_noticed(run: Run, tmp_path: Path) -> None:
    recorded = pq.read_table(run.folder / "decisions.parquet")
    rows = recorded.to_pylist()
    rows[5]["customers"][0]["score"] += 1e-12
    rows[6]["score"] += 1e-12
    pq.write_table(pa.Table.from_pylist(rows, schema=recorded.schema), tmp_path / "decisions.parquet")
    case = Case(run.folder / "case")
    found = recompute_transfers(case, run.folder / "events.parquet", tmp_path / "decisions.parquet", Choice(), False)
    assert [row for row, one in enumerate(found) if not one.equal] == [5, 6]
    assert found[5].features, "what differs is shown"


def test_what_does_not_belong_together_is_refused(run: Run, tmp_path: Path) -> None:
    decisions = run.folder / "decisions.parquet"
    events = pq.read_table(run.folder / "events.parquet")
    pq.write_table(events.slice(10), tmp_path / "others.parquet")
    with pytest.raises(BadInputError, match="10 decided events are not in the stream"):
        recompute_transfers(Case(run.folder / "case"), tmp_path / "others.parquet", decisions, Choice(), False)
    shutil.copytree(run.folder / "case", tmp_path / "case", ignore=shutil.ignore_patterns("state"))
    with pytest.raises(BadInputError, match="lacks state"):
        recompute_transfers(Case(tmp_path / "case"), run.folder / "events.parquet", decisions, Choice(), False)
    pack = tmp_path / "case" / "rules" / "fan_in.yaml"
    pack.write_text(pack.read_text().replace("window_days: ", "window_days: 1", 1))
    shutil.copytree(run.folder / "case" / "state", tmp_path / "case" / "state")
    with pytest.raises(BadInputError, match="rules of the case is version"):
        recompute_transfers(Case(tmp_path / "case"), run.folder / "events.parquet", decisions, Choice(), False)
