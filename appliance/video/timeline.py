"""When pictures were taken, in milliseconds since the epoch, from one look at the wall clock.

A clip's times come from the wall clock at its first packet and go on with the monotonic clock and the
camera's own timestamps, so neither a wall clock that is set nor a camera that begins its time anew makes a
clip's time jump back. That the wall clock was set is told, so that another clip can begin by the new time.
Nothing is cut here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from appliance.video.fragment import MAX_FRAGMENT_MS
from appliance.video.packets import Packet, Stream

EARLY_MS = 1_000.0
"""A camera's timestamps go back by so much where pictures are reordered; by more they have jumped."""
LATE_MS = 10_000.0
"""What a network held up comes so late at most, and its timestamps are right."""
STEP_MS = 1_000.0
"""By so much the wall clock has to leave the monotonic one to count as set."""
FRAME_MS = 40.0
"""What a picture lasts of which nothing else is known: 25 a second."""
_HOLE_MS = 5_000.0
"""Timestamps that go ahead by more have jumped, or there is a hole in the stream."""
_FAST_MS, _SLOW_MS = 250.0, 2_000.0
"""So far ahead of the arrival, or behind it, the camera's time is drawn back to ours,"""
_PACE = 0.02
"""by so much of itself, which nobody sees. Arrival is late by nature, and never early."""
_HARDEST_PACE = 0.9
_LONGEST_FRAME_MS = 1_000.0
"""A last picture lasts up to the next one, if that is no farther."""
_NOTABLE_MS = 100.0
"""Times that have to be moved by more are told."""


@dataclass(frozen=True, slots=True)
class Placed:
    """The times of packets in a row.

    Attributes:
        times_ms: When each is shown, in the packets' own order; no two are the same.
        end_ms: When the last of them is no longer shown.
        back: The camera's timestamps had gone back or jumped; they were taken up anew.
    """

    times_ms: tuple[int, ...]
    end_ms: int
    back: bool = False


