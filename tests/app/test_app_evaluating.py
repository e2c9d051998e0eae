"""Evaluating: the appliance's comparison, thresholds and rule on people whose error rates are known."""

import json
from dataclasses import replace

import numpy as np
import pytest
from synthetic_people import photographs, true_fnir, true_fpir

from appliance.app.embedded_folder import EmbeddedFolder
from appliance.app.error_tables import read_tables
from appliance.app.evaluating import COMPOSITIONS, Evaluation, Plan, draw, measure, steps
from appliance.errors import InputError
from appliance.settings import RecognitionSettings
from appliance.values import DLIB, DLIB_MIRROR, SFACE

ALIKE = (8.0, 5.0)
DIMENSIONS = 48
"""On this sphere, about one stranger in a hundred reaches SFace's threshold for an FPIR of 1 % at N = 20."""


def folder(people: int, *, alike: tuple[float, float] = ALIKE, seed: int = 1) -> EmbeddedFolder:
    """People as directions, the same under every model."""
    vectors, _ = photographs(people, dimensions=DIMENSIONS, alike=alike, seed=seed)
    return EmbeddedFolder(
        people=people,
        files=2 * people,
        owner=np.repeat(np.arange(people), 2),
        quality=np.full(2 * people, 80.0),
        embeddings=dict.fromkeys((DLIB, DLIB_MIRROR, SFACE), vectors),
        several_faces=0,
        refused=(),
    )


def evaluated(photos: EmbeddedFolder, plan: Plan) -> Evaluation:
    """With the tables and settings that come with the program."""
    return measure(
        photos, read_tables(), RecognitionSettings(), plan, date="2026-01-05", models={"sface": "2209"}
    )


@pytest.fixture(scope="module")
def known() -> Evaluation:
    """400 people, 20 of them enrolled."""
    return evaluated(folder(400), Plan(enrolled=20, strangers=380, rounds=20, replicates=200))


def cosine(composition: str, threshold: float) -> float:
    """The cosine at which unit vectors reach a composition's threshold.

    Their distance d is sqrt(2 - 2 cos); for `fused`, cos - d / 2 grows with cos: found by halving.
    """
    if composition == "sface":
        return threshold
    if composition != "fused":
        return 1 - threshold**2 / 2
    low, high = -1.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if middle - np.sqrt(2 - 2 * middle) / 2 < threshold else (low, middle)
    return low


@pytest.mark.parametrize("composition", COMPOSITIONS)
def test_rates_at_the_appliances_threshold_are_the_true_ones(composition: str, known: Evaluation) -> None:
    """Through gallery, composition and tables: both intervals hold what the geometry says."""
    [row] = [row for row in known.report.rows if row.composition == composition]
    at = cosine(composition, row.threshold)

    assert row.fpir.holds(true_fpir(at, dimensions=DIMENSIONS, enrolled=20)), row
    assert row.fnir.holds(true_fnir(at, dimensions=DIMENSIONS, enrolled=20, alike=ALIKE)), row


def test_the_threshold_measured_keeps_the_wanted_rate(known: Evaluation) -> None:
    """And a higher threshold misses more of the enrolled."""
    for row in known.report.rows:
        searches = known.searches[row.composition, row.references, row.probes]
        assert row.measured_threshold is not None
        assert row.measured_fnir is not None
        assert searches.false_positives(row.measured_threshold).mean() <= 0.01
        stricter = row.measured_threshold > row.threshold
        assert (
            row.measured_fnir.count >= row.fnir.count
            if stricter
            else row.measured_fnir.count <= row.fnir.count
        )


def test_the_rule_names_whoever_reaches_threshold_and_margin(known: Evaluation) -> None:
    """With nobody near anybody, verdicts follow from the threshold: named are those not missed."""
    report = known.report
    for said in report.verdicts:
        total = said.named.count + said.undecided.count + said.stranger.count + said.wrong.count
        others = said.strangers_named.count + said.strangers_undecided.count + said.strangers_stranger.count
        assert (20 * report.verdict_rounds, 380 * report.verdict_rounds) == (total, others)
    plain = RecognitionSettings(margin=0, stranger_band=0)
    photos = folder(60)
    plan = Plan(enrolled=20, strangers=40, rounds=4, replicates=50)
    found = measure(photos, read_tables(), plain, plan, date="", models={})
    for row, said in zip(found.report.rows, found.report.verdicts, strict=True):
        assert row.fnir.count == said.undecided.count + said.stranger.count + said.wrong.count
        assert row.fpir.count == said.strangers_named.count
        assert 0 == said.undecided.count


