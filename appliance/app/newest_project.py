"""Whose picture the box shows, of the functions that draw.

How a pipe of the box is written is `appliance.deeplens.box_fifos`'.
"""

from collections.abc import Callable, Mapping

from appliance.deeplens.function_beside import FunctionBeside

_STAYS_S = 5.0
"""A function that wrote nothing for so much longer than another is not shown any more."""


class NewestProject:
    """The project stream of whichever function wrote last: the box has one place for it, as the device had.

    Args:
        besides: The functions' streams, by name.
    """

    def __init__(self, besides: Callable[[], Mapping[str, FunctionBeside]]) -> None:
        self._besides = besides
        self._name = ""
        self._seen = 0
        self._count = 0

    def latest(self, after: int, wait_s: float) -> tuple[int, bytes] | None:
        """See `box_fifos.Latest`; used by one thread."""
        del after  # numbers are each function's own: what was given out is known here
        besides = self._besides()
        ages = {name: status.newest_at for name, each in besides.items() if (status := each.status)}
        written = {name: at for name, at in ages.items() if at is not None}
        if not written:
            return None
        name = max(written, key=lambda each: written[each])
        # Two that write at once would take turns with every picture: the one that is shown stays for a while.
        if self._name in written and written[name] - written[self._name] < _STAYS_S:
            name = self._name
        found = besides[name].latest(self._seen if name == self._name else 0, wait_s)
        if found is None:
            return None
        self._name, self._seen = name, found[0]
        self._count += 1
        return self._count, found[1]
