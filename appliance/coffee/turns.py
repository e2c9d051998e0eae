"""The rule that nobody's coffee counts twice within some minutes, for all corners of a box together.

Kept by opaque keys. Whoever shares one between threads sees to it that one asks at a time.
"""


class Turns:
    """Who took a coffee when.

    Args:
        apart_s: Seconds after which the same person's next one counts.
    """

    def __init__(self, apart_s: float) -> None:
        self._apart_s = apart_s
        self._taken_s: dict[str, float] = {}

    def left_s(self, who: str, now_s: float) -> float:
        """Seconds until somebody's next coffee counts; 0: it does."""
        last_s = self._taken_s.get(who)
        return 0.0 if last_s is None else max(0.0, last_s + self._apart_s - now_s)

    def take(self, who: str, now_s: float) -> bool:
        """Have somebody's coffee count, unless it is too soon: whether it does."""
        if self.left_s(who, now_s) > 0:
            return False
        self._taken_s = {key: at for key, at in self._taken_s.items() if now_s - at < self._apart_s}
        self._taken_s[who] = now_s
        return True

    def remember(self, who: str, taken_s: float) -> None:
        """Somebody took one before this process began; `taken_s` by the same clock, earlier than any now."""
        self._taken_s[who] = max(taken_s, self._taken_s.get(who, taken_s))
