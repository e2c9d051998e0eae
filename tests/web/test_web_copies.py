"""How far copies of sealed pictures are, on their page."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from browser import axe, overflow, shots
from logged import Day, a_day
from playwright.sync_api import Page
from running_web import Running
from web_site import Site

from appliance.cli.context import Context
from appliance.errors import FormError
from appliance.services import Services
from appliance.settings import S3Settings
from appliance.sinks.naming import target_of
from appliance.values import CopyState, RemoteCopy

BUCKET = "evidence-of-an-office"
TARGET = target_of(S3Settings(bucket=BUCKET))
NOW = datetime.now(UTC)


@pytest.fixture
def day(site: Site) -> Day:
    """A stranger's pictures, sealed three hours ago, on a box that copies."""
    copies_to_a_bucket(site.services)
    made, sealed_at = a_day(site.services, NOW), (NOW - timedelta(hours=3.5)).timestamp()
    os.utime(site.services.layout.spool / f"{made.capture}.age", (sealed_at, sealed_at))
    return made


def copies_to_a_bucket(box: Services | Context) -> None:
    """Have it copy, from the next question on."""
    box.layout.overlay_file.write_text(f'[captures.s3]\nbucket = "{BUCKET}"\n')


def note(services: Services, capture: str, state: CopyState) -> None:
    """What whoever copies would note."""
    copy = RemoteCopy(capture, state, "0" * 64, 90_022, NOW, reason="mismatch")
    services.store.note_copy(TARGET, copy)


def tell(box: Services | Context, **told: object) -> None:
    """What whoever copies would tell."""
    base = {"at": NOW.isoformat(), "state": "idle", "copied": 0, "failures": 0, "reason": ""}
    box.layout.sync_file.parent.mkdir(exist_ok=True)
    whole = {**base, "message": "", "hint": "", "next_try_at": None, **told}
    box.layout.sync_file.write_text(json.dumps(whole))


def test_nothing_is_told_of_copies_where_none_are_made(site: Site) -> None:
    """Most boxes have no bucket; their page does not speak of one."""
    assert {"bucket": None} == site.ask("captures.copies")
    assert "Copies elsewhere" not in site.client("admin").get("/captures").get_data(as_text=True)


def test_progress_and_lag_are_shown(site: Site, day: Day) -> None:
    """How many of how many, how late; then that all are there."""
    admin = site.client("admin")
    before = admin.get("/captures").get_data(as_text=True)
    note(site.services, day.capture, CopyState.VERIFIED)
    after = admin.get("/captures").get_data(as_text=True)

    assert "<strong>0 of 1</strong> file is copied" in before
    assert "1 still to go, 90 kB. The oldest was sealed 3 hours ago." in before
    assert "not running" in before
    assert "<strong>1 of 1</strong> file is copied" in after
    assert "still to go" not in after


def test_what_is_in_the_way_is_shown_with_what_to_do(site: Site, day: Day) -> None:
    """In the words of whoever copies, as text; what was refused, too."""
    note(site.services, day.capture, CopyState.REFUSED)
    tell(site.services, state="failing", failures=3, reason="credentials", hint="put fresh ones in",
         message="the credentials <b>have</b> expired")  # fmt: skip
    html = site.client("admin").get("/captures").get_data(as_text=True)
    told = site.ask("captures.copies")

    assert "The credentials &lt;b&gt;have&lt;/b&gt; expired." in html
    assert "Put fresh ones in." in html
    assert "1 is not copied" in html
    assert [{"capture": day.capture, "reason": "mismatch"}] == told["refused_captures"]
    assert (3, 0, 1) == (told["failures"], told["due"], told["refused"])


def test_where_copies_go_is_not_changed_over_the_network(site: Site) -> None:
    """By no form and no token: the settings file says it."""
    admin = site.client("admin")
    admin.post("/settings/captures.s3", {"captures.s3.bucket": "mine", "step": "save"})
    for key in ("captures.s3.bucket", "captures.s3.endpoint", "captures.s3.remove_local_days"):
        with pytest.raises(FormError, match="machine itself"):
            site.ask("settings.save", changes={key: None})
    with pytest.raises(FormError, match="machine itself"):
        site.ask("settings.save", changes={"captures.s3": {"bucket": "mine"}})

    assert not site.services.layout.overlay_file.exists()
    assert "machine itself" in admin.get("/settings/captures.s3").get_data(as_text=True)


@pytest.fixture
def copied(running_web: Running) -> Iterator[None]:
    """Some copied, some not, and something in the way."""
    services = running_web.context
    copies_to_a_bucket(services)
    tell(
        services,
        state="failing",
        failures=3,
        reason="clock",
        message="this machine's clock is wrong, so the service does not believe its signature",
        hint="set it, or let NTP do it",
        next_try_at=(NOW + timedelta(minutes=4)).isoformat(),
    )
    yield
    services.layout.overlay_file.unlink()


@pytest.mark.debian(reason="chromium")
@pytest.mark.slow
@pytest.mark.usefixtures("at_the_door", "copied")
def test_copies_in_the_browser(page: Page) -> None:
    """Nothing runs over on a phone, and axe finds nothing."""
    page.goto("/captures")
    shots(page, "copies")

    assert page.get_by_role("heading", name="Copies elsewhere").is_visible()
    assert [] == axe(page)
    assert 0 == overflow(page)
