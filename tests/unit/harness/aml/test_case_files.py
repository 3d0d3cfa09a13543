"""Case files say what the facts say, draw every transfer once, and let no name become markup."""

import itertools
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from harness.aml.case_file import Alerted, build_cases, write_cases
from harness.aml.case_file.facts import authorities, typology_words
from harness.aml.case_file.money import spoken_money
from harness.aml.case_file.narrative import narrate
from harness.aml.case_file.subgraph import NODE_HEIGHT, NODE_WIDTH, Drawing, draw
from harness.aml.case_file.writing import file_stem, render_case, render_draft
from streams.alert import EVIDENCE_MAX
from streams.errors import BadInputError
from tests.example_cases import MARKETS, NASTY, accounts, fan_in_case, raw_alert, transfers

SVG = "{http://www.w3.org/2000/svg}"


def sentences(question: str, **changes: object) -> str:
    found = {section.question: " ".join(section.sentences) for section in narrate(fan_in_case(**changes))}  # type: ignore[arg-type]
    return found[question]


def test_the_six_questions_in_order() -> None:
    asked = [section.question for section in narrate(fan_in_case())]
    assert asked == ["Who", "What", "When", "Where", "How", "Why suspicious"]
    assert all(section.sentences for section in narrate(fan_in_case()))


def test_sums_are_those_of_the_transfers() -> None:
    what = sentences("What")
    assert "17 transfers speak for the alert." in what
    assert "received EUR 22,260.00 in 12 transfers (12 instant)" in what
    assert "sent EUR 18,700.00 in 4 transfers (3 wire, 1 cash out)" in what
    assert "1 transfer of EUR 700.00 went between other accounts" in what


def test_how_and_why() -> None:
    how = sentences("How")
    assert "Money from many accounts comes together in one" in how
    assert "What left is 84% of what came in." in how
    assert "1 transfer of EUR 500.00 in cash." in how
    why = sentences("Why suspicious")
    assert "Rule FI2: 12 accounts paid this one within 3 days." in why
    assert "(raises the model's log-odds by 1.83)" in why
    assert "(lowers the model's log-odds by 0.40)" in why
    assert "EUR 40,960.00 over account acc-hub" in why
    assert "8.2 times the volume declared for a month" in why


def test_a_draft_is_per_market() -> None:
    case = fan_in_case(market="JP", currency="JPY")
    draft = render_draft(case)
    assert "To be filed with: JAFIC, Japan (JP)" in draft
    assert "By: 2026-02-04" in draft
    assert "JPY 2,226,000 in 12 transfers" in draft
    elsewhere = fan_in_case(market="XX")
    assert elsewhere.authority == "the market's financial intelligence unit"
    assert (case.deadline_ns - fan_in_case().deadline_ns) == 25 * 86_400 * 10**9


def test_money_has_its_currency_s_decimals() -> None:
    assert spoken_money(123_456, "EUR") == "EUR 1,234.56"
    assert spoken_money(123_456, "JPY") == "JPY 123,456"
    assert spoken_money(123_456, "KWD") == "KWD 123.456"


def test_what_is_missing_is_said() -> None:
    table = transfers([("a", "b", 100, "wire")])
    alert = raw_alert("a", ["t-0", "t-9", "t-8"], "unheard_of")
    (case,) = build_cases([Alerted(alert, 0.5)], accounts(["a"]), table, MARKETS)
    found = {section.question: " ".join(section.sentences) for section in narrate(case)}
    assert "2 transfers named by the alert could not be found" in found["What"]
    assert "Typology: unheard of." in found["How"]
    assert "worklist" not in found["Why suspicious"]
    nothing = replace(case, transfers=())
    assert "None of the transfers named by the alert could be found." in render_case(nothing)


@pytest.mark.parametrize(
    ("account", "market", "words"), [("z", "BE", "has no account"), ("a", "QQ", "market 'QQ' is not known")]
)
def test_an_alert_that_cannot_be_told_is_refused(account: str, market: str, words: str) -> None:
    alert = raw_alert(account, ["t-0"], "cycle", market=market)
    with pytest.raises(BadInputError, match=words):
        build_cases([Alerted(alert, 0.5)], accounts(["a"]), transfers([("a", "b", 1, "wire")]), MARKETS)


FLOWS = st.lists(
    st.tuples(
        st.sampled_from([None, "a", "b", "c", "d", "e", "f"]),
        st.sampled_from([None, "a", "b", "c", "d", "e", "f"]),
        st.integers(1, 10**9),
        st.sampled_from(["wire", "cash_in", "cash_out"]),
    ),
    min_size=1,
    max_size=EVIDENCE_MAX,
)