class Timeline:
    """Times of one clip, only ever later ones, until it is told to begin anew.

    Args:
        not_before_ms: No time is before it.
    """

    def __init__(self, not_before_ms: int = 0) -> None:
        self._frame_ms = FRAME_MS
        self.begin_anew(not_before_ms)

    def begin_anew(self, not_before_ms: int = 0) -> None:
        """Times come from another look at the wall clock, at the next packet, and may lie before the last."""
        self._end_ms = not_before_ms
        self._anchor: tuple[float, float] | None = None
        self._stream: Stream | None = None
        self._offset_ms: float | None = None
        self._coming: Stream | None = None
        self._guess_ms: float | None = None
        self._newest_pts_ms: float | None = None
        self._jumped = False
        self._squeeze_ms = 0.0

    @property
    def end_ms(self) -> int:
        """When the last picture that was placed is no longer shown."""
        return self._end_ms

    def was_set(self, packet: Packet) -> bool:
        """Whether the wall clock was set between the one look at it and this packet."""
        apart_ms = packet.wall.timestamp() * 1000 - self._arrival_ms(packet)
        return abs(apart_ms) >= STEP_MS

    def expected_ms(self, packet: Packet) -> float:
        """When a packet is shown as far as is known before it is placed; for a first one, when it arrived."""
        arrival_ms = self._arrival_ms(packet)
        pts_ms = _pts_ms(packet)
        if packet.stream is self._stream:
            return arrival_ms if pts_ms is None or self._offset_ms is None else self._offset_ms + pts_ms
        if packet.stream is not self._coming:
            self._coming, self._guess_ms = packet.stream, None
        if pts_ms is None:
            return arrival_ms
        if self._guess_ms is None:
            self._guess_ms = arrival_ms - pts_ms
        return self._guess_ms + pts_ms

    def hold(self, until_ms: int) -> None:
        """The last picture that was placed is shown until then, if that is later than it was said."""
        self._end_ms = max(self._end_ms, until_ms)

    def place(self, packets: Sequence[Packet], *, reordered: bool, following: Packet | None = None) -> Placed:
        """Give times to packets that follow those placed before.

        Args:
            packets: At least one, from a keyframe on, in the order in which they are decoded.
            reordered: They may be shown in another order.
            following: The one after them, if it is known: the last lasts until then.
        """
        back = False
        times: list[float] = []
        for run in self._runs(packets):
            known = self._offset_ms is not None
            back = self._believe(run, times) or back
            said = self._paced(self._times(run))
            # A keyframe is shown before all that follow it; and without reordering each after the last.
            fixed = (
                [said[0], *(max(time, said[0] + 1) for time in said[1:])] if reordered else _ascending(said)
            )
            back = back or any(abs(new - old) > _NOTABLE_MS for new, old in zip(fixed, said, strict=True))
            floor_ms = max(times) + 1 if times else self._end_ms
            shift = max(0.0, floor_ms - fixed[0])
            # A stream that was opened anew may begin before the last picture of the one before is over.
            back = back or (known and shift > _NOTABLE_MS)
            if self._offset_ms is not None:
                self._offset_ms += shift
            times += [time + shift for time in fixed]
        times = _within(times, MAX_FRAGMENT_MS - self._frame_ms - len(times))
        whole = _distinct([round(time) for time in times])
        self._frame_ms = min(_gap(whole, self._frame_ms), _LONGEST_FRAME_MS)
        self._end_ms = self._ending(max(whole), following)
        return Placed(tuple(whole), self._end_ms, back)

    def follow(self, packet: Packet) -> Placed:
        """The time of one packet by itself, for whoever puts its pictures in order: it may be an earlier one.

        `end_ms` of what is given is that of everything placed so far.
        """
        jumped, self._jumped = self._jumps(packet), False
        pts_ms = _pts_ms(packet)
        back = False
        if pts_ms is not None:
            delay_ms = self._arrival_ms(packet) - pts_ms
            if self._offset_ms is None:
                self._offset_ms = delay_ms
            elif jumped or not -EARLY_MS <= delay_ms - self._offset_ms <= LATE_MS:
                back = abs(delay_ms - self._offset_ms) > _NOTABLE_MS
                self._offset_ms = delay_ms
        return Placed((round(self.expected_ms(packet)),), self._end_ms, back)

    def _arrival_ms(self, packet: Packet) -> float:
        """When it came, by the one look at the wall clock and the monotonic clock since."""
        if self._anchor is None:
            self._anchor = packet.wall.timestamp() * 1000, packet.monotonic_s
        wall_ms, monotonic_s = self._anchor
        return wall_ms + (packet.monotonic_s - monotonic_s) * 1000

    def _runs(self, packets: Sequence[Packet]) -> list[list[Packet]]:
        """The packets in runs over which the camera's time goes on evenly."""
        runs: list[list[Packet]] = []
        for packet in packets:
            jumped = self._jumps(packet)
            if jumped or not runs:
                runs.append([])
            runs[-1].append(packet)
        return runs

    def _jumps(self, packet: Packet) -> bool:
        """Whether its timestamp does not go on from those before it."""
        if packet.stream is not self._stream:
            self._stream, self._offset_ms, self._newest_pts_ms = packet.stream, None, None
        pts_ms, newest = _pts_ms(packet), self._newest_pts_ms
        if pts_ms is None:
            return False
        jumps = newest is not None and not -EARLY_MS <= pts_ms - newest <= _HOLE_MS
        self._newest_pts_ms = pts_ms if jumps or newest is None else max(newest, pts_ms)
        self._jumped = self._jumped or jumps
        return jumps

    def _believe(self, run: Sequence[Packet], before: Sequence[float]) -> bool:
        """Take up the camera's timestamps, anew where they jumped; whether that moved anything.

        Args:
            run: Packets over which its time goes on evenly.
            before: Times of those placed just now.
        """
        # The packet that was held up the least tells best how the two times lie to each other.
        said = [
            (self._arrival_ms(packet), pts_ms) for packet in run if (pts_ms := _pts_ms(packet)) is not None
        ]
        jumped, self._jumped = self._jumped or bool(before), False
        self._squeeze_ms = 0.0
        if not said:
            self._offset_ms = None
            return False
        delay_ms = min(arrival_ms - pts_ms for arrival_ms, pts_ms in said)
        if self._offset_ms is None:
            self._offset_ms = delay_ms
            return False
        late_ms = delay_ms - self._offset_ms
        if jumped or late_ms > LATE_MS:
            floor_ms = max(before) + 1 if before else self._end_ms
            offset_ms = max(delay_ms, floor_ms - min(pts_ms for _, pts_ms in said))
            moved_ms, self._offset_ms = offset_ms - self._offset_ms, offset_ms
            return abs(moved_ms) > _NOTABLE_MS
        # The camera's clock runs faster or slower than ours, or the first look at it was misled.
        span_ms = max(pts_ms for _, pts_ms in said) - min(pts_ms for _, pts_ms in said)
        if late_ms > _SLOW_MS:
            self._offset_ms += min(late_ms, span_ms * _PACE)
        elif late_ms < -_FAST_MS:
            # A clock that runs wild is drawn in the more the farther it has got.
            pace = min(max(_PACE, (-late_ms - _SLOW_MS) / LATE_MS), _HARDEST_PACE)
            self._squeeze_ms = min(-late_ms, span_ms * pace)
        return False

    def _paced(self, times: list[float]) -> list[float]:
        """Drawn together a little, where the camera's time runs ahead of ours."""
        span_ms = max(times) - times[0]
        if not self._squeeze_ms or span_ms <= self._squeeze_ms or self._offset_ms is None:
            return times
        self._offset_ms -= self._squeeze_ms
        by = 1 - self._squeeze_ms / span_ms
        return [times[0] + (time - times[0]) * by for time in times]

    def _times(self, packets: Sequence[Packet]) -> list[float]:
        """When each is shown, as its timestamp says, or its neighbours', or its arrival."""
        offset_ms = self._offset_ms or 0.0
        said = [None if (pts_ms := _pts_ms(packet)) is None else offset_ms + pts_ms for packet in packets]
        known = [time for time in said if time is not None]
        if not known:
            return _ascending([self._arrival_ms(packet) for packet in packets])
        times: list[float] = []
        for time in said:
            if time is not None:
                times.append(time)
            elif times:
                times.append(max(times) + self._frame_ms)
            else:
                # The first packet of an RTSP stream has no timestamp, and is the keyframe.
                times.append(min(known) - _gap(known, self._frame_ms))
        return times

    def _ending(self, last_ms: int, following: Packet | None) -> int:
        """When the last picture is no longer shown."""
        frame_ms = max(1, round(self._frame_ms))
        if following is not None:
            until = round(self.expected_ms(following)) - last_ms
            if 0 < until <= max(_LONGEST_FRAME_MS, frame_ms):
                frame_ms = until
        return last_ms + frame_ms


def _pts_ms(packet: Packet) -> float | None:
    return None if packet.pts is None else float(packet.pts * packet.stream.time_base * 1000)


def _gap(times: Sequence[float], otherwise: float) -> float:
    """What lies between two pictures, as a rule."""
    ordered = sorted(times)
    gaps = [later - time for time, later in pairwise(ordered)]
    return float(median(gaps)) if gaps else otherwise


def _ascending(times: Sequence[float]) -> list[float]:
    """Each at least a millisecond after the one before it."""
    found: list[float] = []
    for time in times:
        found.append(max(time, found[-1] + 1) if found else time)
    return found


def _within(times: Sequence[float], most_ms: float) -> list[float]:
    """Drawn together, if they are farther apart than that, as only timestamps gone wrong are."""
    begin, span_ms = times[0], max(times) - times[0]
    if span_ms <= most_ms:
        return list(times)
    return [begin + (time - begin) * most_ms / span_ms for time in times]


def _distinct(times: Sequence[int]) -> list[int]:
    """No two the same: a later one of the same time is moved on by as little as is free."""
    taken: set[int] = set()
    found = []
    for time in times:
        free = time
        while free in taken:
            free += 1
        taken.add(free)
        found.append(free)
    return found
