"""Pieces and whole clips in Debian's Chromium: the picture of a second is the one that was taken then."""

import base64
from collections.abc import Iterator

import pytest
from browser import open_browser
from playwright.sync_api import Page
from video_pieces import FPS, fragments

from appliance.video import mp4
from appliance.video.h264 import codec_string

pytestmark = pytest.mark.debian(reason="chromium")

TOLERANCE = 4
"""Gray levels that colour conversion may add; pictures a second apart differ by ten."""

PLAYER = """
async ({ init, pieces, type, at }) => {
  const bytes = (text) => Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
  const happens = (target, name) => new Promise((done, failed) => {
    target.addEventListener(name, done, { once: true });
    target.addEventListener('error', () => failed(new Error('refused')), { once: true });
  });
  const video = document.createElement('video');
  const source = new MediaSource();
  video.muted = true;
  video.src = URL.createObjectURL(source);
  await happens(source, 'sourceopen');
  const buffer = source.addSourceBuffer(type);
  for (const part of [init, ...pieces]) {
    buffer.appendBuffer(bytes(part));
    await happens(buffer, 'updateend');
  }
  source.endOfStream();
  const seen = [];
  for (const second of at) {
    const there = happens(video, 'seeked');
    video.currentTime = second;
    await there;
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
    const paper = canvas.getContext('2d');
    paper.drawImage(video, 0, 0);
    seen.push(paper.getImageData(canvas.width - 1, 0, 1, 1).data[0]);
  }
  const spans = [...Array(video.buffered.length).keys()];
  return { seen, spans: spans.map((i) => [video.buffered.start(i), video.buffered.end(i)]) };
}
"""
WHOLE = """
async ({ file, at }) => {
  const video = document.createElement('video');
  video.src = 'data:video/mp4;base64,' + file;
  await new Promise((done, failed) => { video.oncanplaythrough = done; video.onerror = failed; });
  const seen = [];
  for (const second of at) {
    const there = new Promise((done) => { video.onseeked = done; });
    video.currentTime = second;
    await there;
    seen.push(video.currentTime);
  }
  return { seen, duration: video.duration };
}
"""


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """An empty page."""
    with open_browser() as browser:
        yield browser.new_page()


def text(data: bytes) -> str:
    """Bytes on their way into a page."""
    return base64.b64encode(data).decode()


@pytest.mark.parametrize("b_frames", [0, 2])
@pytest.mark.parametrize("order", [(0, 1, 2, 3), (2, 0, 3, 1)], ids=["in order", "as they come"])
def test_each_second_shows_its_picture(page: Page, b_frames: int, order: tuple[int, ...]) -> None:
    """Whichever piece comes first, also where pictures are decoded out of order, and without a gap."""
    made = fragments(b_frames=b_frames)
    begin = made[0].timecode_ms
    at = [0.05, 2.55, 1.05, 3.85]
    shown = page.evaluate(
        PLAYER,
        {
            "init": text(mp4.init_segment(made[0].track)),
            "pieces": [text(mp4.media_segment(made[i], origin_ms=begin, sequence=i)) for i in order],
            "type": f'{mp4.INIT_TYPE}; codecs="{codec_string(made[0].track)}"',
            "at": at,
        },
    )

    assert [[0, 4]] == shown["spans"]
    for second, level in zip(at, shown["seen"], strict=True):
        assert 200 - int(second * FPS) == pytest.approx(level, abs=TOLERANCE)


def test_a_downloaded_clip_plays_and_can_be_sought_in(page: Page) -> None:
    """The one file, as somebody opens it who was handed it."""
    shown = page.evaluate(WHOLE, {"file": text(mp4.whole_clip(fragments(b_frames=2))), "at": [3.5, 0.5]})

    assert {"seen": [3.5, 0.5], "duration": 4} == shown
