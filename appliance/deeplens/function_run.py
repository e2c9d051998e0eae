"""One run of a function: from its first word to its end; what it says is noted, what it needs is given.

Reads the channel at a bounded rate, so that a function that floods it costs the host little and loses its own
messages. Decides when a run has to be ended: no answer for too long, or its main thread is over and no frame
was taken any more. Starting it again is `hosted`.
"""

import contextlib
import os
import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from appliance.deeplens.frame_fit import HEIGHT, WIDTH
from appliance.deeplens.function_log import FunctionLog, copy_lines
from appliance.deeplens.function_parts import Beside, Child, Frames
from appliance.deeplens.function_state import StateHolder
from appliance.deeplens.guest import messages as said
from appliance.deeplens.guest.channel import ChannelFullError, ChannelGoneError
from appliance.deeplens.messages import FunctionMessage
from appliance.errors import ApplianceError

PING_S: Final = 5.0
_TOKENS_A_SECOND: Final = 1000.0
_TOKEN_BYTES: Final = 4096
"""A message costs one token, and one more for so many bytes: 4 MB a second at most."""
_LOOK_S: Final = 0.25
_SEND_S: Final = 0.5
_DRAWN: Final = 4
"""Frames by which one that infers nothing has a picture: the first ones many take before they draw."""
_COUNTED_A_SECOND: Final = 100_000
"""Inferences, or messages lost, that are believed of what a function says of itself; none comes near."""
_DIED: Final = "Exception in thread "
_CHILD: Final = re.compile(r"Process [^:]{1,80}:")
_TRACEBACK: Final = "Traceback (most recent call last):"
"""What multiprocessing prints when a child dies, in two lines: of which, and how it came to that."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a run may be silent.

    Attributes:
        pong_s: Seconds without an answer after which it is ended. On a box that is busy otherwise a function,
            which runs behind everybody else, takes long to begin.
        frame_s: Seconds without a frame taken after which it is ended, if its main thread is over.
        stop_s: Seconds that it is given to end by itself when it is told to.
    """

    pong_s: float = 30.0
    frame_s: float = 60.0
    stop_s: float = 5.0


PATIENCE: Final = Patience()


