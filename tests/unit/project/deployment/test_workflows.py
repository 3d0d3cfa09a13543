"""The example workflows are workflows, and start what there is."""

import re
from pathlib import Path

import pytest

from tests.deployment_files import ROOT, by_schema

WORKFLOWS = sorted((ROOT / "docs" / "examples").glob("*.yml"))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_it_is_a_workflow(path: Path) -> None:
    by_schema("github-workflows", path)


def test_the_audit_looks_at_every_lock() -> None:
    text = (ROOT / "docs" / "examples" / "dependency-audit.yml").read_text(encoding="utf-8")
    named = re.search(r"lock: \[([^\]]*)\]", text)
    assert named is not None
    assert set(named[1].split(", ")) == {path.name for path in ROOT.glob("*.lock")}
