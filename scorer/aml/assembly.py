"""Puts a worker for transfers together from its files: bundle, typologies, warm state, guards."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from models.bundle import Bundle
from models.explain import Explainer
from models.freezing import freeze
from models.graph.catalog import AML_FEATURE_NAMES, AML_FEATURES
from models.onnx_model import OnnxModel
from rules.columns import Column
from rules.typologies.pack import TypologyPack, load_typologies
from scorer.aml.pipeline import TransferParts, TransferPipeline
from scorer.aml.places import Places
from scorer.aml.rehearsal import rehearse
from scorer.aml.state_files import TransferState, load_state
from scorer.clock import ClockNs
from scorer.counters import Counters
from scorer.guarding import Guarding, guarding
from scorer.options import RunOptions, required
from streams.errors import BadInputError
from streams.transfer import TRANSFER_CHANNELS


@dataclass(frozen=True, slots=True)
class TransferWorker:
    """A pipeline ready to decide, and what stands around it."""

    pipeline: TransferPipeline
    explainer: Explainer
    guarding: Guarding
    counters: Counters
    bundle: Bundle
    state: TransferState


def typology_columns() -> list[Column]:
    """The catalogue as columns that a typology may speak of."""
    return [
        Column(each.name, each.kind, each.low, each.high, _words(each.name), each.unit, each.family)
        for each in AML_FEATURES
    ]


def _words(feature: str) -> tuple[str, ...]:
    return TRANSFER_CHANNELS if feature == "channel_code" else ()


def load_packs(folder: Path) -> TypologyPack:
    """The typologies of a folder, a file each. Raises `BadInputError` when there is none, `RuleError` for what is wrong
    with one."""
    files = sorted(folder.glob("*.yaml"))
    if not files:
        raise BadInputError(f"--rules {folder}: no typology (*.yaml) in it")
    return load_typologies(files, typology_columns())


@contextmanager
def transfer_worker(options: RunOptions, clock_ns: ClockNs) -> Iterator[TransferWorker]:
    """Load and verify everything, rehearse it so that the first transfer meets nothing cold, and freeze it.

    Raises `BundleError`, `RuleError` or `BadInputError` naming the file and what is wrong with it.
    """
    bundle = Bundle.load(required(options.bundle, "--bundle", f"engine {options.engine}"), AML_FEATURE_NAMES)
    pack = load_packs(options.rules)
    state = load_state(Path(required(options.state, "--state", "monitoring of transfers")), pack)
    model, counters, explainer = OnnxModel(bundle), Counters(), Explainer(bundle, AML_FEATURES)
    with guarding(options, clock_ns, bundle, model) as guards:
        parts = TransferParts(
            state.graph,
            state.ledger,
            Places.of(state.graph, state.accounts),
            pack,
            state.raiser,
            guards.guard,
            bundle.calibration,
            bundle.thresholds,
            bundle.model_version,
        )
        pipeline = TransferPipeline(
            parts, clock_ns=clock_ns, worker=options.worker, counters=counters, explain=options.explain
        )
        pipeline.keep_late_scores(guards.late_scores)
        try:
            rehearse(pack, bundle, model, explainer, options.batch_max, clock_ns)
            freeze()
            yield TransferWorker(pipeline, explainer, guards, counters, bundle, state)
        finally:
            pipeline.evening.close()
