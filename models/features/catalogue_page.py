"""The catalogue as a Markdown table, and its place in docs/features.md."""

from pathlib import Path

from models.features.catalog import FEATURES, Feature
from streams.errors import BadInputError

BEGIN = "<!-- catalogue: written by `python -m models features catalogue --write docs/features.md` -->"
END = "<!-- end of the catalogue -->"


def catalogue_table() -> str:
    """One row a feature, in the order of the columns."""
    head = "| # | feature | kind, unit | bounds | family | in words |\n|---|---|---|---|---|---|\n"
    return head + "".join(f"{_row(place, feature)}\n" for place, feature in enumerate(FEATURES))


def _row(place: int, feature: Feature) -> str:
    unit = f"{feature.kind}, {feature.unit}" if feature.unit and feature.unit != feature.kind else feature.kind
    words = feature.phrase.replace("{value}", "…")
    return f"| {place} | `{feature.name}` | {unit} | {feature.low:g} – {feature.high:g} | {feature.family} | {words} |"


def with_catalogue(page: str) -> str:
    """The page with its table replaced. Raises `BadInputError` when it has no place for one."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise BadInputError(f"the page has no lines {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{catalogue_table()}\n{END}{after}"


def write_catalogue(path: Path) -> None:
    """Put the present table into a page. Raises `BadInputError` for a page that cannot be read or written."""
    try:
        path.write_text(with_catalogue(path.read_text(encoding="utf-8")), encoding="utf-8")
    except OSError as error:
        raise BadInputError(f"{path}: {error.strerror or error}") from error
