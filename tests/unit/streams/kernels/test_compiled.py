"""The disk cache of compiled kernels: a change of anything that a kernel is made of is seen, and of nothing else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PARTS = {
    "caller": """
from parts.callee import step
from parts.named import Pair
from parts.steps import FIRST
from streams.kernels.compiled import compiled


@compiled
def twice(pair):
    return step(step(pair.left)) + FIRST


print(twice(Pair(1, 100)), sum(twice.stats.cache_hits.values()))
""",
    "callee": """
from parts import numbers
from streams.kernels.compiled import inlined

STEP = numbers.STEP


@inlined
def step(n):
    return n + STEP
""",
    "numbers": "STEP = 10\n",
    "steps": "from parts.origin import BASE\n\nFIRST = 2 * BASE\n",
    "origin": "BASE = 0\n",
    "named": "from typing import NamedTuple\n\n\nclass Pair(NamedTuple):\n    left: int\n    right: int\n",
}
CHANGES = {
    "a part that is put into the kernel": ("callee", "n + STEP", "n - STEP", "-19"),
    "how a part is compiled": ("callee", "inlined", "compiled", "21"),
    "a constant of a module": ("numbers", "10", "11", "23"),
    "a constant handed on": ("origin", "BASE = 0", "BASE = 1000", "2021"),
    "a type": ("named", "    left: int\n    right: int\n", "    right: int\n    left: int\n", "120"),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "parts").mkdir()
    for name, text in {"__init__": "", **PARTS}.items():
        (tmp_path / "parts" / f"{name}.py").write_text(text)
    return tmp_path


def run(root: Path) -> list[str]:
    """What the kernel finds, and how often it was found compiled."""
    environment = {**os.environ, "PYTHONPATH": f"{root}:{Path(__file__).parents[4]}", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", "import parts.caller"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.split()


def change(root: Path, module: str, before: str, after: str) -> None:
    path = root / "parts" / f"{module}.py"
    assert before in path.read_text()
    path.write_text(path.read_text().replace(before, after))


@pytest.mark.parametrize(("module", "before", "after", "found"), CHANGES.values(), ids=CHANGES)
def test_what_has_changed_is_compiled_anew(root: Path, module: str, before: str, after: str, found: str) -> None:
    assert run(root) == ["21", "0"]
    change(root, module, before, after)
    assert run(root) == [found, "0"]


def test_what_has_not_changed_is_not_compiled_again(root: Path) -> None:
    assert run(root) == ["21", "0"]
    (root / "parts" / "below").mkdir()
    (root / "parts" / "below" / "stranger.py").write_text("import parts.caller\n")
    assert run(root) == ["21", "1"]
