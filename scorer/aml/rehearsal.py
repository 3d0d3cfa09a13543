"""Runs everything once before the first transfer, so that no transfer meets a cold kernel, graph or cache."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.bundle import Bundle
from models.explain import Explainer
from models.graph.catalog import AML_FEATURES
from models.graph.link_ledger import LinkLedger
from models.graph.markets import every_market
from models.graph.state import GraphState
from models.onnx_model import OnnxModel
from rules.typologies.pack import TypologyPack
from scorer.aml.pipeline import TransferParts, TransferPipeline
from scorer.aml.places import Places
from scorer.aml.raising import AlertRaiser
from scorer.clock import ClockNs
from scorer.counters import Counters
from scorer.guarded_model import Guarded
from streams.account import ACCOUNT_SCHEMA
from streams.codec import decode_transfers, encode
from streams.labels import NS_PER_DAY, NS_PER_HOUR
from streams.transfer import TRANSFER_CHANNELS, Transfer

ROUNDS = 3
TRANSFERS_KEPT = 64


@dataclass(frozen=True, slots=True)
class _Unguarded:
    """The model as it is: what it says in a rehearsal is not the breaker's concern."""

    model: OnnxModel

    def score(self, values: NDArray[np.float32]) -> Guarded:
        """See `scorer.judgement.Guard`."""
        return Guarded(self.model.score(values))


def rehearse(
    pack: TypologyPack, bundle: Bundle, model: OnnxModel, explainer: Explainer, batch_max: int, clock_ns: ClockNs
) -> None:
    """Transfers of made-up accounts through a pipeline of their own, one by one and in full micro-batches, over the end
    of a day, with its community table; then what only some transfers need, an explanation and reasons.

    The worker's own state, its counters and the breaker are not touched.
    """
    pipeline = _pipeline(pack, bundle, model, clock_ns)
    try:
        for start in range(0, 2 * ROUNDS * NS_PER_DAY, NS_PER_DAY):
            for first, size in ((0, 1), (1, batch_max)):
                made_up = [_made_up(start, first + index) for index in range(size)]
                transfers, _, _ = decode_transfers([encode(each) for each in made_up])
                answers = pipeline.answer(transfers, clock_ns())
                for message in (*answers.alerts, *answers.decisions):
                    encode(message)
    finally:
        pipeline.evening.close()
    values = np.full((2, len(AML_FEATURES)), np.nan, np.float32)
    list(explainer.told(values, model.score(values).reconstruction_error, 3))
    for typology in range(len(pack.typologies)):
        pack.reasons(typology, values[0], -1)


def _pipeline(pack: TypologyPack, bundle: Bundle, model: OnnxModel, clock_ns: ClockNs) -> TransferPipeline:
    accounts = _accounts()
    state = GraphState(accounts, every_market())
    parts = TransferParts(
        state,
        LinkLedger(),
        Places.of(state, accounts),
        pack,
        AlertRaiser(pack, accounts, TRANSFERS_KEPT),
        _Unguarded(model),
        bundle.calibration,
        bundle.thresholds,
        bundle.model_version,
    )
    return TransferPipeline(parts, clock_ns=clock_ns, worker="rehearsal", counters=Counters(), explain="all")


def _accounts() -> pa.Table:
    row = {
        "bank_id": "bank",
        "market": "DE",
        "currency": "EUR",
        "kind": "person",
        "segment": "salaried",
        "opened_at_ns": 0,
        "risk_rating": 1,
        "is_pep": False,
        "expected_monthly_minor": 100_000,
        "expected_cash_monthly_minor": 0,
        "expects_foreign": False,
    }
    names = [{"account_id": f"account-{number}", "customer_id": f"customer-{number}"} for number in range(8)]
    return pa.Table.from_pylist([name | row for name in names], schema=ACCOUNT_SCHEMA)


def _made_up(start_ns: int, index: int) -> Transfer:
    """The last hours of one business day and the first of the next; now and then one side is not known."""
    return Transfer(
        event_id=f"rehearsal-{start_ns}-{index}",
        event_time_ns=start_ns + 20 * NS_PER_HOUR + index % 8 * NS_PER_HOUR // 2,
        amount_minor=9_000 + 37 * index,
        currency="EUR",
        channel=TRANSFER_CHANNELS[index % len(TRANSFER_CHANNELS)],
        from_account=f"account-{index % 8}",
        to_account=None if index % 5 == 4 else f"account-{(index * 3 + 1) % 8}",
        from_country="DE",
        to_country="FR",
    )
