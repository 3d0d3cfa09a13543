"""Ids that tables list get the codes that the interner gives them, whatever the table before listed."""

from hypothesis import given
from hypothesis import strategies as st

from models.features.batch import Vocabulary
from models.features.id_text import IdText
from models.features.interner import Interner
from models.features.wire.layout import INTERNED_KINDS
from models.features.wire.reader import WireReader

VOCABULARY = Vocabulary((), ())
ids = st.sampled_from([f"place{number}" for number in range(30)]) | st.text(max_size=3)
lists = st.lists(ids, unique=True, max_size=30) | st.permutations([f"place{number}" for number in range(20)])


def reader() -> tuple[WireReader, dict[str, Interner]]:
    interners = {kind: Interner() for kind in INTERNED_KINDS}
    return WireReader(interners, VOCABULARY), interners


@given(st.lists(st.tuples(st.sampled_from(["terminal", "device"]), lists, st.lists(ids, max_size=3)), max_size=8))
def test_codes_are_those_of_an_interner(tables: list[tuple[str, list[str], list[str]]]) -> None:
    reading, interners = reader()
    expected = {kind: Interner() for kind in INTERNED_KINDS}
    for kind, listed, between in tables:
        for each in between:  # met otherwise, as in an event
            assert interners[kind].code(each) == expected[kind].code(each)
        assert reading.codes_of(kind, IdText.of(listed)).tolist() == expected[kind].codes(listed)
    assert {kind: interner.strings() for kind, interner in interners.items()} == {
        kind: interner.strings() for kind, interner in expected.items()
    }


def test_places_that_come_and_go_are_found() -> None:
    reading, _ = reader()
    every = [f"t{number:05}" for number in range(3_000)]
    first = reading.codes_of("terminal", IdText.of(every))
    assert first.tolist() == list(range(3_000))
    fewer = [name for number, name in enumerate(every) if number % 7 and not 100 < number < 900]
    assert reading.codes_of("terminal", IdText.of(fewer)).tolist() == [int(name[1:]) for name in fewer]
    more = [*every[:50], "new", *every[50:]]
    assert reading.codes_of("terminal", IdText.of(more)).tolist() == [*range(50), 3_000, *range(50, 3_000)]


def test_an_id_too_long_for_the_table_of_names_has_a_code_all_the_same() -> None:
    reading, interners = reader()
    long = "x" * 70_000
    for _ in range(2):
        assert reading.codes_of("terminal", IdText.of(["a", long, "b"])).tolist() == [0, 1, 2]
    assert reading.codes_of("merchant", IdText.of([long, "b"])).tolist() == [0, 1]
    assert interners["terminal"].strings() == ["a", long, "b"]


def test_all_ids_of_an_interner_are_known_at_once() -> None:
    interners = {kind: Interner(f"{kind} {number}é" for number in range(400)) for kind in INTERNED_KINDS}
    reading = WireReader(interners, VOCABULARY)
    reading.know_all()
    for kind, interner in interners.items():
        names = IdText.of(interner.strings())
        assert reading._listed[kind].codes(names, INTERNED_KINDS.index(kind), reading._table)[0].tolist() == list(
            range(400)
        )
