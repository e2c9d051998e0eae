"""Recordings in Debian's Chromium: played, gone through, also while they grow; from a bar to its second."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations
from urllib.parse import parse_qs, urlsplit

import pytest
from bars import over_bar
from browser import Scheme, axe, open_page, overflow, shots
from kvs_local import LocalKvs, local_kvs
from logged import a_day
from playwright.sync_api import Browser, Page, expect
from recorded import AtHand, Recorded, a_recording, index, moving, now, put, recording_at_hand, three_days
from running_web import SETTINGS, Running, run_web
from stored_outside import sending_to, store

from appliance.services import Services

pytestmark = pytest.mark.debian(reason="chromium")

_DARK = """(video) => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, 1];
  const brush = canvas.getContext("2d");
  brush.drawImage(video, 0, 90, video.videoWidth, 1, 0, 0, video.videoWidth, 1);
  const pixels = brush.getImageData(0, 0, video.videoWidth, 1).data;
  return [...Array(video.videoWidth).keys()].filter((x) => pixels[4 * x] < 55).length;
}"""
"""How many columns of the shown picture are dark: ten a second."""
_DRAWN = """
window.drawn = [];
const fill = CanvasRenderingContext2D.prototype.fillText;
const canvases = [];
CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
  if (!canvases.includes(this.canvas)) canvases.push(this.canvas);
  const wide = this.measureText(text).width;
  const left = x - wide * ({ center: 0.5, right: 1, end: 1 }[this.textAlign] ?? 0);
  const chart = canvases.indexOf(this.canvas);
  window.drawn.push({ chart, text, y, left, right: left + wide, wide: this.canvas.width });
  return fill.apply(this, arguments);
};
"""
"""Has the page tell where each word of its charts stands, pixels."""
_SHOWN = "(video) => video.readyState > 1 && !video.seeking"


@dataclass(frozen=True)
class Box:
    """A box with three days in an office, whose recordings are answered for here, so that they can grow.

    Attributes:
        running: Desk and web as processes.
        services: Of the same box.
        at_hand: What answers.
        service: Where recordings are sent.
        secret: Of the admin's session.
    """

    running: Running
    services: Services
    at_hand: AtHand
    service: LocalKvs
    secret: str


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """A box of its own: it sends what is recorded to a server in this process."""
    folder = tmp_path_factory.mktemp("clips")
    with ExitStack() as stack:
        service = stack.enter_context(local_kvs())
        written = SETTINGS + sending_to(service, folder)
        running = stack.enter_context(run_web(folder / "state", settings=written))
        services = stack.enter_context(running.context.services())
        at_hand = stack.enter_context(recording_at_hand(services, running.context.settings))
        three_days(services, now() - timedelta(hours=2))
        a_day(services, now())
        index(services)
        yield Box(running, services, at_hand, service, running.secret())


@pytest.fixture(scope="module")
def recorded(box: Box) -> Recorded:
    """A dog, in another bar than what is logged meanwhile; the service has it, too."""
    found = a_recording(box.services, now() - timedelta(minutes=45), clips=box.at_hand.clips)
    for number, piece in enumerate(moving(found.begin_ms, 12)):
        store(box.service, number, piece)
    return found


@pytest.fixture
def page(browser: Browser, box: Box, recorded: Recorded) -> Iterator[Page]:
    """A page of the admin, whose console stays silent: the content policy forbids nothing that is needed."""
    assert recorded.clip
    with open_page(browser, box.running.url, secret=box.secret) as (opened, _):
        yield opened


def second(page: Page) -> float:
    """Which second of the recording is seen, by its picture."""
    page.wait_for_function(f"() => ({_SHOWN})(document.querySelector('video'))")
    return float(page.locator("video").evaluate(_DARK)) / 10


def began_at(page: Page) -> float:
    """Where it began to play by itself, however far it has come since."""
    page.wait_for_function("() => document.querySelector('video').played.length > 0")
    return float(page.locator("video").evaluate("(video) => video.played.start(0)"))


def go_to(page: Page, at_s: float) -> float:
    """Go to a second as the player's own bar does; which one is seen then."""
    page.locator("video").evaluate("(video, at) => { video.pause(); video.currentTime = at; }", at_s)
    return second(page)


