"""The audit trail of a run: every decision as an append-only record, chained by hash, and the proof that it is whole.

`records` says what is written, `writer` writes it as decisions arrive, `chain` reads it back, `order` finds what was
removed, inserted or moved, `compare` holds it against the run's other files, `verify` puts the findings together.
"""
