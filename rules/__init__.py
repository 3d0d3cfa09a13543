"""Stage one: a small typed rule language in YAML, compiled, and the rule packs."""
