"""Typologies: banded rules that add up to a score of one way of laundering money, market by market."""
