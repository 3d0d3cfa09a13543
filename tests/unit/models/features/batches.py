"""What coded batches are held against each other by."""

from dataclasses import fields

import numpy as np

from models.features.batch import TransactionBatch


def assert_same(first: TransactionBatch, second: TransactionBatch) -> None:
    """The same columns, of the same types, as the kernel takes them."""
    for field in fields(TransactionBatch):
        ours, theirs = getattr(first, field.name), getattr(second, field.name)
        assert ours.dtype == theirs.dtype
        assert ours.flags.c_contiguous
        np.testing.assert_array_equal(ours, theirs, field.name)
