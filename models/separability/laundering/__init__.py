"""The separability audit of money laundering: transfers, their known sides, customers' fortnights.

`audit.audit_transfers` runs every check; what is judged on which level, and why: docs/world-audit.md.
"""
