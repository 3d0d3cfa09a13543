"""Runs everything once before the first event, so that no event meets a cold kernel, graph or cache."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from models.features.batch import Vocabulary
from models.features.day_table import DayTable, PlaceRows
from models.features.place_kinds import KINDS
from models.features.state import FeatureState
from models.features.table_messages import DayTableAssembler, to_messages
from models.onnx_model import ModelOutput
from rules.pack import APPROVE, RulePack
from scorer.explaining import Contributions
from scorer.judgement import BY_MODEL, Judgement
from scorer.pipeline import Parts
from scorer.words.answers import Answers, Speaker
from scorer.words.decided import Decided
from streams.codec import decode_transactions, encode
from streams.decision import Explanation
from streams.labels import NS_PER_HOUR
from streams.transaction import CHANNELS, CardTransaction

ROUNDS = 3


def rehearse(
    parts: Parts, score: Callable[[NDArray[np.float32]], ModelOutput], contributions: Contributions, batch_max: int
) -> None:
    """Features on a scratch state, rules, model and explanation, for one event and for a full micro-batch.

    The worker's own state, its counters and the breaker are not touched.
    """
    scratch = FeatureState.empty(Vocabulary(parts.state.vocabulary.category, parts.state.vocabulary.channel))
    for day in range(2):
        _install(day, scratch)
    pack = parts.judge.pack
    start = 0
    for size in (1, batch_max) * ROUNDS:
        messages = [encode(_made_up(start + index)) for index in range(size)]
        start += size
        values = scratch.compute(scratch.code_events(decode_transactions(messages)[0])).values
        if (plain := scratch.read(messages)) is not None:
            plain.event_ids()
            values = scratch.compute(scratch.batch(plain)).values
        verdicts = pack.decide(values)
        pack.fallback(verdicts)
        pack.reasons(verdicts.fired[0], values[0])
        output = score(values)
        few = slice(0, min(size, 8))
        reasons = list(contributions.told(values[few], output.reconstruction_error[few], 3))
        encode(Explanation(event_id="rehearsal", reasons=reasons[0]))
        _put_into_words(Decided(_ids(size), values, verdicts, _approved(output), {"features": 1}), pack)
    parts.state.make_ready()


def _ids(count: int) -> list[str]:
    return [f"rehearsal-{index}" for index in range(count)]


def _approved(output: ModelOutput) -> Judgement:
    count = len(output.margin)
    by_model = np.full(count, BY_MODEL, np.int8)
    return Judgement(
        np.full(count, APPROVE, np.int8), by_model, np.full(count, 0.5), output.margin, output.reconstruction_error
    )


def _put_into_words(decided: Decided, pack: RulePack) -> None:
    answers = Answers(decided, Speaker(pack, "", "", tells_all=False), 0)
    answers.written(0, len(answers), lambda: 0)


def _install(day: int, state: FeatureState) -> None:
    """Install a table of a place of each kind that came as messages."""
    rows = {kind.name: PlaceRows.of([f"{kind.name}-1"], np.ones((1, kind.width), np.float32)) for kind in KINDS}
    assembler = DayTableAssembler()
    for message in to_messages(DayTable.of(day, rows)):
        if (table := assembler.add(message)) is not None:
            state.install(table)


def _made_up(index: int) -> CardTransaction:
    return CardTransaction(
        event_id=f"rehearsal-{index}",
        event_time_ns=(index + 1) * NS_PER_HOUR // 60,
        card_id=f"card-{index % 50}",
        amount_minor=100 + 37 * index,
        currency="EUR",
        merchant_id=f"merchant-{index % 7}",
        terminal_id=f"terminal-{index % 11}",
        device_id=f"device-{index % 5}",
        channel=CHANNELS[index % len(CHANNELS)],
        country="DE",
        latitude=50.0 + index % 10 / 10,
        longitude=8.0 + index % 10 / 10,
    )
