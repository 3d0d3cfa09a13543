"""The fields of a decision, what each may hold, and where the kernel puts it."""

from typing import Any, cast

import numpy as np
import numpy.typing as npt
from msgspec.inspect import StructType, type_info

from harness.decision_rows import STAGES
from streams.decision import OUTCOMES, PATHS, Decision
from streams.kernels.json_fields import table_of

UInt8s = npt.NDArray[np.uint8]
UInt64s = npt.NDArray[np.uint64]
Int64s = npt.NDArray[np.int64]

FIELDS = Decision.__struct_fields__
(
    EVENT_ID, OUTCOME, SCORE, PATH, REASONS, MARGIN, RULES_VERSION, MODEL_VERSION, WORKER, TAKEN, EMITTED, STAGES_FIELD,
    FEATURES, CUSTOMERS, SHADOW,
) = range(len(FIELDS))  # fmt: skip
REQUIRED = 1 << EVENT_ID | 1 << OUTCOME | 1 << SCORE
_TYPES = {field.name: field.type for field in cast(StructType, type_info(Decision)).fields}
_ID: Any = _TYPES["event_id"]
ID_BYTES_MAX = int(_ID.max_length)
WHOLE_MAX = 2**63 - 1
DEFAULT_PATH = PATHS.index(next(f.default for f in cast(StructType, type_info(Decision)).fields if f.name == "path"))

KEYS, KEY_BYTES = table_of([f'"{name}":' for name in FIELDS])
STAGE_KEYS, STAGE_KEY_BYTES = table_of([f'"{name}"' for name in STAGES])
OUTCOME_WORDS, OUTCOME_BYTES = table_of([f'"{word}"' for word in OUTCOMES])
PATH_WORDS, PATH_BYTES = table_of([f'"{word}"' for word in PATHS])

# Rows of the arrays that the kernel fills, one column a message.
ID_SPAN, RULES_SPAN, MODEL_SPAN, WORKER_SPAN, SCORE_SPAN, MARGIN_SPAN, SPANS = range(7)
SPAN_OF_FIELD = np.full(len(FIELDS), -1, np.int64)
SPAN_OF_FIELD[[EVENT_ID, RULES_VERSION, MODEL_VERSION, WORKER]] = ID_SPAN, RULES_SPAN, MODEL_SPAN, WORKER_SPAN
SPAN_OF_FIELD[[SCORE, MARGIN]] = SCORE_SPAN, MARGIN_SPAN
TAKEN_NS, EMITTED_NS, STAGES_NS = 0, 1, 2
"""The stages come last, in their order."""
WHOLES = STAGES_NS + len(STAGES)
OUTCOME_CODE, PATH_CODE, CODES = 0, 1, 2
ABSENT = -1
"""In place of a whole number, of a span's ends and of the length of features."""


def read_only(array: npt.NDArray[Any]) -> Any:
    """The same array, not to be written to. Numba compiles a kernel anew for arrays that are: all that a kernel only
    reads is handed over like this, wherever it comes from."""
    view = array.view()
    view.flags.writeable = False
    return view
