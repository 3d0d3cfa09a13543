"""Truth about laundering and what is known of accounts: kept apart, nothing of the one in the other."""

import msgspec
import pytest

from streams.account import ACCOUNT_SCHEMA
from streams.laundering import LAUNDERING_SCHEMA, MEMBER_SCHEMA, Finding
from streams.transfer import TRANSFER_SCHEMA

FINDING = {"alert_id": "a", "customer_id": "p1", "found_at_ns": 5, "is_suspicious": True, "market": "DE"}


def test_truth_shares_only_the_key_with_transfers_and_accounts() -> None:
    assert set(LAUNDERING_SCHEMA.names) & set(TRANSFER_SCHEMA.names) == {"event_id"}
    assert set(LAUNDERING_SCHEMA.names) & set(ACCOUNT_SCHEMA.names) == set()
    assert set(MEMBER_SCHEMA.names) & set(ACCOUNT_SCHEMA.names) == {"customer_id", "account_id"}


def test_a_pattern_has_the_same_type_on_transfers_and_members() -> None:
    for name in ("pattern_id", "typology"):
        assert LAUNDERING_SCHEMA.field(name).type == MEMBER_SCHEMA.field(name).type


def test_only_laundering_may_be_unknown_of_a_genuine_transfer() -> None:
    assert [field.name for field in LAUNDERING_SCHEMA if field.nullable] == ["pattern_id", "typology", "look_alike"]
    assert not any(field.nullable for field in [*MEMBER_SCHEMA, *ACCOUNT_SCHEMA])


def test_a_finding_goes_over_the_wire_and_comes_back() -> None:
    finding = msgspec.convert(FINDING, Finding)
    assert msgspec.json.decode(msgspec.json.encode(finding), type=Finding) == finding


@pytest.mark.parametrize("missing", FINDING)
def test_a_finding_says_everything(missing: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=missing):
        msgspec.convert({key: value for key, value in FINDING.items() if key != missing}, Finding)
