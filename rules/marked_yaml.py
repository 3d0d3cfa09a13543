"""YAML that remembers its lines, and takes nothing a reader of the file would not expect.

Only the core types of YAML 1.2: `no`, `on` and `12:30` are text, not a boolean or a number of seconds. Duplicate keys,
anchors, tags and several documents in a file are refused.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from rules.errors import RuleError

FILE_BYTES_MAX = 1_000_000
DIGITS_MAX = 100

YamlPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class MarkedDocument:
    """A YAML file as plain data. `lines` gives, for the path of every key and item, the line it starts in (from 1)."""

    source: str
    data: Any
    lines: dict[YamlPath, int]

    def line(self, path: YamlPath) -> int:
        """The line of the innermost known part of a path; 1 for what is not there at all."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


class _CoreLoader(yaml.SafeLoader):
    """SafeLoader with the scalars of YAML 1.2's core schema."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 (PyYAML's own way)

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise yaml.MarkedYAMLError(None, None, "anchors and aliases (& and *) are not taken", event.start_mark)
        if getattr(event, "tag", None) is not None:
            raise yaml.MarkedYAMLError(None, None, f"tags are not taken: {event.tag}", event.start_mark)
        return super().compose_node(parent, index)


for _tag, _pattern, _first in (
    ("null", r"^(?:~|null|)$", ["~", "n", ""]),
    ("bool", r"^(?:true|false)$", list("tf")),
    ("int", r"^[-+]?[0-9]+$", list("-+0123456789")),
    ("float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", list("-+.0123456789")),
    ("float", r"^(?:[-+]?\.inf|\.nan)$", list("-+.")),
):
    _CoreLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _first)


def _decimal(_loader: _CoreLoader, node: yaml.ScalarNode) -> int:
    """The core schema's integer: a leading nought means nothing (PyYAML's own constructor would read 010 as eight)."""
    if len(node.value) > DIGITS_MAX:
        raise yaml.MarkedYAMLError(None, None, f"a number of {len(node.value)} digits is not taken", node.start_mark)
    return int(node.value)


_CoreLoader.add_constructor("tag:yaml.org,2002:int", _decimal)


def read_marked_yaml(path: Path) -> MarkedDocument:
    """Read one YAML document with its line numbers.

    Raises `RuleError` (file and line named) for what cannot be read, is no YAML, is longer than 1 MB, repeats a key, or
    uses anchors or tags.
    """
    source = str(path)
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise RuleError([f"{source}: {path.stat().st_size} bytes is above its bound {FILE_BYTES_MAX}"])
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RuleError([f"{source}: cannot be read: {error}"]) from error
    return parse_marked_yaml(text, source)


def parse_marked_yaml(text: str, source: str) -> MarkedDocument:
    """As `read_marked_yaml`, from text; `source` is the name used in errors."""
    lines: dict[YamlPath, int] = {}
    try:
        loader = _CoreLoader(text)
        try:
            node = loader.get_single_node()
            data = None if node is None else _construct(loader, node, (), lines)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise RuleError([f"{source}:{line}: {error.problem or error.context or 'no valid YAML'}"]) from error
    except yaml.YAMLError as error:
        raise RuleError([f"{source}: no valid YAML: {error}"]) from error
    except RecursionError as error:
        raise RuleError([f"{source}: nested too deeply"]) from error
    return MarkedDocument(source, data, lines)


def _construct(loader: _CoreLoader, node: yaml.Node, path: YamlPath, lines: dict[YamlPath, int]) -> Any:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        return [_construct(loader, item, (*path, index), lines) for index, item in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        return _construct_mapping(loader, node, path, lines)
    return loader.construct_object(node)


def _construct_mapping(
    loader: _CoreLoader, node: yaml.MappingNode, path: YamlPath, lines: dict[YamlPath, int]
) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise yaml.MarkedYAMLError(None, None, "a key must be plain text", key_node.start_mark)
        key = str(key_node.value)
        if key in data:
            raise yaml.MarkedYAMLError(None, None, f"key '{key}' is there twice", key_node.start_mark)
        lines[(*path, key)] = key_node.start_mark.line + 1
        data[key] = _construct(loader, value_node, (*path, key), lines)
    return data
