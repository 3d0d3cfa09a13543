"""Any bytes, and any mutation of valid ones: refused by the declared errors, never by a traceback of another kind."""

import logging
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS

EXAMPLES = 200
TOKENS = [
    *(b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xc3\x28", b"\r", b"\n", b"\n\n", b"\t", b" ", b'"', b"'", b"`"),
    *(
        b"{",
        b"}",
        b"[",
        b"]",
        b"{" * 3_000,
        b"[" * 3_000,
        b"- " * 500,
        b": ",
        b",",
        b",,",
        b"#",
        b"|",
        b">",
        b"%",
        b"? ",
    ),
    *(b"&a ", b"*a", b"<<: ", b"!!python/object:os.system ", b"!!binary ", b"---\n", b"...", b"~", b"null", b"true"),
    *(b"-1", b"0", b"1e999", b".nan", b"-.inf", b"9" * 40, b"9" * 5_000, b"0x7f", b"1_000", b"12:30:45", b"2026-02-31"),
    *(b"2018-04-01T00:00:00+25:00", b"a" * 200, "é\U0001f600\u202e".encode(), b"\\u0000", b"\\ud800"),
]
cut = st.tuples(st.floats(0, 1), st.integers(0, 12), st.binary(max_size=6) | st.sampled_from(TOKENS))


def mutated(valid: list[bytes]) -> st.SearchStrategy[bytes]:
    """One of the valid contents with a few places replaced, or any bytes at all."""

    def change(content: bytes, cuts: list[tuple[float, int, bytes]]) -> bytes:
        for place, length, instead in cuts:
            at = round(place * len(content))
            content = content[:at] + instead + content[at + length :]
        return content

    return st.builds(change, st.sampled_from(valid), st.lists(cut, max_size=4)) | st.binary(max_size=300)


@pytest.fixture(autouse=True)
def _silence() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.timeout(120)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_nothing_but_the_declared_errors(name: str, data: st.DataObject) -> None:
    target = TARGETS[name]
    target.read(data.draw(mutated(target.valid())))


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_valid_is_taken_and_what_is_cut_off_is_no_surprise(name: str) -> None:
    target = TARGETS[name]
    for content in (*target.valid()[:3], b"", b"\x00", b"\xff" * 100):
        target.read(content)
        for length in range(0, len(content), max(1, len(content) // 15)):
            target.read(content[:length])


FOUND = [
    ("rules", "a: 09"),
    ("rules", "a: " + "9" * 5_000),
    ("scenario", "name: x\nload: {rate_per_s: 2026-02-31}"),
    ("scenario", "a: " + "9" * 5_000),
    ("scenario", "[" * 3_000),
    ("scenario", "a: 0b_"),
    ("scenario", "a: 2001-12-14t21:59:43.10-99:99"),
    ("column-map", "[" * 3_000),
]
"""What once came through as a traceback of another kind."""


@pytest.mark.parametrize(("name", "text"), FOUND, ids=[f"{name} {text[:20]}" for name, text in FOUND])
def test_what_was_found_stays_found(name: str, text: str) -> None:
    TARGETS[name].read(text.encode())
