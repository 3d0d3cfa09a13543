"""What was compiled once is never compiled again: a worker's kernels come from numba's cache on disk."""

import subprocess
import sys

WARMED = """
import numpy as np
from numba.core.event import RecordingListener, install_listener

from models.features.batch import Vocabulary
from models.features.catalog import FEATURES
from models.features.state import warm_up as warm_features
from models.graph.catalog import AML_FEATURES
from models.graph.markets import every_market
from models.graph.state import warm_up as warm_graph
from rules.pack import load_pack
from rules.typologies.pack import shipped_typologies
from scorer.__main__ import SHIPPED_RULES
from scorer.aml.assembly import typology_columns
from scorer.assembly import rule_columns
from scorer.handover import Handover
from scorer.words.columns import Columns, spelled, written
from streams.transaction import CHANNELS

with install_listener("numba:compile", RecordingListener()) as listener:
    warm_features()
    warm_graph(every_market())
    pack = load_pack(SHIPPED_RULES["fraud"], rule_columns(Vocabulary(("grocery",), CHANNELS)))
    pack.decide(np.zeros((3, len(FEATURES)), np.float32))
    typologies = shipped_typologies(typology_columns())
    typologies.score(np.zeros((2, len(AML_FEATURES)), np.float32), np.zeros(2, np.int32))
    Handover()
    columns = Columns(["e"], [0.5], [0.0], np.zeros(1, np.int8), np.zeros((1, 8), np.uint8))
    written(columns, spelled(columns), b"")
print(len(listener.buffer))
"""


def started() -> int:
    """How many kernels a new process compiles."""
    done = subprocess.run([sys.executable, "-c", WARMED], capture_output=True, text=True, check=True)
    return int(done.stdout)


def test_a_second_process_compiles_nothing() -> None:
    started()
    assert started() == 0
