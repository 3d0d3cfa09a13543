"""Compiles the kernels before the tests start: `python -m tests.ahead`.

In a fresh clone no kernel has been compiled, and the tests run side by side and start workers, nightly jobs and
collectors side by side: most kernels would be compiled by several processes at once, each for itself. Here each is
compiled once, those of cards, of transfers and of the collector at the same time, and later processes load them from
numba's cache. Kernels that are cached already are loaded only, which takes seconds.
"""

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from harness.decision_wire.rehearsal import rehearse as rehearse_collecting
from models.features.batch import Vocabulary
from models.features.catalog import FEATURES
from models.features.state import FeatureState
from models.features.state import warm_up as warm_up_cards
from models.graph.catalog import AML_FEATURES
from models.graph.markets import every_market
from models.graph.state import warm_up as warm_up_transfers
from rules.pack import load_pack
from rules.typologies.pack import shipped_typologies
from scorer.__main__ import SHIPPED_RULES
from scorer.aml.assembly import typology_columns
from scorer.assembly import rule_columns
from scorer.checkpoint.keeping import rehearse_copying
from scorer.handover import Handover
from scorer.nightly_role import rehearse_closing
from scorer.words.columns import Columns, spelled, written
from streams.codec import encode
from streams.transaction import CHANNELS, CardTransaction

ROOT = Path(__file__).parents[1]


def cards() -> None:
    """What reads, describes, judges and answers card transactions, closes their days and copies their histories."""
    warm_up_cards()
    vocabulary = Vocabulary(("grocery",), CHANNELS)
    state = FeatureState.empty(vocabulary)
    event = CardTransaction(event_id="e", event_time_ns=0, card_id="c", amount_minor=1, currency="EUR")
    if (plain := state.read([encode(event)])) is not None:
        plain.event_ids()
        state.compute(state.batch(plain))
    rehearse_closing(1)
    rehearse_copying(vocabulary)
    pack = load_pack(SHIPPED_RULES["fraud"], rule_columns(vocabulary))
    pack.decide(np.zeros((3, len(FEATURES)), np.float32))
    columns = Columns(["e"], [0.5], [0.0], np.zeros(1, np.int8), np.zeros((1, 8), np.uint8))
    if (parts := spelled(columns)) is not None:
        written(columns, parts, b"")
    Handover()


def transfers() -> None:
    """What describes transfers and scores them."""
    warm_up_transfers(every_market())
    typologies = shipped_typologies(typology_columns())
    typologies.score(np.zeros((2, len(AML_FEATURES)), np.float32), np.zeros(2, np.int32))


SIDES: dict[str, Callable[[], None]] = {"cards": cards, "transfers": transfers, "collecting": rehearse_collecting}
"""They share hardly a kernel."""


def all_sides() -> int:
    """All sides at once, a process each; 0, or the exit code of one that failed."""
    sides = [subprocess.Popen([sys.executable, "-m", "tests.ahead", name], cwd=ROOT) for name in SIDES]
    return max([side.wait() for side in sides], key=abs)


def main(names: Sequence[str]) -> int:
    """The sides of these names in this process; all sides when none is named. The exit code."""
    if not names:
        return all_sides()
    for name in names:
        SIDES[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