def test_a_recording_is_played_and_gone_through(page: Page, recorded: Recorded) -> None:
    """It begins at its first picture; wherever one goes, that second is seen, and its time is said."""
    page.goto(f"/clips/{recorded.clip}")
    first = second(page)
    found = [go_to(page, at) for at in (9.05, 2.05, 11.05)]
    clock = page.locator("[data-player-clock]").text_content() or ""
    page.locator("[data-player-step='-1']").click()
    page.wait_for_function("() => document.querySelector('video').currentTime < 7")

    assert first < 0.5
    assert [9.0, 2.0, 11.0] == pytest.approx(found, abs=0.3)
    assert f"{recorded.begin + timedelta(seconds=11):%M:%S}" in clock
    assert second(page) == pytest.approx(6.0, abs=0.3)


def test_the_same_button_plays_what_was_sent_away(page: Page, recorded: Recorded) -> None:
    """From Kinesis Video Streams, through the box: the second that was seen goes on, any other is gone to."""
    asked: list[str] = []
    page.goto(f"/clips/{recorded.clip}?at={recorded.begin_ms + 5_000}")
    go_to(page, 5.05)
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_role("button", name="From Kinesis Video Streams").click()
    page.wait_for_function("() => document.querySelector('[data-player-says]').hidden")
    there = began_at(page)
    found = [go_to(page, at) for at in (9.05, 2.05)]

    assert there == pytest.approx(5.05, abs=0.2)
    assert [9.0, 2.0] == pytest.approx(found, abs=0.3)
    assert any("/outside/" in each for each in asked)
    assert [] == [each for each in asked if not each.startswith(page.url.partition("/clips")[0])]


def test_a_recording_is_gone_through_while_it_grows(page: Page, box: Box) -> None:
    """What came after the page was opened is played too, and what is there can be gone back to."""
    clips = box.at_hand.clips
    growing = a_recording(
        box.services, now() - timedelta(seconds=9), clips=clips, seconds=9, looks=0, there=4
    )
    page.goto(f"/clips/{growing.clip}")
    back = [go_to(page, at) for at in (3.05, 1.05)]
    for piece in growing.later:
        put(clips, growing.clip, piece)
    clips.end(growing.clip, "complete")
    expect(page.get_by_text("Still recording")).to_be_visible()
    page.wait_for_function("() => document.querySelector('video').duration > 8.5", timeout=20_000)
    expect(page.get_by_text("Still recording")).to_be_hidden()
    on = go_to(page, 8.05)
    clips.delete(growing.clip, "asked")

    assert [3.0, 1.0] == pytest.approx(back, abs=0.3)
    assert on == pytest.approx(8.0, abs=0.3)


def test_a_bar_leads_to_a_moment_that_plays_at_its_second(page: Page, recorded: Recorded) -> None:
    """From the dashboard by its bar to the list, from there to the recording at the dog's second."""
    page.goto("/moments?label=dog&days=1")
    over, place = over_bar(page, "presence-table", recorded.seen_ms)
    over.hover(position=place)
    told = page.locator("[data-chart=presence-table] .chart-note").text_content()
    over.click(position=place)
    page.wait_for_url("**/moments/list?**")
    page.get_by_role("link", name="Play").first.click()
    page.wait_for_url(f"**/clips/{recorded.clip}?at={recorded.seen_ms}")
    began = began_at(page)

    assert told is not None
    assert "3 moments" in told
    assert began == pytest.approx(7.0, abs=0.2)
    assert go_to(page, began + 0.05) == pytest.approx(7.0, abs=0.3)


