"""The same job in other people's runtimes: each takes an event, has it decided by our code, and sends the decision.

`bench peers fraud` builds each peer's environment from its lock and measures them beside our engines: registry.yaml.
"""
