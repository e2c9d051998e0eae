"""A dog between empty scenes: filmed for a minute, sent through three faults, found again, played there.

Told on the clip of a puppy where it is, everywhere on a picture of a cat, and once more without any service.
"""

import json
import subprocess
from base64 import b64decode
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import filmed
import numpy as np
import pytest
from bars import over_bar
from browser import installed, open_browser, open_page
from filmed import FPS, Filmed, filming, pictures
from kvs_local import LocalKvs, local_kvs
from playwright.sync_api import Page
from stored_outside import STREAM

from appliance.app.detecting import opened_detector
from appliance.models.folder import ModelFolder
from appliance.models.install import install
from appliance.objects import ObjectDetector
from appliance.values import ImageArray
from appliance.video.kvs_server.archive import FragmentRow
from appliance.video.kvs_server.faults import Cut, ErrorAck, Refuse

pytestmark = [pytest.mark.slow, pytest.mark.debian(reason="chromium, ffmpeg, mkvtoolnix")]

FAULTS = (Refuse("ConnectionLimitExceededException"), ErrorAck(5000, 2), Cut("received", 6))
"""In the order in which they happen: a place that is taken, an ERROR, a reset before PERSISTED."""
DOG = pytest.param("dog", marks=pytest.mark.material)
SENT = pytest.mark.parametrize("told", ["cat", DOG], indirect=True)
"""For what is told of those boxes that send their video."""
_PICTURE = """(video) => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  canvas.getContext("2d").drawImage(video, 0, 0);
  return canvas.toDataURL("image/png").split(",")[1];
}"""


@pytest.fixture(scope="module")
def detector() -> ObjectDetector:
    """Our own."""
    install(ModelFolder())
    return opened_detector(ModelFolder(), "voc", 0.5)


@pytest.fixture(scope="module")
def boxes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Filmed]]:
    """All of them at once: what they film takes its time."""
    if not filmed.programs():
        pytest.skip("Debian packages ffmpeg, mkvtoolnix")
    install(ModelFolder())
    folder = tmp_path_factory.mktemp("filmed")
    cat = filmed.film(folder / "cat.mp4", filmed.THINGS / "chelsea.png", 6)
    material = filmed.material()
    with ExitStack() as stack:

        def service() -> LocalKvs:
            found = stack.enter_context(local_kvs())
            found.fail(*FAULTS)
            return found

        run = {}
        if material is not None:
            clip = material / "testdata" / "videos" / "dog.mp4"
            dog = filmed.film(folder / "dog.mp4", clip, 11)
            run["dog"] = stack.enter_context(filming(folder / "dog", dog, "dog", 60, service()))
        run["cat"] = stack.enter_context(filming(folder / "cat", cat, "cat", 10, service()))
        run["alone"] = stack.enter_context(filming(folder / "alone", cat, "cat", 10))
        yield run


@pytest.fixture(scope="module", params=["cat", "alone", DOG])
def told(request: pytest.FixtureRequest, boxes: dict[str, Filmed]) -> "Told":
    """One of them, with its clip over and stored; `alone` has no service to send to."""
    if request.param not in boxes:
        pytest.skip("APPLIANCE_TEST_MATERIAL names no folder")
    return Told(boxes[request.param])


class Told:
    """What came of it.

    Args:
        box: That filmed.

    Attributes:
        url: Of its pages.
        secret: Of the admin's session.
        clip: As the desk tells it.
        event: The trigger's, as the index has it.
        begins: Of every fragment on the box, milliseconds since the epoch.
    """

    def __init__(self, box: Filmed) -> None:
        self.box = box
        self.url, self.secret = box.session()
        self.clip = box.clip(self.secret)
        self.event = box.seen()
        shown = json.loads(box.told("clips", "show", self.clip["clip"], "--json"))
        self.begins = [each["begin_ms"] for each in shown["pieces"]]

    @property
    def at_ms(self) -> int:
        """When the trigger went off, milliseconds since the epoch."""
        at: datetime = self.event["at"]
        return round(at.timestamp() * 1000)

    @property
    def service(self) -> LocalKvs:
        """Where the video was sent."""
        assert self.box.service is not None
        return self.box.service

    def stored(self) -> list[FragmentRow]:
        """What the service has, in the order in which it came."""
        return list(self.service.archive.fragments(STREAM))

    def media_client(self, api: str) -> Any:
        """boto3 as it is, at the endpoint that the service names."""
        return self.service.media_client(STREAM, api)


