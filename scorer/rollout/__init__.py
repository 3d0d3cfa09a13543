"""The model changed while the stream goes on: shadow, canary, full, rolled back."""
