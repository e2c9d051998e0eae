"""A network camera to measure with: pictures made beforehand, sent over loopback HTTP at a fixed pace.

The pace is kept against a schedule, so that what the sending takes does not slow it. Each viewer gets the
stream from its beginning.
"""

import contextlib
import io
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import av

from appliance.values import ImageArray

BOUNDARY = "frame"


class StreamServer:
    """Serves one stream to whoever asks.

    Args:
        content_type: As the answer's header says it.
        chunks: Makes the stream anew for each viewer: what to send, one chunk per frame.
        fps: Frames a second.
        sent: Told of a frame's number, from 0, and the monotonic time, seconds, right before it is sent.
    """

    def __init__(
        self,
        content_type: str,
        chunks: Callable[[], Iterator[bytes]],
        *,
        fps: float,
        sent: Callable[[int, float], None] = lambda _number, _at: None,
    ) -> None:
        self._content_type = content_type
        self._chunks = chunks
        self._interval_s = 1 / fps
        self._sent = sent
        self._gone = threading.Event()

    @contextlib.contextmanager
    def serving(self) -> Iterator[str]:
        """Listen to the end of the block; gives the address."""
        camera = self

        class Answer(BaseHTTPRequestHandler):
            """One viewer."""

            def do_GET(self) -> None:
                """Send frames until somebody has enough."""
                camera._answer(self)

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/video"
        finally:
            self._gone.set()
            server.shutdown()
            server.server_close()

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", self._content_type)
        request.end_headers()
        due = time.monotonic()
        with contextlib.suppress(OSError):  # the viewer has gone
            for number, chunk in enumerate(self._chunks()):
                if self._gone.wait(max(0.0, due - time.monotonic())):
                    return
                self._sent(number, time.monotonic())
                request.wfile.write(chunk)
                due += self._interval_s


def mjpeg(pictures: Iterator[bytes]) -> Iterator[bytes]:
    """Multipart MJPEG of these JPEGs; a part's boundary follows at once, lest it wait for the next."""
    yield f"--{BOUNDARY}\r\n".encode() + _part(next(pictures))
    for picture in pictures:
        yield _part(picture)


MJPEG_TYPE = f"multipart/x-mixed-replace; boundary={BOUNDARY}"


def _part(picture: bytes) -> bytes:
    head = f"Content-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
    return head.encode() + picture + f"\r\n--{BOUNDARY}\r\n".encode()


class _Collected(io.RawIOBase):
    """Takes what a muxer writes and gives it out in pieces."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        """It is there to be written to."""
        return True

    def write(self, data: bytes, /) -> int:  # type: ignore[override]
        """Keep it."""
        self._pieces.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        """All since the last time."""
        taken, self._pieces = b"".join(self._pieces), []
        return taken


def video(
    pictures: Sequence[ImageArray], count: int, *, codec: str, pixel_format: str, fps: int
) -> Iterator[bytes]:
    """A NUT stream, as it would be recorded: the pictures again and again, one chunk per frame.

    Args:
        pictures: uint8, (h, w, 3), blue first; all of one size.
        count: Frames.
        codec: libav's name of an encoder.
        pixel_format: libav's name.
        fps: Frames a second.
    """
    frames = [
        av.VideoFrame.from_ndarray(each, format="bgr24").reformat(format=pixel_format) for each in pictures
    ]
    out = _Collected()
    options = {"preset": "veryfast", "tune": "zerolatency", "crf": "23"} if codec == "libx264" else {}
    with av.open(out, "w", format="nut", options={"flush_packets": "1"}) as container:
        stream = container.add_stream(codec, rate=fps, options=options)
        stream.width, stream.height = frames[0].width, frames[0].height
        stream.pix_fmt = pixel_format
        for number in range(count):
            frame = frames[number % len(frames)]
            frame.pts = number
            frame.time_base = Fraction(1, fps)
            for packet in stream.encode(frame):
                container.mux(packet)
            yield out.take()
