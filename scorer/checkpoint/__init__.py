"""Checkpoints: what a worker knows of its partitions' cards, kept so that another process goes on from there."""
