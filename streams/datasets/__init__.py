"""Somebody's own events: CSV and Parquet files, read through a mapping of columns."""

from streams.datasets.loader import Dataset, load_dataset
from streams.datasets.mapping import Mapping, load_mapping, shipped_mappings
from streams.datasets.protocol import Protocol, Published

__all__ = ["Dataset", "Mapping", "Protocol", "Published", "load_dataset", "load_mapping", "shipped_mappings"]