def drawn(flows: list[tuple[str | None, str | None, int, str]]) -> Drawing:
    table = transfers(flows)
    alert = raw_alert("a", table["event_id"].to_pylist(), "cycle")
    (case,) = build_cases([Alerted(alert, 0.5)], accounts(["a", "b", "c", "d", "e", "f"]), table, MARKETS)
    return draw(case)


@given(flows=FLOWS)
@settings(max_examples=80, deadline=None)
def test_every_transfer_is_drawn_and_no_two_nodes_overlap(
    flows: list[tuple[str | None, str | None, int, str]],
) -> None:
    drawing = drawn(flows)
    assert sum(edge.transfers for edge in drawing.edges) == len(flows)
    for one, other in itertools.combinations(drawing.nodes, 2):
        assert abs(one.x - other.x) >= NODE_WIDTH or abs(one.y - other.y) >= NODE_HEIGHT
    for node in drawing.nodes:
        assert 0 <= node.x <= drawing.width - NODE_WIDTH
        assert 0 <= node.y <= drawing.height - NODE_HEIGHT
    assert drawn(flows) == drawing


def test_sources_stand_left_and_targets_right_of_the_middle() -> None:
    nodes = {node.name: node for node in draw(fan_in_case()).nodes}
    assert nodes["acc-hub"].role == "focus"
    assert {nodes[f"acc-{n:03d}"].layer for n in range(12)} == {0}
    assert {nodes[name].layer for name in ("acc-out-1", "acc-out-2", "to cash_out")} == {2}
    assert nodes["to cash_out"].role == "outside"


def assert_labels_are_apart(drawing: Drawing) -> None:
    places = sorted((edge.label_x, edge.label_y) for edge in drawing.edges)
    for (x, y), (other_x, other_y) in itertools.combinations(places, 2):
        assert abs(x - other_x) > 100 or abs(y - other_y) >= 12, "two sums would be printed over each other"
    for _, y in places:
        assert 8 <= y <= drawing.height


def test_the_largest_case_s_sums_stand_beside_their_accounts() -> None:
    drawing = draw(fan_in_case(sources=EVIDENCE_MAX - 5))
    assert_labels_are_apart(drawing)
    nodes = {node.name: node for node in drawing.nodes}
    for edge in drawing.edges:
        if edge.target == "acc-hub":
            assert 0 < nodes[edge.source].y + NODE_HEIGHT / 2 - edge.label_y < 6


@given(flows=FLOWS)
@settings(max_examples=80, deadline=None)
def test_no_two_sums_overlap_in_any_graph(flows: list[tuple[str | None, str | None, int, str]]) -> None:
    assert_labels_are_apart(drawn(flows))


def test_no_name_becomes_markup(tmp_path: Path) -> None:
    case = fan_in_case(hub=NASTY, alert_id=f"../../{NASTY}")
    page = render_case(case)
    assert "<script" not in page
    svg = re.search(r"<svg.*?</svg>", page, re.S)
    assert svg is not None
    assert any(NASTY in (text.text or "") for text in ElementTree.fromstring(svg.group()).iter(f"{SVG}title"))  # noqa: S314
    html = MarkdownIt("commonmark").enable("table").render(render_draft(case))
    assert "<script" not in html
    index = write_cases(tmp_path, [case, fan_in_case(alert_id="ALERT-1"), fan_in_case(alert_id="alert-1")])
    assert index == tmp_path / "cases" / "index.html"
    assert index is not None
    assert "<script" not in index.read_text()
    files = {path.name.lower() for path in (tmp_path / "cases").iterdir()}
    assert len(files) == 7
    assert {path.parent for path in tmp_path.rglob("*.md")} == {tmp_path / "cases"}


@given(one=st.text(min_size=1, max_size=128), other=st.text(min_size=1, max_size=128))
@settings(max_examples=200, deadline=None)
def test_file_names_are_safe_and_told_apart(one: str, other: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}", file_stem(one))
    assert file_stem(one) != "index"
    assert (file_stem(one).lower() == file_stem(other).lower()) == (one == other)


def test_the_index_lists_the_most_suspicious_first_and_says_what_is_left_out(tmp_path: Path) -> None:
    low = fan_in_case(alert_id="low")
    low = replace(low, alerted=replace(low.alerted, score=0.2))
    index = write_cases(tmp_path, [low, fan_in_case(alert_id="high")], left_out=40)
    assert index is not None
    text = index.read_text()
    assert text.index("high.html") < text.index("low.html")
    assert "40 further alerts have no case file" in text
    assert write_cases(tmp_path / "none", []) is None


def test_tables_of_words_are_whole() -> None:
    assert all(re.fullmatch("[A-Z]{2}", code) for code in authorities())
    assert len(authorities()) >= 40
    assert all(text.endswith(".") for text in typology_words().values())
