"""A bundle is written whole, read back verified, and refused with a reason."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from models.bundle import BOOSTER, GRAPH, MANIFEST, Bundle, BundleError
from models.features.catalog import FEATURE_NAMES
from models.fitting import Fitted
from models.onnx_model import OnnxModel

Write = Callable[[Fitted, Path], Bundle]


@pytest.fixture
def copy(bundle: Bundle, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bundle.directory, tmp_path / "copy"))


def test_what_was_written_is_read(bundle: Bundle, fitted: Fitted) -> None:
    assert bundle.feature_names == FEATURE_NAMES
    assert bundle.category_names == ("books", "fuel", "travel")
    assert bundle.channel_names == ("chip", "contactless", "online", "atm")
    assert bundle.thresholds == fitted.choice.thresholds
    assert bundle.label_delay_days == 7
    assert bundle.model_version.startswith("fraud-")
    assert set(bundle.feature_bins()) == set(FEATURE_NAMES)
    assert sum(bundle.score_bins().counts) == bundle.manifest["metrics"]["events"]
    assert bundle.manifest["imbalance"]["chosen"] in bundle.manifest["imbalance"]["compared"]


@pytest.mark.parametrize("name", [GRAPH, BOOSTER])
def test_a_changed_byte_is_found_and_the_file_named(copy: Path, name: str) -> None:
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(bytes(content))
    with pytest.raises(BundleError, match=f"{name} is corrupted"):
        Bundle.load(copy)


@pytest.mark.parametrize("name", [GRAPH, BOOSTER, MANIFEST])
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(BundleError, match=f"{name} cannot be read"):
        Bundle.load(copy)


def change(copy: Path, **changes: object) -> None:
    manifest = json.loads((copy / MANIFEST).read_text(encoding="utf-8"))
    (copy / MANIFEST).write_text(json.dumps({**manifest, **changes}), encoding="utf-8")


def test_a_changed_threshold_is_found(copy: Path) -> None:
    change(copy, thresholds={"review": 0.0, "block": 0.0})
    with pytest.raises(BundleError, match=f"{MANIFEST} is corrupted"):
        Bundle.load(copy)


def test_other_formats_are_refused(copy: Path) -> None:
    change(copy, schema_version=99)
    with pytest.raises(BundleError, match="schema_version 99; this build reads 1"):
        Bundle.load(copy)
    (copy / MANIFEST).write_text("{", encoding="utf-8")
    with pytest.raises(BundleError, match="not JSON"):
        Bundle.load(copy)
    (copy / MANIFEST).write_text("[]", encoding="utf-8")
    with pytest.raises(BundleError, match="a JSON object is expected, got list"):
        Bundle.load(copy)
    (copy / MANIFEST).write_text('{"schema_version": 1}', encoding="utf-8")
    with pytest.raises(BundleError, match="lacks domain, model_version"):
        Bundle.load(copy)


def test_other_features_are_refused_by_name(copy: Path) -> None:
    with pytest.raises(BundleError, match="lacks phase_of_moon"):
        Bundle.load(copy, (*FEATURE_NAMES, "phase_of_moon"))
    with pytest.raises(BundleError, match=f"has unknown {FEATURE_NAMES[-1]}"):
        Bundle.load(copy, FEATURE_NAMES[:-1])
    swapped = (FEATURE_NAMES[1], FEATURE_NAMES[0], *FEATURE_NAMES[2:])
    with pytest.raises(BundleError, match="has amount where category_code is expected"):
        Bundle.load(copy, swapped)


def test_writing_again_replaces_and_leaves_nothing_behind(fitted: Fitted, write: Write, tmp_path: Path) -> None:
    first = write(fitted, tmp_path / "made" / "fraud")
    second = write(fitted, tmp_path / "made" / "fraud")
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["fraud"]
    assert first.manifest == second.manifest


def test_other_files_are_never_replaced(fitted: Fitted, write: Write, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(BundleError, match="holds other files"):
        write(fitted, tmp_path / "precious")
    assert (tmp_path / "precious" / "thesis.txt").exists()
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(BundleError, match="cannot be written"):
        write(fitted, tmp_path / "file" / "fraud")


def test_a_graph_that_is_none_is_refused(bundle: Bundle) -> None:
    broken = Bundle(bundle.directory, bundle.manifest, b"no graph", bundle.booster)
    with pytest.raises(BundleError, match="cannot be loaded"):
        OnnxModel(broken)
