"""A network camera on this machine: real HTTP, multipart MJPEG, with its failures built in."""

import base64
import itertools
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from camera_clips import jpeg


class MjpegCamera:
    """Serves `/video` as multipart/x-mixed-replace; can die, come back, fall silent, ask for a password.

    Attributes:
        port: Where it listens; the same after it came back.
        interval_s: Seconds between frames.
        silent: While set, connections stay open and nothing is sent.
        spoil: Changes the bytes of a frame, given its number.
        password: Asked for when not empty; the user is `watcher`.
        end_after: Frames after which the answer ends; None for never.
        body: Sent instead of video when not None.
    """

    def __init__(self, *, interval_s: float = 0.02, password: str = "", end_after: int | None = None) -> None:
        self.port = 0
        self.interval_s = interval_s
        self.password = password
        self.end_after = end_after
        self.body: bytes | None = None
        self.silent = threading.Event()
        self.spoil: Callable[[int, bytes], bytes] = lambda _, data: data
        self._server: ThreadingHTTPServer | None = None
        self._gone = threading.Event()

    @property
    def url(self) -> str:
        """Its address, without a password."""
        return f"http://127.0.0.1:{self.port}/video"

    def start(self) -> None:
        """Listen; on the port it had before, if it had one."""
        camera = self
        self._gone = gone = threading.Event()

        class Answer(BaseHTTPRequestHandler):
            """One viewer."""

            def do_GET(self) -> None:
                """Send frames until somebody has enough."""
                camera._answer(self, gone)

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", self.port), Answer)
        server.daemon_threads = True
        self.port = server.server_address[1]
        self._server = server
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Break every connection and stop listening."""
        server, self._server = self._server, None
        self._gone.set()
        if server is not None:
            server.shutdown()
            server.server_close()

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    def _answer(self, request: BaseHTTPRequestHandler, gone: threading.Event) -> None:
        wanted = "Basic " + base64.b64encode(f"watcher:{self.password}".encode()).decode()
        if self.password and request.headers.get("Authorization") != wanted:
            request.send_response(401)
            request.send_header("WWW-Authenticate", 'Basic realm="camera"')
            request.end_headers()
            return
        request.send_response(200)
        if self.body is not None:
            request.send_header("Content-Type", "text/html")
            request.end_headers()
            request.wfile.write(self.body)
            return
        request.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        request.end_headers()
        try:
            for index in itertools.count() if self.end_after is None else range(self.end_after):
                while self.silent.is_set() and not gone.is_set():
                    time.sleep(0.01)
                if gone.is_set():
                    request.connection.close()
                    return
                data = self.spoil(index, jpeg(index))
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
                request.wfile.write(head.encode() + data + b"\r\n")
                time.sleep(self.interval_s)
        except OSError:
            return
