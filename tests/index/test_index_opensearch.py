"""Moments copied to a search service: each arrives, none twice, none holds up the others, nobody is named."""

import json
from datetime import timedelta

import pytest
from moments_of_a_box import follow
from recorded import a_dog
from search_server import Answering, SearchServer
from stores import AGREED, NOON, OPENED, identified

from appliance.app.index_copying import HOLD, MomentCopying, cursor_of
from appliance.clock import ManualClock
from appliance.errors import SinkError
from appliance.events import ClipBegun
from appliance.settings import OpenSearchSettings
from appliance.sinks.opensearch import BusyError, OpenSearch
from appliance.sinks.opensearch_documents import IndexDocument, content
from appliance.store import Seen, Store


def dogs(box: Store, many: int) -> None:
    """So many frames with a dog, a second apart."""
    box.note_seen([Seen(NOON + timedelta(seconds=i), "entrance", {"dog": 0.5}) for i in range(many)])


def settings(search: SearchServer, **more: object) -> OpenSearchSettings:
    """Where the service is."""
    return OpenSearchSettings.model_validate({"url": search.url, **more})


def copying(
    box: Store, search: SearchServer, clock: ManualClock | None = None, /, **more: object
) -> MomentCopying:
    """What copies to it, by default a month later."""
    given = settings(search, **more)
    return MomentCopying(box, OpenSearch(given), given, clock or ManualClock(NOON + timedelta(days=30)))


def copied(box: Store, search: SearchServer) -> tuple[int, int, str | None]:
    """What the cursor says: position, how many, what is in the way."""
    (cursor,) = [each for each in box.cursors() if each.name == cursor_of(settings(search))]
    return cursor.position, cursor.many, cursor.trouble


def run_dry(work: MomentCopying) -> None:
    """Copy until there is nothing more."""
    while work.turn():
        pass


def test_moments_arrive_in_the_form_of_the_deeplens_story(box: Store, search: SearchServer) -> None:
    """Labels with scores at the top, the time, and where it was; the template says what the fields are."""
    box.note_seen([Seen(NOON, "entrance", {"dog": 0.97, "sofa": 0.31}, "dogs")])
    run_dry(copying(box, search))

    assert {
        "box-1": {
            "dog": 0.97,
            "sofa": 0.31,
            "device": "box",
            "camera": "entrance",
            "kind": "seen",
            "source": "dogs",
            "timestamp": "2026-01-05T12:00:00.000Z",
        }
    } == search.everything()
    assert ["moments-2026.01"] == list(search.documents)
    assert "date" == search.templates["moments"]["template"]["mappings"]["properties"]["timestamp"]["type"]


def test_a_document_says_which_clip_shows_it(box: Store, search: SearchServer) -> None:
    """The clip begins on the disk seconds after the trigger: the newest moments wait for that."""
    clock = ManualClock(NOON)
    work = copying(box, search, clock)
    cause = box.append(a_dog("entrance"))
    box.note_seen([Seen(NOON, "entrance", {"dog": 0.9})])
    follow(box)
    early = work.turn()
    clock.advance(HOLD.total_seconds() - 1)
    begun = {"camera": "entrance", "clip": "c", "cause": cause.id}
    box.append(ClipBegun.model_validate({**begun, "begin_ms": int(NOON.timestamp() * 1000) - 5000}))
    follow(box)
    still_early = work.turn()
    clock.advance(1)
    run_dry(work)

    assert (False, False) == (early, still_early)
    assert ["c", "c"] == [each["clip"] for each in search.everything().values()]


def test_after_the_clock_was_set_back_nothing_waits_for_it(box: Store, search: SearchServer) -> None:
    """A moment that lies ahead is copied as one that is old enough."""
    dogs(box, 3)
    run_dry(copying(box, search, ManualClock(NOON - timedelta(days=1))))

    assert 3 == len(search.everything())


def test_batches_are_as_small_as_the_settings_want(box: Store, search: SearchServer) -> None:
    """Neither more documents nor more bytes go at once, and all arrive."""
    dogs(box, 25)
    run_dry(copying(box, search, batch=10))

    assert (25, 3) == (len(search.everything()), search.bulks())
    assert (25, 25, None) == copied(box, search)


