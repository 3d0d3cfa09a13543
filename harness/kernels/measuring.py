"""The kernels measured by the room that owns them, a process each time: memory of one size is none of another's."""

import json
import tempfile
from pathlib import Path
from typing import Any, Literal

from harness.processes import Family, module_command
from streams.errors import RunInvalidError

DOMAINS = ("fraud", "aml")
Domain = Literal["fraud", "aml"]
LIMIT_S = 1_800.0


def measure_growth(domain: str, entities: int, family: Family) -> dict[str, Any]:
    """The kernel of a domain with so many cards or accounts."""
    return _ask(family, domain, "--entities", str(entities))


def measure_graph(family: Family) -> dict[str, Any]:
    """The graph kernel on sparse transfers with cycles."""
    return _ask(family, "graph")


def _ask(family: Family, *arguments: str) -> dict[str, Any]:
    """`python -m models kernels …`; raises with its own words when it fails."""
    with tempfile.TemporaryDirectory(prefix="riskbench-kernels-") as folder:
        result = Path(folder) / "kernels.json"
        command = module_command("models", "kernels", *arguments, "--result", str(result))
        child = family.start("kernels", command, Path(folder) / "kernels.log")
        if child.wait(LIMIT_S) is None:
            raise RunInvalidError(f"kernels {' '.join(arguments)} took longer than {LIMIT_S:g} s")
        if child.process.returncode != 0:
            raise child.failure()
        found: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
        return found
