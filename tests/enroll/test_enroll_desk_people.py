"""The desk's operations about people: what they answer, what they refuse, and that the commands agree."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stores
from commands import call
from desks import CONSENT, Asking, desk_of, enrolled
from people_vectors import looks

from appliance.errors import ApplianceError, DeniedError, EnrolmentError, FormError, UnknownSubjectError
from appliance.services import Layout, Services, open_services
from appliance.settings import Settings
from appliance.store import Consent, NewEvent, NewReference
from enroll.consent import PURPOSES, TEXT, TEXT_VERSION
from enroll.erasing import REMAINS


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    """A box, opened as the desk opens it."""
    with open_services(Settings(), Layout(tmp_path / "box"), create=True) as opened:
        (tmp_path / "box" / "appliance.toml").write_text('site = "test"\n', encoding="utf-8")
        yield opened


@pytest.fixture
def ask(services: Services) -> Asking:
    """An admin at its desk."""
    return desk_of(services.store)


@pytest.fixture
def ann(services: Services) -> str:
    """Ann, with three pictures; her id."""
    return str(
        services.store.add_subject(
            "Ann Example",
            consent=Consent(("identify", "greet"), TEXT_VERSION, "signed form"),
            references=[NewReference(looks(each), 80.0, {"origin": "webcam"}) for each in (0, 20, 40)],
        ).id
    )


def said(box: Services, *arguments: object) -> Any:
    """What the command says with --json."""
    done = call("--state", box.layout.state, "enroll", *arguments, "--json")
    assert (0, "") == (done.code, done.err)
    return json.loads(done.out)


def test_nobody_is_an_empty_list(ask: Asking) -> None:
    """And not an error: it is how every box begins."""
    assert {"people": [], "total": 0, "next": None} == ask("people.list")


def test_a_card_says_who_and_how_well_they_are_known(ask: Asking, ann: str) -> None:
    """Name, initials, state, references, the best quality, what was agreed to, and what would help."""
    enrolled(ask, "Ben", "180")
    first, second = ask("people.list")["people"]

    assert (ann, "Ann Example", "AE", None, "active", 3, 80, []) == tuple(
        first[key] for key in ("id", "name", "initials", "alias", "state", "references", "quality", "needs")
    )
    assert (["greet", "identify"], 1.0) == (first["purposes"], first["strictness"])
    assert ["one_reference"] == second["needs"]


def test_a_list_is_told_in_parts(ask: Asking) -> None:
    """Each answer is bounded and says where the next begins; together they are everybody, once."""
    for number in range(5):
        enrolled(ask, f"Person {number}", str(72 * number))
    found: list[str] = []
    after = None
    while True:
        page = ask("people.list", limit=2, **({"after": after} if after else {}))
        found += [each["name"] for each in page["people"]]
        after = page["next"]
        if after is None:
            break

    assert [f"Person {number}" for number in range(5)] == found
    assert 5 == page["total"]


def test_when_somebody_was_seen_is_told_only_if_they_agreed(
    ask: Asking, ann: str, services: Services
) -> None:
    """Attendance is private by default: the purpose `last_seen` is what shows it, until it is taken back."""
    services.store.append_all([NewEvent(stores.identified(ann))])
    before = ask("people.list")["people"][0]["last_seen"]
    ask("people.give_consent", person=ann, **{**CONSENT, "purposes": ["last_seen"]})
    agreed = ask("people.list")["people"][0]["last_seen"]
    shown = ask("people.show", person=ann)["last_seen"]
    ask("people.withdraw_consent", person=ann, purposes=["last_seen"])

    assert before is None
    assert agreed is not None
    assert agreed == shown == services.store.events(types=("subject_identified",))[0].at.isoformat()
    assert ask("people.list")["people"][0]["last_seen"] is None
    assert 3 == ask("people.show", person=ann)["references"]


def test_a_profile_says_what_the_command_says(ask: Asking, ann: str, services: Services) -> None:
    """The same JSON under the same names, and beside it what only a page shows."""
    by_command = said(services, "show", "Ann Example")
    shown = ask("people.show", person=ann)

    assert by_command == {
        **{key: shown[key] for key in by_command if key != "reference_list"},
        "reference_list": [
            {key: each[key] for key in by_command["reference_list"][0]} for each in shown["reference_list"]
        ],
    }
    assert ["webcam"] * 3 == [each["origin"] for each in shown["reference_list"]]
    assert list(REMAINS) == shown["remains"]
    assert PURPOSES == shown["purpose_words"]


def test_how_somebody_agreed_is_for_who_enrols(ask: Asking, ann: str) -> None:
    """Where a form lies and who was there is no viewer's business; to what and when somebody agreed is."""
    (kept,), (shown,) = (
        ask("people.show", person=ann)["consents"],
        ask.as_("viewer")("people.show", person=ann)["consents"],
    )

    assert "signed form" == kept["given_by"]
    assert {**kept, "given_by": None} == shown


