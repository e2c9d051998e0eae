"""The newest fragments of a stream, for those who read along; also of a stream that keeps nothing."""

import asyncio
from collections import deque
from typing import Final

from appliance.video.kvs_server.archive import FragmentMedia, FragmentRow

_HELD: Final = 8
"""Fragments. Whoever reads a stream that keeps nothing and falls further behind misses some."""


class Live:
    """What came last, and a way to wait for more. For one event loop."""

    def __init__(self) -> None:
        self._held: deque[tuple[FragmentRow, FragmentMedia]] = deque(maxlen=_HELD)
        self._arrived = asyncio.Event()
        self.readers = 0

    def put(self, row: FragmentRow, media: FragmentMedia) -> None:
        """Another one has come."""
        self._held.append((row, media))
        self.wake()

    def wake(self) -> None:
        """Let everybody who waits look again."""
        arrived, self._arrived = self._arrived, asyncio.Event()
        arrived.set()

    def held(self) -> list[tuple[FragmentRow, FragmentMedia]]:
        """What came last, oldest first."""
        return list(self._held)

    def newest(self) -> int:
        """The number of the last; -1 where none has come."""
        return int(self._held[-1][0].number) if self._held else -1

    async def wait(self, *, patience_s: float) -> bool:
        """Until another one has come, or for that long; returns whether one has."""
        try:
            async with asyncio.timeout(patience_s):
                await self._arrived.wait()
        except TimeoutError:
            return False
        return True
