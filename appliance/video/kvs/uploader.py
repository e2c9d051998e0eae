"""Sends the clips of one stream, for as long as it takes: the spool, a thread, and trying again.

One clip after the other, the oldest first, each over a PutMedia of its own. Whatever breaks, what is not
stored stays in the spool and is sent again from the first such fragment; errors that concern one fragment
alone cost that fragment and no other; what needs somebody to act is said in words and tried again slowly.
Whoever records hands over fragments and never waits for the network.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import structlog

from appliance.clock import Clock
from appliance.errors import ApplianceError, StreamError
from appliance.video.fragment import Fragment
from appliance.video.kvs.aftermath import Aftermath, Judge
from appliance.video.kvs.connecting import Connecting
from appliance.video.kvs.pace import Pace, Patience
from appliance.video.kvs.preparing import Preparing
from appliance.video.kvs.put_media import Ears, PutMedia
from appliance.video.kvs.sending import Sending, Sent
from appliance.video.kvs.spool import Spool
from appliance.video.kvs.spooled import SpooledFragment
from appliance.video.kvs.telling import StreamNews, Telling
from appliance.video.kvs.upload_state import Counts, UploadState

_log = structlog.get_logger()

_LEAST_S: Final = 0.25
"""Between connections: the service lets a stream have five a second."""
_ASK_ANEW: Final = 3
"""After so many failures in a row it is asked anew where to send to, whatever they are."""
_END_S: Final = 20.0


class Uploader:
    """One stream's; `offer`, `end` and `state` may be called by any thread.

    Args:
        spool: Where fragments wait.
        preparing: Sees to the stream.
        connecting: Makes connections.
        clock: For times that are told; intervals are the event loop's.
        tell: Told what an admin may want to know, on the uploader's own thread.
        state_file: Where its state is written; None: nowhere.
    """

    def __init__(
        self,
        spool: Spool,
        preparing: Preparing,
        connecting: Connecting,
        clock: Clock,
        *,
        tell: Callable[[StreamNews], object] = lambda _: None,
        state_file: Path | None = None,
    ) -> None:
        self._spool = spool
        self._preparing = preparing
        self._connecting = connecting
        self._counts = Counts()
        self._judge = Judge()
        self._pace, self._patience = Pace(), Patience()
        self._telling = Telling(connecting.stream, clock, self._filled, tell=tell, state_file=state_file)
        self._keeps = True
        self._tried = False
        self._stopping = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._moved = asyncio.Event()
        self._halted = asyncio.Event()
        self._at_work: tuple[str, asyncio.Task[Sent]] | None = None
        self._thread: threading.Thread | None = None

    def offer(self, clip: str, fragment: Fragment) -> bool:
        """Take a fragment; whether it is kept. Waits for the disk, never for the network.

        Args:
            clip: Id of its clip; fragments of a clip come in order.
            fragment: What to send.
        """
        try:
            self._spool.add(clip, SpooledFragment.of(clip, fragment))
        except ApplianceError as error:
            if self._keeps:
                _log.warning("kvs_fragment_not_kept", clip=clip, reason=error.message)
            self._keeps = False
            return False
        finally:
            if fragment.last:
                self._spool.end(clip)
            self._wake()
        self._keeps = True
        return True

    def end(self, clip: str) -> None:
        """Nothing more comes of this clip."""
        self._spool.end(clip)
        self._wake()

    def drop(self, clip: str) -> int:
        """Somebody deleted a clip: nothing of it is sent any more; how many of its fragments waited.

        A connection over which it is being sent is cut at once; what the service has by then, it has.

        Raises:
            StreamError: What waits cannot be deleted.
        """
        count = self._spool.drop(clip)
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # it has just ended
                loop.call_soon_threadsafe(self._break_off, clip)
        return count

    @property
    def state(self) -> UploadState:
        """How it is now."""
        return self._telling.state

    def _filled(self, told: UploadState) -> UploadState:
        """What is told, with what is counted."""
        kept, counts = self._spool.state(), self._counts
        return replace(
            told,
            waiting=kept.fragments,
            waiting_bytes=kept.size_bytes,
            waiting_clips=kept.clips,
            oldest_end_ms=kept.oldest_end_ms,
            acks=dict(counts.acks),
            connections=counts.connections,
            persisted=counts.persisted,
            resent=counts.resent,
            lost=kept.lost,
            lost_clips=kept.lost_clips,
            newest_ms=counts.newest_ms,
            retention_hours=self._preparing.retention_hours,
        )

    def start(self) -> None:
        """Find what an earlier run left, and begin to send, on a thread of its own.

        Raises:
            StreamError: The spool cannot be read.
        """
        self._spool.load()
        self._thread = threading.Thread(target=lambda: asyncio.run(self.run()), name="kvs", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Let what is on its way arrive, for some seconds; what does not stays in the spool."""
        self._stopping = True
        self._wake()
        if self._thread is not None:
            self._thread.join(_END_S)

    async def run(self) -> None:
        """Send until `close` is called. Nothing that goes wrong ends it."""
        self._loop = asyncio.get_running_loop()
        try:
            while not self._stopping:
                self._moved.clear()
                clip = self._spool.first_clip()
                if clip is not None:
                    await self._rest(max(await self._guarded(clip), _LEAST_S))
                    continue
                # Nothing is to be sent: whether it could be is known, and told, before there is.
                pause = None if self._tried else await self._guarded(None)
                if self._tried:
                    self._telling.rests()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause or None):
                        await self._moved.wait()
        finally:
            self._telling.say("idle")
            self._loop = None

    async def _guarded(self, clip: str | None) -> float:
        """Try; a fault of ours must not end the sending for good. Seconds until the next try."""
        try:
            return await self._try(clip)
        except Exception as error:  # noqa: BLE001 - see above
            _log.exception("kvs_sending_failed")
            fault = StreamError(f"sending failed: {type(error).__name__}")
            return self._failed(Aftermath(fault, ask_anew=True))

    async def _try(self, clip: str | None) -> float:
        """Send a clip as far as it goes; without one, see whether it could be. Seconds until the next try."""
        try:
            self._telling.say("connecting")
            await asyncio.to_thread(self._preparing.ready)
            if clip is None:
                self._works()
                return 0.0
            sending = Sending(
                self._spool,
                clip,
                self._counts,
                self._moved,
                pace=self._pace,
                patience=self._patience,
                stop=lambda: self._stopping,
                stored=self._stored,
            )
            sent = await self._unless_dropped(clip, sending)
        except StreamError as error:
            return self._failed(self._judge.of_fault(error))
        aftermath = self._judge.of(sent)
        return 0.0 if aftermath is None else self._failed(aftermath)

    async def _unless_dropped(self, clip: str, sending: Sending) -> Sent:
        """How a clip's sending went; as if there had been nothing to send, if the clip was dropped."""
        task = asyncio.create_task(sending.run(self._open))
        self._at_work = clip, task
        try:
            return await task
        except asyncio.CancelledError:
            ours = asyncio.current_task()
            if ours is not None and ours.cancelling():
                raise
            return Sent()
        finally:
            self._at_work = None

    def _break_off(self, clip: str) -> None:
        if self._at_work is not None and self._at_work[0] == clip:
            self._at_work[1].cancel()

    async def _open(self, first: SpooledFragment, ears: Ears) -> PutMedia:
        opened = await self._connecting.open(first, ears)
        self._counts.connections += 1
        self._telling.say("sending")
        return opened

    def _stored(self) -> None:
        """A fragment was stored."""
        self._works()
        self._telling.say("sending")

    def _works(self) -> None:
        """Nothing is in the way."""
        self._tried = True
        self._telling.works()

    def _failed(self, after: Aftermath) -> float:
        """Do what is to be done; seconds until the next try."""
        if after.give_up is not None:
            self._spool.give_up(after.give_up, "refused")
        if after.ask_anew:
            self._preparing.forget()
            self._connecting.forget()
        if after.new_credentials:
            self._connecting.forget_credentials()
        if not after.failure:
            return 0.0
        failures = self._telling.failures + 1
        if failures % _ASK_ANEW == 0:
            self._connecting.forget()
        pause_s = after.pause_s(failures)
        self._telling.failed(after.fault, pause_s, acts=after.pace == "slowly")
        return pause_s

    async def _rest(self, seconds: float) -> None:
        """Wait, unless it is to end."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._halted.wait()

    def _wake(self) -> None:
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # it has just ended
                loop.call_soon_threadsafe(self._rouse)

    def _rouse(self) -> None:
        self._moved.set()
        if self._stopping:
            self._halted.set()