def test_a_profile_names_who_looks_alike(ask: Asking, ann: str) -> None:
    """From either side, and only those whom it concerns."""
    ben, cem = (
        enrolled_although_alike(ask, "Ben", "-35"),
        enrolled(ask, "Cem", "200"),
    )
    of_ann, of_ben, of_cem = (ask("people.show", person=each)["alike"] for each in (ann, ben, cem))

    assert [("Ben", True)] == [(each["name"], each["confusable"]) for each in of_ann]
    assert ["Ann Example"] == [each["name"] for each in of_ben]
    assert [] == of_cem
    assert {False, True} == {of_ann[0]["taken_for"], of_ben[0]["taken_for"]}


def enrolled_although_alike(ask: Asking, name: str, picture: str) -> str:
    """Enrol somebody who looks like somebody enrolled."""
    draft = ask("enrol.begin", name=name, consent=CONSENT)["draft"]
    photo = ask("enrol.judge", draft=draft, blob=picture.encode())["added"]
    ask("enrol.answer", draft=draft, photo=photo, although="alike")
    return str(ask("enrol.commit", draft=draft)["person"]["id"])


def test_name_initials_and_alias_change(ask: Asking, ann: str, services: Services) -> None:
    """One by one; the alias outlives another name; blank takes it away; bad ones are refused by field."""
    renamed = ask("people.rename", person=ann, name="  Ann Other ")["person"]
    initials = ask("people.initials", person=ann, initials="X")["person"]
    alias = ask("people.alias", person=ann, alias="Captain")["person"]
    again = ask("people.rename", person=ann, name="Ann Third")["person"]
    none = ask("people.alias", person=ann, alias=" ")["person"]

    assert ("Ann Other", "AO") == (renamed["name"], renamed["initials"])
    assert ("Ann Other", "X") == (initials["name"], initials["initials"])
    assert ("Ann Other", "X", "Captain") == (alias["name"], alias["initials"], alias["alias"])
    assert ("Ann Third", "AT", "Captain") == (again["name"], again["initials"], again["alias"])
    assert none["alias"] is None
    assert services.store.verify().last > 0


