"""A decision told to somebody who knows nothing of scores."""

import re

import decided
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.decision import RULES, Told, told, verdict_of
from appliance.decision.explanation import wanted_score
from appliance.events import PersonUndecided, StrangerSeen, SubjectIdentified

JARGON = re.compile(
    r"threshold|score|margin|embedding|subject|gallery|cosine|dlib|sface|fpir|fnmr|encounter|[+-]?\d\.\d{2}",
    re.IGNORECASE,
)
LAST = {
    event.encounter: event
    for event in decided.events("Ann", "Ben")
    if isinstance(event, SubjectIdentified | StrangerSeen | PersonUndecided)
}
"""By the rule that the encounter's last decision came out by."""

HEADLINES = {
    "score_and_margin": "It was Ann.",
    "below_threshold": "It was a stranger.",
    "empty_gallery": "It was a stranger: nobody is enrolled yet.",
    "near_threshold": "It might be Ann, or a stranger.",
    "stricter_person": "It might be Ann, or a stranger.",
    "look_alike": "It could be Ann or Ben.",
    "tie": "It could be Ann or Ben.",
    "contradicted": "It may not have been Ann after all.",
    "too_few_frames": "There was too little to see.",
    "repeats_confirmed": "It was a stranger.",
}


def tell(event: SubjectIdentified | StrangerSeen | PersonUndecided) -> Told:
    """As the page tells it; here people's ids are their names."""
    verdict, _ = verdict_of(event) or pytest.fail("no decision")
    return told(event.facts, verdict, event.grade, lambda who: who)


def test_every_rule_has_a_headline() -> None:
    """What was decided, by the rule that decided; no rule is left out."""
    assert set(RULES) <= set(HEADLINES)
    assert HEADLINES == {rule: tell(event).headline for rule, event in LAST.items()}


@pytest.mark.parametrize("rule", HEADLINES)
def test_no_jargon_and_no_figures(rule: str) -> None:
    """Sentences, each with an end, none of which needs a glossary."""
    said = tell(LAST[rule])

    assert [] == [text for text in (said.headline, *said.sentences) if JARGON.search(text)]
    assert all(text[0].isupper() and text.endswith(".") for text in said.sentences)


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ("score_and_margin", "Ben came second, far behind Ann."),
        ("score_and_margin", "Had the face looked much less like Ann, it would have been left open."),
        ("near_threshold", "Had the face looked a hair more like Ann, Ann would have been greeted."),
        (
            "stricter_person",
            (
                "The face looked enough like Ann for most people, but Ann is to be recognised 10 times as"
                " strictly."
            ),
        ),
        ("tie", "Ann and Ben looked exactly equally alike."),
        ("contradicted", "Without the earlier greeting, it would have been a stranger."),
        ("too_few_frames", "With one more good picture, it would have been a stranger."),
        ("below_threshold", "With still more, Ann would have been greeted."),
        ("empty_gallery", "Where nobody is enrolled, everybody is a stranger."),
        (
            "below_threshold",
            "The door is set so that about one stranger in 1,000 is taken for one of the 2 people enrolled.",
        ),
    ],
)
def test_why_and_what_would_have_changed_it(rule: str, sentence: str) -> None:
    """Who was nearest and second, what was missing, how strict the door is."""
    assert sentence in tell(LAST[rule]).sentences


@pytest.mark.parametrize("rule", HEADLINES)
def test_the_line_of_likeness(rule: str) -> None:
    """What was asked for is in the middle: who reached it stands on its right."""
    event = LAST[rule]
    said = tell(event)
    best = event.facts.candidates[0] if event.facts.candidates else None

    assert (best is None) == (said.nearest is None)
    if best is not None and said.nearest is not None:
        assert best.subject == said.nearest.subject
        assert (best.score >= wanted_score(event.facts)) == (said.nearest.place >= 0.5)
        assert said.second is None or said.second.place <= said.nearest.place


@given(score=st.floats(-3, 3), second=st.floats(-3, 3))
def test_any_scores_stay_on_the_line(score: float, second: float) -> None:
    """From 0 to 1, whatever was compared."""
    event = LAST["score_and_margin"]
    first, other = event.facts.candidates[:2]
    changed = event.facts.model_copy(
        update={
            "candidates": (
                first.model_copy(update={"score": score}),
                other.model_copy(update={"score": second}),
            )
        }
    )
    said = tell(event.model_copy(update={"facts": changed}))

    assert said.nearest is not None
    assert said.second is not None
    assert all(0 <= each.place <= 1 for each in (said.nearest, said.second))
