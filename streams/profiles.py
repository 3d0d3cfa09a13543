"""Who holds a card: kept apart like labels, for error rates by segment and region; no scorer ever sees it."""

import pyarrow as pa

PROFILE_SCHEMA = pa.schema(
    [
        pa.field("card_id", pa.string(), nullable=False),
        pa.field("segment", pa.dictionary(pa.int32(), pa.string())),
        pa.field("region", pa.dictionary(pa.int32(), pa.string())),
    ]
)
"""One row a card. `segment` is the customer's segment (for example student, family, retired), `region` where the
customer lives (ISO country code); null where it is not known."""
