"""What the model after a run learns from: the run's history, its stream without labels, and what was found about it."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from harness.aml.investigators import FINDINGS_FILE
from harness.aml.own_transfers import all_genuine
from harness.aml.prepare import prepare_longer, prepare_transfers
from harness.case import CASE
from harness.prepared import Prepared
from harness.processes import module_command
from harness.recompute import check_case
from harness.scenario import AmlScenario, load_scenario
from harness.training import Workshop, run_step
from streams.errors import BadInputError, RunInvalidError

JUDGING_S = 1_800.0
SAME = ("event_id", "event_time_ns", "amount_minor", "currency", "from_account", "to_account")
LESSONS = ("history", "history_labels", "accounts", "members")


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A run whose investigators' findings teach: its folder, its scenario, and how many transfers were sent."""

    folder: Path
    scenario: AmlScenario
    sent: int

    @property
    def findings(self) -> Path:
        """What its investigators found."""
        return self.folder / FINDINGS_FILE

    @property
    def bundle(self) -> Path:
        """The model that decided."""
        return self.folder / CASE / "bundle"


def open_run(folder: Path, changes: dict[str, Any], names: dict[str, str]) -> FinishedRun:
    """A finished run, its scenario with `changes` put over it. Raises BadInputError for what cannot teach."""
    check_case(folder)
    scenario = load_scenario(folder / "scenario.yaml", changes, names, domain="aml")
    if not isinstance(scenario, AmlScenario) or not (folder / FINDINGS_FILE).is_file():
        raise BadInputError(f"{folder}: has no {FINDINGS_FILE}: nobody investigated it, so there is nothing to learn")
    try:
        sent = int(json.loads((folder / "results.json").read_bytes())["counts"]["sent"])
    except (ValueError, KeyError, TypeError) as error:
        raise BadInputError(f"{folder / 'results.json'}: does not say how many transfers were sent") from error
    return FinishedRun(folder, scenario, sent)


def prepare_again(run: FinishedRun, cache: Path) -> Prepared:
    """The files the run was made from. Raises BadInputError when they are no longer what was streamed, or have no
    labels to train on."""
    prepared = prepare_transfers(run.scenario, cache)
    streamed = pq.read_table(run.folder / "events.parquet", columns=list(SAME))
    made = pq.read_table(prepared.file("events"), columns=list(SAME))
    if not _by_id(streamed).equals(_by_id(made)):
        raise BadInputError(
            f"{run.folder}: its stream cannot be made again: the world or the data file has changed since; train from "
            "a run of this version and these files"
        )
    if not prepared.labelled:
        raise BadInputError(f"{prepared.facts['source']}: the data has no labels to train on before the stream")
    return prepared


def _by_id(events: pa.Table) -> pa.Table:
    plain = events.cast(pa.schema([pa.field(each.name, _plain(each.type)) for each in events.schema]))
    return plain.sort_by("event_id").combine_chunks()


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def write_lessons(run: FinishedRun, prepared: Prepared, folder: Path) -> Prepared:
    """Write history and stream as one, labelled up to where the stream begins, into `folder`; of members of patterns,
    those of patterns that history shows."""
    history, labels = pq.read_table(prepared.file("history")), pq.read_table(prepared.file("history_labels"))
    stream = pq.read_table(run.folder / "events.parquet").slice(0, run.sent)
    stream = stream.sort_by([("event_time_ns", "ascending"), ("event_id", "ascending")])
    members = pq.read_table(prepared.file("members"))
    known = pc.unique(labels["pattern_id"].drop_null())
    lessons = {
        "history": _after(history, stream.select(history.column_names)),
        "history_labels": _after(labels, all_genuine(stream).select(labels.column_names)),
        "accounts": pq.read_table(prepared.file("accounts")),
        "members": members.filter(pc.is_in(members["pattern_id"], value_set=known)),
    }
    for name in LESSONS:
        pq.write_table(lessons[name], folder / f"{name}.parquet", compression="zstd", compression_level=1)
    shutil.copyfile(run.findings, folder / FINDINGS_FILE)
    return Prepared(folder, prepared.key, False, prepared.windows, prepared.facts)


def _after(first: pa.Table, second: pa.Table) -> pa.Table:
    return pa.concat_tables([first, second.cast(first.schema)]).unify_dictionaries()


def judge_after(
    run: FinishedRun, prepared: Prepared, bundles: Sequence[Path], cache: Path, shop: Workshop
) -> dict[str, Any] | None:
    """What two models (before, after) make of the transfers that follow the run's stream, as `python -m models judge`
    says it; None where nothing follows, as in a file that was streamed to its end."""
    longer = prepare_longer(run.scenario, prepared.events, cache)
    if longer.events <= prepared.events:
        return None
    files, out = shop.logs / "judging", shop.logs / "judged.json"
    files.mkdir(exist_ok=True)
    whole = {
        "events": _after(pq.read_table(longer.file("history")), pq.read_table(longer.file("events"))),
        "labels": _after(pq.read_table(longer.file("history_labels")), pq.read_table(longer.file("labels"))),
    }
    for name, table in whole.items():
        pq.write_table(table, files / f"{name}.parquet", compression="zstd", compression_level=1)
    from_ns = pq.read_table(longer.file("events"), columns=["event_time_ns"])["event_time_ns"][prepared.events].as_py()
    before, after = bundles
    command = module_command(
        "models", "judge",
        "--events", str(files / "events.parquet"),
        "--labels", str(files / "labels.parquet"),
        "--accounts", str(longer.file("accounts")),
        "--members", str(longer.file("members")),
        "--from-ns", str(from_ns),
        "--before", str(before),
        "--after", str(after),
        "--seed", str(run.scenario.seeds.training),
        "--out", str(out),
    )  # fmt: skip
    shop.family.stop(run_step(shop, "judging", command, JUDGING_S))
    try:
        found: dict[str, Any] = json.loads(out.read_bytes())
    except (OSError, ValueError) as error:
        raise RunInvalidError(f"what judged the models cannot be read: {error}") from error
    return found
