"""Random card transactions, each by itself: few ids, so that they come up again, and anything that may be left out."""

from hypothesis import strategies as st

from models.features.batch import Vocabulary
from streams.transaction import CardTransaction

VOCABULARY = Vocabulary(("food", "fuel"), ("chip", "online"))


def transactions(
    ids: st.SearchStrategy[str],
    currencies: st.SearchStrategy[str],
    latitudes: st.SearchStrategy[float],
    longitudes: st.SearchStrategy[float],
) -> st.SearchStrategy[CardTransaction]:
    """With ids and positions such as these."""
    maybe = st.none() | ids
    return st.builds(
        CardTransaction,
        event_id=ids,
        event_time_ns=st.integers(0, 4_102_444_800_000_000_000),
        card_id=ids,
        amount_minor=st.integers(0, 100_000_000_000),
        currency=currencies,
        customer_id=maybe,
        merchant_id=maybe,
        terminal_id=maybe,
        device_id=maybe,
        category=st.sampled_from([None, "food", "unheard of", ""]),
        channel=st.sampled_from([None, "chip", "atm"]),
        country=st.sampled_from([None, "DE"]),
        latitude=st.none() | latitudes,
        longitude=st.none() | longitudes,
        is_refund=st.sampled_from([None, True, False]),
    )
