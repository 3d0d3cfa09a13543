"""The gate: is this build slower than that one? Both are built, run in turns, and judged against their own noise."""
