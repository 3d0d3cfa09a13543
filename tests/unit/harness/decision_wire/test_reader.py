"""What the kernel reads it reads as the decoder does; what it does not read is left to the decoder."""

import json
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness.audit_trail.bodies import Bodies, placed
from harness.audit_trail.records import FIRST, Thresholds, chained
from harness.decision_rows import STAGES, said_rows
from harness.decision_wire import arrived as arriving
from harness.decision_wire import blake2b, records, rows, texts
from harness.decision_wire.arrived import Arrived
from harness.decision_wire.reader import PlainRows, read_none, read_plain
from harness.decision_wire.records import chained_lines
from harness.decision_wire.rehearsal import rehearse
from harness.decision_wire.texts import Texts
from harness.explanations import flags_of, flags_of_rows
from harness.feed import event_hashes
from streams.codec import UNDECODABLE, decode_decision, encode_decision
from streams.decision import OUTCOMES, PATHS, CustomerScore, Decision, Reason, ShadowScore

THRESHOLDS = Thresholds(review=0.3, block=0.9)
SENT = [b"", b'{"event_id":"e1"}', bytes(range(256)) * 2]
LARGEST = 2**63 - 1

printable = st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters='"\\'), max_size=12)
words = st.none() | printable | st.sampled_from(("fraud-1", "ü", 'a"b', "a\\b", "\x7f", "\n"))
ids = printable.filter(bool) | st.sampled_from(("e1", "x" * 128, "x" * 129, "é" * 64, "\x1f"))
instants = st.none() | st.integers(0, LARGEST)
shares = st.floats(0, 1) | st.sampled_from((0.0, 1.0, 5e-324, 1e-5, 0.1 + 0.2))
plain_decisions = st.builds(
    Decision,
    event_id=ids,
    outcome=st.sampled_from(OUTCOMES),
    score=shares,
    path=st.sampled_from(PATHS),
    margin=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    rules_version=words,
    model_version=words,
    worker=words,
    taken_ns=instants,
    emitted_ns=instants,
    stages_ns=st.dictionaries(st.sampled_from((*STAGES, "other", "ü")), st.integers(0, LARGEST), max_size=5),
    features=st.none() | st.binary(max_size=20),
)
REASONS = st.just([Reason(code="R1", text="t", kind="rule")])
CUSTOMERS = st.just([CustomerScore(customer_id="c", account_id="a", score=0.5)])
SHADOWS = st.just(ShadowScore(model_version="m", score=0.5, outcome="approve"))
any_decisions = st.builds(
    Decision, event_id=ids, outcome=st.sampled_from(OUTCOMES), score=shares, reasons=st.just([]) | REASONS,
    customers=st.just([]) | CUSTOMERS, shadow=st.none() | SHADOWS,
)  # fmt: skip

digits = st.text("0123456789", min_size=1, max_size=3)
numbers = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(("", "-", "+")),
        st.sampled_from(("", "0", "1", "00", "01", "5", "12345678901234567890")) | digits,
        st.sampled_from(("", ".", ".0", ".00", ".5", ".000000000000000000001", ".0." + "1" * 60)),
        st.sampled_from(("", "e", "e0", "E-0", "e-1", "e+1", "E5", "e-00", "e99", "e-99", "e400", "e-400")),
    ),
)
LITERALS = (
    "null", "true", "nul", "[]", "[ ]", "[1]", "{}", "{ }", '""', '"e1"', '"approve"', '"block"', '"model"',
    '"rules"', '"Zm8="', '"Zm9v"', '"Zm9="', '"Zg=="', '"Zh=="', '"Zg="', '"Zg"', '"Z g="', '"-_-_"', '"===="',
    '"AAAA====', '"a', '{"model":1}', '{"model" : 1}', '{ "model": 1 , "rules":2 }', '{"model":1,"model":2}',
    '{"model":-1}', "1,", '{"model":1.0}', '{"model":null}', '{"x":1}', '{"x":"1"}', '{"a\\u0062":1}',
    '{"model":1', '{"model":1,}', "[", "9223372036854775807", "9223372036854775808", "99999999999999999999", "007",
    "1.0", "-0", "-0.0", "0.5", " 1 ", '"\\u0061"', '"\xe9"', '"\x01"', '"a\x7f"', '"' + "k" * 128 + '"',
    '"' + "k" * 129 + '"', "{", "\t1", "NaN",
)  # fmt: skip
literals = st.sampled_from(LITERALS)
MEMBERS = {"event_id": '"e1"', "outcome": '"block"', "score": "0.25"}
names = st.sampled_from((*Decision.__struct_fields__, "unheard", "event_i", 'score"', "event\\u005fid"))
members = st.lists(st.tuples(names, numbers | literals), max_size=6)
gaps = st.sampled_from(("", "", " ", "  ", "\n"))


