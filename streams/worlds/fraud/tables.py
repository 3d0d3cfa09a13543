"""From drafts to tables: codes become dictionary-encoded ids, everything in arrow, nothing row by row."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from streams.labels import LABEL_SCHEMA
from streams.profiles import PROFILE_SCHEMA
from streams.transaction import CHANNELS, TRANSACTION_SCHEMA
from streams.worlds.arrays import Ints, numbered
from streams.worlds.fraud.categories import CATEGORY_NAMES
from streams.worlds.fraud.drafts import Drafts
from streams.worlds.fraud.geography import COUNTRIES, COUNTRY_CODES, CURRENCIES
from streams.worlds.fraud.look_alikes import LOOK_ALIKES
from streams.worlds.fraud.scenarios import SCENARIOS
from streams.worlds.fraud.scene import Scene
from streams.worlds.fraud.segments import SEGMENT_NAMES

EVENT_ID_DIGITS = 12
_CURRENCY_OF_COUNTRY = np.array([CURRENCIES.index(country.currency) for country in COUNTRIES])


@dataclass(frozen=True, slots=True)
class TableWriter:
    """Spells drafts out. Ids are shuffled against codes, so that a number says nothing of size or age."""

    scene: Scene
    ids: dict[str, Any]

    def events(self, drafts: Drafts, first_event: int) -> pa.Table:
        """Return the drafts as a table of TRANSACTION_SCHEMA, row by row; ids count on from `first_event`."""
        outlets, people = self.scene.outlets, self.scene.population
        customer = people.customer[drafts.card]
        country = self.scene.places.country[people.home[customer]]
        latitude = outlets.latitude[drafts.outlet]
        nowhere = np.isnan(latitude)
        columns = [
            self._event_ids(drafts, first_event),
            pa.array(drafts.time_ns),
            self._coded("card_id", drafts.card),
            pa.array(drafts.amount_minor),
            self._coded("currency", _CURRENCY_OF_COUNTRY[country]),
            self._coded("customer_id", customer),
            self._coded("merchant_id", outlets.merchant[drafts.outlet]),
            self._coded("terminal_id", outlets.terminal[drafts.outlet], missing=True),
            self._coded("device_id", drafts.device, missing=True),
            self._coded("category", outlets.category[drafts.outlet]),
            self._coded("channel", drafts.channel),
            self._coded("country", outlets.country[drafts.outlet]),
            pa.array(latitude, mask=nowhere),
            pa.array(outlets.longitude[drafts.outlet], mask=nowhere),
            pa.array(drafts.is_refund, mask=~drafts.is_refund),
        ]
        return pa.Table.from_arrays(columns, schema=TRANSACTION_SCHEMA)

    def labels(self, drafts: Drafts, first_event: int, rng: np.random.Generator) -> pa.Table:
        """Return the truth about the same rows as a table of LABEL_SCHEMA."""
        config = self.scene.config
        is_fraud = drafts.scenario >= 0
        reported = is_fraud & (rng.random(len(drafts)) >= config.never_reported_share)
        columns = [
            self._event_ids(drafts, first_event),
            pa.array(is_fraud),
            self._coded("scenario", drafts.scenario, missing=True),
            self._coded("look_alike", drafts.look_alike, missing=True),
            pa.array(drafts.time_ns + config.label_delay_ns, mask=~reported),
        ]
        return pa.Table.from_arrays(columns, schema=LABEL_SCHEMA)

    def profiles(self) -> pa.Table:
        """Return each card's segment and region as a table of PROFILE_SCHEMA."""
        people = self.scene.population
        columns = [
            self._coded("card_id", np.arange(people.cards)).cast(pa.string()),
            self._coded("segment", people.segment[people.customer]),
            self._coded("country", self.scene.places.country[people.home[people.customer]]),
        ]
        return pa.Table.from_arrays(columns, schema=PROFILE_SCHEMA).sort_by("card_id")

    def _coded(self, name: str, codes: Ints, *, missing: bool = False) -> Any:
        indices = pa.array(codes.astype(np.int32), mask=codes < 0 if missing else None)
        return pa.DictionaryArray.from_arrays(indices, self.ids[name])

    def _event_ids(self, drafts: Drafts, first_event: int) -> Any:
        return numbered("t", np.arange(first_event, first_event + len(drafts)), EVENT_ID_DIGITS)


def table_writer(scene: Scene, rng: np.random.Generator) -> TableWriter:
    """Name everything in the scene once; all tables share the dictionaries."""
    people, outlets = scene.population, scene.outlets
    numbered_ids = {
        "card_id": ("c", people.cards),
        "customer_id": ("p", people.customers),
        "merchant_id": ("m", outlets.merchants),
        "terminal_id": ("k", outlets.terminals),
        "device_id": ("d", people.devices),
    }
    ids = {name: numbered(prefix, rng.permutation(count), 8) for name, (prefix, count) in numbered_ids.items()}
    words = {
        "currency": CURRENCIES,
        "category": CATEGORY_NAMES,
        "channel": CHANNELS,
        "country": COUNTRY_CODES,
        "segment": SEGMENT_NAMES,
        "scenario": tuple(SCENARIOS),
        "look_alike": tuple(LOOK_ALIKES),
    }
    return TableWriter(scene, ids | {name: pa.array(values, pa.string()) for name, values in words.items()})