def test_dragging_over_bars_looks_closer(page: Page) -> None:
    """The address says the time that was chosen, and holds the label; going back is going out again."""
    page.goto("/moments?label=dog&days=3")
    over = page.locator("[data-chart=presence-table] .u-over")
    size = over.bounding_box()
    assert size is not None
    page.mouse.move(size["x"] + size["width"] * 0.3, size["y"] + 60)
    page.mouse.down()
    page.mouse.move(size["x"] + size["width"] * 0.5, size["y"] + 60, steps=4)
    page.mouse.up()
    page.wait_for_url("**/moments?**since=**")
    closer = page.url
    page.go_back()

    assert "label=dog" in closer
    assert "until=" in closer
    expect(page.get_by_role("link", name="3 days")).to_have_attribute("aria-current", "true")


def test_a_finger_dragged_over_bars_looks_closer(browser: Browser, box: Box) -> None:
    """On a phone as with a mouse: the address says the time that was chosen."""
    with open_page(browser, box.running.url, secret=box.secret, width="phone", has_touch=True) as (page, _):
        page.goto("/moments?label=dog&days=3")
        over = page.locator("[data-chart=presence-table] .u-over")
        over.scroll_into_view_if_needed()
        size = over.bounding_box()
        assert size is not None
        finger = page.context.new_cdp_session(page)
        for kind, share in (("touchStart", 0.3), ("touchMove", 0.4), ("touchMove", 0.5), ("touchEnd", None)):
            where = {"x": size["x"] + size["width"] * (share or 0), "y": size["y"] + 60}
            points = [] if share is None else [where]
            finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        page.wait_for_url("**/moments?**since=**")
        closer = parse_qs(urlsplit(page.url).query)

    since, until = (datetime.fromisoformat(closer[name][0]) for name in ("since", "until"))
    assert ["dog"] == closer["label"]
    assert timedelta(hours=12) < until - since < timedelta(hours=18)


@pytest.mark.parametrize("width", ["phone", "tv"])
@pytest.mark.parametrize("days", [3, 7, 30])
def test_what_stands_beside_bars_is_whole(browser: Browser, box: Box, width: str, days: int) -> None:
    """No number and no day beyond the chart's edge, none over another."""
    with open_page(browser, box.running.url, secret=box.secret, width=width) as (page, _):
        page.add_init_script(_DRAWN)
        page.goto(f"/moments?days={days}")
        page.wait_for_selector("[data-chart=strangers-table] canvas")
        drawn = page.evaluate("() => window.drawn")
    cut = [each for each in drawn if each["left"] < 0 or each["right"] > each["wide"]]
    over = [
        (one["text"], other["text"])
        for one, other in combinations(drawn, 2)
        if (one["chart"], one["y"]) == (other["chart"], other["y"])
        if one["left"] < other["right"] + 4 and other["left"] < one["right"] + 4
    ]

    assert "100 %" in {each["text"] for each in drawn}
    assert [] == cut
    assert [] == over


@pytest.mark.parametrize("look", [("light", "phone"), ("dark", "tv")])
def test_pages_of_recordings_are_for_everybody(
    browser: Browser, box: Box, recorded: Recorded, look: tuple[Scheme, str]
) -> None:
    """Axe finds nothing serious and nothing is scrolled sideways; behind each chart there is its table."""
    wrong = []
    scheme, width = look
    url = box.running.url
    with open_page(browser, url, secret=box.secret, scheme=scheme, width=width) as (page, _):
        for path in (
            "/moments/list?label=dog&days=1",
            "/clips",
            f"/clips/{recorded.clip}",
            "/moments?days=3",
        ):
            page.goto(path)
            wrong += [f"{path}: {each}" for each in axe(page)] if width == "phone" else []
            wrong += [f"{path}: {overflow(page)} px too wide"] if overflow(page) else []
            shots(page, f"video{path.partition('?')[0].replace('/', '-')[:20]}")
        tables = page.locator("[data-chart]").evaluate_all(
            "(charts) => charts.map((each) => document.getElementById(each.dataset.chart).rows.length)"
        )

    assert [] == wrong
    assert tables
    assert all(rows > 60 for rows in tables)
