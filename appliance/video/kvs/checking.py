"""Tries the whole path to a stream and back, step by step, and says in words what is wrong.

Each step is one right of the credentials: a stream is looked at (and made, if it may be), its retention held
against the settings, two seconds of a gray picture are sent and waited for until they are stored, found
again, and asked for as a player would. A step that fails does not keep those from being tried that can work
without it, so that all missing rights are told at once. What is sent stays there until its time is over.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

from appliance.clock import Clock
from appliance.errors import StreamError, StreamReason
from appliance.video.kvs.acks import Ack
from appliance.video.kvs.connecting import Connecting
from appliance.video.kvs.control import Api, ControlPlane, StreamFacts
from appliance.video.kvs.credentials import CredentialSource
from appliance.video.kvs.endpoints import Endpoints
from appliance.video.kvs.error_ids import meaning_of
from appliance.video.kvs.preparing import StreamWish, keeps_nothing
from appliance.video.kvs.put_media import Ears, Ending
from appliance.video.kvs.reading import Reader
from appliance.video.kvs.spooled import SpooledFragment
from appliance.video.kvs.still import STILL_MS, still

_STORED_S: Final = 20.0
_FOUND_S: Final = 10.0
_LOOK_S: Final = 0.5
_MADE_S: Final = 30.0
_MAY_ASK: Final[frozenset[StreamReason]] = frozenset({"no_stream", "retention", "media"})
"""How the service refuses whoever may ask: nothing of that time is there, or nothing that can be played."""

Verdict = Literal["ok", "warning", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class CheckStep:
    """What became of a step.

    Attributes:
        name: Stable: credentials, stream, retention, endpoint, send, find, play, clip.
        verdict: What became of it.
        words: The same for people.
        hint: What to do about it; empty: nothing.
        command: What to type about it; empty: nothing.
    """

    name: str
    verdict: Verdict
    words: str
    hint: str = ""
    command: str = ""


@dataclass(frozen=True, slots=True)
class CheckParts:
    """What a check works with."""

    control: ControlPlane
    endpoints: Endpoints
    credentials: CredentialSource
    connecting: Connecting
    reader: Reader


class Checking:
    """One stream's check.

    Args:
        wish: The stream as the settings want it.
        parts: What asks and sends.
        clock: Says what time the picture gets.
        rest: Waits some seconds.
    """

    def __init__(
        self,
        wish: StreamWish,
        parts: CheckParts,
        clock: Clock,
        *,
        rest: Callable[[float], None] = time.sleep,
    ) -> None:
        self._wish = wish
        self._parts = parts
        self._clock = clock
        self._rest = rest
        self._facts: StreamFacts | None = None
        self._there = True
        self._keeps = True

    def steps(self) -> Iterator[CheckStep]:
        """Every step, as soon as it is done."""
        step = self._tried("credentials", self._credentials)
        yield step
        if step.verdict == "failed":
            return
        yield self._tried("stream", self._stream)
        if not self._there:
            return
        yield self._tried("retention", self._retention)
        yield self._tried("endpoint", self._endpoint)
        begin_ms = int(self._clock.wall().timestamp() * 1000) - STILL_MS
        sent = self._tried("send", lambda: self._send(begin_ms))
        yield sent
        stored = sent.verdict == "ok"
        yield self._tried("find", lambda: self._find(begin_ms, stored=stored))
        reading: tuple[tuple[str, str, Api, Callable[[int], CheckStep]], ...] = (
            ("play", "GetHLSStreamingSessionURL", "GET_HLS_STREAMING_SESSION_URL", self._play),
            ("clip", "GetClip", "GET_CLIP", self._clip),
        )
        for name, right, api, asked in reading:
            ask = partial(asked, begin_ms)
            yield self._tried(name, ask if stored else partial(self._right, name, right, api, ask))

    def _tried(self, name: str, step: Callable[[], CheckStep]) -> CheckStep:
        try:
            return step()
        except StreamError as error:
            return CheckStep(name, "failed", error.message, error.hint, error.command)

    def _credentials(self) -> CheckStep:
        found = self._parts.credentials.fresh()
        kind = "temporary credentials" if found.token else "lasting credentials"
        return CheckStep("credentials", "ok", f"{kind} were found; region {self._parts.credentials.region}")

    def _stream(self) -> CheckStep:
        name = self._wish.name
        facts = self._parts.control.describe(name)
        if facts is not None and facts.status == "ACTIVE":
            self._facts = facts
            return CheckStep("stream", "ok", f"the stream {name} is there")
        if facts is None:
            if not self._wish.create:
                self._there = False
                raise StreamError(
                    f"there is no stream {name}, and the box may not make it",
                    reason="no_stream",
                    hint="make it, or set video.kvs.create; look at video.kvs.region, too",
                )
            self._there = False
            self._parts.control.create(name, self._wish.retention_hours)
            self._there = True
            self._facts = self._active()
            return CheckStep("stream", "ok", f"the stream {name} was made, and is active")
        self._facts = self._active()
        return CheckStep("stream", "ok", f"the stream {name} is there, and active by now")

    def _active(self) -> StreamFacts:
        """The stream once it is active."""
        waited = 0.0
        while True:
            facts = self._parts.control.describe(self._wish.name)
            if facts is not None and facts.status == "ACTIVE":
                return facts
            if waited >= _MADE_S:
                status = "not there yet" if facts is None else facts.status.lower()
                raise StreamError(
                    f"the stream {self._wish.name} is {status}",
                    reason="not_active",
                    hint="try again in a minute",
                )
            self._rest(_LOOK_S)
            waited += _LOOK_S

    def _retention(self) -> CheckStep:
        facts = self._facts
        if facts is None:
            return CheckStep("retention", "skipped", "not tried: the stream could not be looked at")
        wanted, hours = self._wish.retention_hours, facts.retention_hours
        if hours < wanted and self._wish.raise_retention:
            self._parts.control.raise_retention(facts, wanted)
            return CheckStep("retention", "ok", f"the retention was raised from {hours} to {wanted} hours")
        if hours == 0:
            self._keeps = False
            raise keeps_nothing(facts.name)
        if hours < wanted:
            return CheckStep(
                "retention",
                "warning",
                f"the service keeps video for {hours} hours; the settings want {wanted}",
                "raise it, or want less in video.kvs.retention_hours",
                "appliance kvs check --raise-retention",
            )
        return CheckStep("retention", "ok", f"the service keeps video for {hours} hours")

    def _endpoint(self) -> CheckStep:
        self._parts.endpoints.forget(self._wish.name)
        self._parts.endpoints.get(self._wish.name, "PUT_MEDIA")
        return CheckStep("endpoint", "ok", "the service says where to send to")

    def _send(self, begin_ms: int) -> CheckStep:
        if not self._keeps:
            return CheckStep("send", "skipped", "not tried: the stream would not keep it")
        begun = self._clock.monotonic()
        try:
            asyncio.run(self._stored(begin_ms))
        except StreamError as error:
            if error.reason != "occupied":
                raise
            return CheckStep(
                "send",
                "warning",
                "the stream's only connection is taken: this box, or another one, is sending to it now",
                "try again when nothing is recorded, if that is not this box",
                "appliance kvs status",
            )
        took = self._clock.monotonic() - begun
        return CheckStep("send", "ok", f"two seconds of a gray picture were stored within {took:.1f} s")

    async def _stored(self, begin_ms: int) -> None:
        """Send the picture and wait until it is stored.

        Raises:
            StreamError: It was not.
        """
        heard: list[Ack] = []
        moved = asyncio.Event()
        picture = SpooledFragment.of("check", still(begin_ms, tags=(("check", "gray picture"),)))
        session = await self._parts.connecting.open(picture, Ears(heard.append, lambda: True, moved))
        try:
            await session.send(picture.header + picture.body)
            await session.finish()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_STORED_S):
                    while not session.over.is_set() and not _stored_of(heard):
                        moved.clear()
                        await moved.wait()
            if not _stored_of(heard):
                raise _why_not(await session.ending(), heard)
        finally:
            await session.close()

    def _right(self, name: str, action: str, api: Api, step: Callable[[], CheckStep]) -> CheckStep:
        """Ask although nothing of that time is there, to see whether it may be asked.

        Only an answer that says so counts as that: whoever is told that nothing is there may ask.
        """
        self._parts.endpoints.get(self._wish.name, api)
        try:
            step()
        except StreamError as error:
            if error.reason not in _MAY_ASK:
                raise
        return CheckStep(name, "ok", f"nothing was stored to try it with; {action} itself is allowed")

    def _find(self, begin_ms: int, *, stored: bool) -> CheckStep:
        waited = 0.0
        while True:
            found = self._parts.reader.fragments(self._wish.name, begin_ms - STILL_MS, begin_ms + STILL_MS)
            if not stored:
                return CheckStep("find", "ok", "nothing was stored to find; ListFragments itself is allowed")
            if any(each.begin_ms == begin_ms for each in found):
                return CheckStep("find", "ok", "it is found again at its time")
            if waited >= _FOUND_S:
                raise StreamError(
                    "it was stored and is not found at its time", hint="look at this machine's clock"
                )
            self._rest(_LOOK_S)
            waited += _LOOK_S

    def _play(self, begin_ms: int) -> CheckStep:
        self._parts.reader.hls_address(self._wish.name, begin_ms - 1, begin_ms + STILL_MS)
        return CheckStep("play", "ok", "the service gives an address for players")

    def _clip(self, begin_ms: int) -> CheckStep:
        reader, stream = self._parts.reader, self._wish.name
        size = sum(map(len, reader.clip(stream, begin_ms - 1, begin_ms + STILL_MS, look=False)))
        return CheckStep("clip", "ok", f"the service makes a file of it ({size} bytes)")


def _stored_of(heard: list[Ack]) -> bool:
    return any(ack.event == "PERSISTED" for ack in heard)


def _why_not(ending: Ending, heard: list[Ack]) -> StreamError:
    """Why the picture was not stored."""
    if ending.error is not None:
        meaning = meaning_of(ending.error.error_id, ending.error.error_code)
        number = "" if ending.error.error_id is None else f" (error {ending.error.error_id})"
        return StreamError(meaning.words + number, reason=meaning.reason, hint=meaning.hint)
    if any(ack.event == "RECEIVED" for ack in heard):
        return StreamError(
            "the service received the picture and did not say that it is stored",
            reason="silent",
            hint="look at the stream's retention: at 0 it stores nothing",
        )
    return ending.fault or StreamError("the service ended the connection too soon", reason="cut")
