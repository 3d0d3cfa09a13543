"""The garbage collector as a scorer has it while events go on."""

import gc

GC_THRESHOLDS = (50_000, 20, 100)
"""Collections of young objects are rare and short; the old ones are frozen before the first event."""


def freeze() -> None:
    """What is there stays: it is not looked at by the garbage collector again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
