"""Snapshots: whole or not at all, checked, the one before kept."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pytest

from models.features.ledger import RiskLedger
from models.features.snapshot import PIECE_BYTES, Layout, SnapshotError, previous_path, read_snapshot, write_snapshot
from models.features.state import FeatureState

ARRAYS: dict[str, npt.NDArray[Any]] = {
    "numbers": np.arange(12, dtype=np.int64).reshape(3, 4),
    "none": np.zeros((0, 5), np.float32),
    "bytes": np.frombuffer(b"abc", np.uint8),
}


def write(path: Path, mark: int = 1) -> None:
    write_snapshot(path, "test", {"mark": mark}, {"events-0": mark}, ARRAYS)


def test_a_snapshot_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "state"
    write(path)
    found = read_snapshot(path, "test")
    assert (found.settings, found.offsets) == ({"mark": 1}, {"events-0": 1})
    assert found.arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert found.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(found.arrays[name], array)
        assert found.arrays[name].flags.writeable


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    write(tmp_path / "one")
    write(tmp_path / "other")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_who_writes_beside_others_rests_after_each_piece_and_writes_the_same(tmp_path: Path) -> None:
    arrays: dict[str, npt.NDArray[Any]] = {
        "large": np.arange(PIECE_BYTES // 4, dtype=np.int64),
        "small": np.zeros(5, np.uint8),
    }
    rests: list[int] = []
    write_snapshot(tmp_path / "gently", "test", {}, {}, arrays, lambda: rests.append(1))
    write_snapshot(tmp_path / "at once", "test", {}, {}, arrays)
    assert len(rests) == 2
    assert (tmp_path / "gently").read_bytes() == (tmp_path / "at once").read_bytes()


def test_the_snapshot_before_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "state"
    for mark in (1, 2, 3):
        write(path, mark)
    assert read_snapshot(path, "test").offsets == {"events-0": 3}
    assert read_snapshot(previous_path(path), "test").offsets == {"events-0": 2}
    assert sorted(file.name for file in tmp_path.iterdir()) == ["state", "state.previous"]


def test_a_write_that_fails_leaves_the_snapshot_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "state"
    write(path, 1)

    def full_disk(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write(path, 2)
    assert read_snapshot(path, "test").offsets == {"events-0": 1}


@pytest.mark.parametrize("place", [0, 20, 300, -40, -1])
def test_one_changed_byte_is_found(tmp_path: Path, place: int) -> None:
    path = tmp_path / "state"
    write(path, 1)
    write(path, 2)
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    with pytest.raises(SnapshotError, match=r"damaged: its checksum|does not start as one"):
        read_snapshot(path, "test")


@pytest.mark.parametrize("length", [0, 5, 40, 200])
def test_a_snapshot_cut_short_is_refused_and_the_one_before_is_named(tmp_path: Path, length: int) -> None:
    path = tmp_path / "state"
    write(path, 1)
    write(path, 2)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(SnapshotError) as caught:
        read_snapshot(path, "test")
    assert "state" in str(caught.value)
    if length >= 40:
        assert "state.previous" in str(caught.value)


def test_another_kind_another_format_or_none_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "state"
    with pytest.raises(SnapshotError, match=r"no snapshot .*Warm the state anew"):
        read_snapshot(path, "test")
    with pytest.raises(SnapshotError, match="cannot be read: Is a directory"):
        read_snapshot(tmp_path, "test")
    write(path)
    with pytest.raises(SnapshotError, match="holds test, not ledger"):
        read_snapshot(path, "ledger")
    monkeypatch.setattr("models.features.snapshot.FORMAT_VERSION", 3)
    with pytest.raises(SnapshotError, match="has snapshot format 2; this version reads format 3"):
        read_snapshot(path, "test")


class Mark(msgspec.Struct):
    mark: int


class Other(msgspec.Struct):
    remark: int


@pytest.mark.parametrize(
    ("layout", "said"),
    [
        (Layout(Other, {}), "remark"),
        (Layout(Mark, {"more": (np.int64, (None,))}), "it has no more"),
        (Layout(Mark, {"numbers": (np.int64, (None, 5))}), r"numbers is int64 \[3, 4\], not int64 \[any, 5\]"),
        (Layout(Mark, {"numbers": (np.int64, (None,))}), "numbers is int64"),
        (Layout(Mark, {"numbers": (np.int32, (None, 4))}), "not int32"),
    ],
)
def test_a_snapshot_of_another_version_is_refused(tmp_path: Path, layout: Layout, said: str) -> None:
    path = tmp_path / "state"
    write(path)
    assert read_snapshot(path, "test", Layout(Mark, {"numbers": (np.int64, (None, 4))})).settings == {"mark": 1}
    with pytest.raises(SnapshotError, match=said) as refused:
        read_snapshot(path, "test", layout)
    assert "another version" in str(refused.value)


@pytest.mark.parametrize("kind", ["feature state", "risk ledger"])
def test_states_without_their_arrays_are_refused_in_words(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "state"
    write_snapshot(path, kind, {"vocabulary": {"category": []}}, {}, ARRAYS)
    load = FeatureState.load if kind == "feature state" else RiskLedger.load
    with pytest.raises(SnapshotError, match="another version"):
        load(path)
