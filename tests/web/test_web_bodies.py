"""What comes with a request is bounded and not read beyond that; what goes wrong is told in words."""

import io
from typing import Any

import pytest
from flask import request
from web_site import Site

from appliance.errors import CameraLostError
from appliance.permissions import Role
from web import requests
from web.access import public

JSON = "application/json"


class Body(io.RawIOBase):
    """A body that counts what is read of it.

    Attributes:
        taken: Bytes that were read.
    """

    def __init__(self, size: int) -> None:
        self._left = size
        self.taken = 0

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read."""
        many = min(len(buffer), self._left)
        buffer[:many] = b"x" * many
        self._left -= many
        self.taken += many
        return many


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "application/json"])
def test_a_large_body_is_refused_unread(site: Site, kind: str) -> None:
    """A form is 64 kB at most; more is refused by its announced length, before a byte of it is read."""
    body = Body(1 << 20)
    answer = site.client(Role.ADMIN).send(
        "POST",
        "/account/password",
        content_type=kind,
        environ_overrides={"wsgi.input": body, "CONTENT_LENGTH": str(1 << 20)},
    )

    assert (413, 0) == (answer.status_code, body.taken)


def test_a_body_longer_than_it_says_is_cut_where_it_said(site: Site) -> None:
    """Its real size does not count: what comes after the announced bytes is read by nobody."""

    @public
    def count() -> str:
        return str(len(request.get_data()))

    site.add_url_rule("/count", view_func=count, methods=["POST"])
    body = Body(1 << 20)
    answer = site.client().send(
        "POST", "/count", environ_overrides={"wsgi.input": body, "CONTENT_LENGTH": "1000"}
    )

    assert ("1000", 1000) == (answer.text, body.taken)


@pytest.mark.parametrize("sent", ['{"door": "\\ud800"}', '{"door": "x", "region": ["\\udfff"]}'])
def test_half_a_character_is_refused_in_words(site: Site, sent: str) -> None:
    """JSON can write what is no text; nothing could keep it, and it is nobody's fault but the sender's."""
    answer = site.client(Role.ADMIN).send(
        "POST", "/doors/save", sent.encode(), content_type="application/json", headers={"Accept": JSON}
    )

    assert (422, "input") == (answer.status_code, answer.json["error"]["code"])


def test_a_camera_at_fault_is_no_fault_of_the_pages(site: Site) -> None:
    """Whatever is wrong with it, it is told in its words, and as something that may pass."""

    @public
    def blind() -> str:
        raise CameraLostError("entrance: no frame for 10 s", hint="is it on?")

    site.add_url_rule("/blind", view_func=blind)
    page = site.client().get("/blind")
    answer = site.client().get("/blind", headers={"Accept": JSON})

    assert (503, 503) == (page.status_code, answer.status_code)
    assert "no frame for 10 s" in page.text
    assert ("camera_lost", "is it on?") == (answer.json["error"]["code"], answer.json["error"]["hint"])


def test_files_never_touch_the_disk(site: Site) -> None:
    """An upload of megabytes is kept in memory: it is a picture of somebody."""

    @public
    @requests.takes(requests.UPLOAD_BYTES)
    def take() -> str:
        return type(request.files["photo"].stream).__name__

    site.add_url_rule("/take", view_func=take, methods=["POST"])
    head = b'--x\r\nContent-Disposition: form-data; name="photo"; filename="a.jpg"\r\n\r\n'
    body = head + bytes(3 << 20) + b"\r\n--x--\r\n"
    answer = site.client().send("POST", "/take", body, content_type="multipart/form-data; boundary=x")

    assert "BytesIO" == answer.text


def test_faults_are_told_in_words_and_without_a_trace(site: Site) -> None:
    """What breaks says neither where nor with which values."""

    @public
    def broken() -> str:
        raise RuntimeError("Ann's secret")

    site.add_url_rule("/broken", view_func=broken)
    page = site.client().get("/broken")
    answer = site.client().get("/broken", headers={"Accept": "application/json"})

    assert (500, 500) == (page.status_code, answer.status_code)
    assert "secret" not in page.text + answer.text
    assert "RuntimeError" not in page.text + answer.text
    assert "internal" == answer.json["error"]["code"]


def test_the_desk_away_is_told_calmly(site: Site) -> None:
    """Pages say what goes on without it, scripts and tools hear when to come again; nothing is decided."""
    site.desk.away = True
    page = site.client(Role.ADMIN).get("/account")
    answer = site.client(Role.ADMIN).get("/account", headers={"Accept": "application/json"})

    assert (503, 503) == (page.status_code, answer.status_code)
    assert "The door is watched and logged as always" in page.text
    assert "3" == answer.headers["Retry-After"]
