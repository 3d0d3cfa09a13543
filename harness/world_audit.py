"""The separability audit of a world or a data file: made by the model room as a process, shown as tables and a page."""

import json
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from harness.cache import cached_folder, content_key, hash_sources
from harness.prepared import Prepared
from harness.processes import module_command
from harness.scenario import Scenario
from harness.training import Workshop, run_step
from streams.errors import BadInputError

AUDIT_S = 1_800.0
WIDE = 130
"""Columns from which a console has room for what was found beside each figure."""
AUDIT_CODE = ("models", "streams/*.py", "streams/kernels", "streams/markets")
AUDIT_LIBRARIES = ("numpy", "numba", "pyarrow", "scikit-learn", "scipy", "xgboost-cpu")
_STYLES = {"pass": "green", "fail": "bold red", "information": "dim", "not measured": "yellow"}
_TABLES: dict[str, tuple[str, int]] = {
    "single_features": ("Single features", 15),
    "customer_features": ("Single features of a customer's period", 15),
    "families": ("Families of features", 20),
    "models": ("Models", 10),
    "customer_models": ("Models of a customer's period", 10),
    "scenarios": ("Fraud scenarios", 30),
    "typologies": ("Typologies", 40),
    "markets": ("Markets", 80),
    "hard_negatives": ("Typologies and their look-alikes", 40),
    "members_accounts": ("Members' accounts, by typology", 40),
    "shuffled_labels": ("Shuffled labels", 20),
    "leaks": ("Traces", 40),
    "fresh_merchants": ("Frauds at merchants without genuine customers", 30),
    "campaigns": ("Lengths of campaigns", 30),
}
"""Tables of the page: their title, and at most how many rows are shown."""
Audit = dict[str, Any]


def audit_prepared(scenario: Scenario, prepared: Prepared, shop: Workshop, *, strict: bool) -> Audit:
    """Audit history and stream, from the cache where the same audit was made before.

    Raises BadInputError where the truth is not known, or there is too little of it.
    """
    if not prepared.labelled:
        raise BadInputError("the data name no frauds: an audit needs labels (see the labels of docs/own-data.md)")
    delay_days = prepared.facts.get("label_delay_days")
    options = {
        "--seed": scenario.seeds.training,
        "--label-delay-days": scenario.training.label_delay_days if delay_days is None else delay_days,
        "--warm-up-days": scenario.training.kernel_warmup_days,
    }
    key = content_key(
        {
            "prepared": prepared.key,
            "options": options,
            "strict": strict,
            "code": hash_sources(AUDIT_CODE),
            "libraries": {name: metadata.version(name) for name in AUDIT_LIBRARIES},
        }
    )

    def make(folder: Path) -> None:
        command = module_command("models", "separability", "--out", str(folder / "audit.json"))
        for events, labels in (("history", "history_labels"), ("events", "labels")):
            command += ["--events", str(prepared.file(events)), "--labels", str(prepared.file(labels))]
        if scenario.domain == "aml":
            command += ["--accounts", str(prepared.file("accounts")), "--members", str(prepared.file("members"))]
        for name, value in options.items():
            command += [name, str(value)]
        command.append("--strict" if strict else "--no-strict")
        shop.family.stop(run_step(shop, "audit", command, AUDIT_S))

    folder, _ = cached_folder(shop.cache, "audits", key, make)
    audit: Audit = json.loads((folder / "audit.json").read_text(encoding="utf-8"))
    return audit


def figure(value: float | None) -> str:
    """A figure for eyes."""
    if value is None:
        return "–"
    return f"{value:.4g}" if abs(value) >= 10 else f"{value:.2g}" if 0 < abs(value) < 0.01 else f"{value:.3f}"


def limits(check: dict[str, Any]) -> str:
    """The limits of a check for eyes."""
    low, high = check["low"], check["high"]
    if low is None and high is None:
        return ""
    if low is None:
        return f"≤ {figure(high)}"
    return f"≥ {figure(low)}" if high is None else f"{figure(low)} to {figure(high)}"


def verdict(check: dict[str, Any]) -> str:
    """The verdict for eyes; where limits are not applied, whether they would have been kept."""
    if check["verdict"] == "information" and check["keeps_limits"] is not None:
        return "within" if check["keeps_limits"] else "outside"
    return str(check["verdict"])


def print_audit(audit: Audit, console: Console) -> None:
    """The checks, group by group, then what is broken."""
    table = Table(header_style="bold", title_justify="left", title=headline(audit))
    table.add_column("check", ratio=3)
    table.add_column("figure", justify="right", no_wrap=True)
    table.add_column("limit", justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    wide = console.width >= WIDE
    if wide:
        table.add_column("found", ratio=3)
    group = None
    for check in audit["checks"]:
        if group is not None and check["group"] != group:
            table.add_section()
        group = check["group"]
        shown = verdict(check)
        style = _STYLES.get(shown, "yellow" if shown == "outside" else "")
        cells = [check["check"], figure(check["figure"]), limits(check), f"[{style}]{shown}[/]" if style else shown]
        table.add_row(*cells, *([check["detail"]] if wide else []))
    console.print(table)
    for check in audit["checks"]:
        if check["verdict"] == "fail":
            console.print(f"[bold red]broken[/]  {check['check']}: {check['detail']}", highlight=False, soft_wrap=True)


def headline(audit: Audit) -> str:
    """What was audited, and the outcome."""
    data = audit["data"]
    if "transfers" in data:
        return (
            f"Separability audit: {audit['status']} ({data['transfers']:,} transfers of {data['customers']:,} "
            f"customers over {data['days']:.0f} days, {data['laundering']:,} of them laundering, in "
            f"{data['patterns']:,} patterns)"
        )
    return (
        f"Separability audit: {audit['status']} ({data['events']:,} events of {data['cards']:,} cards over "
        f"{data['days']:.0f} days, {data['frauds']:,} frauds)"
    )


def to_markdown(audit: Audit, title: str) -> str:
    """The audit as a page: the checks, then the tables they were taken from."""
    checks = ((c["check"], figure(c["figure"]), limits(c), verdict(c), c["detail"]) for c in audit["checks"])
    parts = [f"# {title}", f"{headline(audit)}.", _rows(("check", "figure", "limit", "verdict", "found"), checks)]
    if audit["broken"]:
        parts.insert(2, "Broken: " + "; ".join(audit["broken"]) + ".")
    for name, (heading, shown) in _TABLES.items():
        rows = audit["tables"].get(name, [])
        if rows:
            columns = tuple(rows[0])
            cells = (tuple(_cell(row[column]) for column in columns) for row in rows[:shown])
            more = f"\n\n{len(rows) - shown} more in audit.json." if len(rows) > shown else ""
            parts += [f"## {heading}", _rows(columns, cells) + more]
    settings = ", ".join(f"{name} {value}" for name, value in audit["settings"].items())
    parts.append(f"Settings: {settings}.")
    return "\n\n".join(parts) + "\n"


def _rows(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(header)} |", f"|{'---|' * len(header)}"]
    return "\n".join([*lines, *(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows)])


def _cell(value: Any) -> str:
    return "–" if value is None else figure(value) if isinstance(value, float) else str(value)
