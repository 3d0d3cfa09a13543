"""Errors meant for the person at the keyboard."""


class RiskbenchError(Exception):
    """Anything that goes wrong in a way the user can act on. The message says what, where, the value and the bound.

    `exit_code` is what `bench` ends with when it reaches the top (see docs: 2 bad usage or bad input, 3 invalid run).
    """

    exit_code = 2


class BadInputError(RiskbenchError):
    """A file, option or value that cannot be used: exit code 2."""


class BrokerError(RiskbenchError):
    """No broker could be started or reached: exit code 2."""


class RunInvalidError(RiskbenchError):
    """The run cannot be trusted (schedule not held, events missing, a process died): exit code 3."""

    exit_code = 3