def shows(detector: ObjectDetector, thing: str, picture: ImageArray) -> bool:
    """Whether our detector finds the thing in a picture."""
    return thing in {each.label for each in detector.detect(picture)}


def test_what_is_seen_is_filmed_for_as_long_as_the_rule_says(told: Told) -> None:
    """From five seconds before the event to its end and the fragment begun by then, without a gap."""
    seconds = (told.clip["end_ms"] - told.at_ms) / 1000

    assert told.box.seconds - 0.5 < seconds < told.box.seconds + 3
    assert 4.5 < (told.at_ms - told.clip["begin_ms"]) / 1000 < 8
    assert {told.box.thing} == {each["label"] for each in told.clip["labels"]}
    assert told.begins[0] == told.clip["begin_ms"]
    assert max(np.diff([*told.begins, told.clip["end_ms"]])) < 3_000
    assert told.event["clip"] == told.clip["clip"]


def test_its_pictures_leave_the_box_as_a_file(told: Told, detector: ObjectDetector, tmp_path: Path) -> None:
    """Every picture of the time, the thing in the second it was seen in, nothing before and after."""
    path = tmp_path / "clip.mp4"
    told.box.told("clips", "export", told.clip["clip"], "--out", path, "--yes")
    found = list(pictures(path))
    at = round((told.at_ms - told.clip["begin_ms"]) / 1000 * FPS)
    seen = [shows(detector, told.box.thing, found[number]) for number in (FPS // 2, at, len(found) - 8)]

    assert len(found) == pytest.approx(told.clip["duration_s"] * FPS, abs=3)
    assert [False, True, False] == seen


@SENT
def test_through_three_faults_every_fragment_is_stored_once(told: Told) -> None:
    """None is missing, none is there twice, nothing waits, nothing was given up; all faults happened."""
    told_rows = sorted(row.producer_ms for row in told.stored())
    (stream,) = told.box.ask(told.secret, "clips.state")["streams"]

    assert () == told.service.server.faults.waiting
    assert told.begins == told_rows
    assert (len(told.begins), 0, 0) == (stream["persisted"], stream["waiting"], stream["lost"])


@SENT
def test_ffprobe_and_mkvinfo_read_what_readers_are_given(told: Told, tmp_path: Path) -> None:
    """Documents of GetMediaForFragmentList: whole, at their times, every frame of them."""
    client = told.media_client("GET_MEDIA_FOR_FRAGMENT_LIST")
    rows = told.stored()
    for row in [*rows[::8], rows[-1]]:
        path = tmp_path / "document.mkv"
        answer = client.get_media_for_fragment_list(StreamName=STREAM, Fragments=[row.number])
        path.write_bytes(answer["Payload"].read())
        command = ["mkvinfo", "--ui-language", "en_US", "-v", "-v", str(path)]
        shown = subprocess.run(command, capture_output=True, check=True, text=True).stdout
        command = ["ffprobe", "-v", "error", "-count_frames", "-show_streams", "-show_format", "-of", "json"]
        probed = subprocess.run([*command, str(path)], capture_output=True, check=True)
        read = json.loads(probed.stdout)

        assert b"" == probed.stderr
        assert row.producer_ms == round(float(read["format"]["start_time"]) * 1000)
        assert int(read["streams"][0]["nb_read_frames"]) == pytest.approx(row.duration_ms * FPS / 1000, abs=1)
        assert 1 == shown.count("|+ Cluster at ")
        assert 1 == shown.count("AWS_KINESISVIDEO_PRODUCER_TIMESTAMP")
        assert "unknown element" not in shown.lower()


@SENT
def test_boto3_finds_and_plays_the_thing_at_its_time(
    told: Told, detector: ObjectDetector, tmp_path: Path
) -> None:
    """ListFragments around the event, GetClip of the one that holds it; the clip's first holds nothing."""
    lists, plays = told.media_client("LIST_FRAGMENTS"), told.media_client("GET_CLIP")
    begin = datetime.fromtimestamp(told.begins[0] / 1000, UTC)
    last = []
    for at in (begin, told.event["at"]):
        around = {"StartTimestamp": at - timedelta(seconds=3), "EndTimestamp": at + timedelta(seconds=0.001)}
        chosen = {"FragmentSelectorType": "PRODUCER_TIMESTAMP", "TimestampRange": around}
        listed = lists.list_fragments(StreamName=STREAM, FragmentSelector=chosen)["Fragments"]
        holds = max(listed, key=lambda each: each["ProducerTimestamp"])
        around["StartTimestamp"] = holds["ProducerTimestamp"]
        clip = plays.get_clip(StreamName=STREAM, ClipFragmentSelector=chosen)
        path = tmp_path / "clip.mp4"
        path.write_bytes(clip["Payload"].read())
        *_, picture = pictures(path)
        last.append(shows(detector, told.box.thing, picture))

        assert holds["ProducerTimestamp"] <= at
        assert at < holds["ProducerTimestamp"] + timedelta(milliseconds=holds["FragmentLengthInMilliseconds"])
    assert [False, True] == last


def test_the_dashboard_counts_it_where_it_was(told: Told) -> None:
    """`moments.bars` of the label: a bar is as high as there are moments of its minute, elsewhere nothing."""
    minute = told.event["at"].replace(second=0, microsecond=0)
    since, until = minute - timedelta(minutes=30), minute + timedelta(minutes=1)
    asked = {"labels": [told.box.thing], "since": since.isoformat(), "until": until.isoformat()}
    bars = told.box.ask(told.secret, "moments.bars", width_s=60, **asked)
    listed = told.box.ask(told.secret, "moments.page", limit=200, **asked)["moments"]
    (series,) = bars["series"]

    assert series["many"][bars["starts"].index(int(minute.timestamp()))] > 0
    assert len(listed) == series["total"] == sum(series["many"])
    assert told.event["id"] in {each["id"] for each in listed}


def test_without_a_service_nothing_is_kept_for_one(boxes: dict[str, Filmed]) -> None:
    """The recorder alone: no stream is told of, nothing waits on the disk."""
    box = boxes["alone"]
    state = box.ask(box.session()[1], "clips.state")

    assert (False, []) == (state["outside"], state["streams"])
    assert not [each for each in (box.state / "video").rglob("*") if "kvs" in each.parts and each.is_file()]


def test_chromium_plays_it_at_its_second(told: Told, detector: ObjectDetector) -> None:
    """From its bar to the moment, from there to the clip: it begins to play where the thing is seen."""
    if not installed():
        pytest.skip("Debian package chromium")
    with open_browser() as browser, open_page(browser, told.url, secret=told.secret) as (page, _):
        page.goto(f"/moments?label={told.box.thing}&days=1")
        over, place = over_bar(page, "presence-table", told.at_ms)
        over.click(position=place)
        page.wait_for_url("**/moments/list?**")
        plays = page.locator(f"a[href$='/clips/{told.clip['clip']}?at={told.at_ms}']")
        while not plays.count():
            # The camera showed it again meanwhile.
            with page.expect_navigation():
                page.get_by_role("link", name="Older").click()
        plays.first.click()
        page.wait_for_url(f"**/clips/{told.clip['clip']}?at={told.at_ms}")
        page.wait_for_function("() => document.querySelector('video').played.length > 0")
        began = page.locator("video").evaluate("(video) => video.played.start(0)")
        seen = [shows(detector, told.box.thing, shown_at(page, at)) for at in (began, 0.5)]

    assert began == pytest.approx((told.at_ms - told.clip["begin_ms"]) / 1000, abs=0.3)
    assert [True, False] == seen


def shown_at(page: Page, at_s: float) -> ImageArray:
    """The picture that the player shows at a second, BGR."""
    video = page.locator("video")
    video.evaluate("(video, at) => { video.pause(); video.currentTime = at; }", at_s)
    page.wait_for_function(
        "() => { const v = document.querySelector('video'); return v.readyState > 1 && !v.seeking; }"
    )
    picture = cv2.imdecode(np.frombuffer(b64decode(video.evaluate(_PICTURE)), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return picture.astype(np.uint8)
