"""Caches: what is found was made by this very code from this very input."""

import ast
from pathlib import Path

import pytest

import streams
from harness import cache
from harness.cache import cached_folder, hash_sources
from harness.prepare import DATA_CODE, WORLD_CODE
from harness.training import SERVING_CODE
from harness.world_audit import AUDIT_CODE
from models.training_key import SOURCES

ROOT = cache.ROOT


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small house of two rooms."""
    monkeypatch.setattr(cache, "ROOT", tmp_path)
    for name in ("room/one.py", "room/inner/two.py", "room/map.yaml", "other/three.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


@pytest.mark.parametrize(
    ("place", "changed", "seen"),
    [
        ("room", "room/inner/two.py", True),
        ("room", "room/map.yaml", True),
        ("room", "other/three.py", False),
        ("room/one.py", "room/one.py", True),
        ("room/one.py", "room/inner/two.py", False),
        ("room/*.py", "room/one.py", True),
        ("room/*.py", "room/inner/two.py", False),
    ],
)
def test_a_change_is_seen_where_it_matters(house: Path, place: str, changed: str, seen: bool) -> None:
    before = hash_sources([place])
    (house / changed).write_text("changed")
    assert (hash_sources([place]) != before) is seen


def test_a_place_without_source_is_an_error(house: Path) -> None:
    with pytest.raises(ValueError, match=r"room/gone\.py holds no source"):
        hash_sources(["room", "room/gone.py"])


@pytest.mark.parametrize("places", [WORLD_CODE, DATA_CODE, SERVING_CODE, AUDIT_CODE])
def test_what_the_keys_name_is_there(places: tuple[str, ...]) -> None:
    assert len(hash_sources(places)) == 32


TIMED = ROOT / "models" / "kernels"
"""Times kernels; nothing that is kept is made by it."""
MADE_BY = [
    path for room in ("models", "rules") for path in sorted((ROOT / room).rglob("*.py")) if TIMED not in path.parents
]


FOLDERS = ("streams/kernels", "streams/markets")
"""Of the streams, what they read beside its own modules: the keys must name them."""


@pytest.mark.parametrize("path", MADE_BY)
def test_training_and_features_read_no_other_folder_of_the_streams(path: Path) -> None:
    imported = [node.module or "" for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
    read = {"/".join(name.split(".")[:2]) for name in imported if name.startswith("streams.") and name.count(".") > 1}
    assert read <= set(FOLDERS)


@pytest.mark.parametrize("places", [SERVING_CODE, AUDIT_CODE])
def test_the_keys_name_the_folders_that_are_read(places: tuple[str, ...]) -> None:
    assert set(FOLDERS) <= set(places)


def test_a_training_runs_through_these_folders() -> None:
    patterns = {pattern.split("/")[0] for package, pattern in SOURCES if package is streams}
    assert {f"streams/{name}" for name in patterns - {"*.py"}} == set(FOLDERS)


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    def make(folder: Path) -> None:
        (folder / "half").touch()
        raise KeyError

    with pytest.raises(KeyError):
        cached_folder(tmp_path, "kind", "key", make)
    assert list((tmp_path / "kind").iterdir()) == []
    assert cached_folder(tmp_path, "kind", "key", lambda folder: (folder / "it").touch()) == (
        tmp_path / "kind" / "key",
        False,
    )
    assert cached_folder(tmp_path, "kind", "key", make) == (tmp_path / "kind" / "key", True)