class FunctionRun:
    """One run.

    Args:
        child: Started.
        frames: Of its camera.
        beside: Streams and recordings.
        holder: Where is noted how it is.
        log: Where is kept what it prints.
        publish: Takes what it publishes; the message as it was kept.
        lost: Takes how many messages were lost since the last time.
        driven: Whether messages drive it: then no frames are missed.
        patience: How long it may be silent.
    """

    def __init__(
        self,
        child: Child,
        frames: Frames,
        beside: Beside,
        holder: StateHolder,
        log: FunctionLog,
        *,
        publish: Callable[[said.Publish], FunctionMessage],
        lost: Callable[[int], None],
        driven: bool,
        patience: Patience,
    ) -> None:
        self._child = child
        self._frames = frames
        self._beside = beside
        self._holder = holder
        self._log = log
        self._publish = publish
        self._lost = lost
        self._driven = driven
        self._patience = patience
        self._sending = threading.Lock()
        self._shared = False
        self._inferred = False
        self._working = False
        self._lost_so_far = 0
        self._line = ""
        self._ended: said.Ended | None = None
        self._begun_s = time.monotonic()
        self._written = frames.written
        self._heard_s = 0.0
        self._pings = 0
        self._tokens = _TOKENS_A_SECOND
        self._spent_at = 0.0

    def converse(self, stop: threading.Event) -> str:
        """Serve the function until it ends, has to be ended, or `stop` is set; it is over afterwards.

        Returns:
            Why it ended, in words; empty if it was told to.
        """
        readers = [
            threading.Thread(
                target=copy_lines, args=(each, self._log, self._printed), name="function-output", daemon=True
            )
            for each in self._child.outputs
        ]
        for each in readers:
            each.start()
        self._heard_s = self._spent_at = time.monotonic()
        try:
            reason = self._serve(stop)
        finally:
            if stop.is_set():
                self._bid_stop()
            how = self._child.ended()
            self._child.kill()
            for each in readers:
                each.join(1.0)
            self._beside.close()
            self._child.close()
        if stop.is_set():
            return ""
        return reason or self._why(how or self._child.ended() or "it ended")

    def deliver(self, number: int, topic: str, payload: bytes) -> bool:
        """Hand it a message of a topic that it subscribes to; whether it took it. From any thread."""
        return self._send(said.Message(id=number, topic=topic, payload=payload))

    # ------------------------------------------------------------------ serving

    def _serve(self, stop: threading.Event) -> str:
        """Serve until it is over; why it had to be ended, or empty where it ended by itself."""
        pinged_s = time.monotonic()
        while not stop.is_set():
            try:
                received = self._child.channel.receive(wait_s=_LOOK_S)
            except said.MessageError as error:
                return f"it said what no function says: {error}"
            except ChannelGoneError:
                self._wait_end()
                alive = self._child.ended() is None
                return "it closed its channel, or said what no function says" if alive else ""
            if received is not None:
                message, descriptors = received
                self._pay(message)
                self._hear(message, descriptors)
            elif self._child.ended() is not None:
                return ""  # its end of the channel may live on in what it left behind
            now = time.monotonic()
            if now - pinged_s >= PING_S:
                pinged_s = now
                self._ping()
            if reason := self._overdue(now):
                return reason
        return ""

    def _overdue(self, now: float) -> str:
        """Why it has to be ended, if it has to be."""
        if trouble := self._child.trouble():
            return trouble
        if now - self._heard_s > self._patience.pong_s:
            return f"it has not answered for {self._patience.pong_s:g} s"
        state = self._holder.state
        silent_s = now - max(state.last_frame_s, state.started_s)
        over = state.imported and not self._driven and state.frames > 0
        if over and silent_s > self._patience.frame_s:
            return f"its main thread ended, and it took no frame for {self._patience.frame_s:g} s"
        return ""

    def _hear(self, message: said.GuestSaid, descriptors: Sequence[int]) -> None:
        """Do what a message asks for, or note it; its descriptors are closed or given on."""
        self._heard_s = time.monotonic()
        match message:
            case said.Hello():
                self._beside.hello(descriptors[0] if descriptors else None)
                if not self._share():
                    self._ping()  # it waits for the first word
            case said.FrameWanted():
                self._want()
            case said.Taken():
                self._want()
                self._note_working(now=self._inferred or message.count >= _DRAWN)
            case said.Inferred():
                self._inferred = True
            case said.Stream():
                self._beside.stream(message)
            case said.Handled() if message.error:
                self._log.write("its handler raised", own=True)  # what: it printed that itself
            case said.Ended():
                self._ended = message
            case _:
                pass
        self._note(message)

    def _note(self, message: said.GuestSaid) -> None:
        """Note what a message says of how it is."""
        match message:
            case said.Taken():
                there_were = self._frames.written - self._written + 1  # one may have been there before it
                self._holder.change(frames=min(message.count, there_were), last_frame_s=self._heard_s)
            case said.Inferred():
                count = self._believed(message.count)
                self._holder.alter(lambda state: state.with_inferred(message.model, count))
            case said.Publish():
                kept = self._publish(message)
                self._holder.change(messages=kept.sequence)
            case said.Dropped():
                more = max(0, self._believed(message.count) - self._lost_so_far)
                self._lost_so_far += more
                self._lost(more)
                self._holder.alter(lambda state: replace(state, dropped=state.dropped + more))
            case said.ModelLoaded():
                missing = self._missing(message)
                self._holder.alter(lambda state: state.with_model(message.name, missing))
            case said.ImportReturned():
                self._holder.change(imported=True, threads=message.threads)
            case said.Handled():
                self._holder.alter(lambda state: replace(state, handled=state.handled + 1))
            case _:
                pass

    def _believed(self, count: int) -> int:
        """What a function counted, as far as it can be true."""
        return min(count, int(_COUNTED_A_SECOND * (1 + self._heard_s - self._begun_s)))

    def _missing(self, message: said.ModelLoaded) -> str:
        if message.state == "loaded":
            return ""
        self._log.write(f"no model {message.name}: {message.reason}", own=True)
        return message.reason or "there is none"

    def _want(self) -> None:
        """Keep frames coming."""
        self._frames.want()
        self._share()

    def _share(self) -> bool:
        """Hand over the frames' memory, if that was not done; whether it is.

        Before the first frame is wanted: children that it forks have of it what it had by then.
        """
        if self._shared:
            return True
        try:
            fd = self._frames.descriptor()
        except ApplianceError as error:
            self._log.write(f"no frames: {error.message}", own=True)
            return False
        try:
            self._shared = self._send(said.Frames(WIDTH, HEIGHT, round(self._frames.apart_s * 1e6)), (fd,))
        finally:
            os.close(fd)
        return self._shared

    def _ping(self) -> None:
        """Ask whether it lives."""
        self._pings += 1
        self._send(said.Ping(self._pings))

    def _note_working(self, *, now: bool) -> None:
        """Have the project stream read once there is a picture: when it wants a frame after it inferred.

        Half the functions write a picture that is None until the first is drawn, and their thread dies of it.
        """
        if now and not self._working:
            self._working = True
            self._beside.working()

    def _send(self, message: said.HostSaid, descriptors: Sequence[int] = ()) -> bool:
        """Say something; whether it was taken. One that does not read is found by its silence."""
        with self._sending, contextlib.suppress(ChannelGoneError, ChannelFullError):
            self._child.channel.send(message, descriptors, wait_s=_SEND_S)
            return True
        return False

    def _pay(self, message: said.GuestSaid) -> None:
        """Wait until as much has been read as may be in this time."""
        now = time.monotonic()
        self._tokens = min(_TOKENS_A_SECOND, self._tokens + (now - self._spent_at) * _TOKENS_A_SECOND)
        self._spent_at = now
        size = len(message.payload) if isinstance(message, said.Publish) else 0
        self._tokens -= 1 + size / _TOKEN_BYTES
        if self._tokens < 0:
            time.sleep(-self._tokens / _TOKENS_A_SECOND)

    # ------------------------------------------------------------------ the end

    def _bid_stop(self) -> None:
        """Tell it to end, and give it its time."""
        self._send(said.Stop())
        self._wait_end()

    def _wait_end(self) -> None:
        deadline = time.monotonic() + self._patience.stop_s
        while self._child.ended() is None and time.monotonic() < deadline:
            # What it still says is read: it may wait for room.
            try:
                received = self._child.channel.receive(wait_s=0.05)
            except said.MessageError:
                continue
            except ChannelGoneError:
                time.sleep(0.02)
                continue
            if received is not None:
                self._hear(*received)

    def _why(self, how: str) -> str:
        """Why it ended, by its own last words where it left some."""
        if self._ended is None:
            return how
        words = {
            "import_failed": "its module failed",
            "no_handler": "its module came back, has no handler, and leaves no thread",
            "exited": "it ended by itself",
            "stopped": "it was told to stop",
        }[self._ended.reason]
        last = self._ended.traceback.strip().splitlines()[-1:]
        return f"{words}: {last[0]}"[:300] if last else words

    def _printed(self, line: str) -> None:
        """Look at a line that it printed: Python says there which thread or child of its own died."""
        before, self._line = self._line, line
        if line.startswith(_DIED):
            died = line[len(_DIED) :]
        elif line.startswith(_TRACEBACK) and _CHILD.fullmatch(before):
            died = before
        else:
            return
        self._holder.alter(lambda state: state.with_death(died[:100].rstrip(":")))
