"""Proof that the instrument measures right on this machine: known faults are planted, and must be found exactly."""
