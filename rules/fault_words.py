"""pydantic's faults in the words of somebody who edits a rule file: file, line, key, value, bound, what is known."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from rules.language import NESTING_MAX, AllOf, AnyOf, Comparison, Negation
from rules.marked_yaml import MarkedDocument, YamlPath
from rules.nearness import nearest


@dataclass(frozen=True, slots=True)
class FaultWords:
    """Words for the faults of one kind of file.

    `subject` says which part of the file a path is in ("rule 'x'"; nothing for the file itself), given its data and the
    path. `known_keys` gives the keys that a mapping at pydantic's location of one of them could hold.
    """

    document: MarkedDocument
    subject: Callable[[Any, YamlPath], str]
    known_keys: Callable[[Sequence[str | int]], Sequence[str]]

    def placed(self, path: YamlPath, text: str) -> str:
        """A fault's text behind file, line and subject."""
        subject = self.subject(self.document.data, path)
        where = f"{self.document.source}:{self.document.line(path)}: "
        return f"{where}{subject}: {text}" if subject else where + text

    def said(self, fault: Any) -> str:
        """pydantic's fault with the path in the file (its own path also names the kinds of condition it went
        through)."""
        path, rest, data = _walk(self.document.data, fault["loc"])
        words = _SAID.get(fault["type"])
        text = words(fault) if words else fault["msg"][:1].lower() + fault["msg"][1:]
        rest = [step for step in rest if step != KEY_ITSELF]
        key = rest[-1] if rest else (path[-1] if path else None)
        if fault["type"] == "extra_forbidden":
            text = self._unknown_key(fault)
        elif fault["type"] == "missing":
            text = f"key '{key}' is missing"
        elif isinstance(key, int):
            text = f"item {key + 1} of '{path[-2]}': {text}" if len(path) > 1 else text
        elif key is not None and fault["type"] not in OF_A_WHOLE:
            text = f"key '{key}': {text}"
        # a banded rule has more to say than its column
        column = data.get("column") if isinstance(data, dict) and "bands" not in data else None
        return self.placed(path, f"column '{column}': {text}" if isinstance(column, str) else text)

    def _unknown_key(self, fault: Any) -> str:
        location = fault["loc"]
        tag = next((step for step in reversed(location[:-1]) if step in CONDITION_KEYS), None)
        names = CONDITION_KEYS[tag] if tag else self.known_keys(location)
        key = str(location[-1])
        return f"unknown key '{key}'{nearest(key, names)}; known: {', '.join(names)}"


KEY_ITSELF = "[key]"
"""How pydantic says that a key is at fault, not what stands beside it."""
OF_A_WHOLE = frozenset({"operator", "band"})
"""Types of faults that are of a mapping, not of the key that it stands at."""


def model_keys(model: type[BaseModel]) -> tuple[str, ...]:
    """The keys of a part of a file, as they are written there."""
    return tuple(field.alias or name for name, field in model.model_fields.items())


CONDITION_KEYS: Mapping[str | int, tuple[str, ...]] = {
    "comparison": model_keys(Comparison),
    "all-of": model_keys(AllOf),
    "any-of": model_keys(AnyOf),
    "negation": model_keys(Negation),
}


def _walk(data: Any, location: Sequence[str | int]) -> tuple[YamlPath, Sequence[str | int], Any]:
    """Follow a location as far as the file has it: the path, what is left, and the innermost mapping on the way."""
    path: list[str | int] = []
    rest: list[str | int] = []
    mapping: Any = None
    for step in location:
        here = isinstance(data, dict) and step in data
        there = isinstance(data, list) and isinstance(step, int) and step < len(data)
        if isinstance(data, dict):
            mapping = data
        if here or there:
            data = data[step]
            path.append(step)
            rest = []
        elif step not in _TAGS:
            rest.append(step)
    return tuple(path), rest, data if isinstance(data, dict) else mapping


_TAGS = tuple(CONDITION_KEYS)


def _given(fault: Any) -> str:
    value = fault["input"]
    return f"'{value}'" if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else repr(value)


_SAID: dict[str, Callable[[Any], str]] = {
    "greater_than_equal": lambda fault: f"{_given(fault)} is below its bound {fault['ctx']['ge']:g}",
    "less_than_equal": lambda fault: f"{_given(fault)} is above its bound {fault['ctx']['le']:g}",
    "greater_than": lambda fault: f"{_given(fault)} is not above its bound {fault['ctx']['gt']:g}",
    "float_type": lambda fault: f"{_given(fault)} is no number",
    "int_type": lambda fault: f"{_given(fault)} is no whole number",
    "bool_type": lambda fault: f"{_given(fault)} is neither true nor false",
    "string_type": lambda fault: f"{_given(fault)} is no text (put quotes around it)",
    "list_type": lambda fault: f"{_given(fault)} is no list",
    "finite_number": lambda fault: f"{_given(fault)} is no finite number",
    "string_pattern_mismatch": lambda fault: f"{_given(fault)} does not match {fault['ctx']['pattern']}",
    "literal_error": lambda fault: f"{_given(fault)} is not one of {fault['ctx']['expected']}",
    "model_type": lambda fault: f"{_given(fault)} is no mapping of keys to values",
    "model_attributes_type": lambda fault: f"{_given(fault)} is no mapping of keys to values",
    "too_short": lambda fault: (
        f"{fault['ctx']['actual_length']} items are too few: at least {fault['ctx']['min_length']}"
    ),
    "too_long": lambda fault: (
        f"{fault['ctx']['actual_length']} items are too many: at most {fault['ctx']['max_length']}"
    ),
    "string_too_short": lambda _: "is empty",
    "string_too_long": lambda fault: f"is longer than {fault['ctx']['max_length']} characters",
    "recursion_loop": lambda _: f"conditions are nested deeper than {NESTING_MAX}",
}
