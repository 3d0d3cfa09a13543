"""From what was taken off a topic to transfers, and to dead letters for what is none."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from scorer.messages import Origin, letter
from streams.codec import Malformed, decode_transfers
from streams.decision import DeadLetter
from streams.transfer import Transfer


@dataclass(frozen=True, slots=True)
class TakenTransfers:
    """A micro-batch as taken: the transfers in order, and a letter for each message that is none."""

    transfers: list[Transfer]
    dead_letters: list[DeadLetter]


def read_transfers(
    values: Sequence[bytes], origin: Callable[[int], Origin], currencies: Collection[str]
) -> TakenTransfers:
    """Decode messages; `origin` tells where the message at an index came from. A transfer in a currency that has no
    rate cannot be compared with any other: it is refused too. Never raises for their content."""
    decoded, places, refused = decode_transfers(values)
    transfers = []
    for transfer, place in zip(decoded, places, strict=True):
        strange = _without_rate(transfer, currencies)
        if strange is None:
            transfers.append(transfer)
        else:
            refused.append(Malformed(place, f"currency {strange!r} has no rate here"))
    refused.sort(key=lambda each: each.index)
    letters = [letter(each.reason, values[each.index], origin(each.index)) for each in refused]
    return TakenTransfers(transfers, letters)


def _without_rate(transfer: Transfer, currencies: Collection[str]) -> str | None:
    if transfer.currency not in currencies:
        return transfer.currency
    received = transfer.received_currency
    return received if received is not None and received not in currencies else None
