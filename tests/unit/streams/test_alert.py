"""The raw alert as a message: everything in it, nothing out of bounds."""

from typing import Any

import msgspec
import pytest

from streams.alert import EVIDENCE_MAX, RawAlert

ALERT: dict[str, Any] = {
    "alert_id": "al1",
    "customer_id": "p1",
    "account_id": "a1",
    "market": "FR",
    "typology": "fan_in",
    "window_from_ns": 1,
    "window_to_ns": 9,
    "score": 0.5,
    "reasons": [{"code": "many-senders", "text": "9 senders within 2 days", "kind": "rule"}],
    "evidence": ["t1", "t2"],
    "raised_by": "t2",
    "event_time_ns": 9,
}


def test_an_alert_goes_over_the_wire_and_comes_back() -> None:
    alert = msgspec.convert(ALERT, RawAlert)
    assert msgspec.json.decode(msgspec.json.encode(alert), type=RawAlert) == alert
    assert alert.reasons[0].code == "many-senders"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("score", 1.5),
        ("evidence", ["t"] * (EVIDENCE_MAX + 1)),
        ("market", "France"),
        ("typology", ""),
        ("raised_by", ""),
    ],
)
def test_a_value_out_of_bounds_is_refused_by_its_field(key: str, value: object) -> None:
    with pytest.raises(msgspec.ValidationError, match=key):
        msgspec.convert(ALERT | {key: value}, RawAlert)


@pytest.mark.parametrize("missing", ALERT)
def test_an_alert_says_everything(missing: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=missing):
        msgspec.convert({key: value for key, value in ALERT.items() if key != missing}, RawAlert)
