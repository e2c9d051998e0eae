"""Which fragments are meant: by number, by time, and page by page.

No bytes of media, no JSON but the selectors'.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from appliance.video.kvs_server.archive import FragmentRow
from appliance.video.kvs_server.fields import Fields
from appliance.video.kvs_server.requests import RefusedError

By = Literal["PRODUCER_TIMESTAMP", "SERVER_TIMESTAMP"]
BY: Final[dict[str, By]] = {
    "PRODUCER_TIMESTAMP": "PRODUCER_TIMESTAMP",
    "SERVER_TIMESTAMP": "SERVER_TIMESTAMP",
}
_LAST_MS: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class Selection:
    """A span of time by one of two clocks.

    Attributes:
        by: Which clock.
        begin_ms: Milliseconds since the epoch, of the first that is meant.
        end_ms: Of the last.
    """

    by: By = "SERVER_TIMESTAMP"
    begin_ms: int = 0
    end_ms: int = _LAST_MS

    @classmethod
    def read(cls, given: Fields | None, *, needed: bool) -> "Selection":
        """A selector of the archive's operations.

        Args:
            given: `FragmentSelectorType` and `TimestampRange`; None: everything there is.
            needed: Both times must be there.

        Raises:
            RefusedError: It is wrong, or the end lies before the begin.
        """
        if given is None:
            return cls()
        by = BY[given.choice("FragmentSelectorType", BY) or "SERVER_TIMESTAMP"]
        span = given.need_within("TimestampRange") if needed else given.within("TimestampRange")
        if span is None:
            return cls(by)
        begin, end = span.moment("StartTimestamp"), span.moment("EndTimestamp")
        if needed:
            begin, end = span.need_moment("StartTimestamp"), span.need_moment("EndTimestamp")
        found = cls(
            by,
            0 if begin is None else round(begin.timestamp() * 1000),
            _LAST_MS if end is None else round(end.timestamp() * 1000),
        )
        if found.end_ms < found.begin_ms:
            raise RefusedError("InvalidArgumentException", "EndTimestamp must not lie before StartTimestamp.")
        return found

    def when(self, row: FragmentRow) -> int:
        """When a fragment is, by this clock, milliseconds since the epoch."""
        return row.producer_ms if self.by == "PRODUCER_TIMESTAMP" else row.server_ms

    def starting_within(self, rows: Sequence[FragmentRow]) -> list[FragmentRow]:
        """Those that begin in the span, in the order in which the server had them."""
        return [row for row in rows if self.begin_ms <= self.when(row) <= self.end_ms]

    def deduplicated(self, rows: Sequence[FragmentRow]) -> list[FragmentRow]:
        """Those that begin in the span, by time; of several of one producer's time, the one that came first.

        What a producer sent again after a broken connection is there twice.
        """
        first: dict[int, FragmentRow] = {}
        for row in self.starting_within(rows):
            first.setdefault(row.producer_ms, row)
        return sorted(first.values(), key=lambda row: (self.when(row), int(row.number)))


def page(
    rows: Sequence[FragmentRow], *, after: str | None, most: int
) -> tuple[list[FragmentRow], str | None]:
    """A page of what is found, and the token that leads to the next; None: this is the last.

    Args:
        rows: By number.
        after: The token of the page before.
        most: Rows on a page.

    Raises:
        RefusedError: The token is not one of ours.
    """
    last = token_of(after) if after is not None else -1
    rest = [row for row in rows if int(row.number) > last]
    found = rest[:most]
    return found, page_token(int(found[-1].number)) if len(rest) > most else None


def page_token(number: int) -> str:
    """A number as the token that leads to the next page."""
    return base64.b64encode(str(number).encode()).decode()


def token_of(token: str) -> int:
    """The number that a token was made of.

    Raises:
        RefusedError: It is not one of ours.
    """
    try:
        return int(base64.b64decode(token, validate=True).decode("ascii"))
    except (binascii.Error, ValueError):
        raise RefusedError("InvalidArgumentException", "NextToken is not one of this server's.") from None
