"""A source names its categories otherwise."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from streams.drift.columns import CHANNELS_OF, UNKNOWN, Codes, coded, spelt
from streams.drift.drift import EventDrift, Family
from streams.drift.material import Material
from streams.errors import BadInputError
from streams.topics import Domain

Word = Annotated[str, Field(min_length=1, max_length=64)]
COLUMN: dict[Domain, str] = {"fraud": "category", "aml": "channel"}
SWAPPED = {"wire": "instant", "instant": "wire", "cash_in": "cash_out", "cash_out": "cash_in"}


class CategoryRecoded(EventDrift):
    """Words of a column become others: of cards the merchant category, of transfers the channel (`column`).

    `mapping` is from word to word; one that it does not name stays. Without a mapping, categories become numbered codes
    (`mcc-01` …, in the order of the words), and wire and instant, cash in and cash out change places. Channels must
    stay channels, otherwise the events would be refused.
    """

    family: ClassVar[Family] = "data-quality"

    kind: Literal["category-recoded"]
    column: Literal["category", "channel"] | None = None
    mapping: dict[str, Word] = Field(default_factory=dict)

    def refuse(self, domain: Domain) -> None:
        """See `Drift`."""
        super().refuse(domain)
        if domain == "aml" and self.column == "category":
            raise ValueError("column = category: transfers have none, give channel")
        if self._column(domain) == "channel":
            unknown = [word for word in self.mapping.values() if word not in CHANNELS_OF[domain]]
            if unknown:
                raise ValueError(f"mapping to {unknown[0]!r}: channels are {', '.join(CHANNELS_OF[domain])}")
            if domain == "fraud" and not self.mapping:
                raise ValueError("mapping is needed for column = channel")

    def _column(self, domain: Domain) -> str:
        return self.column or COLUMN[domain]

    def fields(self, domain: Domain) -> tuple[str, ...]:
        """See `Drift`."""
        return (self._column(domain),)

    def apply(self, material: Material, rng: np.random.Generator) -> Material:
        """See `Drift`."""
        stream, column = material.stream, self._column(material.domain)
        codes, words = coded(stream.events[column])
        mapping = self.mapping or (SWAPPED if column == "channel" else _numbered(words))
        recodes, spelling = _recoded(codes, words, mapping)
        if not (recodes != codes).any():
            raise BadInputError(
                f"drifts[{material.place}] ({self.kind}) changes nothing: the events' {column} has none of the words "
                f"{', '.join(mapping)}"
            )
        which = self.affected(material, rng).which & (recodes != codes)
        changed = spelt(np.where(which, recodes, codes), spelling)
        return material.with_stream(stream.with_columns(**{column: changed}).marked(which, material.place))


def _numbered(words: Sequence[str]) -> dict[str, str]:
    return {word: f"mcc-{number:02d}" for number, word in enumerate(sorted(words), start=1)}


def _recoded(codes: Codes, words: Sequence[str], mapping: dict[str, str]) -> tuple[Codes, list[str]]:
    """Every event's code after recoding, and the words that codes now stand for."""
    spelling = list(dict.fromkeys([*words, *mapping.values()]))
    number = {word: code for code, word in enumerate(spelling)}
    table = np.array([*(number[mapping.get(word, word)] for word in words), UNKNOWN], np.int32)
    return table[codes], spelling
