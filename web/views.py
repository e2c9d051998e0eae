"""What cameras show, for everybody who looks: each picture made once and handed to all of them.

A view is a camera in one kind: `project` (with what was seen drawn over it, with names or without) or
`device` (untouched). It has one thread, which asks the loop for the camera's shared memory and the models
process for JPEGs of it, for as long as somebody looks. Who looks slowly misses pictures and holds up
nobody. This process never looks into a picture itself.
"""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from appliance.errors import ApplianceError, CameraLostError, PeerGoneError
from appliance.wire import Client
from appliance.wire.messages import FramesShared, RenderView, ViewRendered, WatchFrames

Kind = Literal["project", "device"]
Names = Callable[[list[str]], Mapping[str, str]]
"""What to call these people; asked on behalf of one who looks and may know."""

_EVERY_S: Final = 0.08
"""A picture that often, at most."""
_RENEW_S: Final = 4.0
"""The loop shares frames for 10 s after it was asked."""
_LOST_S: Final = 4.0
"""Without a new picture for so long, viewers are told."""
_LINGER_S: Final = 2.0
"""A view nobody looks at goes on for so long: whoever loads the page anew finds it."""
_AGAIN_S: Final = 1.0
"""Between two tries when somebody is away."""
_NAMES_S: Final = 30.0
"""A name is asked for again after so long: people are renamed and removed."""
_STARTING: Final = "One moment: a part of the appliance is starting again."
_WIDTH_PX: Final = 1280
_QUALITY: Final = 80


@dataclass(frozen=True, slots=True)
class Shown:
    """What a view shows now.

    Attributes:
        number: Counts what was shown, from 1; another whenever there is something new.
        jpeg: The picture; empty while there is none.
        told: What was seen in it, as JSON values.
    """

    number: int
    jpeg: bytes
    told: Mapping[str, Any]


class View:
    """One camera in one kind.

    Args:
        run: The folder of our processes' sockets.
        camera: Its id.
        kind: How it is shown.
        named: Whether names are drawn and told.
        stopping: Set when the server stops.
    """

    def __init__(self, run: Path, camera: str, kind: Kind, *, named: bool, stopping: threading.Event) -> None:
        self._loop = Client(run / "loop.sock", timeout_s=8.0)
        self._models = Client(run / "models.sock", timeout_s=8.0)
        self._camera = camera
        self._kind = kind
        self._named = named
        self._stopping = stopping
        self._changed = threading.Condition()
        self._viewers: dict[object, Names] = {}
        self._left: Names | None = None
        self._empty_since = 0.0
        self._shown = Shown(0, b"", {})
        self._thread: threading.Thread | None = None
        self._labels: dict[str, tuple[str, float]] = {}
        self._memory: _Memory | None = None

    @property
    def alive(self) -> bool:
        """Whether it works at the moment."""
        return self._thread is not None

    @contextlib.contextmanager
    def watching(self, names: Names) -> Iterator[None]:
        """Look for as long as the block lasts.

        Args:
            names: Asked for people's names on behalf of who looks.
        """
        key = object()
        with self._changed:
            self._viewers[key] = names
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name=f"view-{self._camera}", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._changed:
                del self._viewers[key]
                self._left = names
                self._empty_since = time.monotonic()

    def wait(self, after: int, timeout_s: float) -> Shown | None:
        """What is shown, once it is newer than `after`; None if nothing is in time."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_newer(after) or self._stopping.is_set(), timeout_s)
            return self._shown if self._is_newer(after) else None

    def _is_newer(self, than: int) -> bool:
        return self._shown.number > than and bool(self._shown.told)

    # ------------------------------------------------------------ its thread

    def _work(self) -> None:
        try:
            while self._wanted():
                began = time.monotonic()
                pause = _AGAIN_S
                try:
                    self._step()
                    pause = _EVERY_S - (time.monotonic() - began)
                except ApplianceError as error:
                    self._lost(error)
                if pause > 0:
                    self._stopping.wait(pause)
        finally:
            with self._changed:
                if self._thread is threading.current_thread():
                    self._end()
                self._changed.notify_all()

    def _wanted(self) -> bool:
        with self._changed:
            lingering = time.monotonic() - self._empty_since < _LINGER_S
            if (self._viewers or lingering) and not self._stopping.is_set():
                return True
            self._end()
            return False

    def _end(self) -> None:
        """Stop, with `_changed` held: from then on the next who looks begins anew."""
        self._thread = None
        self._left = None
        self._let_go()
        # Whoever comes later shall not be shown what is old by then.
        self._shown = Shown(self._shown.number, b"", {})

    def _step(self) -> None:
        """One picture.

        Raises:
            CameraLostError: None came for `_LOST_S`.
            ApplianceError: The loop or the models process is away.
        """
        memory = self._renewed()
        question = RenderView(
            kind=self._kind,
            width_px=_WIDTH_PX,
            quality=_QUALITY,
            after=memory.sequence,
            wait_s=1.0,
            labels={who: name for who, (name, _) in self._labels.items() if name},
        )
        try:
            reply = self._models.call(question, ViewRendered, fds=(memory.fd,))
        except CameraLostError:
            memory.asked_s = 0.0
            if time.monotonic() - memory.fresh_s > _LOST_S:
                raise
            return
        memory.sequence, memory.fresh_s = reply.message.sequence, time.monotonic()
        seen = [face.subject for face in reply.message.faces if face.subject is not None]
        if self._named and self._learn(seen):
            return  # the next picture, in a moment, has their names in it; this one would say "person"
        self._show(reply.blob, _told(reply.message, self._labels if self._named else {}))

    def _renewed(self) -> "_Memory":
        now, memory = time.monotonic(), self._memory
        if memory is not None and now - memory.asked_s < _RENEW_S:
            return memory
        shared = self._loop.call(WatchFrames(camera=self._camera), FramesShared)
        fresh = _Memory(shared.fds[0], os.fstat(shared.fds[0]).st_ino, now, now)
        if memory is not None and memory.inode == fresh.inode:
            fresh.sequence, fresh.fresh_s = memory.sequence, memory.fresh_s
        self._let_go()
        self._memory = fresh
        return fresh

    def _learn(self, seen: list[str]) -> bool:
        """Ask for the names of people who are seen and not known yet, or known for long.

        Returns:
            Whether somebody is called otherwise than in the picture that shows them.
        """
        now = time.monotonic()
        wanted = [who for who in seen if who not in self._labels or now - self._labels[who][1] > _NAMES_S]
        if not wanted:
            return False
        with self._changed:
            # A view that lingers is found by whoever loads the page anew, with names, as they left it.
            asking = next(iter(self._viewers.values()), self._left)
        found: Mapping[str, str] = {}
        with contextlib.suppress(ApplianceError):
            found = asking(wanted) if asking is not None else {}
        before = {who: name for who in wanted if (name := self._labels.get(who, ("", 0.0))[0])}
        self._labels = {who: known for who, known in self._labels.items() if now - known[1] <= 2 * _NAMES_S}
        self._labels.update({who: (found.get(who, ""), now) for who in wanted})
        return before != {who: found[who] for who in wanted if found.get(who)}

    def _lost(self, error: ApplianceError) -> None:
        """Tell everybody that there is no picture, and why."""
        away = isinstance(error, PeerGoneError)
        message = _STARTING if away else f"{error.message[:1].upper()}{error.message[1:]}."
        hint = "" if away else error.hint
        self._let_go()
        told = {"state": "lost", "message": message, "hint": hint, "doors": {}, "faces": []}
        with self._changed:
            same = self._shown.told == told
        if not same:
            self._show(b"", told)

    def _show(self, jpeg: bytes, told: Mapping[str, Any]) -> None:
        with self._changed:
            self._shown = Shown(self._shown.number + 1, jpeg, told)
            self._changed.notify_all()

    def _let_go(self) -> None:
        memory, self._memory = self._memory, None
        if memory is not None:
            os.close(memory.fd)


@dataclass(slots=True)
class _Memory:
    """A camera's shared memory, as long as it is read."""

    fd: int
    inode: int
    asked_s: float
    fresh_s: float
    sequence: int = field(default=-1)


