"""Is a labelled stream of card transactions too easy, leaky, or unlike people? The audit of a synthetic world.

`audit.audit_files` runs every check; each module holds one kind of them. What is checked, every limit and where it
comes from: docs/world-audit.md.
"""
