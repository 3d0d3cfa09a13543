"""The model card: what a model is, what it is for, how well it does for whom, and what is not known of it.

Sections as proposed by Mitchell et al., Model Cards for Model Reporting (FAT* 2019).
"""

from harness.model_card.card import render_html, render_markdown
from harness.model_card.facts import card_facts
from harness.model_card.sources import CardSources, read_sources

__all__ = ["CardSources", "card_facts", "read_sources", "render_html", "render_markdown"]