@st.composite
def odd_messages(draw: st.DrawFn) -> bytes:
    """Messages of a decision's fields, many with what these may not hold, in any order and any number of times."""
    given_members = [*MEMBERS.items(), *draw(members)]
    chosen = draw(st.permutations(given_members))[draw(st.sampled_from((0, 0, 0, 1))) :]
    gap = [draw(gaps) for _ in range(4)]
    inner = f"{gap[0]},{gap[1]}".join(f'"{name}"{gap[3]}:{gap[2]}{value}' for name, value in chosen)
    return f"{{{gap[0]}{inner}{gap[1]}}}{draw(st.sampled_from(('', '', '', ' ', '}', '{}')))}".encode()


@st.composite
def cut_or_changed(draw: st.DrawFn) -> bytes:
    """A good message cut off, or with another byte in it."""
    message = bytearray(encode_decision(draw(plain_decisions)))
    at = draw(st.integers(0, len(message) - 1))
    if draw(st.booleans()):
        return bytes(message[:at])
    message[at] = draw(st.integers(0, 255) | st.sampled_from(b'",:{}[]\\ 0e.-='))
    return bytes(message)


messages = plain_decisions.map(encode_decision) | any_decisions.map(encode_decision) | odd_messages() | cut_or_changed()


def decoded(value: bytes) -> Decision | None:
    try:
        return decode_decision(value)
    except UNDECODABLE:
        return None


def as_decoded(values: Sequence[bytes]) -> PlainRows:
    """What is read of these messages; it is what the decoder reads."""
    arrived = Arrived.of([(place, value) for place, value in enumerate(values)])
    plain = read_plain(arrived)
    at = np.flatnonzero(plain.is_plain).tolist()
    decisions = [decision for decision in (decoded(values[place]) for place in at) if decision is not None]
    assert len(decisions) == len(at) == len(plain), "a message is read that is no decision"
    assert not any(each.reasons or each.customers or each.shadow for each in decisions)
    assert plain.received_ns.tolist() == at
    assert same_rows(plain, decisions)
    hashes = event_hashes([each.event_id for each in decisions])
    assert np.array_equal(plain.event_hashes(), hashes)
    assert [PATHS[code] for code in plain.paths] == [each.path for each in decisions]
    for asked in ("none", "flagged", "all"):
        assert np.array_equal(flags_of_rows(plain, asked), flags_of(decisions, asked))
    return plain


def same_rows(plain: PlainRows, decisions: list[Decision]) -> bool:
    """Bit for bit: -0.0 is another number than 0.0."""
    ours, theirs = plain.table(), said_rows(decisions)
    ours.validate(full=True)
    bits = [table[name].combine_chunks().view("int64").to_pylist() for table in (ours, theirs) for name in FLOATS]
    return bool(ours.equals(theirs)) and bits[: len(FLOATS)] == bits[len(FLOATS) :]


FLOATS = ("score", "margin")


@settings(max_examples=150, deadline=None)
@given(st.lists(messages, max_size=12))
@example([b'{"event_id":"e","outcome":"block","score":1,"margin":-0}'])
@example([b'{"event_id":"e","outcome":"block","score":0.5e1}'])
@example([b'{"event_id":"e","outcome":"block","score":1e-0}'])
@example([b"", b"{", b"{}", b"null", b'{"event_id":"'])
def test_rows(values: list[bytes]) -> None:
    as_decoded(values)


@settings(max_examples=150, deadline=None)
@given(numbers, numbers)
def test_numbers(score: str, margin: str) -> None:
    as_decoded([f'{{"event_id":"e","outcome":"block","score":{score},"margin":{margin}}}'.encode()])


