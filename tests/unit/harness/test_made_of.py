from harness.made_of import WORDS, made_of_words, step_words
from harness.waterfall import STEPS


def ms(value: float) -> str:
    return f"{value:.1f} ms"


def test_every_step_has_its_words() -> None:
    assert tuple(WORDS) == STEPS
    assert list(step_words({"received", "sent", "broker"})) == ["sent", "broker", "received"]
    assert step_words({"taken"})["taken"] != step_words({"taken", "broker"})["taken"]


def test_the_largest_parts_are_named_and_the_rest_is_added_up() -> None:
    parts = {"sent": 0.1, "broker": 2.0, "taken": 5.0, "model": 12.0, "rules": 0.4, "received": 0.5}
    assert made_of_words("P99", parts, step_words(parts), ms) == (
        "Of the P99, 20.0 ms, “model” takes 12.0 ms (60%), “until taken” 5.0 ms (25%), “into the broker” 2.0 ms (10%), "
        "everything else 1.0 ms."
    )


def test_one_part_alone_and_none_at_all() -> None:
    words = step_words({"answered"})
    assert made_of_words("P50", {"answered": 3.0}, words, ms).endswith("“there, scorer and back” takes 3.0 ms (100%).")
    assert made_of_words("P50", {"answered": 0.0}, words, ms).endswith("takes 0.0 ms.")
