"""Decisions of every rule and grade, made by real encounters from plain scores."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from factories import evidence, templates

from appliance.decision import Encounter, ErrorTables, GradedDecision, Policy
from appliance.events import Event, PersonUndecided, StrangerSeen, SubjectIdentified
from appliance.settings import EncounterSettings, RecognitionSettings
from appliance.values import SubjectId, Verdict

TABLES = ErrorTables.from_json(
    json.loads((Path(__file__).parents[2] / "data" / "score-tails.json").read_text(encoding="utf-8"))
)
SURE, NEAR, LOW = 0.5, 0.05, -0.5
"""Fused scores far above the threshold for two people (0.06), just below it, and far below."""

Frame = tuple[float, Mapping[str, float]]
"""Second, and score per person."""


def stay(
    frames: Sequence[Frame],
    *,
    qualities: Sequence[float] = (),
    strictness: Mapping[str, float] | None = None,
    recognition: RecognitionSettings | None = None,
) -> list[GradedDecision]:
    """Somebody's whole encounter, and every decision it brought."""
    encounter = Encounter(EncounterSettings(), Policy(recognition or RecognitionSettings(), TABLES))
    found: list[GradedDecision] = []
    for i, (at_s, by_subject) in enumerate(frames):
        quality = qualities[i] if i < len(qualities) else 80.0
        frame = evidence(round(at_s * 10), by_subject, quality=quality, strictness=strictness)
        if encounter.wants_frame(frame.at_s):
            found.extend(encounter.add(frame, templates(1)))
    return [*found, *filter(None, [encounter.finish()])]


def event_of(decision: GradedDecision, encounter: str) -> Event:
    """The decision as the loop logs it."""
    said = decision.conclusion
    if said.subject is not None:
        return SubjectIdentified(
            subject=said.subject, encounter=encounter, grade=decision.grade, facts=said.facts
        )
    kind = StrangerSeen if said.verdict is Verdict.STRANGER else PersonUndecided
    return kind(encounter=encounter, grade=decision.grade, facts=said.facts)


def encounters(ann: str, ben: str) -> dict[str, list[GradedDecision]]:
    """An encounter for each rule by which its last decision came out, and one that repeats."""
    ids = {"ann": SubjectId(ann), "ben": SubjectId(ben)}

    def scored(ann_s: float, ben_s: float) -> dict[str, float]:
        return {ids["ann"]: ann_s, ids["ben"]: ben_s}

    def course(*scores: tuple[float, float]) -> list[Frame]:
        return [(i / 10, scored(*pair)) for i, pair in enumerate(scores)]

    return {
        "score_and_margin": stay(course((SURE, LOW), (SURE, LOW), (SURE, LOW))),
        "below_threshold": stay(course((LOW, LOW), (LOW, LOW), (LOW, LOW))),
        "empty_gallery": stay([(i / 10, {}) for i in range(3)]),
        "near_threshold": stay(course((NEAR, LOW), (NEAR, LOW))),
        "stricter_person": stay(course((0.1, LOW), (0.1, LOW)), strictness={ids["ann"]: 10.0}),
        "look_alike": stay(course((SURE, SURE - 0.02))),
        "tie": stay(course((SURE, SURE))),
        "contradicted": stay(course((0.2, LOW), (LOW, LOW), (LOW, LOW))),
        "too_few_frames": stay(course((LOW, LOW))),
        "repeats_confirmed": stay(
            [(i / 10, scored(LOW, LOW)) for i in range(3)]
            + [(2.0 + 1.2 * i, scored(0.22, LOW)) for i in range(5)],
            qualities=(40, 40, 40, 100, 100, 100, 100, 100),
        ),
    }


def events(ann: str, ben: str) -> list[Event]:
    """The same as the loop logs them, encounter by encounter, each named after its rule."""
    return [
        event_of(decision, name) for name, decisions in encounters(ann, ben).items() for decision in decisions
    ]
