"""The gate: is this build slower than that one? Both are built, run in rounds, and judged against their own noise."""
