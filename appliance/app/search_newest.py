"""What was found last before cameras and by functions, and who waits to be told. In memory alone.

Whatever is looked up has a number. What there is something like goes on a short stack, the newest on top;
what there is nothing like is known only as the newest of its camera or function. What was removed from the
catalogue since is told no more.
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Protocol

from appliance.search import NewestMatches
from appliance.store.search_records import CatalogueItem
from appliance.wire import Handler, Message, Reply, Request
from appliance.wire.messages import AskNewest, FoundTold, NewestTold

_SOURCES = 64
"""Cameras and functions of which the newest look-up is kept."""


class ItemStore(Protocol):
    """The catalogue, as far as it is needed here; see `appliance.store.catalogue`."""

    def catalogue_version(self) -> int:
        """Another one after each change."""

    def items_by_id(self, items: Sequence[str]) -> Mapping[str, CatalogueItem]:
        """Those of these that there are."""


class NewestFound:
    """Keeps and tells it; threads may share it.

    Args:
        capacity: Of the stack.
        store: Where items are removed.
    """

    def __init__(self, capacity: int, store: ItemStore) -> None:
        self._store = store
        self._kept: NewestMatches[FoundTold] = NewestMatches(capacity)
        self._capacity = capacity
        self._news = threading.Condition()
        self._number = 0
        self._last: OrderedDict[str, FoundTold] = OrderedDict()
        self._closed = False
        self._checked: int | None = None
        self._checking = threading.Lock()

    def handlers(self) -> dict[type[Message], Handler]:
        """By message, for a server."""
        return {AskNewest: self.ask}

    def put(self, found: FoundTold) -> FoundTold:
        """Something was looked up; as it is told, with its number."""
        with self._news:
            self._number += 1
            numbered = found.model_copy(update={"number": self._number})
            self._checked = None  # what it found may have been removed while it was looked up
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
        """What is new to who asks; waits for it if asked to.

        Raises:
            StoreError: The catalogue cannot be read; nothing counts as told.
        """
        asked = request.message
        self._let_go()
        with self._news:
            found = self._found(asked)
            number = self._number if asked.reader else asked.after
            if not found:
                # A reader has had all there is, and waits for a match; who follows by number hears of every
                # look-up.
                self._news.wait_for(lambda: self._closed or self._is_new(asked, number), asked.wait_s)
        if not found:
            self._let_go()
        with self._news:
            found = found or self._found(asked)
            return Reply(NewestTold(found=tuple(found), number=self._number, last=dict(self._last)))

    def _let_go(self) -> None:
        """Let go of what was removed since the last time."""
        with self._checking:
            version = self._store.catalogue_version()
            with self._news:
                if self._checked == version:
                    return
                self._checked = version
                every = [*self._kept.newest(self._capacity), *self._last.values()]
            told = (match for each in every for match in (*each.matches, each.near) if match is not None)
            try:
                items = self._store.items_by_id(sorted({match.item for match in told}))
            except BaseException:
                self._checked = None
                raise
            there = {picture.id for item in items.values() for picture in item.pictures}
            numbers = {each.number for each in every}

            def left(found: list[FoundTold]) -> list[FoundTold | None]:
                return [_left(each, there) if each.number in numbers else each for each in found]

            with self._news:
                self._kept.keep(left)
                names = list(self._last)
                kept = zip(names, left(list(self._last.values())), strict=True)
                self._last = OrderedDict((name, each) for name, each in kept if each is not None)

    def _is_new(self, asked: AskNewest, number: int) -> bool:
        if asked.reader:
            return any(each.number > number for each in self._kept.newest(1))
        return self._number > number

    def _found(self, asked: AskNewest) -> list[FoundTold]:
        if asked.reader:
            return self._kept.take(asked.reader, asked.limit)
        newest = self._kept.newest(self._capacity)
        return [each for each in newest if each.number > asked.after][: asked.limit]


def _left(found: FoundTold, pictures: set[str]) -> FoundTold | None:
    """What is left of a look-up whose matches have these pictures; None: nothing of what it found."""
    matches = tuple(match for match in found.matches if match.picture in pictures)
    if found.known and not matches:
        return None
    near = found.near if found.near is not None and found.near.picture in pictures else None
    return found.model_copy(update={"matches": matches, "near": near})
