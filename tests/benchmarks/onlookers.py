"""People who look on while the loop works: viewers of its pictures, and screens that follow its events.

Each is a connection of its own to the real web server, over TLS, as a browser has it: a viewer reads the
pictures of the live view (annotated, as they come), a paired screen its stream of events. All are read by one
process of low priority on the same machine, which looks at nothing but where a picture begins.
"""

import contextlib
import json
import multiprocessing
import os
import selectors
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from appliance.services import Layout, open_services
from appliance.settings import Settings
from web import cookies
from web.desk import DeskClient

PATIENCE_S = 20.0
"""Given to the readers to end."""
_NICENESS = 10
_PASSWORD = "four quiet words here"  # noqa: S105 - of a box that lives for one measurement
_PICTURE = b"Content-Type: image/jpeg"
_CHUNK = 1 << 16
_OF_ONE = 10
"""Streams of one account; the server lets it have twelve."""


@dataclass(frozen=True, slots=True)
class Onlooker:
    """Who looks on.

    Attributes:
        path: Of the stream.
        cookie: As it goes with the question; a secret.
    """

    path: str
    cookie: str


def admitted(layout: Layout, camera: str, viewers: int, screens: int) -> list[Onlooker]:
    """So many viewers of a camera's pictures, and so many paired screens; the desk must run.

    Several viewers share an account, as many as one may have streams of.
    """
    desk = DeskClient(layout.socket("desk"))

    def asked(operation: str, credential: str = "", **given: Any) -> Any:
        return desk.ask(operation, given, credential=credential, timeout_s=30).result

    admin = admin_of(layout)
    found = []
    for number in range(viewers):
        if number % _OF_ONE == 0:
            made = asked("operators.add", admin, name=f"viewer{number}", role="viewer")
            secret = asked("password.redeem", code=made["code"], password=_PASSWORD)["secret"]
        found.append(Onlooker(f"/live/{camera}/project.mjpeg", f"{cookies.SESSION}={secret}"))
    for number in range(screens):
        made = asked("screens.begin_pairing", admin, label=f"Screen {number}")
        secret = asked("screens.pair", code=made["code"])["secret"]
        found.append(Onlooker("/screen/stream", f"{cookies.SCREEN}={secret}"))
    return found


def admin_of(layout: Layout) -> str:
    """The secret of a session of a new box's first admin; the desk must run."""
    with open_services(Settings(), layout) as services:
        code = services.store.first_run_code()
    given = {"code": code, "name": "Ada", "password": _PASSWORD}
    desk = DeskClient(layout.socket("desk"))
    return str(desk.ask("first_run.create_admin", given, timeout_s=30).result["secret"])


@contextlib.contextmanager
def looking_on(layout: Layout, onlookers: list[Onlooker]) -> Iterator[dict[str, Any]]:
    """All of them to the end of the block; gives counters of pictures and of bytes of events."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    counters = {"frames": context.Value("q", 0), "events": context.Value("q", 0)}
    stop = context.Event()
    port = int(json.loads(layout.web_file.read_text(encoding="utf-8"))["port"])
    job = context.Process(target=_read, args=(port, onlookers, counters, stop))
    job.start()
    try:
        yield counters
    finally:
        stop.set()
        job.join(PATIENCE_S)
        if job.is_alive():
            job.kill()
            job.join()
    if job.exitcode and job.exitcode > 0:
        raise RuntimeError(f"the onlookers ended with {job.exitcode}")


def _read(port: int, onlookers: list[Onlooker], counted: dict[str, Any], stop: Any) -> None:
    os.nice(_NICENESS)
    with selectors.DefaultSelector() as selector, contextlib.ExitStack() as stack:
        for each in onlookers:
            sock = stack.enter_context(_asked(port, each))
            selector.register(
                sock, selectors.EVENT_READ, "frames" if each.path.endswith("mjpeg") else "events"
            )
        while not stop.is_set():
            for key, _ in selector.select(0.2):
                found = _taken(key.fileobj)
                counted[key.data].value += found.count(_PICTURE) if key.data == "frames" else len(found)


def _asked(port: int, onlooker: Onlooker) -> ssl.SSLSocket:
    """A connection on which a stream was asked for."""
    # The certificate is the box's own, made for this run; who answers at the port is not in doubt.
    context = ssl._create_unverified_context()  # noqa: S323
    sock = context.wrap_socket(socket.create_connection(("127.0.0.1", port), 10), server_hostname="localhost")
    head = f"GET {onlooker.path} HTTP/1.1\r\nHost: localhost:{port}\r\nCookie: {onlooker.cookie}\r\n\r\n"
    sock.sendall(head.encode())
    status = sock.recv(_CHUNK).split(b"\r\n", 1)[0]
    if b" 200 " not in status:
        raise RuntimeError(f"{onlooker.path}: {status.decode(errors='replace')}")
    sock.settimeout(0)
    return sock


def _taken(sock: Any) -> bytes:
    """Whatever has come; what TLS holds back is taken, too."""
    found = b""
    with contextlib.suppress(ssl.SSLWantReadError):
        while True:
            part = sock.recv(_CHUNK)
            if not part:
                raise RuntimeError("a stream has ended")
            found += part
    return found
