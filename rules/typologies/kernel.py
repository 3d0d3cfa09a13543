"""The kernel of typologies: one pass over the rows, all typologies, compiled by numba.

Row by row and in a fixed order, so that a row's scores are the same bits in any batch.
"""

import numpy as np
from numpy.typing import NDArray

from streams.kernels.compiled import compiled


@compiled
def score_rows(
    values: NDArray[np.float32],
    market: NDArray[np.int32],
    passes: NDArray[np.bool_],
    gate_of: NDArray[np.int32],
    variant_of: NDArray[np.int32],
    first_rule: NDArray[np.int32],
    rule_column: NDArray[np.int32],
    first_band: NDArray[np.int32],
    lows: NDArray[np.float32],
    highs: NDArray[np.float32],
    weights: NDArray[np.float64],
    scale: NDArray[np.float64],
    scores: NDArray[np.float64],
) -> None:
    """Fill `scores` [n, P] from `values` [n, F], the rows' market numbers and a program's arrays.

    `passes` [n, G] says which gates are open; `gate_of` [P] is each typology's, -1 for none.
    """
    unknown = variant_of.shape[1] - 1
    for row in range(values.shape[0]):
        place = market[row] if 0 <= market[row] < unknown else unknown
        for typology in range(variant_of.shape[0]):
            scores[row, typology] = 0.0
            if gate_of[typology] >= 0 and not passes[row, gate_of[typology]]:
                continue
            variant = variant_of[typology, place]
            total = 0.0
            for rule in range(first_rule[variant], first_rule[variant + 1]):
                value = values[row, rule_column[rule]]
                for band in range(first_band[rule], first_band[rule + 1]):
                    is_wanted = np.isnan(value) and np.isnan(lows[band])
                    if is_wanted or lows[band] <= value <= highs[band]:
                        total += weights[band]
                        break
            scores[row, typology] = min(max(total * scale[variant], 0.0), 1.0)
