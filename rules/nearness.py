"""Names that are close to one that was meant."""

import difflib
from collections.abc import Sequence


def nearest(name: str, names: Sequence[str]) -> str:
    """' (did you mean …?)' for a name that is close to one there is, or nothing."""
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f" (did you mean '{close[0]}'?)" if close else ""