def test_the_same_plan_gives_the_same_report() -> None:
    """To the last digit; another seed another one."""
    photos, plan = folder(40), Plan(rounds=3, replicates=50)
    first = evaluated(photos, plan)

    assert first.report == evaluated(photos, plan).report
    assert first.report.rows != evaluated(photos, replace(plan, seed=2)).report.rows


def test_half_the_people_are_enrolled_unless_said_otherwise() -> None:
    """And the others are strangers; people with one photo are only ever that."""
    photos = folder(9)
    single = replace(photos, owner=np.array([0, 0, 1, 1, 2, 2, *range(3, 15)]))

    assert (4, 5) == sizes(evaluated(photos, Plan(rounds=1)))
    assert (3, 12) == sizes(evaluated(single, Plan(rounds=1)))
    assert (2, 1) == sizes(evaluated(photos, Plan(enrolled=2, strangers=1, rounds=1)))


def sizes(found: Evaluation) -> tuple[int, int]:
    """N and M."""
    return found.report.enrolled, found.report.strangers


def test_more_people_than_there_are_cannot_be_asked_for() -> None:
    """Neither enrolled nor strangers; the hint says how many there are."""
    photos = folder(5)
    for plan, hint in ((Plan(enrolled=6), "--people 5"), (Plan(enrolled=3, strangers=3), "--strangers 2")):
        with pytest.raises(InputError) as refused:
            evaluated(photos, plan)
        assert hint in refused.value.advice


def test_somebody_needs_two_photos() -> None:
    """One to be enrolled by and one to be searched by."""
    photos = folder(3)
    with pytest.raises(InputError, match="nobody has two usable photos"):
        evaluated(replace(photos, owner=np.arange(6)), Plan())


def test_without_strangers_only_misses_are_measured_and_nothing_is_drawn() -> None:
    """No FPIR, no threshold of its own, no curve."""
    found = evaluated(folder(6), Plan(enrolled=6, rounds=2, replicates=50))

    assert {"not measured"} == {row.agreement(0.01) for row in found.report.rows}
    assert {None} == {row.measured_threshold for row in found.report.rows}
    assert None is draw(found)


def test_one_person_can_be_enrolled() -> None:
    """N = 1: there is no second to lead, and no division by it."""
    found = evaluated(folder(4, alike=(60.0, 2.0)), Plan(enrolled=1, rounds=4, replicates=50))

    assert 4 == len(found.report.rows)
    assert {0} == {row.fnir.count for row in found.report.rows if row.composition == "sface"}


def test_every_step_is_told_whatever_is_possible() -> None:
    """The bar reaches its end with two photos a person as with six."""
    told: list[None] = []
    photos = folder(6)
    measure(
        photos,
        read_tables(),
        RecognitionSettings(),
        Plan(rounds=1),
        date="",
        models={},
        tell=lambda: told.append(None),
    )

    assert steps() == len(told)


def test_the_plot_shows_the_fewest_photos_and_the_most(known: Evaluation) -> None:
    """Of combinations that were measured for the tables; with two photos a person there is one panel."""
    drawn = draw(known)

    assert drawn is not None
    width = int.from_bytes(drawn[0][16:20], "big")
    six = replace(folder(8), owner=np.array([0] * 4 + [1] * 4 + [2] * 4 + [3] * 4))
    both = draw(evaluated(six, Plan(rounds=2, replicates=50)))
    assert both is not None
    assert int.from_bytes(both[0][16:20], "big") > width


def test_a_report_holds_counts_and_no_embedding(known: Evaluation) -> None:
    """Nothing in its JSON is longer than a handful of numbers."""
    from appliance.evaluation.report import as_json  # noqa: PLC0415 - only here

    lists: list[int] = []

    def walk(value: object) -> None:
        if isinstance(value, dict):
            for each in value.values():
                walk(each)
        elif isinstance(value, list):
            lists.append(len(value))
            for each in value:
                walk(each)

    walk(json.loads(json.dumps(as_json(known.report))))

    assert max(lists) <= 4 * 5
