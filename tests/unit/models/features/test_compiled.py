"""The disk cache of compiled kernels: a change in another module of the folder is seen."""

import os
import subprocess
import sys
from pathlib import Path

CALLEE = "from models.features.compiled import {how}\n\nSTEP = {step}\n\n\n@{how}\ndef step(n):\n    return n + STEP\n"
CALLER = """
from models.features.compiled import compiled
from parts.callee import step


@compiled
def twice(n):
    return step(step(n))


print(twice(1), twice.stats.cache_hits[twice.signatures[0]] if twice.stats.cache_hits else 0)
"""


def test_a_changed_callee_is_compiled_anew(tmp_path: Path) -> None:
    package = tmp_path / "parts"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "caller.py").write_text(CALLER)
    root = Path(__file__).parents[4]

    def run(step: int, how: str) -> list[str]:
        (package / "callee.py").write_text(CALLEE.format(step=step, how=how))
        command = [sys.executable, "-c", "import parts.caller"]
        environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{root}", "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return done.stdout.split()

    assert run(10, "inlined") == ["21", "0"]
    assert run(10, "inlined") == ["21", "1"]  # from the cache
    assert run(11, "inlined") == ["23", "0"]
    assert run(12, "compiled") == ["25", "0"]
