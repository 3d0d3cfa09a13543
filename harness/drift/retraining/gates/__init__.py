"""One file a gate: each looks at one thing, and says with which figures."""
