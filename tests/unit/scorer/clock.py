"""A clock that moves when it is told to."""

NS_PER_S = 1_000_000_000


class FakeClock:
    """Monotonic nanoseconds under the test's control."""

    def __init__(self) -> None:
        self.now_ns = 1_000 * NS_PER_S

    def __call__(self) -> int:
        return self.now_ns

    def pass_s(self, seconds: float) -> None:
        self.now_ns += int(seconds * NS_PER_S)
