"""Many faults one after the other, on one broker choice: a run each, one table, one report."""
