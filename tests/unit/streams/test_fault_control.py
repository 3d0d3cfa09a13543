"""The file by which a model is made to fail: what is asked for is what is read, and only its owner may ask."""

from pathlib import Path

import pytest

from streams.errors import BadInputError
from streams.fault_control import FaultSwitch, FaultView, ModelFault

FAULTS = (
    ModelFault(kind="slow", delay_ms=12.5, delay="lognormal", sigma=0.3, seed=7),
    ModelFault(kind="hang"),
    ModelFault(kind="error", share=0.25),
)


def test_what_is_asked_for_is_read(tmp_path: Path) -> None:
    switch, view = FaultSwitch(tmp_path / "control"), FaultView(tmp_path / "control")
    assert (view.generations[0], view.read()) == (0, None)
    for generation, fault in enumerate((*FAULTS, None, FAULTS[0]), start=1):
        switch.set(fault)
        assert view.generations[0] == generation
        assert view.read() == fault
    switch.close()
    assert view.read() == FAULTS[0]


def test_the_switch_is_its_owner_s_alone(tmp_path: Path) -> None:
    path = tmp_path / "control"
    FaultSwitch(path).close()
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    with pytest.raises(BadInputError, match="mode 600"):
        FaultView(path)


@pytest.mark.parametrize(("content", "words"), [(None, "cannot be opened"), (b"short", "not a fault control file")])
def test_other_files_are_refused(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "control"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadInputError, match=words):
        FaultView(path)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    FaultSwitch(tmp_path / "control").close()
    (tmp_path / "link").symlink_to(tmp_path / "control")
    with pytest.raises(BadInputError, match="cannot be opened"):
        FaultView(tmp_path / "link")


def test_what_cannot_be_understood_is_said(tmp_path: Path) -> None:
    switch = FaultSwitch(tmp_path / "control")
    switch.set(FAULTS[0])
    switch._bytes[20:24] = b"####"
    with pytest.raises(BadInputError, match="cannot be understood"):
        FaultView(tmp_path / "control").read()
