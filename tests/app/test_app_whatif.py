"""Past decisions concluded again: reproduced exactly, or at another setting."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import decided
import pytest
import stores
from captures import NOW
from decided import LOW, NEAR, SURE, TABLES

from appliance.app.whatif import Difference, Unread, WhatIf, what_if
from appliance.decision import Changes, ErrorTables, GradedDecision, Obstacle, recompute
from appliance.services import Services
from appliance.settings import RecognitionSettings
from appliance.store import NewEvent, Store, sqlite_url
from appliance.values import Verdict

ANN, BEN = "ann", "ben"


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Store]:
    """A log of its own."""
    with stores.store(sqlite_url(tmp_path / "log.db")) as opened:
        yield opened


def asked(log: Store, changes: Changes = Changes(), **options: Any) -> tuple[WhatIf, list[Difference]]:  # noqa: B008 - frozen
    """What would differ."""
    found: list[Difference] = []
    return what_if(log, options.pop("tables", TABLES), changes, differs=found.append, **options), found


def keep(log: Store, *encounters: tuple[str, list[Any]]) -> None:
    """Log these encounters, a minute apart."""
    for i, (name, decisions) in enumerate(encounters):
        at = NOW + timedelta(minutes=i)
        log.append_all([NewEvent(decided.event_of(decision, name), at=at) for decision in decisions])


def course(*scores: tuple[float, float]) -> list[Any]:
    """An encounter at ten frames a second, scored for Ann and Ben."""
    return decided.stay([(i / 10, {ANN: ann, BEN: ben}) for i, (ann, ben) in enumerate(scores)])


def test_decisions_by_every_rule_are_reproduced_exactly(log: Store) -> None:
    """Through the database and back, with every rule among them, not a digit differs."""
    made = decided.events(ANN, BEN)
    log.append_all([NewEvent(stores.OPENED), *map(NewEvent, made), NewEvent(stores.SHUT)])
    found, differing = asked(log)

    assert [] == differing
    assert len(made) == found.decisions == found.examined == sum(found.was.values())
    assert found.was == found.would
    assert {} == dict(found.obstacles)


def test_a_changed_digit_is_found(log: Store, tmp_path: Path) -> None:
    """A stored score was changed by one unit of the last digit: that decision is named, and what of it."""
    log.append_all([NewEvent(event) for event in decided.events(ANN, BEN)])
    place = next(stored.position for stored in log.events(types=("stranger_seen",)))
    stores.sql(
        sqlite_url(tmp_path / "log.db"),
        "UPDATE events SET body = replace(body, '\"score\":-0.5,', '\"score\":-0.500001,')"
        " WHERE position = :place",
        place=place,
    )
    found, differing = asked(log)

    assert [place] == [each.position for each in differing]
    assert {"score", "candidates"} >= set(differing[0].fields) > set()
    assert 1 == found.differing == found.differing_encounters


def test_a_stricter_wish_names_fewer(log: Store) -> None:
    """Ann just over the threshold is undecided at a tenth of the rate; Ben far over it stays Ben."""
    keep(log, ("a", course((0.08, LOW))), ("b", course((LOW, SURE))))
    found, differing = asked(log, Changes(fpir=0.0001))

    assert [("a", "greeting"), ("a", "final")] == [(each.encounter, each.grade.value) for each in differing]
    assert {("identified", "undecided")} == {
        (each.was.verdict.value, each.would.verdict.value) for each in differing
    }
    assert differing[0].would.facts.threshold > differing[0].was.facts.threshold
    assert (4, 2, 2, 1) == (
        found.was[Verdict.IDENTIFIED],
        found.would[Verdict.IDENTIFIED],
        found.encounters,
        1,
    )
    assert {(Verdict.IDENTIFIED, Verdict.UNDECIDED): 2} == dict(found.turned)


def test_who_would_not_have_been_greeted_is_no_contradiction_later(log: Store) -> None:
    """At a threshold that Ann never reaches, the end is a stranger, not a contradicted greeting."""
    keep(log, ("a", course((SURE, LOW), (SURE, LOW), (SURE, LOW))))
    _, differing = asked(log, Changes(threshold=0.9))

    assert [
        ("greeting", "too_few_frames"),
        ("confirmed", "below_threshold"),
        ("final", "below_threshold"),
    ] == [(each.grade.value, each.would.facts.rule) for each in differing]


def test_a_greeting_that_stands_still_contradicts(log: Store) -> None:
    """A lower margin changes nothing about somebody greeted as Ann and then like nobody."""
    keep(log, ("a", course((0.2, LOW), (LOW, LOW), (LOW, LOW))))
    found, differing = asked(log, Changes(margin=0.0))

    assert [] == differing
    assert 2 == found.examined


def test_what_would_have_been_confirmed_the_end_repeats(log: Store) -> None:
    """A stranger confirmed at once, near at the end: with a wider band the end is no longer repeated."""
    repeating = decided.encounters(ANN, BEN)["repeats_confirmed"]
    keep(log, ("r", repeating))
    _, narrower = asked(log, Changes(stranger_band=0.03))
    _, wider = asked(log, Changes(stranger_band=0.7))

    assert [] == narrower
    assert [("confirmed", "undecided"), ("final", "undecided")] == [
        (each.grade.value, each.would.verdict.value) for each in wider
    ]


def test_the_end_repeats_what_would_have_been_confirmed(log: Store) -> None:
    """With a band the end would be undecided by itself, but the stranger stays confirmed: no difference."""
    decisions = decided.stay(
        [(i / 10, {ANN: LOW, BEN: LOW}) for i in range(3)]
        + [(2.0 + 1.2 * i, {ANN: 0.22, BEN: LOW}) for i in range(5)],
        qualities=(40, 40, 40, 100, 100, 100, 100, 100),
        recognition=RecognitionSettings(stranger_band=0.0),
    )
    keep(log, ("r", decisions))
    confirmed, final = decisions
    changes = Changes(stranger_band=0.04)
    alone = recompute(final.conclusion.facts, final.grade, TABLES, changes)

    assert not final.conclusion.facts.repeats_confirmed
    assert (Verdict.STRANGER, Verdict.STRANGER, Verdict.UNDECIDED) == (
        confirmed.conclusion.verdict,
        final.conclusion.verdict,
        alone.verdict,
    )
    assert [] == asked(log, changes)[1]


def test_only_the_time_asked_for_is_looked_at(log: Store) -> None:
    """From a minute on, and before another."""
    keep(log, *((str(i), course((SURE, LOW))) for i in range(4)))
    later, earlier = NOW + timedelta(minutes=1), NOW + timedelta(minutes=3)

    assert [8, 6, 6, 4] == [
        asked(log, since=since, until=until)[0].decisions
        for since, until in ((None, None), (later, None), (None, earlier), (later, earlier))
    ]


def test_what_cannot_be_recomputed_is_counted_by_its_reason(log: Store, tmp_path: Path) -> None:
    """No frames, an old policy, a model that was not compared, a dropped and an unreadable body."""
    keep(log, ("a", course((SURE, LOW))[:1]))
    log.append(stores.identified())
    old = decided.event_of(course((SURE, LOW))[0], "old")
    facts = old.facts.model_copy(update={"policy_version": 1})  # type: ignore[attr-defined]
    log.append(old.model_copy(update={"facts": facts}))
    for _ in range(2):
        log.append(old)
    address = sqlite_url(tmp_path / "log.db")
    stores.sql(address, "UPDATE events SET body = NULL WHERE position = 4")
    stores.sql(address, "UPDATE events SET body = '{}' WHERE position = 5")
    plain, _ = asked(log)
    dlib, _ = asked(log, Changes(composition="dlib"))

    hindered = {Obstacle.NO_FRAMES: 1, Obstacle.OLD_POLICY: 1, Unread.DROPPED: 1, Unread.UNREADABLE: 1}
    assert (5, 1, hindered) == (plain.decisions, plain.examined, dict(plain.obstacles))
    assert (0, hindered | {Obstacle.MODEL_NOT_STORED: 1}) == (dlib.examined, dict(dlib.obstacles))


def test_other_tables_are_counted_when_asked_what_if(log: Store) -> None:
    """Today's tables answer; how many decisions others had made is said."""
    keep(log, ("a", course((SURE, LOW))))
    newer = ErrorTables({("fused", 1, 1): ((0.01, 0.0, 0.0), (0.00001, 0.1, 0.0))})
    plain, _ = asked(log, tables=newer)
    changed, _ = asked(log, Changes(margin=0.1), tables=newer)

    assert (0, {Obstacle.OTHER_TABLES: 2}) == (plain.examined, dict(plain.obstacles))
    assert (2, 2) == (changed.examined, changed.other_tables)