def test_what_is_large_goes_in_several_requests(box: Store, search: SearchServer) -> None:
    """A batch beyond the size that is set is divided, and the order holds."""
    labels = {f"a label of some length {i}": 0.5 for i in range(30)}
    box.note_seen([Seen(NOON + timedelta(seconds=i), "c", labels) for i in range(200)])
    run_dry(copying(box, search, batch_kib=64))

    assert 200 == len(search.everything())
    assert all(each.size <= 64 << 10 for each in search.went)
    assert search.bulks() > 2


def test_only_what_was_not_taken_comes_again(box: Store, search: SearchServer) -> None:
    """Of a batch in which one document met a full queue the others are not sent a second time."""
    dogs(box, 3)
    search.answers.append(Answering(items={"box-2": 429}))
    work = copying(box, search)
    with pytest.raises(BusyError):
        work.turn()
    sizes = [each.size for each in search.went if each.path == "/_bulk"]
    run_dry(work)

    assert 3 == len(search.everything())
    assert (3, 3, None) == copied(box, search)
    assert sizes[0] / 2 > [each.size for each in search.went if each.path == "/_bulk"][1]


def test_a_document_that_is_never_taken_holds_up_no_other(box: Store, search: SearchServer) -> None:
    """It is passed over and told by the type of error alone: what the service quotes of it is not."""
    dogs(box, 3)
    search.answers.append(Answering(items={"box-2": 400}))
    run_dry(copying(box, search))

    assert {"box-1", "box-3"} == set(search.everything())
    assert (3, 2, "refused for good since the start: 1 mapper_parsing_exception") == copied(box, search)


def test_an_answer_that_was_lost_leaves_nothing_twice(box: Store, search: SearchServer) -> None:
    """What was done and not answered is sent again with the same ids and versions."""
    dogs(box, 4)
    search.answers.append(Answering(cut=True, done=True))
    work = copying(box, search)
    with pytest.raises(SinkError) as raised:
        work.turn()
    run_dry(work)

    assert "unreachable" == raised.value.reason
    assert (4, 2) == (len(search.everything()), search.bulks())


def test_a_crash_sends_again_and_leaves_nothing_twice(box: Store, search: SearchServer) -> None:
    """Whoever comes after a crash goes on where the cursor stands; what was sent since is there once."""
    dogs(box, 4)
    search.answers.append(Answering(items={"box-4": 503}))
    with pytest.raises(BusyError):
        copying(box, search).turn()
    run_dry(copying(box, search))

    assert 4 == len(search.everything())


def test_what_is_older_never_takes_the_place_of_what_is_newer(box: Store, search: SearchServer) -> None:
    """A stay that became another verdict meanwhile is not set back by a late repetition."""
    service = OpenSearch(settings(search))
    newer = IndexDocument("e", 9, NOON, {"verdict": "identified"}, {})
    older = IndexDocument("e", 3, NOON, {"verdict": "stranger"}, {})
    taken = [service.send([newer]).taken, service.send([older]).taken]

    assert [1, 1] == taken
    assert "identified" == search.everything()["e"]["verdict"]


@pytest.mark.parametrize(
    ("answer", "pause_s"),
    [
        (Answering(status=429, retry_after="7"), 7.0),
        (Answering(status=429, retry_after="tomorrow"), None),
        (Answering(status=503, retry_after="999999"), 3600.0),
        (Answering(status=504), None),
        (Answering(status=500), None),
    ],
)
def test_a_busy_service_is_asked_again_with_less(
    box: Store, search: SearchServer, answer: Answering, pause_s: float | None
) -> None:
    """It says when; an hour at most. The next batch is half as large, and nothing is lost."""
    dogs(box, 8)
    search.answers.append(answer)
    work = copying(box, search, batch=8)
    with pytest.raises(BusyError) as raised:
        work.turn()
    work.turn()
    after_one = len(search.everything())
    run_dry(work)

    assert pause_s == raised.value.retry_after_s
    assert (4, 8) == (after_one, len(search.everything()))


