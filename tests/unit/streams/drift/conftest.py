"""Two small worlds for all tests of drifts."""

import pytest

from streams.drift.material import Material, material_of
from streams.worlds import AmlWorld, AmlWorldConfig, FraudWorld, FraudWorldConfig


@pytest.fixture(scope="package")
def materials() -> dict[str, Material]:
    cards = FraudWorld(FraudWorldConfig(cards=150, fraud_share=0.03), seed=11).generate(15, 3_600)
    # where most laundering is structured, so that there is something for a threshold to move
    weights = {"structuring": 4.0, "cuckoo_smurfing": 1.0, "fan_in": 1.0}
    config = AmlWorldConfig(
        customers=400, laundering_share=0.02, markets=2, boldness=2.0, activity=0.5, typology_weights=weights
    )
    transfers = AmlWorld(config, seed=11).generate(15, 5_000)
    return {
        "fraud": material_of("fraud", cards),
        "aml": material_of("aml", transfers, transfers.members, transfers.accounts),
    }