def test_more_than_one_batch_is_read(services: Services) -> None:
    """Each event once, whatever its place; progress is told for each."""
    event = decided.event_of(course((SURE, LOW))[0], "a")
    services.store.append_all([NewEvent(event)] * 1203)
    told: list[int] = []
    found, differing = asked(services.store, tell=told.append)

    assert (1203, 1203, []) == (found.decisions, found.examined, differing)
    assert list(range(1, 1204)) == told
    assert 1 == found.encounters


def as_seen_by(models: dict[str, dict[str, float]], decision: GradedDecision) -> GradedDecision:
    """The decision with these scores in each of its frames, person → model → score."""
    facts = decision.conclusion.facts
    frames = tuple(frame.model_copy(update={"scores": models}) for frame in facts.frames)
    return replace(
        decision,
        conclusion=replace(decision.conclusion, facts=facts.model_copy(update={"frames": frames})),
    )


BEN_BY_DLIB = {ANN: {"sface": 0.9, "dlib-mirror": -0.7}, BEN: {"sface": 0.5, "dlib-mirror": -0.2}}
"""Ann by SFace, and with both; Ben by dlib alone."""


def test_somebody_else_would_be_greeted_confirmed_and_final(log: Store) -> None:
    """Under another composition another leads from the first frame: nothing contradicts that greeting."""
    decisions = course((SURE, LOW), (SURE, LOW), (SURE, LOW))
    keep(log, ("a", [as_seen_by(BEN_BY_DLIB, each) for each in decisions]))
    _, differing = asked(log, Changes(composition="dlib-mirror"))

    assert [
        ("greeting", ANN, BEN, "score_and_margin"),
        ("confirmed", ANN, BEN, "score_and_margin"),
        ("final", ANN, BEN, "score_and_margin"),
    ] == [
        (each.grade.value, each.was.subject, each.would.subject, each.would.facts.rule) for each in differing
    ]


