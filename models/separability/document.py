"""An audit as a file holds it, and how far it has come."""

from collections.abc import Callable, Sequence
from typing import Any

from models.progress import Tell
from models.separability.checks import Findings
from models.separability.settings import AuditSettings

SCHEMA_VERSION = 1


def document(
    data: dict[str, Any], settings: AuditSettings, found: Sequence[Findings], rows: tuple[int, int]
) -> dict[str, Any]:
    """The verdict, what was audited (`data`, and how many rows train and test), how, and every check."""
    checks = [check for one in found for check in one.checks]
    broken = [check.name for check in checks if check.verdict == "fail"]
    status = ("fail" if broken else "pass") if settings.strict else "information"
    return {
        "schema_version": SCHEMA_VERSION,
        "status": status,
        "broken": broken if settings.strict else [],
        "data": {**data, "train_rows": rows[0], "test_rows": rows[1]},
        "settings": {
            "seed": settings.seed,
            "label_delay_days": settings.label_delay_days,
            "warm_up_days": settings.warm_up_days,
            "test_share": settings.test_share,
            "genuine_max": settings.genuine_max,
            "genuine_compared": settings.genuine_compared,
            "permutations": settings.permutations,
            "alert_share": settings.alert_share,
        },
        "checks": [check.to_dict(settings.strict) for check in checks],
        "tables": {name: rows for one in found for name, rows in one.tables.items()},
    }


def within(tell: Tell, steps: Sequence[tuple[str, float]], step: str) -> Callable[[float], None]:
    """Tell that a step begins; `steps` are all of them with the share of the work that is done at the end of each."""
    index = [name for name, _ in steps].index(step)
    start, end = steps[index - 1][1] if index else 0.0, steps[index][1]
    tell(step, start)
    return lambda share: tell(step, start + (end - start) * share)
