"""Enrolling at the desk: consent first, each picture's verdict, what is asked, and that it is kept once."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from desks import CONSENT, Asking, Painted, Still, desk_of, enrolled

from appliance.errors import DeniedError, EnrolmentError, FormError, InputError, NotSignedInError
from appliance.services import Layout, Services, open_services
from appliance.settings import Settings
from appliance.values import EmbeddedPhoto
from enroll.desk.drafts import MOST_PHOTOS
from enroll.desk.looking import MOST_BYTES


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
def draft(ask: Asking) -> str:
    """Ann's enrolment, under way."""
    return str(ask("enrol.begin", name="Ann", consent=CONSENT)["draft"])


def judge(ask: Asking, draft: str, picture: str) -> dict[str, Any]:
    """The verdict on a picture."""
    told = ask("enrol.judge", draft=draft, blob=picture.encode())
    return next(each for each in told["photos"] if each["photo"] == told["added"])


def reasons(photo: dict[str, Any]) -> list[str]:
    """By code."""
    return [each["code"] for each in photo["reasons"]]


def test_somebody_is_enrolled(ask: Asking, draft: str, services: Services) -> None:
    """With initials, an alias, the consent and the references, in one transaction; safety is told."""
    ask("enrol.discard", draft=draft)
    draft = ask("enrol.begin", name=" Ann  ", initials="X", alias="Captain", consent=CONSENT)["draft"]
    for picture in ("0", "30", "60"):
        assert "accepted" == judge(ask, draft, picture)["verdict"]
    before = services.store.subjects()
    told = ask("enrol.commit", draft=draft)
    (ann,) = services.store.subjects()

    assert [] == before
    assert (True, 3, 0) == (told["new"], told["added"], told["left_out"])
    assert ("Ann", "X", "Captain", 3) == (ann.name, ann.initials, ann.alias, ann.references)
    assert ("signed form", ("greet", "identify")) == (
        services.store.consents(ann.id)[0].given_by,
        ann.purposes,
    )
    assert told["safety"]["promise"].startswith("with 1 person and 3 pictures")
    assert ["subject_enrolled", "consent_given"] + ["reference_added"] * 3 == [
        each.type for each in services.store.events()
    ]


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"name": "Ann"}, "consent"),
        ({"name": "Ann", "consent": {**CONSENT, "purposes": ["greet"]}}, "purposes"),
        ({"name": "Ann", "consent": {**CONSENT, "text_version": "1-0"}}, "consent.text_version"),
        ({"name": "Ann", "consent": {**CONSENT, "given_by": ""}}, "consent.given_by"),
        ({"name": " ", "consent": CONSENT}, "name"),
        ({"name": "Ann", "alias": "A" * 30, "consent": CONSENT}, "alias"),
    ],
)
def test_before_a_consent_no_picture_is_looked_at(ask: Asking, arguments: dict[str, Any], field: str) -> None:
    """Without one that covers being recognised, in today's words, there is no draft to give pictures to."""
    with pytest.raises(FormError) as caught:
        ask("enrol.begin", **arguments)

    assert [field] == list(caught.value.fields)


def test_a_namesake_is_a_question(ask: Asking, services: Services) -> None:
    """Who they are is told, and nothing begins until it is said that this is another."""
    ann = enrolled(ask, "Ann", "0")
    asked = ask("enrol.begin", name="Ann", consent=CONSENT)
    another = enrolled(ask, "Ann", "180", namesake=True)

    assert (None, [ann]) == (asked["draft"], [each["id"] for each in asked["namesakes"]])
    assert {ann, another} == {each.id for each in services.store.subjects()}


def test_a_namesake_enrolled_meanwhile_is_not_doubled(ask: Asking, draft: str, services: Services) -> None:
    """Two admins enrol the same person at the same time: the second is told, and nothing is kept."""
    judge(ask, draft, "0")
    enrolled(ask.as_("admin again"), "Ann", "90")
    with pytest.raises(EnrolmentError, match="meanwhile"):
        ask("enrol.commit", draft=draft)

    assert 1 == len(services.store.subjects())


def test_more_pictures_are_added_to_somebody(ask: Asking, services: Services) -> None:
    """Who agreed before need not agree again; a picture of somebody else is asked about."""
    ann = enrolled(ask, "Ann", "0", "30")
    draft = ask("enrol.begin", to=ann)["draft"]
    other = judge(ask, draft, "180")
    own = judge(ask, draft, "-30")
    told = ask("enrol.commit", draft=draft)

    assert (["DOES_NOT_MATCH"], "question") == (reasons(other), other["verdict"])
    assert other["own"]["score"] < other["own"]["threshold"]
    assert "accepted" == own["verdict"]
    assert (False, 1, 1) == (told["new"], told["added"], told["left_out"])
    assert (3, 1) == (services.store.subject(ann).references, len(services.store.consents(ann)))
    with pytest.raises(FormError):
        ask("enrol.begin", to=ann, name="Ann")


