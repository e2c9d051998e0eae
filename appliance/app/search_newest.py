"""What was found last before cameras and by functions, and who waits to be told. In memory alone.

Whatever is looked up has a number. What there is something like goes on a short stack, the newest on top;
what there is nothing like is known only as the newest of its camera or function.
"""

import threading
from collections import OrderedDict

from appliance.search import NewestMatches
from appliance.wire import Handler, Message, Reply, Request
from appliance.wire.messages import AskNewest, FoundTold, NewestTold

_SOURCES = 64
"""Cameras and functions of which the newest look-up is kept."""


class NewestFound:
    """Keeps and tells it; threads may share it.

    Args:
        capacity: Of the stack.
    """

    def __init__(self, capacity: int) -> None:
        self._kept: NewestMatches[FoundTold] = NewestMatches(capacity)
        self._capacity = capacity
        self._news = threading.Condition()
        self._number = 0
        self._last: OrderedDict[str, FoundTold] = OrderedDict()
        self._closed = False

    def handlers(self) -> dict[type[Message], Handler]:
        """By message, for a server."""
        return {AskNewest: self.ask}

    def put(self, found: FoundTold) -> FoundTold:
        """Something was looked up; as it is told, with its number."""
        with self._news:
            self._number += 1
            numbered = found.model_copy(update={"number": self._number})
            if numbered.known:
                self._kept.put(numbered)
            name = f"{numbered.source}/{numbered.name}"
            self._last[name] = numbered
            self._last.move_to_end(name)
            while len(self._last) > _SOURCES:
                self._last.popitem(last=False)
            self._news.notify_all()
        return numbered

    def close(self) -> None:
        """Let nobody wait any more."""
        with self._news:
            self._closed = True
            self._news.notify_all()

    def ask(self, request: Request[AskNewest]) -> Reply[NewestTold]:
        """What is new to who asks; waits for it if asked to."""
        asked = request.message
        with self._news:
            found = self._found(asked)
            number = self._number if asked.reader else asked.after
            if not found:
                # A reader has had all there is, and waits for a match; who follows by number hears of every
                # look-up.
                self._news.wait_for(lambda: self._closed or self._is_new(asked, number), asked.wait_s)
                found = self._found(asked)
            return Reply(NewestTold(found=tuple(found), number=self._number, last=dict(self._last)))

    def _is_new(self, asked: AskNewest, number: int) -> bool:
        if asked.reader:
            return any(each.number > number for each in self._kept.newest(1))
        return self._number > number

    def _found(self, asked: AskNewest) -> list[FoundTold]:
        if asked.reader:
            return self._kept.take(asked.reader, asked.limit)
        newest = self._kept.newest(self._capacity)
        return [each for each in newest if each.number > asked.after][: asked.limit]
