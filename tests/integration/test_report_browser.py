"""The report in a real browser: draws its plots, asks for nothing from outside, and fits a desk and a phone."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from harness.aml.case_file import write_cases
from harness.capacity.page import page_of
from harness.capacity.search import Capacity
from harness.model_card import card_facts, read_sources, render_html, render_markdown
from harness.report.html import write_report
from harness.slo_option import LatencyLimit
from tests.example_capacity import SETTING, point
from tests.example_cases import NASTY, fan_in_case
from tests.example_reasons import MANIFEST
from tests.example_run import build_run
from tests.unit.harness.report.test_monitoring import monitored

pytestmark = pytest.mark.browser

WIDTHS = {"desktop": (1280, 900), "phone": (390, 844)}
PLOTS = 15
MONITORING_PLOTS = ("depth", "typologies", "detection", "markets")
SECTIONS = ("fast", "right", "why", "stable", "safe", "decisions", "setting")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
DRAWN = """() => {
  const canvases = (root) => [...root.querySelectorAll('*')].flatMap(
    (e) => [...(e.tagName === 'CANVAS' ? [e] : []), ...(e.shadowRoot ? canvases(e.shadowRoot) : [])]);
  const pixels = (c) => c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
  const inked = (c) => c.width > 0 && c.height > 0 && pixels(c).some((v) => v);
  return [...document.querySelectorAll('figure.plot')].filter((f) => canvases(f).some(inked)).length;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    program = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("no Chromium on this machine, and CI must not skip the browser test")
        pytest.skip("no Chromium on this machine")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(build_run(tmp_path_factory.mktemp("runs") / "run", lost=2, status="invalid"))


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model card of a run."""
    folder = tmp_path_factory.mktemp("card")
    run = build_run(folder / "run")
    bundle = run / "case" / "bundle"
    bundle.mkdir(parents=True)
    (bundle / "bundle.json").write_text(json.dumps(MANIFEST))
    page = folder / "card.html"
    page.write_text(render_html(render_markdown(card_facts(read_sources(None, run)))), encoding="utf-8")
    return page


@pytest.fixture(scope="module")
def report_with_cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report beside two case files."""
    run = build_run(tmp_path_factory.mktemp("with-cases") / "run")
    write_cases(run, [fan_in_case(sources=45, hub=NASTY), fan_in_case(alert_id="alert-2", hub="acc-hub")])
    return write_report(run)


class Opened:
    """A page with what it complained about and what it asked for."""

    def __init__(
        self, browser: Any, report: Path, size: tuple[int, int], scheme: str = "light", plots: int = PLOTS
    ) -> None:
        viewport = {"width": size[0], "height": size[1]}
        self.context = browser.new_context(viewport=viewport, color_scheme=scheme, offline=True)
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda m: self.complaints.append(m.text) if m.type in {"error", "warning"} else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(report.as_uri())
        self.page.wait_for_function(f"({DRAWN})() >= {plots}", timeout=60_000)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_opens_clean_and_fits(browser: Any, report: Path, width: str, scheme: str) -> None:
    opened = Opened(browser, report, WIDTHS[width], scheme)
    assert opened.complaints == []
    assert opened.requests == [report.as_uri()]
    assert opened.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    for section in SECTIONS:
        assert opened.page.locator(f"section#{section} h2").first.is_visible()
    assert opened.page.evaluate(DRAWN) == PLOTS
    opened.context.close()


def test_opening_every_table_still_fits_a_phone(browser: Any, report: Path) -> None:
    opened = Opened(browser, report, WIDTHS["phone"])
    opened.page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    assert opened.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    opened.context.close()


def test_what_a_monitor_finds_is_drawn_and_fits_a_phone(browser: Any, tmp_path: Path) -> None:
    run, made = build_run(tmp_path / "run"), monitored()
    results = json.loads((run / "results.json").read_text())
    results |= {"aml": msgspec.to_builtins(made.aml), "quality": made.quality}
    results["aml"]["psi_by_market"] = {"BE": {"value": 0.31, "threshold": 0.01, "status": "drift", "scores": 900}}
    (run / "results.json").write_text(json.dumps(results))
    page = write_report(run)
    drawn = page.read_text(encoding="utf-8").count('<figure class="plot"')
    opened = Opened(browser, page, WIDTHS["phone"], plots=drawn)
    for name in MONITORING_PLOTS:
        assert opened.page.locator(f"#plot-{name}").is_visible()
    assert (opened.complaints, opened.requests) == ([], [page.as_uri()])
    assert opened.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    opened.context.close()


def test_the_theme_can_be_chosen_with_the_keyboard(browser: Any, report: Path) -> None:
    opened = Opened(browser, report, WIDTHS["desktop"])
    assert opened.page.evaluate("document.documentElement.dataset.theme") == "light"
    opened.page.locator("#theme").focus()
    opened.page.keyboard.press("Enter")
    assert opened.page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert opened.page.locator("#theme").get_attribute("aria-pressed") == "true"
    assert opened.complaints == []
    opened.context.close()


def test_quoted_markup_does_not_run(browser: Any, report: Path) -> None:
    opened = Opened(browser, report, WIDTHS["desktop"])
    assert opened.page.get_by_text("<script>alert('x')</script>").first.is_visible()
    opened.context.close()


def test_text_stands_out_from_its_ground(browser: Any, report: Path) -> None:
    """WCAG AA: 4.5 to 1 for the page's text colours on its grounds, in both themes."""
    script = """() => {
      const read = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
      const light = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255)
        .map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
      const ratio = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
      const pairs = [['--ink', '--page'], ['--ink', '--card'], ['--soft', '--page'], ['--soft', '--card'],
        ['--link', '--page'],
        ...['good', 'watch', 'bad', 'quiet'].flatMap((t) => [[`--${t}`, `--${t}-bg`], [`--${t}`, '--card']])];
      return pairs.map(([a, b]) => [`${a} on ${b}`, ratio(read(a), read(b))]).filter(([, r]) => r < 4.5);
    }"""
    for scheme in ("light", "dark"):
        opened = Opened(browser, report, WIDTHS["desktop"], scheme)
        assert opened.page.evaluate(script) == []
        opened.context.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_the_model_card_opens_clean_and_fits(browser: Any, card: Path, width: str) -> None:
    context = browser.new_context(viewport={"width": WIDTHS[width][0], "height": WIDTHS[width][1]}, offline=True)
    page, complaints = context.new_page(), []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(card.as_uri())
    assert complaints == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.get_by_role("heading", name="Ethical considerations").is_visible()
    context.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_the_capacity_page_opens_clean_and_fits(browser: Any, tmp_path: Path, width: str) -> None:
    points = [
        point(500.0),
        point(1_000.0),
        point(2_000.0, "P99 ≤ 50 ms is broken: 8,510 of 15,996 responses took longer", lag_max=720),
        point(2_000.0, "only 1,800 of 2,000 events/s could be sent", limited_by="harness", floor_p99_ms=76.0),
    ]
    page_file = tmp_path / "capacity.html"
    found = Capacity(1_000.0, 2_000.0, runs=2, runs_held=2, complete=True)
    page_file.write_text(page_of(found, points, LatencyLimit(0.99, 50.0), SETTING), encoding="utf-8")
    context = browser.new_context(viewport={"width": WIDTHS[width][0], "height": WIDTHS[width][1]}, offline=True)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda m: complaints.append(m.text) if m.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(page_file.as_uri())
    page.wait_for_function(f"({DRAWN})() >= 3", timeout=60_000)
    assert complaints == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.get_by_role("heading", name="Capacity: 1,000 events/s").is_visible()
    context.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_case_files_are_browsed_from_the_report(browser: Any, report_with_cases: Path, width: str) -> None:
    context = browser.new_context(viewport={"width": WIDTHS[width][0], "height": WIDTHS[width][1]}, offline=True)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda m: complaints.append(m.text) if m.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(report_with_cases.as_uri())
    page.get_by_role("link", name="The case files").click()
    page.get_by_role("link", name=NASTY).click()
    assert page.get_by_role("heading", name=NASTY).is_visible()
    assert complaints == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    inked = """() => [...document.querySelectorAll('svg.graph rect, svg.graph text')]
      .map((e) => e.getBBox()).filter((box) => box.width > 0 && box.height > 0).length"""
    # a box and a name for each of 49 nodes, a sum for each of 49 lines
    assert page.evaluate(inked) == 3 * 49
    overlap = """() => { const boxes = [...document.querySelectorAll('svg.graph text.sum')].map((e) => e.getBBox());
      return boxes.some((a, i) => boxes.slice(i + 1).some((b) => a.x < b.x + b.width && b.x < a.x + a.width
        && a.y + 3 < b.y + b.height && b.y + 3 < a.y + a.height)); }"""
    assert page.evaluate(overlap) is False
    page.get_by_role("link", name="All cases").click()
    assert page.get_by_role("heading", name="Case files").is_visible()
    context.close()
