"""AMLworld's text file of laundering attempts: which transfers belong together, and as what.

    BEGIN LAUNDERING ATTEMPT - FAN-OUT:  Max 16-degree Fan-Out
    2022/09/01 00:06,021174,800737690,012,80011F990,2848.96,Euro,2848.96,Euro,ACH,1
    END LAUNDERING ATTEMPT - FAN-OUT

The lines within a block are rows of the transfers' file. A row is recognised by its text; of equal rows each stands for
one line.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from streams.errors import BadInputError

_BEGIN = re.compile(r"^BEGIN LAUNDERING ATTEMPT\s*-\s*([A-Za-z][A-Za-z -]*)")
_END = "END LAUNDERING ATTEMPT"
Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One block: its typology in our spelling (`fan_out`) and the keys of its transfers."""

    typology: str
    keys: list[Key]


def read_attempts(path: Path) -> list[Attempt]:
    """Raises BadInputError with file and line when it is not such a file."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"{path}: cannot be read: {error}") from error
    return list(_blocks(path, lines))


def _blocks(path: Path, lines: list[str]) -> Iterator[Attempt]:
    typology: str | None = None
    keys: list[Key] = []
    for number, line in enumerate((line.strip() for line in lines), start=1):
        begins = _BEGIN.match(line)
        if begins:
            typology, keys = spelt(begins.group(1)), []
        elif line.startswith(_END):
            if typology is None:
                raise BadInputError(f"{path}, line {number}: an attempt ends that has not begun")
            yield Attempt(typology, keys)
            typology = None
        elif line and typology is None:
            raise BadInputError(f"{path}, line {number}: a transfer outside of any laundering attempt: {line[:60]!r}")
        elif line:
            keys.append(row_key(line.split(",")))
    if typology is not None:
        raise BadInputError(f"{path}: the last laundering attempt ({typology}) does not end")


def spelt(name: str) -> str:
    """A typology's name in our spelling: `FAN-OUT` is `fan_out`."""
    return re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_")


def row_key(values: Iterable[str]) -> Key:
    """What a row is recognised by: its values, without padding."""
    return tuple(value.strip().lstrip("0") or "0" for value in values)


def match_attempts(attempts: list[Attempt], rows: Iterable[tuple[int, Key]]) -> tuple[dict[int, int], int]:
    """Row → place of its attempt, for the rows that belong to one; and how many lines no row answers to."""
    waiting: dict[Key, list[int]] = defaultdict(list)
    for place, attempt in enumerate(attempts):
        for key in attempt.keys:
            waiting[key].append(place)
    found: dict[int, int] = {}
    for row, key in rows:
        if waiting.get(key):
            found[row] = waiting[key].pop(0)
    return found, sum(map(len, waiting.values()))
