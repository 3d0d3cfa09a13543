"""Says what is wrong with a mapping file in the words of that file: key path, value found, what is allowed."""

import difflib
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

_EXPECTED = {
    "string_type": "must be text (put it in quotes)",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be keys and values",
    "model_type": "must be keys and values",
    "model_attributes_type": "must be keys and values",
    "finite_number": "must be a finite number",
    "string_too_short": "must not be empty",
}
_BOUNDS = {
    "greater_than": ("gt", ">"),
    "greater_than_equal": ("ge", "≥"),
    "less_than": ("lt", "<"),
    "less_than_equal": ("le", "≤"),
}


def _keys_at(model: type[BaseModel], location: tuple[str, ...]) -> list[str]:
    """The keys allowed at a place of the mapping."""
    current: type[BaseModel] | None = model
    for part in location:
        if current is None or part not in current.model_fields:
            return []
        annotation: Any = current.model_fields[part].annotation
        options = [annotation, *get_args(annotation)]
        current = next((o for o in options if isinstance(o, type) and issubclass(o, BaseModel)), None)
    return list(current.model_fields) if current else []


def _location(problem: ErrorDetails, model: type[BaseModel]) -> tuple[str, ...]:
    """The key path, without the names pydantic gives to the branches of a union."""
    path: list[str] = []
    for part in problem["loc"]:
        known = _keys_at(model, tuple(p for p in path if not p.isdigit()))
        unknown_key = problem["type"] == "extra_forbidden" and part == problem["loc"][-1]
        if isinstance(part, int) or part in known or unknown_key or not path:
            path.append(str(part))
    return tuple(path)


def _sentence(problem: ErrorDetails, model: type[BaseModel]) -> str:
    location, kind, context = _location(problem, model), problem["type"], problem.get("ctx", {})
    path = ".".join(location)
    if kind == "extra_forbidden":
        known = _keys_at(model, location[:-1])
        close = difflib.get_close_matches(location[-1], known, n=1)
        return f"{path}: unknown key; " + (f"did you mean {close[0]}?" if close else f"known here: {', '.join(known)}")
    if kind in {"missing", "value_error"}:
        return f"{path}: {context['error'] if context else 'missing'}"
    shown = f"{path} = {problem['input']!r}"
    if kind in _EXPECTED:
        return f"{shown}: {_EXPECTED[kind]}"
    if kind in _BOUNDS:
        key, sign = _BOUNDS[kind]
        return f"{shown}: must be {sign} {context[key]:g}"
    literal = f"must be one of {context.get('expected')}"
    return f"{shown}: " + (literal if kind == "literal_error" else problem["msg"][:1].lower() + problem["msg"][1:])


def explain_mapping_problems(error: ValidationError, source: str, model: type[BaseModel]) -> str:
    """All problems of a mapping file, one a line."""
    sentences = list(dict.fromkeys(_sentence(problem, model) for problem in error.errors(include_url=False)))
    if len(sentences) == 1:
        return f"column map {source}: {sentences[0]}"
    return f"column map {source} has {len(sentences)} problems:\n" + "\n".join(
        f"  {sentence}" for sentence in sentences
    )
