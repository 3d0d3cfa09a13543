"""The kernel: one pass over the rows of a micro-batch, all rules of a pack, compiled by numba.

Row by row and in a fixed order, so that a row's verdict is the same bits in any batch.
"""

import numpy as np
from numpy.typing import NDArray

from rules.program import FIRES, INTERVAL, MISSING
from streams.kernels.compiled import compiled


@compiled
def run_rules(
    values: NDArray[np.float32],
    tests: NDArray[np.int32],
    bounds: NDArray[np.float32],
    members: NDArray[np.uint8],
    starts: NDArray[np.int32],
    outcomes: NDArray[np.int8],
    scores: NDArray[np.float64],
    fired: NDArray[np.bool_],
    outcome: NDArray[np.int8],
    deciding: NDArray[np.int16],
    score: NDArray[np.float64],
) -> None:
    """Fill `fired` [n, R], and `outcome`, `deciding` and `score` [n], from `values` [n, F] and a program's arrays.

    The first rule in order that fires with an outcome other than 0 (escalate) decides, and gives its score. Where none
    does, the outcome is 0, `deciding` -1 and the score the noisy-or of the rules that fired.
    """
    for row in range(values.shape[0]):
        decided = -1
        unsuspicious = 1.0
        for rule in range(starts.shape[0]):
            at = starts[rule]
            while at >= 0:
                value = values[row, tests[at, 1]]
                kind = tests[at, 0]
                if kind == INTERVAL:
                    holds = bounds[at, 0] <= value <= bounds[at, 1]
                elif kind == MISSING:
                    holds = np.isnan(value)
                else:
                    holds = False
                    if -1.0 <= value < tests[at, 5] - 1:
                        holds = members[tests[at, 4] + int(value) + 1] != 0
                at = tests[at, 2] if holds else tests[at, 3]
            fires = at == FIRES
            fired[row, rule] = fires
            if fires:
                unsuspicious *= 1.0 - scores[rule]
                if decided < 0 and outcomes[rule] != 0:
                    decided = rule
        deciding[row] = decided
        outcome[row] = outcomes[decided] if decided >= 0 else 0
        score[row] = scores[decided] if decided >= 0 else 1.0 - unsuspicious
