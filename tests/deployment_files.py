"""The deployment's files as a test sees them: compose services, Kubernetes objects, and the command lines in both."""

import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer.main
import yaml

from harness.cli import app as bench
from scorer.__main__ import app as scorer

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
_VARIABLE = re.compile(r"\$\{(?P<name>\w+):-(?P<default>[^}]*)\}")
PROGRAMS = {"riskbench": bench, "riskbench-scorer": scorer}
"""What an image's entry point runs."""


def compose() -> dict[str, Any]:
    """docker-compose.yml with every variable at its default."""
    text = _VARIABLE.sub(lambda found: found["default"], (ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def objects() -> dict[tuple[str, str], dict[str, Any]]:
    """The Kubernetes objects by kind and name, kustomize's own files left out."""
    found = {}
    for path in sorted(KUBERNETES.rglob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            if isinstance(document, dict) and "kustomize" not in document["apiVersion"]:
                found[document["kind"], document["metadata"]["name"]] = document
    return found


def settings() -> dict[str, str]:
    """What the configuration map gives the containers."""
    loaded = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text(encoding="utf-8"))
    (made,) = loaded["configMapGenerator"]
    return dict(literal.split("=", 1) for literal in made["literals"])


def filled_in(arguments: Sequence[str], values: Mapping[str, str]) -> list[str]:
    """A container's arguments with `$(NAME)` filled in as Kubernetes does; `KeyError` for a name that nobody sets."""
    return [re.sub(r"\$\((\w+)\)", lambda found: values[found[1]], argument) for argument in arguments]


def parsed(image: str, arguments: Sequence[str]) -> dict[str, Any]:
    """The options as the image's own command line reads them. Raises its usage error for what it does not know."""
    command: Any = typer.main.get_command(PROGRAMS[image])
    context, name = None, image
    while True:
        context = command.make_context(name, list(arguments), parent=context)
        left = [*getattr(context, "_protected_args", []), *context.args]
        if not left:
            return dict(context.params)
        name, command, arguments = command.resolve_command(context, left)


def by_schema(name: str, path: Path) -> None:
    """Fails with the schema's own words where a file is not what `name` (of check-jsonschema's vendored ones) asks."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{name}", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def given(arguments: Sequence[str]) -> dict[str, str]:
    """`--name=value` arguments by name."""
    return dict(argument.removeprefix("--").split("=", 1) for argument in arguments if argument.startswith("--"))
