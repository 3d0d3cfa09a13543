"""The commands by name: each is there, and showing what there is loads none of them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness.command_table import COMMANDS, load

FOLDER = Path(__file__).parents[3] / "harness" / "commands"
HEAVY = ("duckdb", "kafka", "matplotlib", "numba", "numpy", "pandas", "pyarrow", "river", "scipy", "xgboost")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_table_can_be_loaded(name: str) -> None:
    command = load(name)
    assert command.name == name
    assert command.help
    assert COMMANDS[name].words.endswith((".", "?"))


def test_every_module_with_commands_is_in_the_table() -> None:
    groups = {path.stem for path in FOLDER.glob("*.py") if re.search(r"^app = typer.Typer\(", path.read_text(), re.M)}
    assert groups - {"inject_aml"} <= {entry.module for entry in COMMANDS.values()}


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_help_and_version_load_no_command(option: str) -> None:
    ask = (
        f"import sys\nfrom harness.cli import main\ntry:\n    main([{option!r}])\nexcept SystemExit: pass\n"
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
