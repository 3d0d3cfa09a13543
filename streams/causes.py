"""Families of evidence: by which a fraud can be seen, and by which a reason says that it was seen."""

from typing import Literal, get_args

Cause = Literal[
    "amount", "velocity", "time", "merchant", "device", "location", "age", "risk", "network", "refund", "anomaly"
]
"""amount: how much, against the card's own habit. velocity: how often, how much within a window. time: hour and day.
merchant: what kind of shop, and whether it is new to the card. device: the device, and whether it is new to the card.
location: country, distance, speed. age: how long the card is known. risk: frauds reported at the terminal or merchant.
network: cards, devices and merchants that are linked. refund: money paid back. anomaly: unlike genuine events.
"""
CAUSES: tuple[Cause, ...] = get_args(Cause)
