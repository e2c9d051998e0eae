"""A camera's H.264 packets → fragments, copied and not encoded anew.

A fragment begins at an IDR, which the stream's own units say and not what a demuxer calls a keyframe;
groups of pictures shorter than a second are put together; none lasts more than ten. What a stream has that
cannot be cut so is refused with what to set in the camera. Encoding such a stream anew is `encoding`'s.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeAlias

from appliance.errors import UnusableVideoError
from appliance.video.faults import Fault, Trouble, trouble, unusable
from appliance.video.fragment import MAX_FRAGMENT_MS, MIN_FRAGMENT_MS, Fragment, Frame, Track
from appliance.video.h264 import (
    AccessUnit,
    Layout,
    ParameterSets,
    access_unit,
    layout_of,
    sequence_of,
    track_of,
)
from appliance.video.packets import Packet, Stream
from appliance.video.timeline import Timeline

Cut: TypeAlias = Fragment | Trouble

_HOLE_MS = 5_000.0
"""Two pictures that lie farther apart have a hole between them, or a timestamp gone wrong: it counts no more
than this towards how long a group is."""


class Cutter:
    """Fragments out of one camera's packets, as they come.

    A fragment comes out when the one after it begins, for only then is it known that nothing more belongs to
    it. One of another `track` than the one before belongs to another clip.

    Args:
        timeline: Gives the times.
        after_s: Monotonic time; groups of pictures up to the last that began by then are passed over.

    Attributes:
        covered_s: When the last packet came that is in a fragment, monotonic.
    """

    def __init__(self, timeline: Timeline, *, after_s: float = float("-inf")) -> None:
        self.covered_s = float("-inf")
        self._timeline = timeline
        self._after_s = after_s
        self._stream: Stream | None = None
        self._layout = Layout(0, ParameterSets())
        self._given = ParameterSets()
        self._track: Track | None = None
        self._max_reorder: int | None = None
        self._packets: list[Packet] = []
        self._units: list[AccessUnit] = []
        self._pending: list[Frame] = []
        self._span_ms = 0.0
        self._newest_ms = 0.0
        self._waited_from_s: float | None = None
        self._open_keys = 0
        self._idrs = 0
        self._clock_set = False

    @property
    def unsent(self) -> tuple[Packet, ...]:
        """Packets of which nothing has come out yet, from a keyframe on: to encode if they cannot be cut.

        `rest` is to be asked for before.
        """
        return tuple(self._packets)

    def rest(self) -> Iterator[Fragment]:
        """What was placed already and waited for more to go with it."""
        if self._pending and self._track is not None:
            yield self._made(self._track, last=False)

    def take(self, packet: Packet) -> Iterator[Cut]:
        """The next packet of the camera.

        Raises:
            UnusableVideoError: The stream cannot be cut; `fault` says why. Nothing more is to be handed in.
        """
        if packet.stream is not self._stream:
            yield from self._join(packet.stream)
        try:
            unit = access_unit(packet.data, self._layout)
        except UnusableVideoError:
            # Torn on its way; players cope with it as the live picture does.
            return
        self._given = _newer(self._given, unit.parameters)
        if not unit.data:
            return
        if unit.idr:
            yield from self._begin(packet, unit)
        elif self._units:
            self._open_keys += packet.key
            self._add(packet, unit)
        else:
            self._wait(packet)

    def gap(self) -> Iterator[Cut]:
        """Packets are missing from here on: what came so far stands for itself."""
        yield from self._flush(None)

    def finish(self) -> Iterator[Cut]:
        """Nothing more comes: what is left, however short."""
        yield from self._flush(None, last=True)

    # ------------------------------------------------------------------ what comes in

    def _join(self, stream: Stream) -> Iterator[Cut]:
        """Packets of a stream that was opened anew begin.

        Raises:
            UnusableVideoError: It is not H.264, or its header is damaged.
        """
        yield from self._flush(None, hold=True)
        if stream.codec != "h264":
            raise unusable(Fault.OTHER_CODEC, f"the camera's video is {stream.codec[:16]}, not H.264")
        self._stream = stream
        self._layout = layout_of(stream.extradata)
        self._given = self._layout.parameters
        self._forget()

    def _begin(self, packet: Packet, unit: AccessUnit) -> Iterator[Cut]:
        """An IDR: the fragment before it is whole if it is long enough.

        Raises:
            UnusableVideoError: No SPS or PPS has come for too long, or they cannot be read.
        """
        self._idrs += 1
        if packet.monotonic_s <= self._after_s:
            self._forget()
            return
        if not self._given.complete:
            self._wait(packet)
            return
        track = track_of(self._given)
        if self._units:
            step_ms = self._timeline.expected_ms(packet) - self._newest_ms
            whole = self._lasted_ms + self._span_ms + max(0.0, step_ms) >= MIN_FRAGMENT_MS
            if whole or track != self._track:
                yield from self._flush(packet)
        else:
            self._forget()
        if track != self._track:
            yield from self.rest()
            if self._track is not None:
                yield trouble(Fault.SIZE_CHANGED, _changed(self._track, track))
            self._track, self._max_reorder = track, sequence_of(track).max_reorder
        self._open_keys = 0
        self._add(packet, unit)

    def _add(self, packet: Packet, unit: AccessUnit) -> None:
        """One more picture of the fragment.

        Raises:
            UnusableVideoError: It lasts too long without an IDR to end it.
        """
        now_ms = self._timeline.expected_ms(packet)
        if self._units:
            step_ms = now_ms - self._newest_ms
            self._span_ms += min(max(step_ms, 0.0), _HOLE_MS)
            self._newest_ms = now_ms if step_ms > 0 or step_ms < -_HOLE_MS else self._newest_ms
        else:
            self._span_ms, self._newest_ms = 0.0, now_ms
        self._packets.append(packet)
        if self._span_ms >= MAX_FRAGMENT_MS:
            raise unusable(Fault.OPEN_GROUP if self._open_keys else Fault.LONG_GROUP)
        self._units.append(unit)

    def _wait(self, packet: Packet) -> None:
        """Nothing has come yet that a fragment can begin with.

        Raises:
            UnusableVideoError: For too long.
        """
        self._open_keys += packet.key
        if packet.monotonic_s <= self._after_s:
            return
        if self._packets or packet.key:
            self._packets.append(packet)
        if self._waited_from_s is None:
            self._waited_from_s = packet.monotonic_s
        if (packet.monotonic_s - self._waited_from_s) * 1000 >= MAX_FRAGMENT_MS:
            if self._idrs:
                raise unusable(Fault.NO_PARAMETERS if not self._given.complete else Fault.LONG_GROUP)
            raise unusable(Fault.OPEN_GROUP if self._open_keys else Fault.NO_KEYFRAME)

    # ------------------------------------------------------------------ what comes out

    def _flush(self, following: Packet | None, *, hold: bool = False, last: bool = False) -> Iterator[Cut]:
        """Let out what there is as a fragment.

        Args:
            following: What comes next, if it is known.
            hold: If it is too short, wait for what comes next all the same.
            last: Nothing comes.

        Raises:
            UnusableVideoError: It has no times to be shown by.
        """
        packets, units, track = self._packets, self._units, self._track
        if not units or track is None:
            self._forget()
            if last:
                yield from self.rest()
            return
        if self._max_reorder and all(packet.pts is None for packet in packets):
            raise unusable(Fault.NO_TIMES)
        if self._timeline.was_set(packets[0]):
            yield from self.rest()
            self._timeline.begin_anew()
            self._clock_set = True
            yield trouble(Fault.CLOCK_SET)
        placed = self._timeline.place(packets, reordered=self._max_reorder != 0, following=following)
        self.covered_s = max(packet.monotonic_s for packet in packets)
        self._forget()
        if placed.back:
            yield trouble(Fault.TIMES_BACK)
        if self._pending and placed.end_ms - self._pending[0].timecode_ms > MAX_FRAGMENT_MS:
            yield self._made(track, last=False)  # there is a hole in between
        self._pending += framed(units, placed.times_ms, placed.end_ms)
        if not hold or self._lasted_ms >= MIN_FRAGMENT_MS:
            yield self._made(track, last=last)

    def _made(self, track: Track, *, last: bool) -> Fragment:
        """What was placed as a fragment."""
        frames = lasting(self._pending, MIN_FRAGMENT_MS)
        self._pending = []
        made = Fragment(frames[0].timecode_ms, frames, track, last=last, clock_set=self._clock_set)
        self._clock_set = False
        self._timeline.hold(made.end_ms)
        return made

    @property
    def _lasted_ms(self) -> int:
        """How long what was placed and not let out lasts."""
        ends = (frame.timecode_ms + frame.duration_ms for frame in self._pending)
        return max(ends) - self._pending[0].timecode_ms if self._pending else 0

    def _forget(self) -> None:
        """Wait for what the next fragment begins with."""
        self._packets, self._units = [], []
        self._span_ms, self._waited_from_s, self._open_keys, self._idrs = 0.0, None, 0, 0


def framed(units: Sequence[AccessUnit], times_ms: Sequence[int], end_ms: int) -> tuple[Frame, ...]:
    """Pictures with their times, in the order in which they are decoded; each lasts until the next is shown.

    Args:
        units: The pictures.
        times_ms: When each is shown; no two are the same.
        end_ms: Until when the last is.
    """
    ordered = sorted(times_ms)
    until = dict(zip(ordered, [*ordered[1:], end_ms], strict=True))
    return tuple(
        Frame(time, max(0, until[time] - time), unit.idr, unit.data)
        for unit, time in zip(units, times_ms, strict=True)
    )


def lasting(frames: Sequence[Frame], least_ms: int) -> tuple[Frame, ...]:
    """The pictures of a fragment, the last shown for longer if all together last less than that.

    Never longer than a fragment may last, and never over a hole between two pictures.
    """
    begin_ms = frames[0].timecode_ms
    shown = max(range(len(frames)), key=lambda index: frames[index].timecode_ms)
    newest = frames[shown]
    end_ms = max(newest.timecode_ms + newest.duration_ms, begin_ms + least_ms)
    found = list(frames)
    found[shown] = replace(newest, duration_ms=min(end_ms, begin_ms + MAX_FRAGMENT_MS) - newest.timecode_ms)
    return tuple(found)


def _newer(before: ParameterSets, came: ParameterSets) -> ParameterSets:
    """The parameter sets that hold from here on."""
    return ParameterSets(came.sps or before.sps, came.pps or before.pps)


def _changed(before: Track, after: Track) -> str:
    """What is different, in words."""
    if (before.width, before.height) == (after.width, after.height):
        return "the camera codes its picture in another way from here on"
    return (
        f"the camera's picture is {after.width} x {after.height} from here on, "
        f"not {before.width} x {before.height}"
    )
