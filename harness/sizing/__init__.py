"""How many partitions, workers, brokers and measuring processes a rate takes, reckoned from what a run cost."""
