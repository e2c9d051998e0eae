"""How long to wait before trying again: exponential, capped, with jitter.

Pure: it neither sleeps nor counts. Whoever retries keeps the number of failures and the time.
"""

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BackOff:
    """A rule for pauses between tries.

    Attributes:
        first_s: Pause after the first failure, seconds.
        cap_s: Longest pause before jitter, seconds.
        jitter: Share by which a pause may be shorter or longer, 0 to 1, so that things which
            failed together are not tried together.
    """

    first_s: float
    cap_s: float
    jitter: float = 0.2

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            ValueError: A pause is negative, the cap is below the first, or jitter lies outside 0..1.
        """
        if not (0 <= self.first_s <= self.cap_s and 0 <= self.jitter <= 1):
            raise ValueError(f"{self}: need 0 <= first_s <= cap_s and 0 <= jitter <= 1")

    def delay(self, failures: int, chance: float | None = None) -> float:
        """Seconds to wait after so many failures in a row.

        Args:
            failures: Failures so far, 1 or more.
            chance: A number from 0 to 1 that picks the point in the jitter; None draws one.
        """
        # The exponent is capped as well: 2.0 ** 1024 is an OverflowError.
        pause = min(self.cap_s, self.first_s * 2.0 ** min(max(failures, 1) - 1, 64))
        drawn = random.random() if chance is None else chance  # noqa: S311 - spreads load, hides nothing
        return pause * (1 + self.jitter * (2 * drawn - 1))
