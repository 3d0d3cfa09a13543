"""Do scores mean what they say: mean score of each bin against the share of fraud in it."""

from bokeh.models import ColumnDataSource, NumeralTickFormatter, Whisker

from harness.report.contents import RunContents
from harness.report.plots.style import BLUE, GREY, Key, Plot, add_hover, new_figure
from harness.report.table import table
from harness.report.words import count, interval, share

COLUMNS = ("low", "high", "mean_score", "observed", "observed_low", "observed_high", "events")


def reliability_plot(run: RunContents) -> Plot | None:
    """The reliability curve of the model's scores; None where the model decided nothing."""
    found = run.get("quality", "reliability")
    if not found or not found.get("bins"):
        return None
    bins = found["bins"]
    highest = max(max(row["mean_score"], row["observed_high"]) for row in bins) * 1.05
    edge = (-0.02 * highest, highest)
    plot = new_figure("mean score", "share of fraud", height=320, x_range=edge, y_range=edge)
    plot.line([0, highest], [0, highest], color=GREY, line_dash="dashed", line_width=1.5)
    source = ColumnDataSource({name: [row[name] for row in bins] for name in COLUMNS})
    plot.line("mean_score", "observed", source=source, color=BLUE, line_width=1.5, line_alpha=0.5)
    whisker = Whisker(
        base="mean_score", lower="observed_low", upper="observed_high", source=source, line_color=BLUE, line_alpha=0.7
    )
    for head in (whisker.upper_head, whisker.lower_head):
        head.size, head.line_color = 6, BLUE
    plot.add_layout(whisker)
    dots = plot.scatter("mean_score", "observed", source=source, size=8, color=BLUE)
    plot.xaxis.formatter = plot.yaxis.formatter = NumeralTickFormatter(format="0%")
    tips = [
        ("scores", "@low{0.0000} … @high{0.0000}"),
        ("mean score", "@mean_score{0.0%}"),
        ("fraud", "@observed{0.0%} (@observed_low{0.0%}–@observed_high{0.0%})"),
        ("events", "@events{0,0}"),
    ]
    add_hover(plot, tips, [dots])
    sentence = (
        "On the dashed line a score of 30% means three frauds in ten. Bins hold equally many of "
        f"{count(found['events'])} decisions of the model, the highest tenth cut finer. Brier score "
        f"{found['brier']:.4f} (always saying the base rate: {found['brier_base']:.4f}), expected calibration error "
        f"{found['ece']:.4f}."
    )
    rows = [
        (
            f"{row['low']:.4f} … {row['high']:.4f}",
            count(row["events"]),
            share(row["mean_score"], 2),
            share(row["observed"], 2),
            interval(row, "observed", lambda value: share(value, 2)),
        )
        for row in bins
    ]
    numbers = table("Reliability", ("Scores", "Events", "Mean score", "Fraud", "95% interval"), rows)
    keys = (Key("share of fraud, 95% interval", BLUE), Key("a score that means what it says", GREY, "dashed"))
    return Plot("reliability", "Reliability of the model's scores", sentence, plot, numbers, keys)
