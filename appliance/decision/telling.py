"""A stored decision as one would tell it to the person it is about: no scores, no terms, short sentences.

Pure: facts in, words out; names come through a callback. The exact account is `reasons`; what is said
here rounds, and says nothing that is not in the facts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from appliance.decision.explanation import Need, needs, wanted_score
from appliance.decision.reasons import Call
from appliance.events import CandidateScore, DecisionFacts
from appliance.values import Grade, Verdict

SPAN: Final = 1.2
"""Scores as wide as this are shown, what is asked for in the middle; what lies beyond stands at the edge."""

_STEPS: Final = ((0.02, "a hair"), (0.08, "a little"), (0.2, "clearly"), (9.0, "far"))
_MORE: Final = ((0.02, "a hair"), (0.08, "a little"), (0.2, "a good deal"), (9.0, "much"))


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike somebody looked, on a line from 0 (not at all) to 1; 0.5 is what was asked for.

    Attributes:
        subject: Whom it is about.
        place: On that line.
    """

    subject: str
    place: float


@dataclass(frozen=True, slots=True)
class Told:
    """A decision in words.

    Attributes:
        headline: What was decided.
        sentences: Why, who else was near, what would have made it otherwise.
        nearest: Who looked most alike, if anybody is enrolled.
        second: Who came after them.
    """

    headline: str
    sentences: tuple[str, ...]
    nearest: Likeness | None
    second: Likeness | None


def told(facts: DecisionFacts, verdict: Verdict, grade: Grade, call: Call) -> Told:
    """Why it was decided so.

    Args:
        facts: The stored reasons.
        verdict: What was said.
        grade: At which grade.
        call: Gives a person's name, or whatever they are to be called by.
    """
    people = [call(candidate.subject) for candidate in facts.candidates[:2]]
    sentences = [
        *_why(facts, people, call),
        *_second(facts, people),
        *_otherwise(needs(facts, verdict, grade), people, call),
        _looked(facts),
        *_how_strict(facts),
    ]
    first, other = (*facts.candidates[:2], None, None)[:2]
    return Told(
        _headline(facts, verdict, people, call), tuple(sentences), _place(first, facts), _place(other, facts)
    )


def _headline(facts: DecisionFacts, verdict: Verdict, people: list[str], call: Call) -> str:
    if verdict is Verdict.IDENTIFIED:
        return f"It was {people[0]}." if people else "It was somebody enrolled."
    if verdict is Verdict.STRANGER:
        return "It was a stranger." if people else "It was a stranger: nobody is enrolled yet."
    if facts.rule in {"look_alike", "tie"}:
        return f"It could be {people[0]} or {people[1]}."
    if facts.rule == "contradicted":
        return f"It may not have been {call(facts.greeted or '')} after all."
    if facts.rule == "too_few_frames" or not people:
        return "There was too little to see."
    return f"It might be {people[0]}, or a stranger."


_WHY: Final = {
    "score_and_margin": "The face looked like {first}: {by} more alike than is asked for.",
    "below_threshold": "Nobody enrolled looks like this face. {first} came nearest, {by} too unlike.",
    "near_threshold": (
        "The face looked somewhat like {first}: too little for a greeting, too much for a stranger."
    ),
    "stricter_person": (
        "The face looked enough like {first} for most people, but {first} is to be recognised {strict:g} "
        "times as strictly."
    ),
    "look_alike": "{first} and {second} looked almost equally alike.",
    "tie": "{first} and {second} looked exactly equally alike.",
    "contradicted": "At first the face looked like {greeted}, who was greeted; then it looked {now}.",
    "too_few_frames": "Nobody enrolled looks like this face, but one good picture is not enough to be sure.",
}


def _why(facts: DecisionFacts, people: list[str], call: Call) -> list[str]:
    """What the decision rests on."""
    if not people or facts.score is None:
        return ["Where nobody is enrolled, everybody is a stranger."]
    beyond = facts.score - wanted_score(facts)
    text = _WHY.get(facts.rule, "{first} came nearest.").format(
        first=people[0],
        second=people[-1],
        by=_size(beyond, _STEPS),
        strict=facts.strictness,
        greeted=call(facts.greeted or ""),
        now=f"like {people[0]}" if beyond >= 0 else "like nobody enrolled",
    )
    return [text]


def _second(facts: DecisionFacts, people: list[str]) -> list[str]:
    if len(people) < 2 or facts.margin is None or facts.rule in {"look_alike", "tie"}:  # noqa: PLR2004 - two
        return []
    how = f"{_size(facts.margin, _STEPS)} behind {people[0]}" if facts.margin > 0 else "just as near"
    return [f"{people[1]} came second, {how}."]


def _otherwise(wanted: Sequence[Need], people: list[str], call: Call) -> list[str]:
    """What would have had to be different; two changes that round to the same words are told apart."""
    found: list[str] = []
    before = ""
    for need in wanted:
        condition, would = _condition(need, people), _would(need, call)
        again = condition == before
        found.append(f"{'With still more, ' if again else f'{condition}, '}{would}.")
        before = condition
    return found


def _would(need: Need, call: Call) -> str:
    return {
        Verdict.IDENTIFIED: f"{call(need.subject or '')} would have been greeted",
        Verdict.STRANGER: "it would have been a stranger",
        Verdict.UNDECIDED: "it would have been left open",
    }[need.verdict]


def _condition(need: Need, people: list[str]) -> str:
    if need.what == "greeting":
        return "Without the earlier greeting"
    if need.what == "frames":
        return (
            f"With {'one more good picture' if round(need.by) == 1 else f'{need.by:.0f} more good pictures'}"
        )
    amount, less = _size(need.by, _MORE), need.by < 0 or need.beyond
    if need.what == "lead" and len(people) > 1:
        return (
            f"Had {people[0]} and {people[1]} been {amount} {'closer together' if less else 'further apart'}"
        )
    return f"Had the face looked {amount} {'less' if less else 'more'} like {people[0]}"


def _looked(facts: DecisionFacts) -> str:
    """On how much it rests."""
    used = len(facts.frames)
    if not used:
        return "The pictures' own scores were not kept."
    span = facts.frames[-1].at_s - facts.frames[0].at_s
    pictures = "one good picture" if used == 1 else f"{used} good pictures"
    during = f" within {max(span, 0.1):.1f} seconds" if used > 1 else ""
    again = " The end repeats what had been confirmed before." if facts.repeats_confirmed else ""
    return f"It rests on {pictures}{during}.{again}"


def _how_strict(facts: DecisionFacts) -> list[str]:
    if not facts.candidates or not facts.fpir:
        return []
    beyond = " That is further than was measured." if facts.extrapolated else ""
    among = "the one person" if facts.gallery_size == 1 else f"one of the {facts.gallery_size} people"
    one_in = round(1 / facts.fpir)
    return [
        f"The door is set so that about one stranger in {one_in:,} is taken for {among} enrolled.{beyond}",
    ]


def _size(by: float, steps: tuple[tuple[float, str], ...]) -> str:
    return next((words for most, words in steps if abs(by) < most), steps[-1][1])


def _place(candidate: CandidateScore | None, facts: DecisionFacts) -> Likeness | None:
    if candidate is None:
        return None
    place = 0.5 + (candidate.score - wanted_score(facts)) / SPAN
    return Likeness(candidate.subject, round(min(1.0, max(0.0, place)), 4))