def test_several_faces_are_a_question(ask: Asking, draft: str) -> None:
    """Where they are, in the picture's own pixels, from the left; the answer settles it, and may change."""
    photo = judge(ask, draft, "0 120 60!LOW_SHARPNESS")
    told = ask("enrol.choose_face", draft=draft, photo=photo["photo"], face=2)["photos"][0]
    other = ask("enrol.choose_face", draft=draft, photo=photo["photo"], face=3)["photos"][0]
    again = ask("enrol.choose_face", draft=draft, photo=photo["photo"])["photos"][0]

    assert (["SEVERAL_FACES"], "question", [1000, 500]) == (reasons(photo), photo["verdict"], photo["size"])
    assert [(1, [0, 20, 90, 90]), (2, [100, 20, 90, 90]), (3, [200, 20, 90, 90])] == [
        (each["face"], each["box"]) for each in photo["faces"]
    ]
    assert "the face is blurred" == photo["faces"][2]["words"]
    assert ("accepted", 2) == (told["verdict"], told["chosen"])
    assert (["LOW_SHARPNESS"], "refused") == (reasons(other), other["verdict"])
    assert ["SEVERAL_FACES"] == reasons(again)
    with pytest.raises(InputError):
        ask("enrol.choose_face", draft=draft, photo=photo["photo"], face=4)


def test_who_looks_like_somebody_enrolled_is_a_question(ask: Asking, services: Services) -> None:
    """With the name and how alike; nobody is taken for anybody by themselves. Said so, it goes on."""
    ann = enrolled(ask, "Ann", "0")
    draft = ask("enrol.begin", name="Ben", consent=CONSENT)["draft"]
    photo = judge(ask, draft, "40")
    with pytest.raises(EnrolmentError, match="looks like somebody"):
        ask("enrol.commit", draft=draft)
    sure = ask("enrol.answer", draft=draft, photo=photo["photo"], although="alike")
    unsure = ask("enrol.answer", draft=draft, photo=photo["photo"], although="alike", known=False)
    ask("enrol.answer", draft=draft, photo=photo["photo"], although="alike")
    ask("enrol.commit", draft=draft)

    assert (["LOOKS_LIKE"], [(ann, "Ann")]) == (
        reasons(photo),
        [(each["subject"], each["name"]) for each in photo["alike"]],
    )
    assert photo["alike"][0]["score"] >= photo["alike"][0]["threshold"]
    assert "alike" in photo["alike"][0]["words"]
    assert ("accepted", ["alike"], 0) == (
        sure["photos"][0]["verdict"],
        sure["photos"][0]["settled"],
        sure["questions"],
    )
    assert ("question", 1) == (unsure["photos"][0]["verdict"], unsure["questions"])
    assert 2 == len(services.store.subjects())


def test_it_was_somebody_enrolled_after_all(ask: Asking, services: Services) -> None:
    """The pictures are added to them, with the consent; nobody is enrolled twice."""
    ann = enrolled(ask, "Ann", "0")
    draft = ask("enrol.begin", name="Annie", alias="A", consent=CONSENT)["draft"]
    judge(ask, draft, "40")
    moved = ask("enrol.add_to", draft=draft, person=ann)
    told = ask("enrol.commit", draft=draft)
    (only,) = services.store.subjects()

    assert ("Ann", ann, "accepted") == (moved["name"], moved["to"]["subject"], moved["photos"][0]["verdict"])
    assert (ann, False) == (told["person"]["id"], told["new"])
    assert ("Ann", None, 2, 2) == (only.name, only.alias, only.references, len(services.store.consents(ann)))


def test_an_answer_about_one_face_says_nothing_of_another(ask: Asking, draft: str) -> None:
    """Another face chosen, another person meant: what was answered before is asked anew."""
    enrolled(ask, "Ben", "0")
    photo = judge(ask, draft, "40 200")["photo"]
    ask("enrol.choose_face", draft=draft, photo=photo, face=1)
    ask("enrol.answer", draft=draft, photo=photo, although="alike")
    ask("enrol.choose_face", draft=draft, photo=photo, face=2)
    back = ask("enrol.choose_face", draft=draft, photo=photo, face=1)["photos"][0]

    assert (["LOOKS_LIKE"], []) == (reasons(back), back["settled"])


