"""Countries whose payments are watched everywhere: the FATF's public lists of October 2025."""

CALL_FOR_ACTION = ("IR", "KP", "MM")
"""High-risk jurisdictions subject to a call for action."""
INCREASED_MONITORING = (
    *("AO", "BG", "BO", "CD", "CI", "CM", "DZ", "HT", "KE", "LA"),
    *("LB", "MC", "NA", "NP", "SS", "SY", "VE", "VG", "VN", "YE"),
)
"""Jurisdictions under increased monitoring."""
HIGH_RISK = frozenset((*CALL_FOR_ACTION, *INCREASED_MONITORING))
RISK_MIN, RISK_MAX = 1, 3
