"""From drafts to tables: codes become dictionary-encoded ids, everything in arrow, nothing row by row."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from streams.account import ACCOUNT_SCHEMA, KINDS
from streams.laundering import LAUNDERING_SCHEMA, MEMBER_SCHEMA, ROLES, UNTYPED
from streams.transfer import TRANSFER_CHANNELS, TRANSFER_SCHEMA
from streams.worlds.aml.budget import Pattern
from streams.worlds.aml.diligence import Diligence
from streams.worlds.aml.drafts import CARD, CHEQUE, INSTANT, NONE, VIRTUAL_ASSET, WIRE, Drafts
from streams.worlds.aml.look_alikes import LOOK_ALIKES
from streams.worlds.aml.nations import BANKS_PER_COUNTRY, COUNTRIES, CURRENCIES, CURRENCY, MINOR_PER_USD
from streams.worlds.aml.population import Population
from streams.worlds.aml.segments import BUSINESS_FROM, NAMES
from streams.worlds.aml.typologies import TYPOLOGIES
from streams.worlds.arrays import Flags, Floats, Ints, numbered, unit_hash

EVENT_ID_DIGITS = 12
SPREAD_MIN, SPREAD_MAX = 0.001, 0.012
"""What the bank keeps when money is converted."""
_HAS_BANK: Flags = np.isin(np.arange(len(TRANSFER_CHANNELS)), [WIRE, INSTANT, CHEQUE, VIRTUAL_ASSET, CARD])


@dataclass(frozen=True, slots=True)
class TableWriter:
    """Spells drafts out. Ids are shuffled against codes, so that a number says nothing of size, kind or age."""

    population: Population
    diligence: Diligence
    ids: dict[str, Any]
    salt: int

    def transfers(self, drafts: Drafts, first_event: int) -> pa.Table:
        """Return the drafts as a table of TRANSFER_SCHEMA, row by row; ids count on from `first_event`."""
        sent_in = np.where(drafts.from_country >= 0, drafts.from_country, drafts.to_country)
        got_in = np.where(drafts.to_country >= 0, drafts.to_country, sent_in)
        converted = CURRENCY[sent_in] != CURRENCY[got_in]
        received = np.zeros(len(drafts), np.int64)
        rows = np.flatnonzero(converted)
        received[rows] = self._received(drafts.take(rows), sent_in[rows], got_in[rows])
        columns = [
            self._event_ids(drafts, first_event),
            pa.array(drafts.time_ns),
            pa.array(drafts.amount_minor),
            self._coded("currency", CURRENCY[sent_in]),
            self._coded("channel", drafts.channel),
            self._coded("account_id", drafts.from_account, missing=True),
            self._coded("account_id", drafts.to_account, missing=True),
            self._coded("bank_id", self._banks(drafts, drafts.from_account, drafts.from_country), missing=True),
            self._coded("bank_id", self._banks(drafts, drafts.to_account, drafts.to_country), missing=True),
            self._coded("country", drafts.from_country, missing=True),
            self._coded("country", drafts.to_country, missing=True),
            pa.array(received, mask=~converted),
            self._coded("currency", np.where(converted, CURRENCY[got_in], NONE), missing=True),
        ]
        return pa.Table.from_arrays(columns, schema=TRANSFER_SCHEMA)

    def truth(self, drafts: Drafts, first_event: int) -> pa.Table:
        """Return the truth about the same rows as a table of LAUNDERING_SCHEMA."""
        laundering = drafts.typology >= 0
        columns = [
            self._event_ids(drafts, first_event),
            pa.array(laundering),
            pa.array(drafts.pattern, mask=~laundering),
            self._coded("typology", drafts.typology, missing=True),
            self._coded("look_alike", drafts.look_alike, missing=True),
        ]
        return pa.Table.from_arrays(columns, schema=LAUNDERING_SCHEMA)

    def members(self, patterns: Sequence[Pattern]) -> pa.Table:
        """Return who belongs to the patterns as a table of MEMBER_SCHEMA."""
        none = np.zeros(0, np.int64)
        size = [len(pattern.accounts) for pattern in patterns]
        accounts = np.concatenate([none, *(pattern.accounts for pattern in patterns)])
        columns = [
            pa.array(np.repeat(np.array([pattern.number for pattern in patterns], np.int64), size)),
            self._coded("typology", np.repeat(np.array([pattern.typology for pattern in patterns], np.int64), size)),
            self._coded("customer_id", self.population.customer[accounts]),
            self._coded("account_id", accounts),
            self._coded("role", np.concatenate([none, *(pattern.roles for pattern in patterns)])),
        ]
        return pa.Table.from_arrays(columns, schema=MEMBER_SCHEMA)

    def accounts(self) -> pa.Table:
        """Return every account and what its bank knows of it as a table of ACCOUNT_SCHEMA, by account id."""
        people, known = self.population, self.diligence
        codes = np.arange(people.accounts)
        country, segment = people.country(codes), people.segment[people.customer]
        rate = MINOR_PER_USD[country]
        columns = [
            self._coded("account_id", codes).cast(pa.string()),
            self._coded("customer_id", people.customer),
            self._coded("bank_id", people.bank),
            self._coded("country", country),
            self._coded("currency", CURRENCY[country]),
            self._coded("kind", (segment >= BUSINESS_FROM).astype(np.int64)),
            self._coded("segment", segment),
            pa.array(people.opened_at_ns),
            pa.array(known.risk_rating.astype(np.int8)),
            pa.array(people.is_pep[people.customer]),
            pa.array(_declared(known.monthly_usd, rate)),
            pa.array(_declared(known.cash_monthly_usd, rate)),
            pa.array(known.expects_foreign),
        ]
        return pa.Table.from_arrays(columns, schema=ACCOUNT_SCHEMA).sort_by("account_id")

    def _received(self, drafts: Drafts, sent_in: Ints, got_in: Ints) -> Ints:
        spread = unit_hash(drafts.time_ns, self.salt) * (SPREAD_MAX - SPREAD_MIN) + SPREAD_MIN
        minor = drafts.amount_minor / MINOR_PER_USD[sent_in] * MINOR_PER_USD[got_in] * (1.0 - spread)
        return np.maximum(np.rint(minor), 1.0).astype(np.int64)

    def _banks(self, drafts: Drafts, account: Ints, country: Ints) -> Ints:
        """Banks of known accounts; of others one of the country's, none for cash."""
        other = (unit_hash(drafts.time_ns + country, self.salt + 1) * BANKS_PER_COUNTRY).astype(np.int64)
        outside = np.where((country >= 0) & _HAS_BANK[drafts.channel], country * BANKS_PER_COUNTRY + other, NONE)
        return np.where(account >= 0, self.population.bank[account], outside)

    def _coded(self, name: str, codes: Ints, *, missing: bool = False) -> Any:
        indices = pa.array(codes.astype(np.int32), mask=codes < 0 if missing else None)
        return pa.DictionaryArray.from_arrays(indices, self.ids[name])

    def _event_ids(self, drafts: Drafts, first_event: int) -> Any:
        return numbered("x", np.arange(first_event, first_event + len(drafts)), EVENT_ID_DIGITS)