def test_a_picture_of_somebody_else_among_them_is_asked_about(ask: Asking, draft: str) -> None:
    """The larger part is taken for the person; the verdicts change as pictures come and go."""
    for picture in ("0", "30"):
        judge(ask, draft, picture)
    other = judge(ask, draft, "180")
    known = ask("enrol.answer", draft=draft, photo=other["photo"], although="different")
    without = ask("enrol.drop_photo", draft=draft, photo=other["photo"])

    assert ["DOES_NOT_MATCH"] == reasons(other)
    assert 3 == known["accepted"]
    assert ["accepted"] * 2 == [each["verdict"] for each in without["photos"]]


def test_the_same_picture_again_is_refused(ask: Asking, draft: str) -> None:
    """Within the draft, as another file, and one that somebody was enrolled from, with whose it is."""
    ben = enrolled(ask, "Ben", "180")
    first, twice, copy, of_ben = (judge(ask, draft, each) for each in ("0", "0", "0#copied", "180"))

    assert [[], ["SAME_PHOTO"], ["SAME_PHOTO"], ["SAME_PHOTO"]] == [
        reasons(each) for each in (first, twice, copy, of_ben)
    ]
    assert [None, None, None, ben] == [
        each["same_as"] and each["same_as"]["subject"] for each in (first, twice, copy, of_ben)
    ]
    assert {"refused"} == {each["verdict"] for each in (twice, copy, of_ben)}


@pytest.mark.parametrize(
    ("picture", "reason", "words"),
    [
        ("", "NO_FACE", "no face was found"),
        ("0!LOW_SHARPNESS", "LOW_SHARPNESS", "the face is blurred"),
        ("0!SMALL_BOUNDING_BOX", "SMALL_BOUNDING_BOX", "the face is too small"),
        ("truncated", "truncated", "the picture is cut off"),
        ("unreadable", "unreadable", "the picture cannot be read"),
    ],
)
def test_a_picture_that_cannot_be_used_says_why(
    ask: Asking, draft: str, picture: str, reason: str, words: str
) -> None:
    """By code, in words, and with what to do; it stops nothing."""
    photo = judge(ask, draft, picture)

    assert ([reason], words, "refused") == (reasons(photo), photo["words"], photo["verdict"])
    assert photo["advice"]
    assert "accepted" == judge(ask, draft, "0")["verdict"]


def test_a_file_that_is_too_large_is_a_verdict(ask: Asking, draft: str) -> None:
    """It is refused before anybody looks at it."""
    photo = ask("enrol.judge", draft=draft, blob=b" " * (MOST_BYTES + 1))["photos"][0]

    assert ["too_many_bytes"] == reasons(photo)


def test_without_a_picture_nobody_is_enrolled(ask: Asking, draft: str, services: Services) -> None:
    """The draft stays, so that another picture can be given."""
    judge(ask, draft, "0!LOW_BRIGHTNESS")
    with pytest.raises(EnrolmentError, match="too dark"):
        ask("enrol.commit", draft=draft)

    assert [] == services.store.subjects()
    assert "accepted" == judge(ask, draft, "0")["verdict"]


def test_so_many_pictures_and_no_more(ask: Asking, draft: str) -> None:
    """The bound is told with the draft, and holds for files and cameras alike."""
    for number in range(MOST_PHOTOS):
        judge(ask, draft, f"{number * 18}")
    for operation, arguments in (("enrol.judge", {}), ("enrol.snapshot", {"camera": "door"})):
        with pytest.raises(EnrolmentError, match="at most"):
            ask(operation, draft=draft, blob=b"3", **arguments)

    assert MOST_PHOTOS == len(ask("enrol.show", draft=draft)["photos"])


def test_committed_once(ask: Asking, draft: str, services: Services) -> None:
    """Pressed twice, or at once in two windows: there is one person."""
    judge(ask, draft, "0")
    ended: list[str] = []

    def press() -> None:
        try:
            ended.append(ask("enrol.commit", draft=draft)["person"]["name"])
        except EnrolmentError:
            ended.append("over")

    presses = [threading.Thread(target=press) for _ in range(4)]
    for each in presses:
        each.start()
    for each in presses:
        each.join()

    assert ["Ann", "over", "over", "over"] == sorted(ended)
    assert 1 == len(services.store.subjects())


def test_discarded_is_forgotten(ask: Asking, draft: str, services: Services) -> None:
    """Nothing of it was ever on the disk."""
    judge(ask, draft, "0")
    ask("enrol.discard", draft=draft)
    with pytest.raises(EnrolmentError, match="over"):
        ask("enrol.show", draft=draft)

    assert ([], []) == (services.store.subjects(), services.store.events())


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("enrol.show", {}),
        ("enrol.judge", {}),
        ("enrol.choose_face", {"photo": "1", "face": 1}),
        ("enrol.answer", {"photo": "1", "although": "alike"}),
        ("enrol.drop_photo", {"photo": "1"}),
        ("enrol.commit", {}),
        ("enrol.discard", {}),
    ],
)
def test_another_session_does_not_reach_a_draft(
    ask: Asking, draft: str, operation: str, arguments: dict[str, Any]
) -> None:
    """Not by its id, whatever is asked; nor a viewer, a screen, or nobody."""
    judge(ask, draft, "0")
    with pytest.raises(EnrolmentError, match="over"):
        ask.as_("admin again")(operation, draft=draft, blob=b"0", **arguments)
    for credential in ("viewer", "screen"):
        with pytest.raises(DeniedError):
            ask.as_(credential)(operation, draft=draft, **arguments)
    with pytest.raises(NotSignedInError):
        ask.as_("")(operation, draft=draft, **arguments)

    assert 1 == ask("enrol.show", draft=draft)["accepted"]