def test_a_body_that_is_too_large_is_divided(box: Store, search: SearchServer) -> None:
    """A service with a small limit gets smaller batches; a single document beyond it is passed over."""
    box.note_seen([Seen(NOON, "c", {"x" * 60 + str(i): 0.5 for i in range(30)})])
    dogs(box, 7)
    search.most_bytes = 1000
    work = copying(box, search)
    for _ in range(40):
        try:
            if not work.turn():
                break
        except BusyError:
            continue

    assert 7 == len(search.everything())
    assert "refused for good since the start: 1 too_large" == copied(box, search)[2]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answering(status=401), "credentials"),
        (Answering(status=403), "denied"),
        (Answering(status=404), "failed"),
        (Answering(status=302), "failed"),
        (Answering(raw=b"<html>"), "failed"),
        (Answering(raw=b'{"items": []}'), "failed"),
        (Answering(raw=b'{"items": [{"index": {}}, {}]}'), "failed"),
        (Answering(cut=True), "unreachable"),
    ],
)
def test_what_stands_in_the_way_is_told_and_nothing_is_lost(
    box: Store, search: SearchServer, answer: Answering, reason: str
) -> None:
    """Nothing counts as sent that was not judged, whatever answers."""
    dogs(box, 2)
    search.answers.append(answer)
    work = copying(box, search)
    with pytest.raises(SinkError) as raised:
        work.turn()
    before = len(search.everything())
    run_dry(work)

    assert reason == raised.value.reason
    assert (0, 2) == (before, len(search.everything()))


def test_credentials_are_sent_and_never_told(box: Store, search: SearchServer) -> None:
    """They are in the header, and in no message."""
    dogs(box, 1)
    search.authorization = "Basic Ym94OmhvcHM="
    given = {"username": "box", "password": "hops"}
    run_dry(copying(box, search, **given))
    search.authorization = "ApiKey c2VjcmV0"
    with pytest.raises(SinkError) as raised:
        copying(box, search, index="others", **given).turn()
    run_dry(copying(box, search, api_key="c2VjcmV0", index="others"))

    assert {"moments-2026.01", "others-2026.01"} == set(search.documents)
    assert "hops" not in raised.value.message + raised.value.advice


def test_requests_are_signed_for_aws(box: Store, search: SearchServer, tmp_path: object) -> None:
    """A collection gets the digest of the body and a signature of its own service; a domain of its."""
    file = f"{tmp_path}/credentials"
    with open(file, "w", encoding="utf-8") as out:  # noqa: PTH123 - one line
        out.write("[default]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = hidden\n")
    service = OpenSearch(settings(search, aws="es", region="eu-central-1", credentials_file=file))
    service.put_template()
    signed = search.went[-1].headers["Authorization"]

    assert "Credential=AKIDEXAMPLE/" in signed
    assert "/eu-central-1/es/aws4_request" in signed
    assert "hidden" not in signed


def test_nobody_is_told_of_unless_it_is_switched_on_and_then_not_by_id(
    box: Store, search: SearchServer
) -> None:
    """That somebody came is not sent; where it is, without who it was. Doors are."""
    ann = box.add_subject("Ann", consent=AGREED)
    box.append(OPENED)
    box.append(identified(str(ann.id)))
    box.follow_log()
    run_dry(copying(box, search))
    without = search.everything()
    run_dry(copying(box, search, encounters=True, index="stays"))

    assert ["door_opened"] == [each["kind"] for each in without.values()]
    assert "identified" == search.everything()["e"]["verdict"]
    assert str(ann.id) not in json.dumps(search.documents)


def test_another_service_is_fed_from_the_beginning(box: Store, search: SearchServer) -> None:
    """A cursor is of an address and an index: whoever changes either loses nothing."""
    dogs(box, 2)
    run_dry(copying(box, search))
    run_dry(copying(box, search, index="other"))

    assert [2, 2] == [len(each) for each in search.documents.values()]


def test_labels_cannot_be_taken_for_fields() -> None:
    """One that is called like a field of ours, has a dot or begins as metadata does, has another name."""
    document = IndexDocument("a", 1, NOON, {"door": "main"}, {"door": 0.5, "a.b": 0.25, "_id": 0.125})

    assert {
        "label_door": 0.5,
        "a_b": 0.25,
        "label__id": 0.125,
        "door": "main",
        "timestamp": "2026-01-05T12:00:00.000Z",
    } == content(document)


def test_an_outage_of_days_costs_no_more_than_what_went_by_age(box: Store, search: SearchServer) -> None:
    """What waits are the box's own moments: what of them went is passed over but for the batch under way."""
    box.note_seen([Seen(NOON + timedelta(hours=i), "entrance", {"dog": 0.5}) for i in range(100)])
    work = copying(box, search, batch=10)
    search.answers.extend([Answering(cut=True)] * 3)
    for _ in range(3):
        with pytest.raises(SinkError, match="cannot be reached"):
            work.turn()
    box.drop_moments(before=NOON + timedelta(hours=60), most=None)
    run_dry(work)

    assert {f"box-{i}" for i in (*range(1, 11), *range(61, 101))} == set(search.everything())
