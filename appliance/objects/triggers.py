"""Which things set off an event: the right label, certain enough, there for long enough, and not just now.

One thing sets off one trigger once. What stays while a trigger cools down sets it off afterwards. Times are
arguments; what is done about an alarm is decided by rules.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from appliance.objects.regions import inside
from appliance.objects.tracking import Track
from appliance.settings.objects import ObjectTriggerSettings
from appliance.values import ObjectAlarm, TrackedObject


@dataclass(slots=True)
class _Trigger:
    """A trigger with what it knows of current things.

    Attributes:
        settings: Its own.
        there_since_s: By track: since when it has been there under its label, monotonic seconds.
        done: Tracks that have set it off.
        quiet_until_s: When it has cooled down.
    """

    settings: ObjectTriggerSettings
    there_since_s: dict[int, float] = field(default_factory=dict)
    done: set[int] = field(default_factory=set)
    quiet_until_s: float = float("-inf")


class Triggers:
    """The triggers of one camera, frame by frame.

    Args:
        settings: Of each, in the order in which alarms are given.
    """

    def __init__(self, settings: Sequence[ObjectTriggerSettings]) -> None:
        self._triggers = [_Trigger(each) for each in settings]

    def update(
        self, tracks: Sequence[Track], current: frozenset[int], now_s: float, size: tuple[int, int]
    ) -> list[ObjectAlarm]:
        """What goes off in this frame.

        Args:
            tracks: Of the things in it, most certain first.
            current: Numbers of all tracks that are not gone, seen in this frame or not.
            now_s: The frame's time, monotonic seconds.
            size: Its width and height, pixels.
        """
        alarms: list[ObjectAlarm] = []
        for trigger in self._triggers:
            trigger.done &= current
            trigger.there_since_s = {
                number: since for number, since in trigger.there_since_s.items() if number in current
            }
            for track in tracks:
                alarm = _looked_at(trigger, track, now_s, size)
                if alarm is not None:
                    alarms.append(alarm)
        return alarms


def _looked_at(trigger: _Trigger, track: Track, now_s: float, size: tuple[int, int]) -> ObjectAlarm | None:
    """Whether a thing sets a trigger off now."""
    wanted = trigger.settings
    if track.label != wanted.label or not inside(track.thing.box, wanted.region, size):
        trigger.there_since_s.pop(track.number, None)
        return None
    dwell_s = now_s - trigger.there_since_s.setdefault(track.number, now_s)
    if track.number in trigger.done or track.best < wanted.score or dwell_s < wanted.dwell_s:
        return None
    if now_s < trigger.quiet_until_s:
        return None
    trigger.done.add(track.number)
    trigger.quiet_until_s = now_s + wanted.cool_down_s
    return ObjectAlarm(wanted.id, tracked(track), dwell_s)


def tracked(track: Track) -> TrackedObject:
    """A track as other rooms see it, at its last sighting."""
    return TrackedObject(track.thing, track.number, track.label, track.first_s, track.best)
