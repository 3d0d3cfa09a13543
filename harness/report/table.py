"""A table of the report, as data: the page knows how to draw it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Tone = Literal["", "good", "watch", "bad", "quiet"]


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a cell; `tone` colours it (and `text` says the same in words)."""

    text: str
    tone: Tone = ""


@dataclass(frozen=True, slots=True)
class Table:
    """`columns` are headings; the first cell of a row is its heading. Columns in `words` are text, others numbers."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    words: frozenset[int] = frozenset({0})


def table(
    caption: str, columns: Sequence[str], rows: Sequence[Sequence[str | Cell]], words: Sequence[int] = (0,)
) -> Table:
    """A table of texts and cells."""
    cells = tuple(tuple(cell if isinstance(cell, Cell) else Cell(cell) for cell in row) for row in rows)
    return Table(caption, tuple(columns), cells, frozenset(words))
