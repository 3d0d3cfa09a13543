"""The locks are of this pyproject.toml: every package pinned and hashed, within the ranges, the same in both."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[3]
LOCKS = ("requirements.lock", "requirements-dev.lock")
_PIN = re.compile(
    r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)[^\n]*\\\n(?P<hashes>(?:    --hash=[^\n]*\n)+)", re.M
)


def pins(lock: str) -> dict[str, set[str]]:
    """The versions of each package; several where they depend on Python's version."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    found: dict[str, set[str]] = {}
    for pin in _PIN.finditer(text):
        found.setdefault(canonicalize_name(pin["name"]), set()).add(pin["version"])
    entries = [line for line in text.splitlines() if line and line[0] not in " #"]
    assert len(entries) == sum(map(len, found.values())), f"{lock} has an entry without version or hash"
    return found


def wanted(*, dev: bool) -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [Requirement(text) for text in project["dependencies"] + project["optional-dependencies"]["dev"] * dev]


@pytest.mark.parametrize(("lock", "dev"), [(LOCKS[0], False), (LOCKS[1], True)])
def test_ranges_and_locks_agree(lock: str, dev: bool) -> None:
    locked = pins(lock)
    for requirement in wanted(dev=dev):
        versions = locked.get(canonicalize_name(requirement.name), set())
        assert versions, f"{requirement} is not in {lock}: lock again (CONTRIBUTING.md)"
        assert all(version in requirement.specifier for version in versions), (
            f"{lock} holds {requirement.name} {versions}"
        )


def test_tests_run_what_is_run() -> None:
    run, dev = pins(LOCKS[0]), pins(LOCKS[1])
    assert {name: dev.get(name) for name in run} == run


@pytest.mark.parametrize("lock", LOCKS)
def test_hashes_are_sha256(lock: str) -> None:
    kinds = set(re.findall(r"--hash=(\w+):", (ROOT / lock).read_text(encoding="utf-8")))
    assert kinds == {"sha256"}