def test_whoever_would_have_been_greeted_is_contradicted_by_who_was(log: Store) -> None:
    """Greeted as Ben and then, with the same settings, like Ann: one of the two would have been wrong."""
    greeting, confirmed, final = course((SURE, LOW), (SURE, LOW), (SURE, LOW))
    ann = {ANN: {"sface": 0.9, "dlib-mirror": -0.2}, BEN: {"sface": 0.5, "dlib-mirror": -0.9}}
    keep(log, ("a", [as_seen_by(BEN_BY_DLIB, greeting), as_seen_by(ann, confirmed), as_seen_by(ann, final)]))
    _, differing = asked(log, Changes(composition="dlib-mirror"))

    assert [(BEN, "score_and_margin", None), (None, "contradicted", BEN), (None, "contradicted", BEN)] == [
        (each.would.subject, each.would.facts.rule, each.would.facts.greeted) for each in differing
    ]


def test_a_lower_threshold_names_whoever_reaches_it(log: Store) -> None:
    """A stranger by the measured one would have been confirmed as Ann, who has no threshold of her own."""
    keep(
        log,
        (
            "a",
            decided.stay(
                [(i / 10, {ANN: NEAR, BEN: LOW}) for i in range(3)]
                + [(2.0 + 1.2 * i, {ANN: LOW, BEN: LOW}) for i in range(5)],
                qualities=(40, 40, 40, 100, 100, 100, 100, 100),
                recognition=RecognitionSettings(stranger_band=0.0),
            ),
        ),
    )
    _, differing = asked(log, Changes(threshold=NEAR - 0.01))

    assert [("confirmed", "stranger", ANN, "score_and_margin"), ("final", "stranger", ANN, "repeated")] == [
        (
            each.grade.value,
            each.was.verdict.value,
            each.would.subject,
            "repeated" if each.would.facts.repeats_confirmed else each.would.facts.rule,
        )
        for each in differing
    ]