class Views:
    """All views; each is made when it is first looked at.

    Args:
        run: The folder of our processes' sockets; None where there are none.
        stopping: Set when the server stops.
    """

    def __init__(self, run: Path | None, stopping: threading.Event) -> None:
        self._run = run
        self._stopping = stopping
        self._lock = threading.Lock()
        self._views: dict[tuple[str, Kind, bool, bool], View] = {}

    def view(self, camera: str, kind: Kind, *, named: bool, everybody: bool = False) -> View:
        """A camera in a kind; `named` counts for the project's alone.

        Who is shown everybody's name and who is shown some look at different views: names are asked for on
        behalf of one who looks, and shown to all who do.

        Raises:
            PeerGoneError: There are no cameras to be reached.
        """
        if self._run is None:
            raise PeerGoneError("the cameras are not there", hint="somebody has to start them on the machine")
        with_names = named and kind == "project"
        key = camera, kind, with_names, with_names and everybody
        with self._lock:
            if key not in self._views:
                self._views[key] = View(self._run, camera, kind, named=key[2], stopping=self._stopping)
            return self._views[key]


def _told(seen: ViewRendered, labels: Mapping[str, tuple[str, float]]) -> dict[str, Any]:
    """What was seen, as JSON values without anybody's id; boxes in fractions of the frame."""
    size = (seen.width, seen.height, seen.width, seen.height)
    return {
        "state": "ok",
        "at": seen.at.isoformat(),
        "width": seen.width,
        "height": seen.height,
        "doors": {
            name: {"state": door.state, "fraction": door.fraction} for name, door in seen.doors.items()
        },
        "faces": [
            {
                "box": [round(at / by, 3) for at, by in zip(face.box, size, strict=True)],
                "known": face.subject is not None,
                "name": labels.get(face.subject or "", ("", 0.0))[0],
                "stranger": face.stranger,
                "score": face.score,
                "threshold": face.threshold,
                "grade": face.grade,
                "why": face.why,
                "frames": face.frames,
            }
            for face in seen.faces
        ],
    }
