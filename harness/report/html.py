"""Writes report.html: one file that opens offline, with everything a run folder says."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bokeh.embed import components
from bokeh.resources import Resources
from jinja2 import Environment, StrictUndefined
from jinja2.loaders import FileSystemLoader
from markupsafe import Markup

from harness.report.answered_drift import gates_table, recovery_table, recovery_words
from harness.report.contents import RunContents, read_run
from harness.report.drivers import drivers_of
from harness.report.fairness import KINDS, bias_line, group_table
from harness.report.faults import faults_note, faults_table, price_table
from harness.report.flagged import flagged_sample
from harness.report.headline import answers
from harness.report.monitoring import monitoring_tables
from harness.report.plots.calibration import reliability_plot
from harness.report.plots.importance import importance_plots
from harness.report.plots.latency import impossible_words, latency_plot, latency_table
from harness.report.plots.monitoring import monitoring_plots
from harness.report.plots.ranking import precision_at_k_plot, precision_recall_plot, scenarios_plot
from harness.report.plots.reasons import agreement_note, agreement_table, reasons_plot
from harness.report.plots.stability import drift_plot, drift_rows, drift_table
from harness.report.plots.style import Plot
from harness.report.plots.timeline import timeline_plots
from harness.report.plots.waterfall import waterfall_plot
from harness.report.rule_table import rule_note, rule_table
from harness.report.table import Tone
from harness.report.tables import (
    audit_line,
    comparators_table,
    counts_table,
    environment_table,
    path_table,
    setting_table,
    transitions_table,
)
from harness.report.words import count, moment

_log = logging.getLogger("riskbench.harness")
PAGE = Path(__file__).parent / "page"
REPORT_FILE = "report.html"
DRIFT_ROWS_MAX = 10
SECTIONS = (
    ("fast", "Fast"),
    ("right", "Right"),
    ("why", "Why"),
    ("stable", "Stable"),
    ("safe", "Safe"),
    ("decisions", "Decisions"),
    ("setting", "Setting"),
)
VERDICT_TONES: dict[str, Tone] = {"pass": "good", "fail": "bad", "invalid": "watch"}
VERDICT_WORDS = {"pass": "Pass", "fail": "Fail", "invalid": "Invalid run"}


@dataclass(frozen=True, slots=True)
class VerdictWords:
    """The verdict as the page says it."""

    word: str
    tone: Tone
    reasons: list[str]


def write_report(run_dir: Path) -> Path:
    """Write `report.html` into a run folder, whole or not at all, and return its path.

    Reads only the folder. Raises BadInputError when its results.json cannot be read; whatever else is missing is said
    on the page.
    """
    run = read_run(run_dir)
    page = render(run)
    path = run_dir / REPORT_FILE
    partial = path.with_name(f".{REPORT_FILE}.part")
    partial.write_text(page, encoding="utf-8")
    partial.replace(path)
    _log.info("%s written (%.1f MB)", path, len(page) / 1e6)
    return path


def render(run: RunContents) -> str:
    """The page of a run."""
    plots = {
        "latency": latency_plot(run),
        "waterfall": waterfall_plot(run),
        "precision_recall": precision_recall_plot(run),
        "precision_at_k": precision_at_k_plot(run),
        "scenarios": scenarios_plot(run),
        "reliability": reliability_plot(run),
        "reasons": reasons_plot(run),
        "drift": drift_plot(run),
        **monitoring_plots(run),
    }
    timeline = timeline_plots(run)
    importance = importance_plots(drivers_of(run), of_transfers=run.get("aml") is not None)
    script, divs = embed([*(plot for plot in plots.values() if plot), *timeline, *importance])
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, loader=FileSystemLoader(PAGE), trim_blocks=True
    )
    return environment.get_template("report.html.j2").render(
        **_head(run),
        **_tables(run),
        **_why(run),
        importance=importance,
        plots=plots,
        timeline=timeline,
        divs=divs,
        script=script,
        flagged=flagged_sample(run),
        cases=run.cases,
        monitoring=monitoring_tables(run),
        bokeh=bokeh_script() if divs else "",
        # our own files, not a run's: markup on purpose
        style=Markup((PAGE / "report.css").read_text(encoding="utf-8")),  # noqa: S704
        behaviour=Markup((PAGE / "report.js").read_text(encoding="utf-8")),  # noqa: S704
    )


def bokeh_script() -> Markup:
    """The plotting library itself, to be put into a page that opens offline."""
    return Markup(Resources(mode="inline", components=["bokeh"]).render_js())  # noqa: S704


def embed(plots: list[Plot]) -> tuple[Markup, dict[str, Markup]]:
    """Bokeh's script and a place for each plot. Bokeh escapes `</script>` in the JSON it writes."""
    if not plots:
        return Markup(""), {}
    script, divs = components({plot.name: plot.figure for plot in plots})
    return Markup(script), {name: Markup(div) for name, div in divs.items()}  # noqa: S704


