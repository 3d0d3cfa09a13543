"""What decides the outcome of a training, as one hash: equal keys, equal bundles."""

import hashlib
import importlib.metadata
import json
import platform
from dataclasses import asdict
from pathlib import Path

import models
import streams
from models.bundle import content_hash
from models.settings import TrainSettings
from streams.errors import BadInputError

LIBRARIES = ("xgboost-cpu", "onnx", "onnxmltools", "onnxruntime", "scikit-learn", "imbalanced-learn", "numpy", "numba")

SOURCES = (
    (models, "**/*.py"),
    (streams, "*.py"),
    (streams, "kernels/*.py"),
    (streams, "markets/**/*.py"),
    (streams, "markets/**/*.yaml"),
)
"""Packages and which of their files training runs through or reads."""


def training_key(events_path: Path, labels_path: Path, settings: TrainSettings, *beside: Path) -> str:
    """Hash of all that decides the outcome: the files' bytes (`beside`: those that not every domain has), the settings,
    the code, the libraries."""
    parts = [file_hash(events_path, labels_path, *beside), asdict(settings), code_hash(), versions()]
    return content_hash(json.dumps(parts, sort_keys=True).encode())


def file_hash(*paths: Path) -> str:
    """BLAKE2b-256 of files one after the other. Raises `BadInputError` for one that cannot be read."""
    digest = hashlib.blake2b(digest_size=32)
    for path in paths:
        try:
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "blake2b").digest())
        except OSError as error:
            raise BadInputError(f"{path} cannot be read: {error.strerror}") from error
    return digest.hexdigest()


def code_hash() -> str:
    """Hash of the source that training runs through: this package, and the streams package without its folders
    (brokers, worlds and data sets have no part in it) but with what kernels are made with and the table of markets."""
    digest = hashlib.blake2b(digest_size=32)
    for package, pattern in SOURCES:
        root = Path(str(package.__file__)).parent
        for path in sorted(root.glob(pattern)):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def versions() -> dict[str, str]:
    """Versions of Python and of the libraries that shape a model."""
    return {"python": platform.python_version(), **{name: importlib.metadata.version(name) for name in LIBRARIES}}
