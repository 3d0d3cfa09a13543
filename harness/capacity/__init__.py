"""The highest rate that is held: the search, what held means, and what is said of it."""
