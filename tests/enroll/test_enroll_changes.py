"""`appliance enroll rename|pause|resume|withdraw|remove…`: what changes or ends an enrolment."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stores
from commands import Ended, call, run

from appliance.app.embedding import ENROLLED_MODELS
from appliance.events import Personal
from appliance.services import Layout, Services, open_services
from appliance.settings import Settings
from appliance.store import Consent, Erased, NewEvent, NewReference


@pytest.fixture
def ann(tmp_path: Path) -> tuple[Path, str]:
    """A state directory in which Ann is enrolled with two references and two consents; and her id."""
    state = tmp_path / "box"
    with open_services(Settings(), Layout(state), create=True) as services:
        subject = services.store.add_subject("Ann", consent=stores.AGREED).id
        services.store.give_consent(subject, Consent(("song",), "2026-01", "by mail"))
        for _ in range(2):
            services.store.add_reference(subject, stores.face(), quality=80.0, details={})
    (state / "appliance.toml").write_text('site = "test"\n', encoding="utf-8")
    return state, str(subject)


@pytest.fixture
def services(ann: tuple[Path, str]) -> Iterator[Services]:
    """A look behind, as the running loop has it."""
    with open_services(Settings(), Layout(ann[0])) as opened:
        yield opened


def enrol(state: Path, *arguments: object) -> Ended:
    """A command on that box."""
    return call("--state", state, "enroll", *arguments)


def said(state: Path, *arguments: object) -> Any:
    """What it says with --json, which is all it says."""
    done = enrol(state, *arguments, "--json")
    assert (0, "") == (done.code, done.err)
    return json.loads(done.out)


def changed(state: Path, *arguments: object) -> Any:
    """What a change says of itself; what it says of the gallery is left out."""
    told = said(state, *arguments)
    del told["safety"]
    return told


def types(services: Services) -> list[str]:
    """What the log says, oldest first."""
    return [stored.type for stored in services.store.events()]


def test_somebody_is_renamed(ann: tuple[Path, str], services: Services) -> None:
    """By id, with initials made from the new name or given; the log knows of it and holds no name."""
    state, subject = ann
    told = said(state, "rename", "Ann", "Ann Other")
    words = enrol(state, "rename", subject[:13], "Ann Third", "--initials", "X")

    assert {"subject": subject, "name": "Ann Other", "initials": "AO"} == told
    assert (0, f"{subject} is now Ann Third (X)\n", "") == tuple(vars(words).values())
    assert ("Ann Third", "X") == (
        services.store.subject(subject).name,
        services.store.subject(subject).initials,
    )
    assert 2 == types(services).count("subject_renamed")
    assert 11 == enrol(state, "rename", "Ann Third", " ").refusal[0]


def test_a_namesake_is_asked_about(ann: tuple[Path, str], services: Services) -> None:
    """Two people get one name when that was said; one's own name again is no question."""
    state, subject = ann
    other = services.store.add_subject("Ben", consent=Consent(("identify",), "1", "test")).id
    refused = enrol(state, "rename", "Ben", "Ann")
    same = enrol(state, "rename", subject, "Ann")
    meant = enrol(state, "rename", "Ben", "Ann", "--namesake")

    assert 11 == refused.refusal[0]
    assert "--namesake" in refused.err
    assert (0, 0) == (same.code, meant.code)
    assert "Ann" == services.store.subject(other).name


def test_somebody_has_an_alias_until_it_is_taken_away(ann: tuple[Path, str], services: Services) -> None:
    """Said by the command, shown with the person; without a word it is none again."""
    state, subject = ann
    given = said(state, "alias", "Ann", "Captain")
    shown = enrol(state, "show", "Ann").out
    words = enrol(state, "alias", "Ann", "Boss")
    none = said(state, "alias", "Ann")

    assert {"subject": subject, "name": "Ann", "alias": "Captain"} == given
    assert "alias Captain" in shown
    assert (0, "Ann has the alias Boss\n", "") == tuple(vars(words).values())
    assert none["alias"] is None
    assert services.store.subject(subject).alias is None
    assert 11 == enrol(state, "alias", "Ann", "x" * 25).refusal[0]


def test_somebody_paused_is_out_of_the_gallery_until_resumed(
    ann: tuple[Path, str], services: Services
) -> None:
    """They stay enrolled, references and all; doing it twice is doing it once."""
    state, subject = ann
    models = tuple(stores.face())
    before = len(services.store.gallery(models).rows)
    paused = [changed(state, "pause", "Ann") for _ in range(2)]
    meanwhile = services.store.gallery(models).rows
    resumed = [changed(state, "resume", "Ann") for _ in range(2)]

    assert [{"subject": subject, "state": "paused"}] * 2 == paused
    assert () == tuple(meanwhile)
    assert [{"subject": subject, "state": "active"}] * 2 == resumed
    assert before == len(services.store.gallery(models).rows) > 0
    assert ["subject_paused", "subject_resumed"] == types(services)[-2:]


