"""The model bundle: a directory that holds everything a scorer needs, verified by hash before it is used."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.calibration import Calibration
from models.features.catalog import FEATURE_NAMES
from streams.errors import BadInputError
from streams.reference_bins import ReferenceBins

SCHEMA_VERSION = 1
MANIFEST = "bundle.json"
GRAPH = "model.onnx"
BOOSTER = "trees.ubj"
FILES = (GRAPH, BOOSTER)
ERROR_FEATURE = "reconstruction_error"
_HASH_KEY = "manifest_hash"
_KEYS = (
    "schema_version", "domain", "model_version", "feature_names", "vocabulary", "thresholds", "threshold_choice",
    "calibration", "reference", "metrics", "imbalance", "label_delay_days", "train", "data_hash", "seeds", "versions",
    "files", _HASH_KEY,
)  # fmt: skip


class BundleError(BadInputError):
    """A bundle that cannot be used: which file or key of it, and what is wrong."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Scores (probabilities, 0–1) from which on an event is reviewed and blocked; `review` ≤ `block`."""

    review: float
    block: float


@dataclass(frozen=True, slots=True)
class Bundle:
    """A verified bundle. `manifest` is bundle.json as it stands; `graph` and `booster` are the files' bytes."""

    directory: Path
    manifest: Mapping[str, Any]
    graph: bytes
    booster: bytes

    @classmethod
    def load(cls, directory: Path | str, feature_names: Sequence[str] = FEATURE_NAMES) -> "Bundle":
        """Read and verify. Raises `BundleError` naming the file that is missing or corrupted, or the features that
        differ from `feature_names` (the catalogue's)."""
        root = Path(directory)
        manifest = _read_manifest(root / MANIFEST)
        _check_features(root, manifest["feature_names"], feature_names)
        contents = {name: _read_verified(root / name, manifest["files"].get(name)) for name in FILES}
        return cls(root, manifest, contents[GRAPH], contents[BOOSTER])

    @property
    def model_version(self) -> str:
        """Domain and the first digits of the hash of what decides the score."""
        return str(self.manifest["model_version"])

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The graph's input columns, in order."""
        return tuple(self.manifest["feature_names"])

    @property
    def category_names(self) -> tuple[str, ...]:
        """Merchant categories; the index is the code."""
        return tuple(self.manifest["vocabulary"]["category"])

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Channels; the index is the code."""
        return tuple(self.manifest["vocabulary"]["channel"])

    @property
    def thresholds(self) -> Thresholds:
        """Where review and block begin."""
        return Thresholds(float(self.manifest["thresholds"]["review"]), float(self.manifest["thresholds"]["block"]))

    @property
    def calibration(self) -> Calibration:
        """How a margin becomes a score."""
        try:
            return Calibration.from_dict(self.manifest["calibration"])
        except (KeyError, TypeError, ValueError) as error:
            raise BundleError(
                f"bundle file {self.directory / MANIFEST}, key calibration: {error}; train again"
            ) from error

    def calibrated(self, margin: NDArray[np.float32]) -> NDArray[np.float64]:
        """Scores (probabilities, float64 [n]) of margins, float32 [n]."""
        return self.calibration.scores(margin)

    @property
    def label_delay_days(self) -> int:
        """How long after the event its label is known, as the risk features assume."""
        return int(self.manifest["label_delay_days"])

    def score_bins(self) -> ReferenceBins:
        """Reference bins of the score (PSI)."""
        return ReferenceBins.from_dict(self.manifest["reference"]["score"])

    def feature_bins(self) -> dict[str, ReferenceBins]:
        """Reference bins of each feature (CSI)."""
        return {name: ReferenceBins.from_dict(bins) for name, bins in self.manifest["reference"]["features"].items()}


def content_hash(content: bytes) -> str:
    """BLAKE2b-256 as hex."""
    return hashlib.blake2b(content, digest_size=32).hexdigest()


def _canonical(manifest: Mapping[str, Any]) -> bytes:
    kept = {key: value for key, value in manifest.items() if key != _HASH_KEY}
    return json.dumps(kept, sort_keys=True, allow_nan=False, ensure_ascii=False).encode()


def write_bundle(directory: Path | str, manifest: Mapping[str, Any], graph: bytes, booster: bytes) -> Path:
    """Write a bundle atomically: complete under a temporary name, then renamed; an older one in its place is replaced.

    `manifest` lacks `files` and `manifest_hash`, which are added here. Raises `BundleError` when the place cannot be
    written.
    """
    target = Path(directory)
    contents = {GRAPH: graph, BOOSTER: booster}
    full = {**manifest, "files": {name: content_hash(content) for name, content in contents.items()}}
    full[_HASH_KEY] = content_hash(_canonical(full))
    contents[MANIFEST] = (
        json.dumps(full, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n"
    ).encode()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        try:
            for name, content in contents.items():
                _write_synced(staging / name, content)
            staging.chmod(0o755)
            _put_in_place(staging, target)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    except OSError as error:
        raise BundleError(f"bundle {target} cannot be written: {error.strerror or error}") from error
    return target


def _write_synced(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _put_in_place(staging: Path, target: Path) -> None:
    """Rename the complete directory into place; a directory cannot be renamed over a full one, so that steps aside."""
    if not target.exists():
        staging.rename(target)
        return
    if not (target / MANIFEST).exists() and any(target.iterdir()):
        raise BundleError(f"{target} holds other files than a bundle; name an empty or new directory")
    aside = Path(tempfile.mkdtemp(prefix=f".{target.name}.old.", dir=target.parent))
    target.rename(aside / "bundle")
    staging.rename(target)
    shutil.rmtree(aside, ignore_errors=True)


def domain_of(directory: Path) -> str:
    """What the bundle's model is of, `fraud` or `aml`. Raises `BundleError` where there is no bundle."""
    return str(_read_manifest(directory / MANIFEST)["domain"])


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(path.read_bytes())
    except OSError as error:
        raise BundleError(f"bundle file {path} cannot be read: {error.strerror}; train one with bench train") from error
    except ValueError as error:
        raise BundleError(f"bundle file {path} is corrupted: not JSON ({error})") from error
    if not isinstance(manifest, dict):
        raise BundleError(f"bundle file {path} is corrupted: a JSON object is expected, got {type(manifest).__name__}")
    version = manifest.get("schema_version")
    if version != SCHEMA_VERSION:
        raise BundleError(f"bundle file {path} has schema_version {version!r}; this build reads {SCHEMA_VERSION}")
    absent = [key for key in _KEYS if key not in manifest]
    if absent:
        raise BundleError(f"bundle file {path} lacks {', '.join(absent)}")
    if manifest[_HASH_KEY] != content_hash(_canonical(manifest)):
        raise BundleError(f"bundle file {path} is corrupted: its contents do not match its manifest_hash; train again")
    return manifest


def _read_verified(path: Path, expected: str | None) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BundleError(f"bundle file {path} cannot be read: {error.strerror}") from error
    found = content_hash(content)
    if found != expected:
        raise BundleError(
            f"bundle file {path} is corrupted: its hash is {found[:12]}…, "
            f"bundle.json says {str(expected)[:12]}…; train again"
        )
    return content


def _check_features(root: Path, found: Sequence[str], expected: Sequence[str]) -> None:
    """The names and their order must be the catalogue's: anything else would feed the model the wrong columns."""
    if list(found) == list(expected):
        return
    lacking = [name for name in expected if name not in found]
    surplus = [name for name in found if name not in expected]
    moved = next((i for i, (a, b) in enumerate(zip(found, expected, strict=False)) if a != b), 0)
    said = [f"lacks {', '.join(lacking)}"] * bool(lacking) + [f"has unknown {', '.join(surplus)}"] * bool(surplus)
    if not said:
        said = [f"has {found[moved]} where {expected[moved]} is expected (column {moved})"]
    raise BundleError(f"bundle {root} was trained on other features than this build computes: it {'; it '.join(said)}")
