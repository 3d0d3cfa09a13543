"""A comparison's table, ratios and plot."""

import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path

from harness.commands.peers import MARK, write_beside
from harness.line_plot import BOTTOM, GAP, HEIGHT, apart
from harness.peers.page import sentences, shared_rate, to_markdown, turn_at
from harness.peers.plot import plot
from tests.example_peers import content


def row_of(page: str, title: str) -> list[str]:
    line = next(line for line in page.splitlines() if line.startswith(f"| {title} |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_figures_are_told_at_the_highest_rate_that_all_hold() -> None:
    assert shared_rate(content()) == 1_000.0
    page = to_markdown(content(), None)
    assert row_of(page, "Quix Streams") == [
        "Quix Streams", "1.2", "1,000", "1.00", "60.0", "60.0", "100", "100", "200", "200", "10", "0",
    ]  # fmt: skip
    assert row_of(page, "null scorer (floor)")[2] == "≥ 8,000"
    assert row_of(page, "Slow")[2:4] == ["below 1,000", "–"]


def test_a_turn_that_was_held_speaks_for_its_rate() -> None:
    found = turn_at(content(), "native", 4_000.0)
    assert found is not None
    assert found["p99_ms"] == 50.0
    assert "(700)" in to_markdown(content(), None)


def test_ratios_are_within_the_comparison() -> None:
    told = sentences(content())
    assert "Capacity, Riskbench, native to Quix Streams (the best peer): 4.00" in told
    assert "Capacity, Riskbench, native to null scorer (floor) (the floor): at most 0.50" in told
    assert "Response P99 at 1,000/s, Riskbench, native to the floor: 2.00" in told
    assert "Not measured: bytewax: no wheel" in told
    assert any("load and broker were the limit at 8,000/s" in line for line in told)


def test_two_that_hold_the_whole_ladder_cannot_be_compared() -> None:
    found = content()
    found["contenders"][0] = {**found["contenders"][0], "at_least": True, "not_held_per_s": None}
    assert not any("(the floor)" in line for line in sentences(found) if line.startswith("Capacity"))


def test_an_unfinished_comparison_says_so() -> None:
    assert to_markdown({**content(), "complete": False}, None).startswith("Stopped before its end")


def test_nobody_ran() -> None:
    assert shared_rate({**content(), "turns": []}) is None


def test_the_plot_has_a_line_for_everyone_who_ran_and_stays_inside() -> None:
    drawing = ET.fromstring(plot(content(), 100.0))  # noqa: S314 - our own
    space = "{http://www.w3.org/2000/svg}"
    lines = drawing.findall(f"{space}polyline")
    assert len(lines) == 3
    width, height = float(drawing.attrib["width"]), float(drawing.attrib["height"])
    for line in lines:
        for point in line.attrib["points"].split():
            x, y = map(float, point.split(","))
            assert 0 <= x <= width
            assert 0 <= y <= height
    labels = [text.text for text in drawing.findall(f"{space}text")]
    assert {"Quix Streams", "Riskbench, native", "null scorer (floor)"} <= set(labels)


def test_labels_stay_apart_and_inside() -> None:
    assert apart([10.0, 100.0]) == [10.0, 100.0]
    assert apart([10.0, 12.0]) == [10.0, 10.0 + GAP]
    crowded = apart([HEIGHT - 50.0] * 8)
    assert all(later - earlier >= GAP for earlier, later in pairwise(crowded))
    assert crowded[-1] <= HEIGHT - BOTTOM


def test_the_command_writes_its_part_again_and_leaves_the_rest(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text(f"# Performance\n\nBefore.\n\n<!-- {MARK} -->\nstale\n<!-- end of {MARK} -->\n\nAfter.\n", "utf-8")
    write_beside(page, content(), "<svg/>")
    text = page.read_text("utf-8")
    assert "stale" not in text
    assert text.startswith("# Performance\n\nBefore.\n")
    assert text.endswith("\n\nAfter.\n")
    assert "](performance-peers.svg)" in text
    assert (tmp_path / "performance-peers.svg").read_text("utf-8") == "<svg/>"
