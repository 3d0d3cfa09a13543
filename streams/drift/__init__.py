"""Drift put into a stream on purpose: kinds with an onset and a shape in event time, seeded, and their truth."""