def _declared(usd: Floats, rate: Floats) -> Ints:
    """Round to two digits, as people write it into a form."""
    minor = np.maximum(usd * rate, 1.0)
    step = 10.0 ** np.floor(np.log10(minor) - 1.0).clip(0.0)
    result: Ints = (np.round(minor / step) * step).astype(np.int64)
    return np.where(usd <= 0, 0, result)


def table_writer(population: Population, diligence: Diligence, salt: int, rng: np.random.Generator) -> TableWriter:
    """Name everything once; all tables share the dictionaries."""
    counts = {
        "account_id": ("a", population.accounts),
        "customer_id": ("p", population.customers),
        "bank_id": ("b", len(COUNTRIES) * BANKS_PER_COUNTRY),
    }
    ids = {name: numbered(prefix, rng.permutation(count), 8) for name, (prefix, count) in counts.items()}
    words = {
        "currency": CURRENCIES,
        "channel": TRANSFER_CHANNELS,
        "country": COUNTRIES,
        "kind": KINDS,
        "segment": NAMES,
        "typology": (*TYPOLOGIES, UNTYPED),
        "look_alike": tuple(LOOK_ALIKES),
        "role": ROLES,
    }
    spelt = {name: pa.array(values, pa.string()) for name, values in words.items()}
    return TableWriter(population, diligence, ids | spelt, salt)