@settings(max_examples=150, deadline=None)
@given(st.lists(plain_decisions, max_size=8), st.data())
def test_bodies_and_lines(decisions: list[Decision], data: st.DataObject) -> None:
    values = [encode_decision(decision) for decision in decisions]
    plain = as_decoded(values)
    decisions = [each for each, is_plain in zip(decisions, plain.is_plain, strict=True) if is_plain]
    ordinals = np.array([data.draw(st.integers(-2, len(SENT) - 1)) for _ in decisions], np.int64)
    for thresholds in (THRESHOLDS, None):
        made = Bodies(thresholds, SENT.__getitem__, Texts.of(SENT))
        expected = [
            made.of(*each) for each in zip(decisions, plain.received_ns.tolist(), ordinals.tolist(), strict=True)
        ]
        found = made.of_rows(plain, ordinals)
        assert [found[place] for place in range(len(found))] == expected
    late = np.array([data.draw(st.booleans()) for _ in decisions], np.bool_)
    seq = data.draw(st.sampled_from((0, 9, 10, 12_345_678_901)))
    lines, head = [], FIRST
    for place, body in enumerate(expected):
        line, head = chained(placed("decision", body, seq + place, late=bool(late[place])), head)
        lines.append(line)
    assert chained_lines(found, late, seq, FIRST) == (b"".join(lines), head)


def test_what_scorers_write_is_plain() -> None:
    """Else the kernel would be of no use."""
    decision = Decision(
        event_id="e1", outcome="review", score=0.00012871836799747445, path="rules", margin=-8.038424491882324,
        rules_version="r", model_version="m", worker="worker-1", taken_ns=1, emitted_ns=LARGEST,
        stages_ns={"features": 1, "rules": 2, "model": 3, "table_wait": 0}, features=bytes(240),
    )  # fmt: skip
    spoken: dict[str, Any] = json.loads(encode_decision(decision))
    backwards = dict(reversed(spoken.items()))
    none = (
        spoken
        | dict.fromkeys(("margin", "worker", "taken_ns", "features", "shadow"))
        | {"reasons": [], "customers": []}
    )
    told = [msgspec.json.encode(each) for each in (spoken, backwards, none)]
    told += [json.dumps(each).encode() for each in (spoken, backwards, none)]
    assert as_decoded(told).is_plain.all()


@pytest.mark.parametrize("odd", [b"{", b'{"event_id":"\xc3\xa9","outcome":"block","score":1}', b"x" * 300])
def test_what_is_odd_leaves_its_neighbours_plain(odd: bytes) -> None:
    good = encode_decision(Decision(event_id="e1", outcome="block", score=1.0, features=b"abc"))
    assert as_decoded([good, odd, good, odd, good]).is_plain.tolist() == [True, False, True, False, True]


def test_where_nothing_is_looked_for_nothing_is_plain() -> None:
    plain = read_none(Arrived.of([(1, b"{}"), (2, b"{}")]))
    assert (len(plain), plain.is_plain.tolist(), len(plain.table())) == (0, [False, False], 0)


KERNELS: tuple[Any, ...] = (
    arriving.find_messages, rows.read_rows, texts.gather, blake2b.short_hashes, records.write_bodies,
    records.chain_decisions,
)  # fmt: skip


def test_after_the_rehearsal_nothing_is_compiled_whatever_comes() -> None:
    """Arrays that may be written to, and others, are types of their own to numba."""
    rehearse()
    before = [len(kernel.signatures) for kernel in KERNELS]
    good = encode_decision(Decision(event_id="e1", outcome="block", score=1.0, margin=0.5, features=b"abc"))
    one, other = Arrived.of([(1, good), (2, b"{")]), Arrived.of([(3, good)])
    both = read_plain(Arrived.joined([one, other]))
    both.event_hashes()
    both.table()
    bodies = both.bodies(np.array([0, -1]), Texts.of(SENT), b"null")
    late = np.array([False, True])
    for each in (
        bodies,
        Texts.joined([bodies.part(slice(0, 1)), bodies.part(slice(1, 2))]),
        bodies.taken(np.arange(2)),
    ):
        assert chained_lines(each, late, 1, FIRST) == chained_lines(bodies, late, 1, FIRST)
    assert [len(kernel.signatures) for kernel in KERNELS] == before
