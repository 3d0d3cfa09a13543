"""Says what is wrong with a scenario in the words of its file: key path, value, bound."""

import difflib
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from harness.faults.kinds import KINDS as FAULTS
from streams.drift.kinds import KINDS as DRIFTS

LISTED: dict[str, Mapping[str, Any]] = {"faults": FAULTS, "drifts": DRIFTS}
"""Lists whose entries are of several kinds, and the kinds."""
_TYPES = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "string_type": "text",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "keys and values",
    "model_type": "keys and values",
    "model_attributes_type": "keys and values",
    "finite_number": "a finite number",
}
_BOUNDS = {
    "greater_than": ("gt", "greater than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}


def _expectation(problem: ErrorDetails) -> str:
    kind, context = problem["type"], problem.get("ctx", {})
    if kind in _TYPES:
        return f"must be {_TYPES[kind]}"
    if kind in _BOUNDS:
        key, words = _BOUNDS[kind]
        return f"must be {words} {context[key]:g}"
    if kind == "literal_error":
        return f"must be one of {context['expected']}".replace(" or ", ", ").replace("'", "")
    if kind == "string_pattern_mismatch":
        return f"must match {context['pattern']}"
    return _other(problem)


def _other(problem: ErrorDetails) -> str:
    kind, context = problem["type"], problem.get("ctx", {})
    if kind == "too_long":
        return f"can have at most {context['max_length']} entries"
    if kind == "value_error":
        return str(context["error"])
    return problem["msg"][:1].lower() + problem["msg"][1:]


def _key_path(location: tuple[int | str, ...]) -> str:
    """`faults[0].delay_ms`; the kind of an entry, which is no key, is left out."""
    path = ""
    for before, part in zip(("", *location), location, strict=False):
        if isinstance(part, int):
            path += f"[{part}]"
        elif not (isinstance(before, int) and part in _kinds(location)):
            path += f".{part}" if path else part
    return path


def _kinds(location: tuple[int | str, ...]) -> Mapping[str, Any]:
    """The kinds of the list that a problem lies in; none outside of these lists."""
    return LISTED.get(str(location[0]), {}) if location else {}


def _known_keys(error: ValidationError, location: tuple[int | str, ...]) -> list[str]:
    # imported late: scenario.py imports this module
    from harness.scenario import Scenario  # noqa: PLC0415

    model: Any = Scenario
    for part in location:
        if part in LISTED or isinstance(part, int):
            continue
        if part in _kinds(location) and model is Scenario:  # the kind of an entry
            model = _kinds(location)[part]
            continue
        if not hasattr(model, "model_fields") or part not in model.model_fields:
            return []
        annotation = model.model_fields[part].annotation
        options = [a for a in getattr(annotation, "__args__", ()) if hasattr(a, "model_fields")]
        model = options[0] if options else annotation
    return list(getattr(model, "model_fields", {}))


def _sentence(error: ValidationError, problem: ErrorDetails, names: dict[str, str]) -> str:
    location = problem["loc"]
    path = _key_path(location)
    shown = f"{names[path]} ({path})" if path in names else path
    if problem["type"] == "extra_forbidden":
        known = _known_keys(error, location[:-1])
        close = difflib.get_close_matches(str(location[-1]), known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"known here: {', '.join(known)}"
        return f"{shown}: unknown key; {hint}"
    if problem["type"] == "union_tag_not_found":
        return f"{shown}.kind: missing; one of {', '.join(_kinds(location))}"
    if problem["type"] == "union_tag_invalid":
        return f"{shown}.kind = {problem['ctx']['tag']!r}: must be one of {', '.join(_kinds(location))}"
    if problem["type"] == "missing":
        return f"{shown}: missing"
    if problem["type"] == "value_error":
        return f"{shown}: {_expectation(problem)}" if shown else _expectation(problem)
    return f"{shown} = {problem['input']!r}: {_expectation(problem)}"


def explain_problems(error: ValidationError, source: str, names: dict[str, str]) -> str:
    """All problems, one a line, each with the key path, the value found and the bound."""
    sentences = [_sentence(error, problem, names) for problem in error.errors(include_url=False)]
    if len(sentences) == 1:
        return f"scenario {source}: {sentences[0]}"
    return f"scenario {source} has {len(sentences)} problems:\n" + "\n".join(f"  {sentence}" for sentence in sentences)
