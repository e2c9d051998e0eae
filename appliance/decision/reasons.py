"""A stored decision in words, for somebody who is no expert in biometrics.

Pure: facts in, sentences out. Names come through a callback; the numbers are those of
`explanation`.
"""

from collections.abc import Callable

from appliance.decision.explanation import (
    FAMILIAR_DISTANCE,
    Need,
    dlib_distance,
    frame_score,
    needs,
    shares,
    wanted_score,
    worth,
)
from appliance.events import CandidateScore, DecisionFacts
from appliance.values import Grade, Verdict

Call = Callable[[str], str]
"""What to call a subject."""

RULES = {
    "score_and_margin": "the score reached the threshold, and the lead over everybody else was enough",
    "below_threshold": "nobody enrolled came near their threshold",
    "empty_gallery": "nobody is enrolled",
    "near_threshold": "somebody enrolled came near their threshold but not to it: too near for a stranger",
    "stricter_person": "the ordinary threshold was reached, but not the stricter one set for this person",
    "look_alike": "two enrolled people were too close together to tell them apart",
    "tie": "two enrolled people had exactly the same score",
    "contradicted": "somebody had been greeted in this encounter, and then it no longer looked like them",
    "too_few_frames": "nobody enrolled came near, but one good frame is too little to call them a stranger",
}
"""What each rule means, by name."""


def reasons(facts: DecisionFacts, verdict: Verdict, grade: Grade, call: Call) -> list[str]:
    """Why it was decided so, one sentence each: the rule first, then what it is made of.

    Args:
        facts: The stored reasons.
        verdict: What was said.
        grade: At which grade.
        call: Gives a person's name, or whatever they are to be called by.
    """
    return [
        f"why: {_why(facts, call)}",
        *_people(facts, call),
        *_bars(facts, call),
        *(_needed(need, call) for need in needs(facts, verdict, grade)),
        *_frames(facts, call),
        _gallery(facts),
    ]


def _why(facts: DecisionFacts, call: Call) -> str:
    text = RULES.get(facts.rule, facts.rule)
    people = [call(candidate.subject) for candidate in facts.candidates[:2]]
    if facts.rule in {"look_alike", "tie"}:
        text += f": {people[0]} and {people[1]}"
    elif facts.rule == "stricter_person":
        text += f": {people[0]}, {facts.strictness:g} times as strict"
    elif facts.rule == "contradicted" and facts.greeted is not None:
        reached = facts.score is not None and facts.score >= wanted_score(facts)
        text += f": {call(facts.greeted)} was greeted, now it looks like {people[0] if reached else 'nobody'}"
    if facts.repeats_confirmed:
        text += "; the end of the encounter repeats what had been confirmed, for by itself it was undecided"
    return text


def _people(facts: DecisionFacts, call: Call) -> list[str]:
    """The nearest and the second."""
    texts: list[str] = []
    for title, candidate in zip(("nearest", "second"), facts.candidates, strict=False):
        models = ", ".join(f"{model} {score:+.3f}" for model, score in sorted(candidate.by_model.items()))
        texts.append(
            f"{title}: {call(candidate.subject)}, score {candidate.score:+.3f} ({models}), "
            f"compared with {_count(candidate.references, 'photo')}{_familiar(candidate)}"
        )
    return texts


def _familiar(candidate: CandidateScore) -> str:
    dlib = dlib_distance(candidate)
    if dlib is None:
        return ""
    custom = f"customarily one person up to {FAMILIAR_DISTANCE}, which decides nothing"
    return f"; dlib distance {dlib[1]:.3f} ({custom})"


def _bars(facts: DecisionFacts, call: Call) -> list[str]:
    """Thresholds and lead."""
    if not facts.candidates:
        return []
    beyond = "; the measured tables end before that" if facts.extrapolated else ""
    looks = f", divided among {facts.looks} looks" if facts.looks > 1 else ""
    missed = f"; about {facts.fnmr:.1%} of true photos fall short of it" if facts.fnmr is not None else ""
    texts = [
        (
            f"threshold {facts.threshold:+.3f}: {facts.fpir:.2%} of strangers may pass among "
            f"{_count(facts.gallery_size, 'person', 'people')}{looks}, for {_count(facts.table[0], 'photo')} "
            f"and {_count(facts.table[1], 'independent frame')}{missed}{beyond}"
        )
    ]
    if facts.stricter_threshold is not None:
        texts.append(
            f"stricter threshold {facts.stricter_threshold:+.3f}: for {call(facts.candidates[0].subject)}, "
            f"{facts.strictness:g} times fewer strangers may pass"
        )
    if facts.rule in {"near_threshold", "below_threshold"}:
        texts.append(f"undecided rather than a stranger within {facts.stranger_band:.3f} below the threshold")
    lead = f"{facts.margin:+.3f}" if facts.margin is not None else "none, there is no second person"
    return [*texts, f"lead over the second: {lead}; needed {facts.margin_wanted:+.3f}"]


def _needed(need: Need, call: Call) -> str:
    """What would have had to be different."""
    if need.verdict is Verdict.IDENTIFIED:
        would = f"a greeting for {call(need.subject or '')}"
    else:
        would = "a stranger" if need.verdict is Verdict.STRANGER else "undecided"
    if need.what == "greeting":
        return f"without the earlier greeting it would have been {would}"
    if need.what == "frames":
        return f"{_count(round(need.by), 'more good frame')} and it would have been {would}"
    what = "of a lead" if need.what == "lead" else ""
    size = f"{abs(need.by):.3f} {'more' if need.by >= 0 and not need.beyond else 'less'}"
    amount = f"{'more than ' if need.beyond else ''}{size}{' ' + what if what else ''}"
    return f"{amount} and it would have been {would}"


def _frames(facts: DecisionFacts, call: Call) -> list[str]:
    """Each frame used, with its score of the first two people."""
    if not facts.frames:
        return ["frames: none were stored"]
    texts = [
        (
            f"frames: the best {len(facts.frames)} of {_count(facts.frames_seen, 'good frame')}, "
            f"worth {_count(worth(facts), 'independent photo')}"
        )
    ]
    first = facts.frames[0].at_s
    for frame, share in zip(facts.frames, shares(facts), strict=True):
        scores = [
            f"{call(candidate.subject)} {score:+.3f}"
            for candidate in facts.candidates[:2]
            if (score := frame_score(facts, frame, candidate.subject)) is not None
        ]
        at = f"at {frame.media_s:.2f} s" if frame.media_s is not None else f"{frame.at_s - first:+.2f} s"
        texts.append(
            f"  frame {frame.sequence} ({at}): quality {frame.quality:.0f}, counts {share:.0%}"
            + (f"; {', '.join(scores)}" if scores else "")
        )
    return texts


def _gallery(facts: DecisionFacts) -> str:
    people = _count(facts.gallery_size, "person", "people")
    return f"gallery: version {facts.gallery_version} with {people}; rule of version {facts.policy_version}"


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one}" if number == 1 else f"{number} {many or one + 's'}"
