"""faults.html: a campaign's table, what did not pass, and how the P99 fared, in one file that opens offline."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bokeh.models import ColumnDataSource, NumeralTickFormatter
from jinja2 import Environment, StrictUndefined
from jinja2.loaders import FileSystemLoader
from markupsafe import Markup

from harness.faults.campaign.figures import TONES, figures_table, problems
from harness.faults.campaign.trial import Trial, exit_code
from harness.report.html import PAGE, REPORT_FILE, bokeh_script, embed
from harness.report.plots.style import GREEN, GREY, ORANGE, Key, Plot, add_hover, new_figure
from harness.report.table import Cell, table

TEMPLATE = Path(__file__).parent
STRETCHES = (("before", GREY, -0.27), ("during", ORANGE, 0.0), ("after", GREEN, 0.27))


def page_of(trials: Sequence[Trial], folder: Path, setting_line: str) -> str:
    """The page; links lead from `folder` to the runs' own reports."""
    passed = sum(trial.standing == "pass" for trial in trials)
    carried = sum(trial.standing != "left out" for trial in trials)
    plot = _p99(trials)
    script, divs = embed([plot] if plot else [])
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, loader=FileSystemLoader([TEMPLATE, PAGE]), trim_blocks=True
    )
    return environment.get_template("faults.html.j2").render(
        badge=Cell(f"{passed} of {carried} passed", "good" if exit_code(list(trials)) == 0 else "bad"),
        setting_line=setting_line,
        figures=figures_table(trials),
        problems=table("What did not pass, and what was left out", ("Scenario", "Reason"), problems(trials), (0, 1)),
        scenarios=[(trial.name, trial.about, TONES[trial.standing], _link(trial, folder)) for trial in trials],
        plot=plot,
        divs=divs,
        script=script,
        bokeh=bokeh_script() if divs else "",
        # our own files: markup on purpose
        style=Markup((PAGE / "report.css").read_text(encoding="utf-8")),  # noqa: S704
        behaviour=Markup((PAGE / "report.js").read_text(encoding="utf-8")),  # noqa: S704
    )


def _link(trial: Trial, folder: Path) -> str:
    if trial.folder is None or not (trial.folder / REPORT_FILE).is_file():
        return ""
    return (trial.folder / REPORT_FILE).relative_to(folder).as_posix()


def _p99(trials: Sequence[Trial]) -> Plot | None:
    """P99 before, during and after each fault, as bars on a logarithmic axis."""
    rows = [(trial.name, fault) for trial in trials for fault in trial.faults]
    if not rows:
        return None
    figure: Any = new_figure("", "response P99, ms", height=340, y_axis_type="log", x_range=(-0.6, len(rows) - 0.4))
    figure.xaxis.ticker = list(range(len(rows)))
    figure.xaxis.major_label_overrides = {place: name for place, (name, _) in enumerate(rows)}
    figure.xaxis.major_label_orientation = 0.9
    figure.yaxis.formatter = NumeralTickFormatter(format="0,0.[0]")
    for stretch, colour, shift in STRETCHES:
        values = [getattr(fault, f"p99_{stretch}_ms") for _, fault in rows]
        shown = [(place, value) for place, value in enumerate(values) if value]
        source = ColumnDataSource(
            {
                "x": [place + shift for place, _ in shown],
                "p99": [value for _, value in shown],
                "name": [rows[place][0] for place, _ in shown],
            }
        )
        bars = figure.vbar("x", top="p99", bottom=0.1, width=0.25, source=source, color=colour, line_color=None)
        add_hover(figure, [("", f"@name, {stretch}"), ("P99", "@p99{0,0.0} ms")], [bars])
    keys = tuple(Key(stretch, colour, "box") for stretch, colour, _ in STRETCHES)
    sentence = "The P99 of what was due before each fault, between its injection and the recovery, and after it."
    return Plot("faults-p99", "Response time around each fault", sentence, figure, keys=keys)
