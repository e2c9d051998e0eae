"""What web may rely on when it asks the desk: held over a socket, and by the tests' own desk alike."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from desk_calls import NearDesk
from web_site import CHEAP, PASSWORD

from appliance.app.desk.passwords import Passwords
from appliance.errors import DeniedError, FormError, NotSignedInError, PeerGoneError, WireError
from appliance.services import Layout, open_services
from appliance.settings import Settings
from appliance.wire import Server
from enroll.desk.process import open_desk
from web.desk import DeskCalls, DeskClient


@pytest.fixture(params=["near", "socket"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DeskCalls]:
    """The same operations, called directly and over a socket."""
    layout, settings, hasher = Layout(tmp_path / "state"), Settings(), Passwords(CHEAP)
    with (
        open_services(settings, layout, create=True) as services,
        open_desk(settings, services, passwords=hasher) as opened,
    ):
        code = services.store.first_run_code()
        opened.ask("first_run.create_admin", {"code": code, "name": "Ada", "password": PASSWORD})
        if request.param == "near":
            yield NearDesk(opened)
        else:
            with Server(layout.socket("desk"), opened.handlers()):
                yield DeskClient(layout.socket("desk"))


@pytest.fixture(params=["near", "socket"])
def nobody_there(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DeskCalls]:
    """A desk whose process has ended."""
    if request.param == "socket":
        yield DeskClient(tmp_path / "desk.sock")
        return
    layout, settings = Layout(tmp_path / "state"), Settings()
    with open_services(settings, layout, create=True) as services, open_desk(settings, services) as opened:
        near = NearDesk(opened)
        near.away = True
        yield near


def test_somebody_signs_in_and_is_known(desk: DeskCalls) -> None:
    """A session's secret is what the next calls present."""
    secret = desk.ask("session.open", {"name": "Ada", "password": PASSWORD}).result["secret"]
    known = desk.ask("session.check", {}, credential=secret).result

    assert ("Ada", "admin", "operator") == (known["name"], known["role"], known["kind"])
    assert "operators" in known["permissions"]


def test_nobody_is_known_by_nothing(desk: DeskCalls) -> None:
    """Neither without a credential nor by one that was made up."""
    assert desk.ask("session.check", {}).result is None
    assert desk.ask("session.check", {}, credential="made up").result is None


def test_errors_come_as_their_own_class(desk: DeskCalls) -> None:
    """What the desk raises is what the page has to tell."""
    secret = desk.ask("session.open", {"name": "Ada", "password": PASSWORD}).result["secret"]

    with pytest.raises(NotSignedInError):
        desk.ask("operators.list", {})
    with pytest.raises(NotSignedInError):
        desk.ask("session.open", {"name": "Ada", "password": "something else"})
    with pytest.raises(DeniedError):
        desk.ask(
            "operators.remove",
            {"operator": desk.ask("session.check", {}, credential=secret).result["id"]},
            credential=secret,
        )
    with pytest.raises(WireError):
        desk.ask("nothing.like_this", {}, credential=secret)


def test_faults_of_a_form_come_field_by_field(desk: DeskCalls) -> None:
    """So that each is shown at its field."""
    secret = desk.ask("session.open", {"name": "Ada", "password": PASSWORD}).result["secret"]

    with pytest.raises(FormError) as caught:
        desk.ask("operators.add", {"name": "Ada", "role": "admin"}, credential=secret)
    assert ["name"] == list(caught.value.fields)


def test_a_desk_that_is_away_says_so(nobody_there: DeskCalls) -> None:
    """And nothing else, whatever is asked."""
    with pytest.raises(PeerGoneError):
        nobody_there.ask("session.check", {})
