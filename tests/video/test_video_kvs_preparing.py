"""Before a stream is sent to: asking about it, by boto3 and in memory alike, and what must be so."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from kvs_box import credentials_file
from kvs_local import CREDENTIAL, LocalKvs, local_kvs
from kvs_streams import StreamsInMemory
from structlog.testing import capture_logs

from appliance.clock import ManualClock, SystemClock
from appliance.errors import StreamError
from appliance.settings import KvsSettings
from appliance.video.kvs.control import Control, ControlPlane, StreamFacts
from appliance.video.kvs.credentials import CredentialSource
from appliance.video.kvs.endpoints import GOOD_FOR_S, Endpoints
from appliance.video.kvs.preparing import Preparing, StreamWish
from appliance.video.kvs_server.faults import Refuse
from appliance.video.kvs_server.server import DEFAULT_REGION


@pytest.fixture(scope="module")
def service() -> Iterator[LocalKvs]:
    """One service for all."""
    with local_kvs() as running:
        yield running


@pytest.fixture(params=["boto3", "memory"])
def control(request: pytest.FixtureRequest, service: LocalKvs, tmp_path: Path) -> ControlPlane:
    """One that asks the local server, and the one that stands in for it."""
    if request.param == "memory":
        return StreamsInMemory()
    return over_boto(service, tmp_path)


def over_boto(service: LocalKvs, tmp_path: Path) -> Control:
    """One that asks the local server."""
    settings = KvsSettings(
        endpoint=service.address,
        region=DEFAULT_REGION,
        credentials_file=credentials_file(tmp_path, CREDENTIAL.secret_key, key=CREDENTIAL.access_key),
    )
    return Control(settings, CredentialSource(settings), SystemClock())


@pytest.fixture
def clock() -> ManualClock:
    """Stands still until told."""
    return ManualClock(datetime(2026, 3, 1, tzinfo=UTC))


def test_what_is_made_is_there_with_its_retention(control: ControlPlane) -> None:
    """Nothing before; then active, with the hours that were asked for, and never with none."""
    assert control.describe("made") is None
    control.create("made", 48)
    control.create("least", 0)

    made, least = control.describe("made"), control.describe("least")

    assert made is not None
    assert ("made", "ACTIVE", 48, "video/h264") == (
        made.name,
        made.status,
        made.retention_hours,
        made.media_type,
    )
    assert least is not None
    assert least.retention_hours == 1


def test_what_is_there_is_neither_made_anew_nor_lowered(control: ControlPlane) -> None:
    """The second to make it changes nothing; a retention is raised, and never lowered."""
    control.create("kept", 24)
    control.create("kept", 2)
    hours = []
    for wanted in (12, 36, 24):
        facts = control.describe("kept")
        assert facts is not None
        control.raise_retention(facts, wanted)
        after = control.describe("kept")
        assert after is not None
        hours.append(after.retention_hours)

    assert [24, 36, 36] == hours


def test_an_endpoint_is_of_a_stream_that_there_is(control: ControlPlane) -> None:
    """An address; for a stream that there is not, that is said."""
    control.create("asked", 24)

    assert control.endpoint("asked", "PUT_MEDIA").startswith("http")
    with pytest.raises(StreamError) as caught:
        control.endpoint("nobody", "PUT_MEDIA")
    assert caught.value.reason == "no_stream"


def test_an_endpoint_is_asked_for_once_in_forty_five_minutes(clock: ManualClock) -> None:
    """For each purpose apart; and anew when it failed."""
    control = StreamsInMemory()
    control.create("hall", 24)
    endpoints = Endpoints(control, clock)
    for passed_s in (0.0, GOOD_FOR_S - 1, 2.0):
        clock.advance(passed_s)
        endpoints.get("hall", "PUT_MEDIA")
    endpoints.get("hall", "GET_CLIP")
    endpoints.forget("other")
    endpoints.get("hall", "PUT_MEDIA")
    endpoints.forget("hall")
    endpoints.get("hall", "PUT_MEDIA")

    assert ["PUT_MEDIA", "PUT_MEDIA", "GET_CLIP", "PUT_MEDIA"] == [
        each.removeprefix("endpoint ") for each in control.asked if each.startswith("endpoint")
    ]


@pytest.mark.parametrize(
    ("facts", "wish"),
    [
        (None, StreamWish("hall", 24)),
        (StreamFacts("hall", "ACTIVE", 2, "1"), StreamWish("hall", 24)),
        (StreamFacts("hall", "UPDATING", 24, "1"), StreamWish("hall", 24)),
        (StreamFacts("hall", "ACTIVE", 0, "1"), StreamWish("hall", 24, raise_retention=True)),
    ],
)
def test_a_stream_is_made_ready(clock: ManualClock, facts: StreamFacts | None, wish: StreamWish) -> None:
    """Made, or raised where that is wanted; one that keeps less than wanted is sent to."""
    control = StreamsInMemory()
    if facts is not None:
        control.put(facts)
    preparing = Preparing(wish, control, clock)

    assert preparing.ready().retention_hours == preparing.retention_hours
    assert preparing.retention_hours


@pytest.mark.parametrize(
    ("facts", "wish", "reason"),
    [
        (None, StreamWish("hall", 24, create=False), "no_stream"),
        (StreamFacts("hall", "ACTIVE", 0, "1"), StreamWish("hall", 24), "retention"),
        (StreamFacts("hall", "CREATING", 24, "1"), StreamWish("hall", 24), "busy"),
        (StreamFacts("hall", "DELETING", 24, "1"), StreamWish("hall", 24), "not_active"),
    ],
)
def test_a_stream_that_cannot_be_sent_to_is_told(
    clock: ManualClock, facts: StreamFacts | None, wish: StreamWish, reason: str
) -> None:
    """Never sent to while it keeps nothing, is being made or deleted, or is not there and may not be made."""
    control = StreamsInMemory()
    if facts is not None:
        control.put(facts)

    with pytest.raises(StreamError) as caught:
        Preparing(wish, control, clock).ready()

    assert (reason, True) == (caught.value.reason, bool(caught.value.hint))


@pytest.mark.parametrize(("hours", "sent"), [(24, True), (0, False)])
def test_a_retention_that_may_not_be_raised_stops_nothing_that_is_kept(
    service: LocalKvs,
    clock: ManualClock,
    tmp_path: Path,
    hours: int,
    sent: bool,  # noqa: FBT001
) -> None:
    """The right is missing: a stream that keeps video for less is sent to, one that keeps none is not."""
    name = f"short-{hours}"
    service.stream(name, hours=hours)
    service.fail(Refuse("AccessDeniedException", "UpdateDataRetention"))
    preparing = Preparing(StreamWish(name, 48, raise_retention=True), over_boto(service, tmp_path), clock)
    if not sent:
        with pytest.raises(StreamError, match="kinesisvideo:UpdateDataRetention"):
            preparing.ready()
        return

    with capture_logs() as logs:
        assert hours == preparing.ready().retention_hours

    assert "UpdateDataRetention" in str(logs)
    assert ("kvs_retention", 24, 48) in [
        (each["event"], each.get("hours"), each.get("wanted")) for each in logs
    ]


def test_a_stream_that_is_ready_is_looked_at_again_when_that_is_doubtful(clock: ManualClock) -> None:
    """After forty-five minutes, and when the service said something that makes it so; not for every clip."""
    control = StreamsInMemory()
    preparing = Preparing(StreamWish("hall", 24), control, clock)
    asked = []
    for step in (lambda: None, lambda: None, preparing.forget, lambda: clock.advance(GOOD_FOR_S)):
        step()
        control.asked.clear()
        preparing.ready()
        asked.append(control.asked.count("describe"))

    assert [2, 0, 1, 1] == asked
