"""Settings that every test shares."""

from hypothesis import settings

# Shared, noisy machines: a slow example is no failure; examples are derived from the test, so that CI repeats them.
settings.register_profile("shared-machine", deadline=None, derandomize=True, database=None)
settings.load_profile("shared-machine")
