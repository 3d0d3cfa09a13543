"""A catalogue as a Markdown table, and its place in a page of docs/."""

from collections.abc import Sequence
from pathlib import Path

from models.features.catalog import FEATURES, Feature
from models.graph.catalog import AML_FEATURES
from streams.errors import BadInputError

CATALOGUES: dict[str, Sequence[Feature]] = {"fraud": FEATURES, "aml": AML_FEATURES}
BEGIN = {
    "fraud": "<!-- catalogue: written by `python -m models features catalogue --write docs/features.md` -->",
    "aml": "<!-- catalogue: written by `python -m models features catalogue --of aml --write docs/aml-features.md` -->",
}
END = "<!-- end of the catalogue -->"


def catalogue_table(of: str = "fraud") -> str:
    """One row a feature of a catalogue (`CATALOGUES`), in the order of the columns."""
    head = "| # | feature | kind, unit | bounds | family | in words |\n|---|---|---|---|---|---|\n"
    return head + "".join(f"{_row(place, feature)}\n" for place, feature in enumerate(CATALOGUES[of]))


def _row(place: int, feature: Feature) -> str:
    unit = f"{feature.kind}, {feature.unit}" if feature.unit and feature.unit != feature.kind else feature.kind
    words = feature.phrase.replace("{value}", "…")
    return f"| {place} | `{feature.name}` | {unit} | {feature.low:g} – {feature.high:g} | {feature.family} | {words} |"


def with_catalogue(page: str, of: str = "fraud") -> str:
    """The page with its table replaced. Raises `BadInputError` when it has no place for one."""
    before, begin, rest = page.partition(BEGIN[of])
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise BadInputError(f"the page has no lines {BEGIN[of]} and {END}")
    return f"{before}{BEGIN[of]}\n\n{catalogue_table(of)}\n{END}{after}"


def write_catalogue(path: Path, of: str = "fraud") -> None:
    """Put the present table into a page. Raises `BadInputError` for a page that cannot be read or written."""
    try:
        path.write_text(with_catalogue(path.read_text(encoding="utf-8"), of), encoding="utf-8")
    except OSError as error:
        raise BadInputError(f"{path}: {error.strerror or error}") from error
