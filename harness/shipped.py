"""Shipped scenarios of a folder: which there are, and what each is about."""

from fnmatch import fnmatchcase

from harness.scenario import SCENARIOS
from streams.errors import BadInputError


def names(folder: str, patterns: list[str]) -> list[str]:
    """The shipped ones that match any of the patterns (`model-*`), in order; all without one.

    Raises BadInputError for a pattern that none matches.
    """
    known = sorted(path.stem for path in (SCENARIOS / folder).glob("*.yaml"))
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in known):
            raise BadInputError(f"--only {pattern}: matches none of {', '.join(known)}")
    return [name for name in known if not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)]


def about(folder: str, name: str) -> str:
    """What a scenario is about: the comment its file begins with."""
    first = (SCENARIOS / folder / f"{name}.yaml").read_text(encoding="utf-8").partition("\n")[0]
    return first.removeprefix("#").strip()
