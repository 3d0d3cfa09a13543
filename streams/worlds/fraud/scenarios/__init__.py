"""The registry of fraud scenarios: one file and one line each. New ones go at the end."""

from streams.worlds.fraud.scenarios import (
    account_drain,
    account_takeover,
    authorised_push_payment,
    bust_out,
    card_not_present_new_device,
    card_testing,
    leaked_credentials,
    lost_stolen_card,
    merchant_collusion,
    refund_abuse,
    sim_swap,
    synthetic_identity,
    terminal_compromise,
    velocity_attack,
)
from streams.worlds.fraud.scenarios.scenario import FraudScenario

_ALL: tuple[FraudScenario, ...] = (
    lost_stolen_card.SCENARIO,
    card_testing.SCENARIO,
    card_not_present_new_device.SCENARIO,
    account_takeover.SCENARIO,
    terminal_compromise.SCENARIO,
    leaked_credentials.SCENARIO,
    velocity_attack.SCENARIO,
    authorised_push_payment.SCENARIO,
    account_drain.SCENARIO,
    sim_swap.SCENARIO,
    merchant_collusion.SCENARIO,
    bust_out.SCENARIO,
    refund_abuse.SCENARIO,
    synthetic_identity.SCENARIO,
)

SCENARIOS: dict[str, FraudScenario] = {scenario.name: scenario for scenario in _ALL}
"""Every fraud scenario by its name; the order is the order of the labels' codes."""