@pytest.mark.parametrize(
    ("operation", "arguments", "field"),
    [
        ("people.rename", {"name": " "}, "name"),
        ("people.rename", {"name": "Ann\u202eExample"}, "name"),
        ("people.rename", {"name": "A" * 121}, "name"),
        ("people.rename", {"name": "Ann", "initials": "ABCDE"}, "initials"),
        ("people.initials", {"initials": " "}, "initials"),
        ("people.alias", {"alias": "A" * 25}, "alias"),
        ("people.alias", {"alias": "a\nb"}, "alias"),
        ("people.strictness", {"factor": 0.5}, "factor"),
        ("people.strictness", {"factor": 1001}, "factor"),
        ("people.give_consent", {**CONSENT, "purposes": []}, "purposes"),
        ("people.give_consent", {**CONSENT, "purposes": ["advertising"]}, "purposes"),
        ("people.give_consent", {**CONSENT, "text_version": "1-old"}, "text_version"),
        ("people.give_consent", {**CONSENT, "given_by": " "}, "given_by"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(
    ask: Asking, ann: str, operation: str, arguments: dict[str, Any], field: str
) -> None:
    """With words, so that the form shows them where they belong; nothing changes."""
    before = ask("people.show", person=ann)
    with pytest.raises(FormError) as caught:
        ask(operation, person=ann, **arguments)

    assert [field] == list(caught.value.fields)
    assert before == ask("people.show", person=ann)


def test_somebody_is_paused_and_resumed(ask: Asking, ann: str) -> None:
    """The answer carries the safety of the gallery as it is then."""
    paused = ask("people.pause", person=ann)
    resumed = ask("people.resume", person=ann)

    assert ("paused", 0) == (paused["person"]["state"], paused["safety"]["people"])
    assert "nobody can be recognised yet" == paused["safety"]["promise"]
    assert ("active", 1) == (resumed["person"]["state"], resumed["safety"]["people"])


def test_a_strictness_is_told_in_words(ask: Asking, ann: str) -> None:
    """The same sentence that the command says."""
    stricter = ask("people.strictness", person=ann, factor=10)

    assert 10 == stricter["person"]["strictness"]
    assert "a stranger is taken for Ann Example 10 times more rarely than usual" == stricter["words"]


def test_purposes_are_taken_back_one_by_one(ask: Asking, ann: str, services: Services) -> None:
    """A consent to more goes on for the rest, with its text, words and day; the log says what ended."""
    before = ask("people.show", person=ann)["consents"][0]
    told = ask("people.withdraw_consent", person=ann, purposes=["greet"])
    ended, rest = sorted(
        ask("people.show", person=ann)["consents"], key=lambda each: each["withdrawn_at"] is None
    )

    assert (1, False, []) == (told["consents_withdrawn"], told["key_destroyed"], told["remains"])
    assert before["id"] == ended["id"]
    assert (["identify"], before["given_at"], "signed form", TEXT_VERSION) == tuple(
        rest[key] for key in ("purposes", "given_at", "given_by", "text_version")
    )
    withdrawn = services.store.events(types=("consent_withdrawn",))[0].event
    assert withdrawn is not None
    assert ("greet",) == withdrawn.purposes  # type: ignore[attr-defined]
    with pytest.raises(EnrolmentError, match="not agreed to that"):
        ask("people.withdraw_consent", person=ann, purposes=["greet"])


@pytest.mark.parametrize("what", [{}, {"purposes": ["identify"]}])
def test_without_a_yes_to_being_recognised_everything_ends(
    ask: Asking, ann: str, services: Services, what: dict[str, Any]
) -> None:
    """As the text promises: key, name and templates are gone, and the answer says what remains."""
    told = ask("people.withdraw_consent", person=ann, **what)

    assert (None, 3, True) == (told["person"], told["references_deleted"], told["key_destroyed"])
    assert list(REMAINS) == told["remains"]
    assert [] == services.store.subjects()
    assert [] == services.store.references()


def test_a_consent_and_purposes_at_once_are_refused(ask: Asking, ann: str) -> None:
    """It would not be clear what ends."""
    consent = ask("people.show", person=ann)["consents"][0]["id"]
    with pytest.raises(FormError):
        ask("people.withdraw_consent", person=ann, consent=consent, purposes=["greet"])

    assert ["greet", "identify"] == ask("people.show", person=ann)["purposes"]


def test_somebody_is_removed(ask: Asking, ann: str, services: Services) -> None:
    """Their key is destroyed; what remains is said in words; asked again, there is nobody."""
    told = ask("people.remove", person=ann)

    assert (3, True, list(REMAINS)) == (
        told["references_deleted"],
        told["key_destroyed"],
        told["remains"],
    )
    assert [] == services.store.subjects()
    with pytest.raises(UnknownSubjectError):
        ask("people.remove", person=ann)


def test_a_reference_is_removed_only_as_theirs(ask: Asking, ann: str) -> None:
    """The object is authorised with its owner: another person's reference is none of Ann's."""
    ben = enrolled(ask, "Ben", "180")
    of_ben = ask("people.show", person=ben)["reference_list"][0]["id"]
    with pytest.raises(UnknownSubjectError):
        ask("people.remove_reference", person=ann, reference=of_ben)
    told = ask("people.remove_reference", person=ben, reference=of_ben)

    assert 0 == told["references"] == told["person"]["references"]
    assert ["no_reference"] == told["person"]["needs"]


def test_a_merge_says_first_what_it_will_do(ask: Asking, ann: str, services: Services) -> None:
    """How alike they look, what they agreed to together; then the one takes over what the other had."""
    other = services.store.add_subject(
        "Anne",
        consent=Consent(("identify", "song"), TEXT_VERSION, "by mail"),
        references=[NewReference(looks(30), 70.0)],
    ).id
    would = ask("people.merge_proposal", keep=ann, other=other)
    did = ask("people.merge", keep=ann, other=other)

    assert (True, ["greet", "identify", "song"], 4) == (
        would["look_alike"],
        would["purposes"],
        would["references"],
    )
    assert (ann, other, 1, 4) == tuple(
        did[key] for key in ("subject", "merged", "references_moved", "references")
    )
    assert 1 == ask("people.list")["total"]
    with pytest.raises(EnrolmentError):
        ask("people.merge_proposal", keep=ann, other=ann)


def test_a_merge_answers_what_the_command_answers(ask: Asking, ann: str, services: Services) -> None:
    """Two boxes alike, one merged by the command and one at the desk: the same words under the same names."""
    keys = set()
    for by in ("desk", "command"):
        other = services.store.add_subject(
            "Anne",
            consent=Consent(("identify",), TEXT_VERSION, "by mail"),
            references=[NewReference(looks(30), 70.0)],
        ).id
        told = (
            ask("people.merge", keep=ann, other=other)
            if by == "desk"
            else said(services, "merge", ann, other, "--yes")
        )
        keys.add(frozenset(set(told) - {"person", "safety"}))

    assert 1 == len(keys)


def test_the_safety_report_is_told_whole_and_in_a_sentence(ask: Asking, ann: str, services: Services) -> None:
    """What `appliance enroll report --json` says, and the promise in words."""
    by_command = said(services, "report", "--fpir", "0.01")
    report = ask("people.safety", fpir=0.01)

    assert by_command == {key: report[key] for key in by_command}
    assert report["promise"].startswith("with 1 person and 3 pictures, 1 in 100 strangers would pass")
    assert 0.001 == ask("people.safety")["fpir"]
    assert ann


def test_the_safety_report_follows_the_gallery(ask: Asking, ann: str) -> None:
    """What was read once is not told when it is no longer true."""
    counts = [ask("people.safety")["people"]]
    enrolled(ask, "Ben", "180")
    counts.append(ask("people.safety")["people"])
    ask("people.remove", person=ann)
    counts.append(ask("people.safety")["people"])

    assert [1, 2, 1] == counts


def test_the_text_is_told_with_its_version(ask: Asking) -> None:
    """And with what may be agreed to, and what is needed."""
    assert {
        "text": TEXT,
        "version": TEXT_VERSION,
        "purposes": PURPOSES,
        "needed": ["identify"],
    } == ask("people.consent_text")


@pytest.mark.parametrize("key", ["Ann Example", "0190a5c2-0000-7000-8000-000000000000", "x" * 64])
def test_people_are_found_by_their_whole_id_only(ask: Asking, ann: str, key: str) -> None:
    """A name, a beginning, somebody else's id: an address is no way to find out who is enrolled."""
    for person in (key, ann[:13]):
        with pytest.raises((UnknownSubjectError, FormError)) as caught:
            ask("people.show", person=person)
        assert "Ann" not in f"{caught.value.message}{caught.value.hint}"


def test_a_viewer_sees_and_changes_nothing(ask: Asking, ann: str) -> None:
    """Every operation that changes somebody is denied to who may only look, and a screen sees nobody."""
    viewer, screen = ask.as_("viewer"), ask.as_("screen")
    seen = viewer("people.show", person=ann)["name"]
    for operation in ("pause", "resume", "remove", "withdraw_consent"):
        with pytest.raises(DeniedError):
            viewer(f"people.{operation}", person=ann)
    for operation in ("list", "safety", "consent_text"):
        with pytest.raises(DeniedError):
            screen(f"people.{operation}")

    assert "Ann Example" == seen
    assert "active" == ask("people.show", person=ann)["state"]


def test_no_error_names_anybody(ask: Asking, ann: str) -> None:
    """Messages may end in a log: whatever is refused, it is said without a name."""
    refusals: list[ApplianceError] = []
    for operation, arguments in (
        ("people.rename", {"person": ann, "name": "Bobby Tables\n"}),
        ("people.merge_proposal", {"keep": ann, "other": ann}),
        ("people.withdraw_consent", {"person": ann, "purposes": ["song"]}),
    ):
        try:
            ask(operation, **arguments)
        except ApplianceError as error:
            refusals.append(error)

    assert 2 <= len(refusals)
    assert [] == [each for each in refusals if "Ann" in str(each) or "Bobby" in str(each)]
