"""`appliance enroll merge`: two enrolments of one person, asked about and warned of."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stores
from commands import Ended, call, run
from people_vectors import looks

from appliance.services import Layout, Services, open_services
from appliance.settings import Settings
from appliance.store import Consent, NewReference


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    """A box with Ann, with Anne who is the same, with Ben who is not, and with Cem who has no picture."""
    state = tmp_path / "box"
    with open_services(Settings(), Layout(state), create=True) as opened:
        (state / "appliance.toml").write_text('site = "test"\n', encoding="utf-8")
        for name, angles in (("Ann", (0,)), ("Anne", (30, 50)), ("Ben", (180,)), ("Cem", ())):
            opened.store.add_subject(
                name, consent=stores.AGREED, references=[NewReference(looks(each), 80) for each in angles]
            )
        opened.store.give_consent(
            opened.store.subject("Anne").id, Consent(("identify", "song"), "2026-01", "by mail")
        )
        yield opened


@pytest.fixture
def box(services: Services, tmp_path: Path) -> Path:
    """Its state directory."""
    assert services.store.subjects()
    return tmp_path / "box"


def merge(box: Path, *arguments: object) -> Ended:
    """The command on that box."""
    return call("--state", box, "enroll", "merge", *arguments)


def told(done: Ended) -> dict[str, Any]:
    """What it says with --json."""
    assert 0 == done.code, done.err
    return json.loads(done.out)  # type: ignore[no-any-return]


def test_the_one_takes_over_what_the_other_had(services: Services, box: Path) -> None:
    """Pictures and consents; the other is gone; said with stable names."""
    ann, anne = (services.store.subject(name).id for name in ("Ann", "Anne"))
    done = merge(box, "Ann", "Anne", "--yes", "--json")
    said = told(done)

    assert "" == done.err
    assert (ann, anne, 2, 2, 3) == tuple(
        said[key] for key in ("subject", "merged", "references_moved", "consents_moved", "references")
    )
    assert (True, True, True) == (said["look_alike"], said["key_destroyed"], said["write_ahead_log_emptied"])
    assert said["score"] > said["threshold"]
    assert ["identify", "song"] == said["purposes"]
    assert (3, 2) == (said["safety"]["references"] - 1, said["safety"]["people"])
    assert {"Ann", "Ben", "Cem"} == {subject.name for subject in services.store.subjects()}
    assert 3 == services.store.subject("Ann").references


def test_two_who_do_not_look_alike_are_warned_of(services: Services, box: Path) -> None:
    """With the score, on standard error; --yes goes on, the JSON tells."""
    done = merge(box, "Ann", "Ben", "--yes", "--json")

    assert done.err.startswith("warning: they do not look alike: score ")
    assert told(done)["look_alike"] is False
    assert 2 == services.store.subject("Ann").references


def test_whether_they_look_alike_may_not_be_known(services: Services, box: Path) -> None:
    """One of them has no picture."""
    said = told(merge(box, "Ann", "Cem", "--yes", "--json"))

    assert (None, None, 0) == (said["look_alike"], said["score"], said["references_moved"])
    assert {"Ann", "Anne", "Ben"} == {subject.name for subject in services.store.subjects()}


def test_without_an_answer_nobody_is_merged(services: Services, box: Path) -> None:
    """The question says who is removed and what both agreed to; the end of standard input is no yes."""
    before = services.store.subjects()
    done = run("--state", box, "enroll", "merge", "Ann", "Anne")

    assert (130, "") == (done.code, done.out)
    assert "Anne (2 reference(s)) becomes part of Ann (1) and is removed" in done.err
    assert "together they agreed to: identify, song" in done.err
    assert before == services.store.subjects()


def test_the_question_does_not_promise_what_was_taken_back(services: Services, box: Path) -> None:
    """Ann took the song back after Anne had agreed to it: it is not what the two agree to together."""
    ann = services.store.subject("Ann").id
    services.store.give_consent(ann, Consent(("song",), "2026-01", "by mail"))
    song = next(each.id for each in services.store.consents(ann) if each.purposes == ("song",))
    services.store.withdraw_consent(ann, song)
    asked = run("--state", box, "enroll", "merge", "Anne", "Ann")
    said = told(merge(box, "Anne", "Ann", "--yes", "--json"))

    assert "together they agreed to: identify. Merge?" in asked.err
    assert ["identify"] == said["purposes"]


def test_words_for_people(services: Services, box: Path) -> None:
    """What became of it, and what the gallery risks now."""
    done = merge(box, "Ann", "Anne", "--yes")

    assert "Ann has 3 reference(s) now, 2 of them taken over; the other enrolment is removed\n" in done.out
    assert "with 2 people and 4 pictures" in done.out
    assert services.store.verify().last == len(services.store.events())


@pytest.mark.parametrize(
    ("two", "code"), [(("Ann", "Ann"), 11), (("Ann", "Nobody"), 6), (("Nobody", "Ann"), 6)]
)
def test_who_cannot_be_merged(services: Services, box: Path, two: tuple[str, str], code: int) -> None:
    """With themselves, or with nobody."""
    assert code == merge(box, *two, "--yes").refusal[0]
    assert 4 == len(services.store.subjects())