def test_a_consent_withdrawn_takes_templates_name_and_key_with_it(
    ann: tuple[Path, str], services: Services
) -> None:
    """As the text promises that people agreed to; the command says what was deleted, the log that it was."""
    state, subject = ann
    note = services.store.append_all([NewEvent(stores.OPENED, Personal(subject=subject, payload={"n": 1}))])[
        0
    ]
    told = changed(state, "withdraw", "Ann", "--yes")

    assert {
        "subject": subject,
        "consents_withdrawn": 2,
        "references_deleted": 2,
        "key_destroyed": True,
        "write_ahead_log_emptied": True,
    } == told
    assert [] == services.store.subjects()
    assert isinstance(services.store.personal(note), Erased)
    assert 2 == types(services).count("consent_withdrawn")
    assert 2 == types(services).count("reference_removed")
    assert "subject_removed" == types(services)[-1]
    assert services.store.verify().last == len(types(services))


def test_one_consent_among_others_can_be_withdrawn(ann: tuple[Path, str], services: Services) -> None:
    """What the others cover goes on, unless it was the last one to being recognised."""
    state, subject = ann
    by_purpose = {each.purposes: each.id for each in services.store.consents(subject)}
    song = changed(state, "withdraw", "Ann", "--consent", by_purpose[("song",)], "--yes")
    again = enrol(state, "withdraw", "Ann", "--consent", by_purpose[("song",)], "--yes")
    kept = services.store.subject(subject)
    last = changed(state, "withdraw", "Ann", "--consent", by_purpose[("identify",)], "--yes")

    assert (1, 0, False, True) == tuple(song.values())[1:]
    assert 11 == again.refusal[0]
    assert (("identify",), 2) == (kept.purposes, kept.references)
    assert (1, 2, True, True) == tuple(last.values())[1:]
    assert [] == services.store.subjects()


@pytest.mark.parametrize("command", ["withdraw", "remove"])
def test_without_an_answer_nobody_is_erased(ann: tuple[Path, str], services: Services, command: str) -> None:
    """Standard input at its end is no yes, and the question is not mixed with the answer."""
    done = run("--state", ann[0], "enroll", command, "Ann", "--json")

    assert (130, "") == (done.code, done.out)
    assert "Traceback" not in done.err
    assert [2] == [subject.references for subject in services.store.subjects()]


def test_a_removal_says_what_it_deleted(ann: tuple[Path, str], services: Services) -> None:
    """With --json by stable names."""
    state, subject = ann

    told = changed(state, "remove", "Ann", "--yes")

    assert {
        "subject": subject,
        "references_deleted": 2,
        "key_destroyed": True,
        "write_ahead_log_emptied": True,
    } == told
    assert [] == services.store.subjects()


def test_one_reference_is_removed(ann: tuple[Path, str], services: Services) -> None:
    """By its id or the beginning of it; with the last one the command says what follows."""
    state, subject = ann
    first, second = (reference.id for reference in services.store.references(subject))
    told = changed(state, "remove-reference", first, "--yes")
    words = enrol(state, "remove-reference", second[:30], "--yes")

    assert {
        "subject": subject,
        "reference": first,
        "references": 1,
        "write_ahead_log_emptied": True,
    } == told
    assert "Ann has 0 reference(s) left and is not recognised" in words.out
    assert [] == services.store.references(subject)
    assert 6 == enrol(state, "remove-reference", first, "--yes").refusal[0]


def test_a_beginning_that_two_references_have_names_none(ann: tuple[Path, str], services: Services) -> None:
    """Both were made in the same moment, and ids begin with the time."""
    first = services.store.references(ann[1])[0].id

    assert 6 == enrol(ann[0], "remove-reference", first[:8], "--yes").refusal[0]
    assert 2 == len(services.store.references(ann[1]))


@pytest.mark.parametrize("command", ["rename", "pause", "resume", "withdraw"])
def test_nobody_is_nobody(ann: tuple[Path, str], command: str) -> None:
    """An unknown person is one sentence, whatever is asked."""
    more = ("Name",) if command == "rename" else ()

    assert 6 == enrol(ann[0], command, "Bob", *more).refusal[0]


@pytest.mark.parametrize(
    ("arguments", "people", "references"),
    [
        (("pause", "Ann"), 1, 1),
        (("resume", "Ben"), 2, 3),
        (("withdraw", "Ann", "--yes"), 1, 1),
        (("remove", "Ann", "--yes"), 1, 1),
        (("remove-reference", "FIRST", "--yes"), 2, 2),
    ],
)
def test_after_each_change_it_is_said_how_safe_the_gallery_is(
    ann: tuple[Path, str], services: Services, arguments: tuple[str, ...], people: int, references: int
) -> None:
    """Of who is in it now, in words and in JSON: fewer people, a lower threshold, fewer missed."""
    state, subject = ann
    ben = NewReference(stores.face(0.5, models=ENROLLED_MODELS), 80)
    services.store.add_subject("Ben", consent=stores.AGREED, references=[ben])
    first, second = services.store.references(subject)
    for reference in (first, second):
        services.store.remove_reference(reference.id)
    added = [NewReference(stores.face(value, models=ENROLLED_MODELS), 80) for value in (0.1, 0.2)]
    chosen = services.store.add_references(subject, added)[0]
    shutil.copytree(state, state.with_name("again"))
    words = [chosen if each == "FIRST" else each for each in arguments]
    safety = said(state, *words)["safety"]

    assert (people, references, 0.001) == (safety["people"], safety["references"], safety["fpir"])
    shown = enrol(state.with_name("again"), *words)
    plural = "people" if people > 1 else "person"
    assert f"with {people} {plural} and {references} picture" in shown.out
