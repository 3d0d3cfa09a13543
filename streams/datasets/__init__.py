"""Somebody's own events: CSV and Parquet files, read through a mapping of columns."""

from streams.datasets.loader import Dataset, load_dataset
from streams.datasets.mapping import Mapping, load_mapping, shipped_mappings
from streams.datasets.protocol import Protocol, Published
from streams.datasets.transfer_loader import TransferDataset, load_transfers
from streams.datasets.transfer_mapping import TransferMapping, load_transfer_mapping, shipped_transfer_mappings

__all__ = [
    "Dataset",
    "Mapping",
    "Protocol",
    "Published",
    "TransferDataset",
    "TransferMapping",
    "load_dataset",
    "load_mapping",
    "load_transfer_mapping",
    "load_transfers",
    "shipped_mappings",
    "shipped_transfer_mappings",
]
