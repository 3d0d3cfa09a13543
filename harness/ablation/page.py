"""An ablation as a Markdown page."""

from collections.abc import Iterator
from typing import Any

from harness.ablation.effects import BETTER, MEASURES, NOTHING, WORSE, Effect, effects, replicates, scenario_recalls

GROUPS = {
    "parts": "Trees, autoencoder, both",
    "imbalance": "Few frauds among many genuine events",
    "families": "Families of features",
}
COLUMNS = {
    "average_precision": "average precision",
    "card_precision_at_k": "card precision@{k}",
    "recall": "recall at the budget",
}


def write_page(content: dict[str, Any]) -> str:
    """The page of an ablation's content (see `harness.commands.ablate`)."""
    return "\n".join(_lines(content)).rstrip() + "\n"


def _lines(content: dict[str, Any]) -> Iterator[str]:
    yield from (
        "# What each part of the fraud model is worth",
        "",
        f"Written by `{content['command']}` on {content['date']}; every figure beside it in `{content['json']}`.",
        "",
        "Each row is the default model with one thing changed, trained and measured on the same events. ± is the "
        "standard deviation over the replicates; Δ is the mean difference to the default on the same replicates, with "
        "its 95% interval (Student, paired). Where the interval covers 0 no effect is shown, whatever the mean.",
        "",
    )
    for part in content["parts"]:
        yield from _part(part, content)
    yield from _settings(content)


def _part(part: dict[str, Any], content: dict[str, Any]) -> Iterator[str]:
    cells, names = part["cells"], [each["name"] for each in content["variants"]]
    yield from (f"## {part['title']}", "", part["words"], "")
    if not part["table"]:
        yield from _plain_figures(cells, names, part)
        return
    found = {measure: effects(cells, names, measure) for measure in MEASURES}
    default = found["average_precision"][names[0]]
    default_cards, default_recall = found["card_precision_at_k"][names[0]], found["recall"][names[0]]
    yield (
        f"Default: average precision **{_spread(default)}**, card precision@{part['k']} **{_spread(default_cards)}**, "
        f"recall at the alert budget **{_spread(default_recall)}**."
    )
    yield ""
    for group, title in GROUPS.items():
        members = [each["name"] for each in content["variants"] if each["group"] == group and each["name"] != names[0]]
        if members:
            yield from _table(title, members, found, part["k"])
    yield from _verdicts(content["variants"], found["average_precision"])
    yield from _scenarios(cells, names)


def _table(title: str, members: list[str], found: dict[str, dict[str, Effect]], k: int) -> Iterator[str]:
    heads = [words.format(k=k) for words in COLUMNS.values()]
    yield from (f"### {title}", "", f"| variant | {' | '.join(f'{head} | Δ' for head in heads)} |")
    yield "|---" * (1 + 2 * len(heads)) + "|"
    for name in members:
        cells = [f"{_spread(found[measure][name])} | {_difference(found[measure][name])}" for measure in COLUMNS]
        yield f"| {name} | {' | '.join(cells)} |"
    yield ""


def _verdicts(variants: list[dict[str, str]], found: dict[str, Effect]) -> Iterator[str]:
    yield from ("### In words (by average precision)", "")
    for verdict, words in (
        (BETTER, "better than the default"),
        (WORSE, "worse than the default"),
        (NOTHING, "no effect shown"),
    ):
        names = [each["name"] for each in variants[1:] if found[each["name"]].verdict == verdict]
        yield f"- {words}: {', '.join(names) if names else 'none'}"
    yield ""


def _scenarios(cells: list[dict[str, Any]], names: list[str]) -> Iterator[str]:
    recalls = scenario_recalls(cells, names)
    if not recalls:
        return
    yield from ("### Recall at the alert budget by fraud scenario", "", f"| scenario | {' | '.join(names)} |")
    yield "|---" * (1 + len(names)) + "|"
    for scenario, row in recalls.items():
        yield f"| {scenario.replace('_', ' ')} | {' | '.join(f'{row[name]:.2f}' for name in names)} |"
    yield ""


def _plain_figures(cells: list[dict[str, Any]], names: list[str], part: dict[str, Any]) -> Iterator[str]:
    yield f"| variant | average precision | card precision@{part['k']} | ceiling | ROC AUC |"
    yield "|---|---|---|---|---|"
    for name in names:
        rows = replicates(cells, name)
        figures = [sum(float(row[key]) for row in rows) / len(rows) for key in (
            "average_precision", "card_precision_at_k", "card_precision_at_k_ceiling", "roc_auc")]  # fmt: skip
        yield f"| {name} | {' | '.join(f'{figure:.4f}' for figure in figures)} |"
    yield ""


def _settings(content: dict[str, Any]) -> Iterator[str]:
    yield from ("## Settings and versions", "", "| setting | value |", "|---|---|")
    for name, value in _flat(content["settings"]):
        yield f"| {name} | {value} |"
    for name, value in content["versions"].items():
        yield f"| {name} | {value} |"


def _flat(settings: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def _spread(found: Effect) -> str:
    return f"{found.mean:.3f}" + ("" if found.sd is None else f" ± {found.sd:.3f}")


def _difference(found: Effect) -> str:
    if found.low is None or found.high is None:
        return f"{found.difference:+.3f}"
    told = f"{found.difference:+.3f} ({found.low:+.3f} to {found.high:+.3f})"
    return told if found.verdict == NOTHING else f"**{told}**"
