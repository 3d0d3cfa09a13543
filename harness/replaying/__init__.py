"""Earlier runs once more: the same events on the same schedule, and what was decided otherwise."""
