"""Figures of kernels as a page: tables by kernel, what grew and by how much, a plot beside it."""

from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from harness.commands.kernels import MARK, write_beside
from harness.kernels.page import growth_ratio, plot, to_markdown


def told(cpu_ns: float) -> dict[str, float]:
    return {
        "p50_ns": 1_000, "p99_ns": 2_000, "max_ns": 9_000, "event_ns": 1_100, "event_coding_ns": 600,
        "event_computing_ns": 500, "event_cpu_ns": cpu_ns,
    }  # fmt: skip


def row(entities: int, cpu_ns: float) -> dict[str, Any]:
    return {
        "entities": entities,
        "history_events": 2 * entities,
        "fill_s": 1.5,
        "growing": {"rows": 1_024, "p50_ns": 3e6, "max_ns": 8e6},
        "resident_bytes": 900 * entities,
        "array_bytes": 760 * entities,
        "mixes": {mix: {way: told(cpu_ns) for way in ("one", "batch")} for mix in ("uniform", "skewed")},
    }


GRAPH = {
    "transfers": 111_000, "accounts": 20_000, "days": 20.0, "in_cycles": 555,
    "one": {"per_s": 70_000.0, "p50_ns": 12_000, "p99_ns": 40_000, "max_ns": 90_000},
    "batch": {"size": 256, "per_s": 80_000.0, "p50_ns": 3e6, "p99_ns": 4e6, "max_ns": 5e6},
    "window": {"days": 400.0, "entries_at_a_quarter": 1_234, "entries_at_the_end": 1_240},
}  # fmt: skip
ROWS = [row(10_000, 1_000), row(1_000_000, 1_500)]
CONTENT: dict[str, Any] = {
    "setting": {"command": "bench kernels", "date": "2026-01-01", "machine": "a machine"},
    "domain": "aml",
    "sizes": ROWS,
    "graph": GRAPH,
}


def test_the_page_says_how_much_an_event_grew() -> None:
    assert growth_ratio(ROWS, "one") == pytest.approx(1.5)
    page = to_markdown(CONTENT, "plot.svg")
    assert "100 times as many, the processor time of one transfer grows 1.50 times one at a time" in page
    assert "| 1,000,000 | 2,000,000 | 900 | 760 | 900 MB |" in page
    assert "| one at a time | 70,000 | 12.0 | 40.0 | 90.0 |" in page
    assert "1,234 transfers after a quarter of the stream and for 1,240 at its end" in page


def test_one_size_makes_a_page_too() -> None:
    content = CONTENT | {"domain": "fraud", "sizes": ROWS[:1], "graph": None}
    assert "times as many" not in to_markdown(content, None)
    assert plot(content).count("<circle") == 4


def test_each_kernel_is_written_between_marks_of_its_own_and_its_plot_beside_the_page(tmp_path: Path) -> None:
    page = tmp_path / "kernels.md"
    page.write_text("# Kernels\n\nWords that stay.\n")
    for domain in ("fraud", "aml", "fraud"):
        write_beside(page, CONTENT | {"domain": domain})
    text = page.read_text()
    for domain in ("fraud", "aml"):
        assert text.count(f"<!-- {MARK} --domain {domain} -->") == 1
        assert f"(kernels-{domain}.svg)" in text
        assert (tmp_path / f"kernels-{domain}.svg").read_text().startswith("<svg")
    assert "Words that stay." in text


@pytest.mark.parametrize(
    ("entities", "words"),
    [("many", "whole numbers"), ("10", "allowed are"), ("20000,10000", "ascending"), ("10000,10000", "ascending")],
)
def test_sizes_that_cannot_be_are_refused(entities: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["kernels", "--entities", entities])
    assert ended.value.code == 2
    assert words in capsys.readouterr().err
