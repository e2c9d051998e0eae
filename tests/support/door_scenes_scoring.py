"""A reported door timeline against the true one: matched transitions, precision, recall, delays.

Unsure is ignored: what counts is which of open and shut was said last. A transition counts as found when
one of its kind was reported from half a second before it to one and a half after; each matches once.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from door_scenes import DoorScene
from door_scenes_clip import Told

from appliance.values import DoorReading, DoorState, Frame

EARLY_S, LATE_S = 0.5, 1.5
"""A report is of a transition if it comes at most so long before or after it."""


class Watching(Protocol):
    """A door watch."""

    def observe(self, frame: Frame) -> DoorReading:
        """The door in this frame."""


@dataclass
class Score:
    """Counts over any number of scenes.

    Attributes:
        true: Transitions there were.
        reported: Transitions that were reported.
        matched: Those that belong together.
        delays: Per match, frames from the first in which it was true to the one in which it was reported.
        unsure_s, total_s: Time without an answer, and all of it, seconds.
        wrong: Names of the scenes in which something was missed or made up.
    """

    true: int = 0
    reported: int = 0
    matched: int = 0
    delays: list[int] = field(default_factory=list)
    unsure_s: float = 0.0
    total_s: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def __add__(self, other: "Score") -> "Score":
        """Both together."""
        return Score(
            self.true + other.true,
            self.reported + other.reported,
            self.matched + other.matched,
            self.delays + other.delays,
            self.unsure_s + other.unsure_s,
            self.total_s + other.total_s,
            self.wrong + other.wrong,
        )

    @property
    def precision(self) -> float:
        """Share of the reported transitions that were true; 1 if none was reported."""
        return self.matched / self.reported if self.reported else 1.0

    @property
    def recall(self) -> float:
        """Share of the true transitions that were reported; 1 if there was none."""
        return self.matched / self.true if self.true else 1.0

    @property
    def median_delay(self) -> float:
        """Frames; nan without a match."""
        return float(np.median(self.delays)) if self.delays else math.nan

    @property
    def p95_delay(self) -> float:
        """Frames that 19 of 20 matches do not exceed; nan without a match."""
        return float(np.percentile(self.delays, 95, method="higher")) if self.delays else math.nan


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927); (0, 1) of nothing."""
    if not of:
        return 0.0, 1.0
    z = 1.959964
    share = hits / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return max(0.0, middle - half), min(1.0, middle + half)


def watch_scene(scene: DoorScene, *watches: Watching) -> list[Score]:
    """Show a scene to door watches, each frame drawn once for all of them, and score what each says."""
    states: list[list[DoorState]] = [[] for _ in watches]
    for frame in scene.frames():
        for said, watch in zip(states, watches, strict=True):
            said.append(watch.observe(frame).state)
    return [score(scene, said) for said in states]


def score(scene: DoorScene, states: Sequence[DoorState]) -> Score:
    """Score the state said in each frame of a scene."""
    fps = scene.fps
    true = [(at, kind) for at, kind in scene.truth if at > 0]
    reports = _reports(states)
    first = reports[0] if reports else None
    pairs = _match(true, [(index / fps, kind) for index, kind in reports])
    if (
        first is not None
        and 0 not in {report for _, report in pairs}
        and first[1] == scene.clip.told(first[0])
    ):
        # The first answer, and a right one: nothing had changed.
        reported = len(reports) - 1
    else:
        reported = len(reports)
    delays = [
        reports[report][0] - math.ceil(round(true[transition][0] * fps, 6)) for transition, report in pairs
    ]
    right = len(pairs) == len(true) == reported
    return Score(
        true=len(true),
        reported=reported,
        matched=len(pairs),
        delays=delays,
        unsure_s=sum(state is DoorState.UNSURE for state in states) / fps,
        total_s=len(states) / fps,
        wrong=[] if right else [scene.name],
    )


def _reports(states: Iterable[DoorState]) -> list[tuple[int, Told]]:
    """Frames in which another of open and shut was said than before; the first answer too."""
    said: DoorState | None = None
    found: list[tuple[int, Told]] = []
    for index, state in enumerate(states):
        if state is not DoorState.UNSURE and state is not said:
            said = state
            found.append((index, "open" if state is DoorState.OPEN else "shut"))
    return found


def _match(
    true: Sequence[tuple[float, Told]], reports: Sequence[tuple[float, Told]]
) -> list[tuple[int, int]]:
    """Pairs of transition and report: each transition takes the first free report of its kind in its time."""
    pairs: list[tuple[int, int]] = []
    taken: set[int] = set()
    for transition, (at, kind) in enumerate(true):
        for report, (said_at, said) in enumerate(reports):
            if report not in taken and said == kind and at - EARLY_S <= said_at <= at + LATE_S + 1e-9:
                pairs.append((transition, report))
                taken.add(report)
                break
    return pairs
