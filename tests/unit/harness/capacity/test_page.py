from harness.capacity.page import page_of
from harness.capacity.search import Capacity
from harness.slo_option import LatencyLimit
from tests.example_capacity import SETTING, point

LIMIT = LatencyLimit(0.99, 50.0)


def test_the_page_says_what_was_found() -> None:
    points = [
        point(1_000.0),
        point(2_000.0, "P99 <b>broken</b>", floor_p99_ms=12.0),
        point(2_000.0, "not sent", limited_by="harness"),
        point(4_000.0, "the run broke off", p99_ms=None, p50_ms=None, lag_growth_per_s=None, folder=None),
    ]
    page = page_of(Capacity(1_000.0, 2_000.0, 2, 2, complete=True), points, LIMIT, SETTING)
    assert "<h1>Capacity: 1,000 events/s</h1>" in page
    assert "At least: limit of the harness" in page
    assert "P99 of the floor" in page
    assert "P99 &lt;b&gt;broken&lt;/b&gt;" in page
    assert all(f'id="plot-{name}"' in page for name in ("latency", "lag", "sent"))
    assert "http://" not in page.split("<script", 1)[0]


def test_a_search_that_found_nothing_has_a_page() -> None:
    points = [point(25.0, "the run broke off", p99_ms=None, p50_ms=None)]
    page = page_of(Capacity(None, 25.0, 0, 0, complete=True), points, LIMIT, SETTING)
    assert "No rate held" in page
    assert "No rate was held with P99 ≤ 50 ms." in page
    assert "Stopped early" in page_of(Capacity(None, None, 0, 0, complete=False), points, LIMIT, SETTING)
