"""How a recomputed decision is shown: what was recorded, what led to it, and whether it is the same."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from harness.recompute import Contribution, Recomputed, Shares
from streams.datasets.money import decimals_of

BAR = 24
SHOWN = 15
_STYLES = {"approve": "green", "review": "yellow", "block": "red"}
_EVENT_COLUMNS = (
    "card_id", "customer_id", "merchant_id", "terminal_id", "device_id", "category", "channel", "country",
    "from_account", "from_bank", "from_country", "to_account", "to_bank", "to_country",
)  # fmt: skip


def _grid(title: str) -> Table:
    table = Table.grid(padding=(0, 2))
    table.title, table.title_justify, table.title_style = title, "left", "bold"
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    return table


def _money(amount_minor: int, currency: str) -> str:
    places = decimals_of(currency)
    return f"{amount_minor / 10**places:,.{places}f} {currency}"


def _event_grid(event: Mapping[str, Any]) -> Table:
    table = _grid("Event")
    moment = datetime.fromtimestamp(event["event_time_ns"] // 1_000_000_000, UTC)
    table.add_row("time", f"{moment:%Y-%m-%d %H:%M:%S} UTC")
    refund = " paid back" if event.get("is_refund") else ""
    table.add_row("amount", f"{_money(event['amount_minor'], event['currency'])}{refund}")
    if event.get("received_minor") is not None:
        table.add_row("received", _money(event["received_minor"], event["received_currency"]))
    for name in _EVENT_COLUMNS:
        if event.get(name) is not None:
            table.add_row(name.removesuffix("_id").replace("_", " "), escape(str(event[name])))
    return table


def _decision_grid(found: Recomputed, decided: Mapping[str, Any]) -> Table:
    recorded = found.recorded
    table = _grid("Decision, as recorded")
    style = _STYLES.get(recorded.outcome, "")
    table.add_row("outcome", f"[{style}]{recorded.outcome}[/] by {recorded.path}" if style else recorded.outcome)
    margin = "" if recorded.margin is None else f", margin {recorded.margin!r}"
    table.add_row("score", f"{recorded.score!r}{margin}")
    if found.thresholds:
        table.add_row("thresholds", ", ".join(f"{name} from {at:.6g}" for name, at in found.thresholds.items()))
    table.add_row("versions", escape(", ".join(f"{name} {v}" for name, v in found.versions.items() if v is not None)))
    table.add_row("worker", escape(str(decided.get("worker") or "–")))
    return table


def _truth_line(truth: Mapping[str, Any]) -> str:
    crime = "fraud" if "is_fraud" in truth else "laundering"
    if truth[f"is_{crime}"]:
        named = truth.get("scenario") or truth.get("typology")
        what = f"[red]{crime}[/] ({escape(named)})" if named else f"[red]{crime}[/]"
    else:
        alike = truth.get("look_alike")
        what = f"[green]genuine[/] (looks like {crime}: {escape(alike)})" if alike else "[green]genuine[/]"
    return f"[bold]Truth[/]  {what}  [dim]known only to the harness, never to the scorer[/]"


def _rules_table(found: Recomputed) -> Table:
    table = Table(title="Rules that fired", title_justify="left", title_style="bold", header_style="bold")
    for name in ("rule", "outcome", "", "why"):
        table.add_column(name, overflow="fold")
    for rule in found.rules:
        table.add_row(escape(rule.code), rule.outcome, "decided" if rule.deciding else "", escape(rule.text))
    return table


def _customers_table(found: Recomputed) -> Table:
    table = Table(title="Customers", title_justify="left", title_style="bold", header_style="bold")
    for name in ("customer", "account", "typology"):
        table.add_column(name, overflow="fold")
    for name in ("score", "rules", "margin"):
        table.add_column(name, justify="right")
    for each in found.customers:
        margin = "–" if each.margin is None else f"{each.margin:+.3f}"
        names = (escape(each.customer_id), escape(each.account_id), escape(each.typology or "–"))
        table.add_row(*names, f"{each.score:.6g}", f"{each.rule_score:.3g}", margin)
    return table


def _bar(share: float, largest: float) -> str:
    width = round(BAR / 2 * abs(share) / largest) if largest else 0
    bar = "█" * width or "▏"
    half = BAR // 2
    return f"{'':{half}}[red]{bar:<{half}}[/]" if share > 0 else f"[green]{bar:>{half}}[/]{'':{half}}"


def _contributions_table(found: Recomputed) -> Table:
    """The largest shares, what the others sum to, and the sum, which is the margin."""
    title = "What moved the score (log-odds; exact contributions, red raises it)"
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    table.add_column("share", justify="right")
    table.add_column("", width=BAR, no_wrap=True)
    table.add_column("cause")
    table.add_column("feature, in words", overflow="fold")
    shown, rest = found.contributions[:SHOWN], found.contributions[SHOWN:]
    largest = max((abs(each.contribution) for each in shown), default=0.0)
    if found.base is not None:
        table.add_row(f"{found.base:+.3f}", "", "", "[dim]base: the same for every event[/]")
    for each in shown:
        table.add_row(f"{each.contribution:+.3f}", _bar(each.contribution, largest), each.cause or "", _words(each))
    if rest:
        total = sum(each.contribution for each in rest)
        table.add_row(f"{total:+.3f}", "", "", f"[dim]{len(rest)} more together[/]")
    if found.margin is not None:
        table.add_row(f"[bold]{found.margin:+.3f}[/]", "", "", "[bold]margin[/]", end_section=True)
    return table


def _words(each: Contribution) -> str:
    return f"{escape(each.text)} [dim]{escape(each.feature)}[/]"


def _features_table(found: Recomputed) -> Table:
    table = Table(title="Features", title_justify="left", title_style="bold", header_style="bold")
    table.add_column("feature")
    table.add_column("value", justify="right")
    table.add_column("in words", overflow="fold")
    for name, feature in found.features.items():
        value = "–" if feature.value is None else f"{feature.value:,.6g}"
        table.add_row(name, value, escape(feature.text))
    return table


def _equality_lines(found: Recomputed, shares: Shares) -> list[str]:
    recorded = found.recorded
    if found.equal:
        lines = [f"[bold green]EQUAL[/]  the recomputed score {found.score!r} is the recorded one, bit for bit"]
    else:
        lines = [
            f"[bold red]NOT EQUAL[/]  recomputed: {found.outcome} by {found.path}, score {found.score!r}; "
            f"recorded: {recorded.outcome} by {recorded.path}, score {recorded.score!r}"
        ]
    if found.features_equal is not None:
        lines.append(f"features: {'the recorded bytes' if found.features_equal else '[red]other than recorded[/]'}")
    if shares.compared:
        said = "agrees with" if shares.agree == shares.compared else "[red]differs from[/]"
        lines.append(
            f"the recorded explanation {said} these contributions (largest difference {shares.largest_difference:.1e})"
        )
    return lines


def tell_decision(
    found: Recomputed,
    decided: Mapping[str, Any],
    event: Mapping[str, Any] | None,
    truth: Mapping[str, Any] | None,
    shares: Shares,
    console: Console,
) -> None:
    """Everything about one decision; `decided` is its row of decisions.parquet."""
    console.print(f"\n[bold]{escape(found.event_id)}[/]", highlight=False)
    if event is not None:
        console.print(_event_grid(event), highlight=False)
    console.print(_decision_grid(found, decided), highlight=False)
    if truth is not None:
        console.print(_truth_line(truth), highlight=False)
    if found.customers:
        console.print(_customers_table(found))
    if found.rules:
        console.print(_rules_table(found))
    if found.contributions:
        console.print(_contributions_table(found))
    console.print(_features_table(found))
    for line in _equality_lines(found, shares):
        console.print(line, highlight=False, soft_wrap=True)


def tell_sample(content: Mapping[str, Any], console: Console) -> None:
    """How many decisions of a sample are the recorded ones."""
    sampled, equal, shares = content["sampled"], content["equal"], content["shares"]
    style, word = ("green", "EQUAL") if equal == sampled else ("red", "NOT EQUAL")
    console.print(
        f"[bold {style}]{word}[/]  {equal:,} of {sampled:,} recomputed decisions have the recorded score and outcome, "
        "bit for bit",
        highlight=False,
        soft_wrap=True,
    )
    paths = ", ".join(f"{name} {count:,}" for name, count in content["by_path"].items())
    console.print(f"by path: {paths}", highlight=False)
    console.print(
        f"features: {content['features_equal']:,} of {content['features_compared']:,} have the recorded bytes",
        highlight=False,
    )
    if shares["compared"]:
        console.print(
            f"explanations: {shares['agree']:,} of {shares['compared']:,} agree with the recomputed contributions "
            f"(largest difference {shares['largest_difference']:.1e})",
            highlight=False,
            soft_wrap=True,
        )
    for event_id in content["different"]:
        console.print(f"  differs: {escape(event_id)}", highlight=False)