def _head(run: RunContents) -> dict[str, Any]:
    status = run.get("verdict", "status") or "invalid"
    broker = run.get("broker", "name")
    parts = [moment(run.get("started_at")), f"engine {run.get('engine')}", f"broker {broker}", run.get("dataset")]
    warnings = [text for text in (run.get("broker", "warning"),) if text]
    if (run.folder / "INCOMPLETE").exists() and not run.get("verdict"):
        warnings.append("This run did not end; its figures are not to be trusted.")
    return {
        "scenario": run.get("scenario") or run.folder.name,
        "verdict": VerdictWords(
            VERDICT_WORDS.get(status, status), VERDICT_TONES.get(status, "quiet"), run.get("verdict", "reasons") or []
        ),
        "setting_line": " · ".join(part for part in parts if part),
        "warnings": warnings,
        "sections": SECTIONS,
        "answers": answers(run),
        "quality_note": _quality_note(run),
        "scenario_yaml": run.scenario,
        "schema_version": run.get("schema_version"),
    }


def _quality_note(run: RunContents) -> str:
    quality = run.get("quality") or {}
    if not quality.get("events"):
        return ""
    words = f"{count(quality.get('frauds'))} of {count(quality['events'])} events are fraud."
    if quality.get("excluded"):
        words += (
            f" {count(quality['excluded'])} further events were streamed but left out of these measures: their cards "
            "were already known to be compromised."
        )
    if quality.get("lost"):
        words += f" {count(quality['lost'])} lost events count as never flagged and ranked last."
    return words


def _why(run: RunContents) -> dict[str, Any]:
    """Reasons, rules, and whether some customers are flagged more than others."""
    groups = [(bias_line(run.get("quality", f"by_{kind}"), kind), group_table(run, kind)) for kind in KINDS]
    return {
        "agreement_note": agreement_note(run),
        "agreement_table": agreement_table(run),
        "rule_note": rule_note(run),
        "rule_table": rule_table(run),
        "groups": groups if run.get("quality") else [],
        "audit": audit_line(run),
    }


def _tables(run: RunContents) -> dict[str, Any]:
    return {
        "latency_table": latency_table(run),
        "impossible": impossible_words(run),
        "comparators": comparators_table(run),
        "path_table": path_table(run),
        "drift_table": drift_table(run, DRIFT_ROWS_MAX),
        "drift_table_whole": drift_table(run) if len(drift_rows(run)) > DRIFT_ROWS_MAX else None,
        "answers_table": gates_table(run.get("drift", "answers")),
        "recovery_table": recovery_table(run.recovery),
        "recovery_words": recovery_words(run.recovery),
        "counts_table": counts_table(run),
        "transitions": transitions_table(run),
        "faults": faults_table(run),
        "faults_note": faults_note(run),
        "faults_price": price_table(run),
        "setting": setting_table(run),
        "environment": environment_table(run),
    }
