"""A stored decision, concluded again: at its own settings exactly as it was, or at others.

Judges what was stored: the frames that were kept and the people who led then. Frames that were
not kept, people who did not lead, and decisions that were never due cannot come back.
"""

from dataclasses import dataclass
from enum import StrEnum

from appliance.decision.rule import WEIGHTS, Asked, Conclusion, Observed, Person, at_grade, judge
from appliance.decision.tables import ErrorTables
from appliance.events import DecisionFacts, Event, PersonUndecided, StrangerSeen, SubjectIdentified
from appliance.values import Grade, SubjectId, Verdict

Decided = SubjectIdentified | StrangerSeen | PersonUndecided
"""The events that are decisions."""

DECIDED = ("subject_identified", "stranger_seen", "person_undecided")
"""Their types."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What is asked otherwise than it was; None leaves it as it was in each decision.

    Attributes:
        threshold: Instead of the measured one.
        fpir: Wanted false-positive identification rate.
        margin: Wanted lead over the second person.
        composition: A key of `WEIGHTS`.
        stranger_band: A score this close below the threshold is undecided.
    """

    threshold: float | None = None
    fpir: float | None = None
    margin: float | None = None
    composition: str | None = None
    stranger_band: float | None = None


class Obstacle(StrEnum):
    """Why a stored decision cannot be concluded again."""

    OLD_POLICY = "old_policy"
    """Decided by an earlier version of the rule, whose sums were not kept to the last digit."""
    NO_FRAMES = "no_frames"
    """No frame was stored with it."""
    MODEL_NOT_STORED = "model_not_stored"
    """The composition asked for needs a model that was not compared then."""
    OTHER_TABLES = "other_tables"
    """Decided by other tables of error rates than this program has."""


def obstacle(facts: DecisionFacts, tables: ErrorTables, changes: Changes) -> Obstacle | None:
    """What keeps this decision from being concluded again; None if nothing does.

    Other tables are an obstacle only to reproducing: with something changed, today's are meant.
    """
    if facts.policy_version == 1:
        return Obstacle.OLD_POLICY
    if not facts.frames:
        return Obstacle.NO_FRAMES
    needed = set(WEIGHTS[changes.composition or facts.composition])
    if not all(needed <= set(scores) for frame in facts.frames for scores in frame.scores.values()):
        return Obstacle.MODEL_NOT_STORED
    if changes == Changes() and facts.tables != tables.fingerprint:
        return Obstacle.OTHER_TABLES
    return None


def recompute(
    facts: DecisionFacts, grade: Grade, tables: ErrorTables, changes: Changes = Changes()
) -> Conclusion:
    """Conclude again from what is stored. With no changes, the facts come out as they went in.

    Raises:
        ValueError: There is an `obstacle`.
    """
    found = obstacle(facts, tables, changes)
    if found is not None:
        raise ValueError(f"not recomputable: {found.value}")
    observed = Observed(
        people=[Person(SubjectId(c.subject), c.references, c.strictness) for c in facts.candidates],
        frames=facts.frames,
        frames_seen=facts.frames_seen,
        looks=facts.looks,
        gallery_size=facts.gallery_size,
        gallery_version=facts.gallery_version,
        confirm_frames=facts.confirm_frames,
        greeted=None if facts.greeted is None else SubjectId(facts.greeted),
    )
    asked = Asked(
        composition=changes.composition or facts.composition,
        fpir=_first(changes.fpir, facts.fpir),
        margin=_first(changes.margin, facts.margin_wanted),
        stranger_band=_first(changes.stranger_band, facts.stranger_band),
        threshold=changes.threshold,
    )
    conclusion = judge(observed, asked, tables)
    if facts.repeats_confirmed:
        return repeated(at_grade(conclusion, Grade.CONFIRMED))
    return at_grade(conclusion, grade)


class Rejudging:
    """The decisions of a log concluded again with something changed, oldest first.

    Within an encounter one decision rests on those before it: who would not have been greeted, or not as
    the same person, is not contradicted later, and what would have been confirmed is what the end repeats.

    Args:
        tables: Measured error rates.
        changes: At least one.
    """

    def __init__(self, tables: ErrorTables, changes: Changes) -> None:
        self._tables = tables
        self._changes = changes
        self._greeted: dict[str, SubjectId | None] = {}
        """Encounter → who would have been greeted in it so far, where that is somebody else than was."""
        self._confirmed: dict[str, Conclusion] = {}

    def conclude(self, event: Decided) -> Conclusion:
        """What this decision would have been.

        Raises:
            ValueError: There is an `obstacle`.
        """
        facts, encounter = event.facts, event.encounter
        if encounter in self._greeted:
            facts = facts.model_copy(update={"greeted": self._greeted[encounter]})
        would = recompute(facts, event.grade, self._tables, self._changes)
        if event.grade is Grade.FINAL:
            confirmed = self._confirmed.pop(encounter, None)
            self._greeted.pop(encounter, None)
            if (
                would.verdict is Verdict.UNDECIDED
                and confirmed is not None
                and confirmed.facts.gallery_version == facts.gallery_version
            ):
                return repeated(confirmed)
            return would
        self._follow(event, facts.greeted, would)
        if event.grade is Grade.CONFIRMED and would.verdict is not Verdict.UNDECIDED:
            self._confirmed[encounter] = would
        return would

    def _follow(self, event: Decided, greeted: str | None, would: Conclusion) -> None:
        """Remember who would be greeted from here on, unless it is who was: then what is stored holds.

        Args:
            event: As stored.
            greeted: Who would have been greeted before it.
            would: What it would have been; whoever is identified is greeted with it, if not before.
        """
        was = event.subject if isinstance(event, SubjectIdentified) else event.facts.greeted
        now = would.subject if would.subject is not None else greeted
        if was == now:
            self._greeted.pop(event.encounter, None)
        else:
            self._greeted[event.encounter] = None if now is None else SubjectId(now)


def verdict_of(event: Event) -> tuple[Verdict, SubjectId | None] | None:
    """What a stored decision said of the person, and who it was; None if it is no decision."""
    if isinstance(event, SubjectIdentified):
        return Verdict.IDENTIFIED, SubjectId(event.subject)
    if isinstance(event, StrangerSeen):
        return Verdict.STRANGER, None
    return (Verdict.UNDECIDED, None) if isinstance(event, PersonUndecided) else None


def repeated(confirmed: Conclusion) -> Conclusion:
    """A confirmed conclusion as the final decision repeats it."""
    facts = confirmed.facts.model_copy(update={"repeats_confirmed": True})
    return Conclusion(confirmed.verdict, confirmed.subject, facts)


def _first(wanted: float | None, stored: float) -> float:
    return stored if wanted is None else wanted
