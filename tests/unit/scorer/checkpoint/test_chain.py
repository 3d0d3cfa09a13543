"""A checkpoint read back: the newest that is whole, never one that is damaged, never one of something else."""

import logging
import shutil
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.features.state import FeatureState
from scorer.checkpoint import writing
from scorer.checkpoint.chain import Part
from scorer.checkpoint.changes import Numbers
from scorer.checkpoint.epochs import Progress
from scorer.checkpoint.writing import PartitionWriter
from streams.errors import BadInputError
from tests.unit.models.features.streams import VOCABULARY, StreamShape, random_stream, same_bits
from tests.unit.scorer.checkpoint.parts import IDENTITY, files_in, restored, written

EVENTS = random_stream(11, StreamShape(events=240, cards=12))
EVERY = 40


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six parts of 40 events."""
    folder = tmp_path_factory.mktemp("kept")
    written(folder, EVENTS, EVERY)
    return folder


def copy_of(kept: Path, folder: Path) -> list[Path]:
    """The files of a copy, the oldest first."""
    shutil.copytree(kept, folder, dirs_exist_ok=True)
    return sorted(folder.rglob("*.changes"))


def goes_on(part: Part | None) -> None:
    """What was read decides the rest of the stream as a state that was never written does."""
    at = 0 if part is None else part.progress.offset
    expected = FeatureState.empty(VOCABULARY)
    expected.compute(expected.code_events(EVENTS[:at]))
    state = restored(part)
    assert same_bits(expected.compute(expected.code_events(EVENTS[at:])), state.compute(state.code_events(EVENTS[at:])))


def test_the_newest_part_is_read(kept: Path) -> None:
    part = files_in(kept).read()
    assert part is not None
    assert part.progress == Progress(240, {("run.decisions", 0): 240})
    assert (part.epoch, part.number) == (1, 6)


@pytest.mark.parametrize("every", [7, 40, 240])
def test_a_restored_state_goes_on_as_if_nothing_had_been(tmp_path: Path, every: int) -> None:
    written(tmp_path, EVENTS[:200], every)
    part = files_in(tmp_path).read()
    assert part is not None
    assert part.progress.offset == 200
    goes_on(part)


@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), file=st.integers(0, 5))
def test_a_flipped_bit_anywhere_is_refused_and_the_part_before_used(
    kept: Path, tmp_path_factory: pytest.TempPathFactory, place: float, bit: int, file: int
) -> None:
    path = copy_of(kept, tmp_path_factory.mktemp("flipped"))[file]
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 1 << bit
    path.write_bytes(content)
    part = files_in(path.parents[3]).read()
    assert (0 if part is None else part.progress.offset) == file * EVERY
    goes_on(part)


@given(share=st.floats(0, 1, exclude_max=True), file=st.integers(0, 5))
def test_a_file_cut_short_is_refused(
    kept: Path, tmp_path_factory: pytest.TempPathFactory, share: float, file: int
) -> None:
    path = copy_of(kept, tmp_path_factory.mktemp("short"))[file]
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    part = files_in(path.parents[3]).read()
    assert (0 if part is None else part.progress.offset) == file * EVERY


def test_what_is_refused_is_said(kept: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = copy_of(kept, tmp_path)[5]
    path.write_bytes(path.read_bytes()[:-1])
    with caplog.at_level(logging.ERROR):
        files_in(tmp_path).read()
    assert f"checkpoint refused: {path} is damaged" in caplog.text
    assert "What is older is used." in caplog.text


def test_a_draft_that_was_never_finished_is_not_looked_at(kept: Path, tmp_path: Path) -> None:
    path = copy_of(kept, tmp_path)[5]
    path.with_name("00000007.changes.draft").write_bytes(b"half")
    part = files_in(tmp_path).read()
    assert part is not None
    assert part.number == 6


def test_a_damaged_origin_leaves_the_epoch_before(kept: Path, tmp_path: Path) -> None:
    copy_of(kept, tmp_path)
    files = files_in(tmp_path)
    newest = files.read()
    epoch = files.begin_epoch(newest)
    origin = next(tmp_path.rglob(f"{epoch:06d}/origin"))
    origin.write_bytes(origin.read_bytes()[:-3])
    again = files.read()
    assert again is not None
    assert newest is not None
    assert (again.epoch, again.number) == (newest.epoch, newest.number)


def test_who_lost_a_partition_without_knowing_it_writes_where_nobody_looks(tmp_path: Path) -> None:
    state = written(tmp_path, EVENTS[:80], EVERY)
    files = files_in(tmp_path)
    newest = files.read()
    assert newest is not None
    follower = PartitionWriter(
        files, restored(newest), newest, restored(newest).codes_of("card", newest.changes.names["card"])
    )
    late = Part(1, 3, Progress(500, {}), replace(newest.changes, first=_counts(newest), names=_none(newest)))
    files.write(late)  # by the owner before
    again = files.read()
    assert again is not None
    assert again.progress.offset == 80
    follower.write([], Progress(90, {}))
    after = files.read()
    assert after is not None
    assert (after.epoch, after.number, after.progress.offset) == (2, 1, 90)
    assert len(after.changes.numbers) == state.cards


def _counts(part: Part) -> dict[str, int]:
    return {kind: len(names) for kind, names in part.changes.names.items()}


def _none(part: Part) -> dict[str, list[str]]:
    return {kind: [] for kind in part.changes.names}


def test_many_parts_become_one_file_and_the_one_before_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "MERGE_ROWS_MIN", 0)
    written(tmp_path, EVENTS, 10)
    wholes = sorted(tmp_path.rglob("*.whole"))
    assert len(wholes) == 2
    goes_on(files_in(tmp_path).read())
    newest = files_in(tmp_path).read()
    assert newest is not None
    assert newest.progress.offset == 240
    wholes[-1].write_bytes(b"damaged")
    older = files_in(tmp_path).read()
    assert older is not None
    assert older.progress.offset == 240  # the whole before, and the parts since
    goes_on(older)


@pytest.mark.parametrize("name", ["group", "model_version", "features", "warm_state"])
def test_a_checkpoint_of_something_else_is_refused_in_words(kept: Path, name: str) -> None:
    other = msgspec.structs.replace(IDENTITY, **{name: "another"})
    with pytest.raises(BadInputError, match=f"belongs to something else .{name} .*start with another --checkpoint-dir"):
        files_in(kept, other).read()


def test_there_is_none_at_first(tmp_path: Path) -> None:
    assert files_in(tmp_path / "none").read() is None


def test_numbers_are_given_once_and_can_be_taken_back() -> None:
    import numpy as np

    numbers = Numbers.given(np.array([7, 3], np.int32))
    new = numbers.new_among(np.array([9, 3, 9, 1], np.int32))
    assert new.tolist() == [1, 9]
    numbers.give(new)
    assert numbers.of(np.array([7, 3, 1, 9], np.int32)).tolist() == [0, 1, 2, 3]
    numbers.take_back(2)
    assert numbers.new_among(np.array([9, 3], np.int32)).tolist() == [9]
