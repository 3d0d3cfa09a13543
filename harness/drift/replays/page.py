"""drifts.html: a campaign's tables and a timeline of every drift, in one file that opens offline."""

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, StrictUndefined
from jinja2.loaders import FileSystemLoader
from markupsafe import Markup

from harness.drift.replays.campaign import Trial, exit_code
from harness.drift.replays.figures import TONES, alone_table, drifts_table, summary
from harness.drift.replays.timelines import index_plot, rate_plot
from harness.report.html import PAGE, REPORT_FILE, bokeh_script, embed
from harness.report.table import Cell

TEMPLATE = Path(__file__).parent


def page_of(trials: Sequence[Trial], folder: Path, setting_line: str) -> str:
    """The page; links lead from `folder` to the runs' own reports."""
    drawn = [
        (trial, [index_plot(place, trial.found), rate_plot(place, trial.found)])
        for place, trial in enumerate(trials)
        if trial.found is not None
    ]
    script, divs = embed([plot for _, plots in drawn for plot in plots])
    passed = sum(trial.standing == "pass" for trial in trials)
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, loader=FileSystemLoader([TEMPLATE, PAGE]), trim_blocks=True
    )
    return environment.get_template("drifts.html.j2").render(
        badge=Cell(f"{passed} of {len(trials)} as they should be", "good" if exit_code(trials) == 0 else "bad"),
        setting_line=setting_line,
        summary=summary(trials),
        drifts=drifts_table(trials),
        alone=alone_table(trials),
        timelines=[
            (trial.ready.title, trial.ready.about, TONES[trial.standing], _link(trial, folder), _words(trial), plots)
            for trial, plots in drawn
        ],
        divs=divs,
        script=script,
        bokeh=bokeh_script() if divs else "",
        # our own files: markup on purpose
        style=Markup((PAGE / "report.css").read_text(encoding="utf-8")),  # noqa: S704
        behaviour=Markup((PAGE / "report.js").read_text(encoding="utf-8")),  # noqa: S704
    )


def _words(trial: Trial) -> str:
    return "" if trial.found is None else trial.found.in_words


def _link(trial: Trial, folder: Path) -> str:
    if trial.folder is None or not (trial.folder / REPORT_FILE).is_file():
        return ""
    return (trial.folder / REPORT_FILE).relative_to(folder).as_posix()
