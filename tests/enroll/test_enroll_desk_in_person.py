"""Enrolling with a token: nobody for whom a lock may open, and nobody is taken for such a one by it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from desks import CONSENT, Asking, desk_of, enrolled
from people_vectors import looks

from appliance.errors import DeniedError
from appliance.services import Layout, Services, open_services
from appliance.settings import Settings
from appliance.store import Consent, NewReference
from enroll.consent import TEXT_VERSION

OPENING = {**CONSENT, "purposes": ["identify", "unlock"]}


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    """A box, opened as the desk opens it."""
    with open_services(Settings(), Layout(tmp_path / "box"), create=True) as opened:
        yield opened


@pytest.fixture
def ask(services: Services) -> Asking:
    """An admin at its desk."""
    return desk_of(services.store)


@pytest.fixture
def ann(services: Services) -> str:
    """Ann, who agreed to doors being unlocked for her, and of whom it is asked to be twice as sure."""
    reference = NewReference(looks(0), 80.0, {"origin": "webcam"})
    consent = Consent(("identify", "unlock"), TEXT_VERSION, "signed form")
    made = services.store.add_subject("Ann", consent=consent, references=[reference]).id
    services.store.set_strictness(made, 2.0)
    return str(made)


@pytest.fixture
def eve(ask: Asking) -> str:
    """Eve, enrolled with a token, for whom nothing opens."""
    return str(enrolled(ask.as_("enrolling token"), "Eve", "180"))


def state(services: Services) -> list[Any]:
    """Everybody, with what they agreed to and how many pictures they have."""
    return [
        (each.name, each.state, sorted(each.purposes), each.references, each.strictness)
        for each in services.store.subjects()
    ]


def test_a_token_says_of_nobody_that_a_door_may_open_for_them(
    ask: Asking, services: Services, ann: str, eve: str
) -> None:
    """Neither of somebody new nor of somebody enrolled; an admin who is signed in does."""
    token, before = ask.as_("enrolling token"), state(services)
    for operation, arguments in (
        ("enrol.begin", {"name": "Mallory", "consent": OPENING}),
        ("enrol.begin", {"to": eve, "consent": OPENING}),
        ("people.give_consent", {"person": eve, **OPENING, "purposes": ["unlock"]}),
    ):
        with pytest.raises(DeniedError, match="not a program"):
            token(operation, **arguments)
    after = state(services)
    token("people.give_consent", person=eve, **{**CONSENT, "purposes": ["song"]})
    ask("people.give_consent", person=eve, **{**OPENING, "purposes": ["unlock"]})

    assert ann
    assert before == after
    assert {"unlock", "song"} < set(ask("people.show", person=eve)["purposes"])


def test_a_token_makes_nobody_look_like_who_a_door_opens_for(
    ask: Asking, services: Services, ann: str, eve: str
) -> None:
    """No pictures of others to theirs, no merging with others, nothing that makes it easier to be them."""
    token = ask.as_("enrolling token")
    draft = token("enrol.begin", name="Mallory", consent=CONSENT)["draft"]
    token("people.pause", person=ann)
    before = state(services)
    for operation, arguments in (
        ("enrol.begin", {"to": ann}),
        ("enrol.add_to", {"draft": draft, "person": ann}),
        ("people.merge", {"keep": ann, "other": eve}),
        ("people.merge", {"keep": eve, "other": ann}),
        ("people.resume", {"person": ann}),
        ("people.strictness", {"person": ann, "factor": 1.5}),
    ):
        with pytest.raises(DeniedError, match="not a program"):
            token(operation, **arguments)
    after = state(services)
    token("people.strictness", person=ann, factor=4.0)
    ask("people.resume", person=ann)

    assert before == after
    assert 4.0 == ask("people.show", person=ann)["strictness"]


def test_who_agrees_while_a_token_enrols_them_gets_no_pictures_by_it(
    ask: Asking, services: Services, eve: str
) -> None:
    """What was begun before is asked about again when it is kept."""
    token = ask.as_("enrolling token")
    draft = token("enrol.begin", to=eve)["draft"]
    token("enrol.judge", draft=draft, blob=b"200")
    ask("people.give_consent", person=eve, **{**OPENING, "purposes": ["unlock"]})
    before = state(services)
    with pytest.raises(DeniedError, match="not a program"):
        token("enrol.commit", draft=draft)

    assert before == state(services)