def test_the_door_camera_gives_a_picture(services: Services) -> None:
    """It is judged like a file, comes back to be looked at once, and says where it came from."""
    ask = desk_of(services.store, snapshots=Still(b"0 120"))
    draft = ask("enrol.begin", name="Ann", consent=CONSENT)["draft"]
    answer = ask.answer("enrol.snapshot", draft=draft, camera="door")
    photo = answer.result["photos"][0]
    ask("enrol.choose_face", draft=draft, photo=photo["photo"], face=1)
    ann = ask("enrol.commit", draft=draft)["person"]["id"]

    assert (b"0 120", "camera", ["SEVERAL_FACES"]) == (answer.blob, photo["origin"], reasons(photo))
    assert ["camera"] == [each["origin"] for each in ask("people.show", person=ann)["reference_list"]]


def test_who_may_enrol_may_not_thereby_look_through_a_camera(ask: Asking) -> None:
    """A token for enrolling alone gets no picture of the door."""
    token = ask.as_("enrolling token")
    draft = token("enrol.begin", name="Ann", consent=CONSENT)["draft"]
    with pytest.raises(DeniedError, match="live"):
        token("enrol.snapshot", draft=draft, camera="door")

    assert "accepted" == judge(token, draft, "0")["verdict"]


def test_a_long_look_keeps_nobody_else_waiting(services: Services) -> None:
    """While the models look at one picture, another enrolment goes on."""
    looking, go_on = threading.Event(), threading.Event()

    class Slow(Painted):
        def embed(self, content: bytes) -> EmbeddedPhoto:
            if content == b"90":
                looking.set()
                assert go_on.wait(30)
            return super().embed(content)

    ask = desk_of(services.store, models=Slow())
    slow = ask("enrol.begin", name="Ann", consent=CONSENT)["draft"]
    fast = ask.as_("admin again")("enrol.begin", name="Ben", consent=CONSENT)["draft"]
    thread = threading.Thread(target=judge, args=(ask, slow, "90"))
    thread.start()
    assert looking.wait(30)
    meanwhile = judge(ask.as_("admin again"), fast, "0")
    go_on.set()
    thread.join()

    assert "accepted" == meanwhile["verdict"]
    assert 1 == ask("enrol.show", draft=slow)["accepted"]


def test_pictures_of_one_draft_may_come_at_once(ask: Asking, draft: str) -> None:
    """A browser sends several: each has a name of its own, and none is lost."""
    threads = [threading.Thread(target=judge, args=(ask, draft, str(25 * each))) for each in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    photos = ask("enrol.show", draft=draft)["photos"]

    assert 6 == len({each["photo"] for each in photos})


def test_a_glance_tells_how_somebody_stands(ask: Asking, draft: str, services: Services) -> None:
    """Left and right are their own; two are two; nothing of it is in the draft or in the log."""
    told = [
        ask("enrol.look", draft=draft, blob=words) for words in (b"0.05", b"0.2", b"-0.2 0", b"", b"busy")
    ]
    turned = [None if each["face"] is None else each["face"]["turned"] for each in told]
    face = told[0]["face"]

    assert ["straight", "left", "right", None, None] == turned
    assert [1, 1, 2, 0, 0] == [each["faces"] for each in told]
    assert [False, False, False, False, True] == [each["busy"] for each in told]
    assert (0.3333, 0.5, 0.5) == (face["width"], face["x"], face["y"])
    assert [] == ask("enrol.show", draft=draft)["photos"]
    assert [] == services.store.events()


def test_a_glance_is_for_whose_draft_it_is(ask: Asking, draft: str) -> None:
    """Nobody has pictures looked at without enrolling; what is no picture is told as such."""
    with pytest.raises(EnrolmentError):
        ask.as_("admin again")("enrol.look", draft=draft, blob=b"0")
    with pytest.raises(DeniedError):
        ask.as_("viewer")("enrol.look", draft=draft, blob=b"0")
    with pytest.raises(FormError) as caught:
        ask("enrol.look", draft=draft, blob=b"noise")

    assert ["picture"] == list(caught.value.fields)
