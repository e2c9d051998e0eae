"""Every operation of the desk as everybody who may ask: generated from the operations themselves."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from captures import NOW
from desk_box import DeskBox, Everybody, desk_box

from appliance.app.desk.operations import PUBLIC, Answer, Arguments, Asked, Desk, Operation
from appliance.clock import ManualClock
from appliance.errors import DeniedError, FormError, NotSignedInError, WireError
from appliance.permissions import Permission
from appliance.services import Layout, open_services
from appliance.settings import Settings
from appliance.store.api_tokens import TOKEN_SCOPES

UNFIT = {"no such argument": 1}
"""Refused by every operation, after it was found who asks and whether they may: nothing is carried out."""


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskBox]:
    """A desk that nothing is changed on."""
    layout = Layout(tmp_path_factory.mktemp("permissions") / "state")
    with (
        open_services(Settings(), layout, create=True, clock=ManualClock(NOW)) as services,
        desk_box(services) as made,
    ):
        yield made


@pytest.fixture(scope="module")
def everybody(box: DeskBox) -> Everybody:
    """Nobody, a stranger's secret, an admin, a viewer, a screen, and a token of every scope."""
    return box.everybody()


def outcome(box: DeskBox, operation: str, credential: str) -> type[Exception] | None:
    """How an operation ends for somebody who fills in what does not fit."""
    try:
        box.desk.ask(operation, UNFIT, credential=credential)
    except (DeniedError, FormError, NotSignedInError) as error:
        return type(error)
    return None


def test_every_operation_as_everybody(box: DeskBox, everybody: Everybody) -> None:
    """Who has the permission gets as far as the arguments; everybody else is turned away before."""
    wrong = []
    for name, operation in box.desk.operations.items():
        for who, credential in everybody.credentials.items():
            if operation.permission == PUBLIC or operation.permission in everybody.may(who):
                expected: type[Exception] = FormError
            else:
                expected = DeniedError if everybody.may(who) else NotSignedInError
            if expected is not (found := outcome(box, name, credential)):
                wrong.append((name, who, expected.__name__, found))

    assert [] == wrong


def test_there_is_something_to_be_turned_away_from(box: DeskBox, everybody: Everybody) -> None:
    """The test above tries enough operations, callers and permissions to mean something."""
    permissions = {operation.permission for operation in box.desk.operations.values()}

    assert len(box.desk.operations) > 20
    assert {"nobody", "admin", "viewer", "screen", "token of log"} <= set(everybody.credentials)
    assert {PUBLIC, Permission.ACCOUNT, Permission.LOG, Permission.OPERATORS} <= permissions


def test_what_is_public_is_few(box: DeskBox) -> None:
    """What somebody may ask who is not signed in, by name: adding to it is a decision."""
    public = {name for name, operation in box.desk.operations.items() if operation.permission == PUBLIC}

    assert {
        *("first_run.create_admin", "first_run.state", "password.link", "password.redeem"),
        *("keypads.pair", "screens.pair", "session.check", "session.open"),
    } == public


def test_no_token_may_what_only_people_may(box: DeskBox, everybody: Everybody) -> None:
    """A token of every scope there is admits nobody, changes no password or PIN, and is no device."""
    people = {
        *(Permission.ACCOUNT, Permission.OPERATORS, Permission.LOCKS),
        *(Permission.SCREEN, Permission.KEYPAD),
    }
    credential = everybody.credentials["token of everything"]
    for name, operation in box.desk.operations.items():
        if operation.permission in people:
            assert DeniedError is outcome(box, name, credential), name
    assert people == set(Permission) - TOKEN_SCOPES


def test_names_are_subject_and_verb(box: DeskBox) -> None:
    """They are part of the API."""
    assert [] == [name for name in box.desk.operations if len(name.split(".")) != 2 or name != name.lower()]


def test_no_fault_repeats_what_was_filled_in(box: DeskBox, everybody: Everybody) -> None:
    """Whatever an operation is told wrongly, the error names the field and not its value."""
    for name in box.desk.operations:
        with pytest.raises((FormError, NotSignedInError, DeniedError)) as caught:
            box.desk.ask(name, {"hunter2-field": "hunter2"}, credential=everybody.credentials["admin"])

        assert "hunter2'" not in str(caught.value)
        assert "hunter2" not in str(getattr(caught.value, "fields", {}).values())


class Nothing(Arguments):
    """No arguments."""


def test_two_operations_of_one_name_are_refused() -> None:
    """Neither could be told from the other."""

    def run(_: Asked[Nothing]) -> Answer:
        return Answer()

    with pytest.raises(ValueError, match="two operations"):
        Desk(lambda _: None, [Operation("a.b", Nothing, PUBLIC, run)] * 2)


def test_an_operation_that_is_none_is_said_so(box: DeskBox) -> None:
    """For processes of different versions."""
    with pytest.raises(WireError, match="knows no operation"):
        box.desk.ask("people.fly", {})


def test_a_box_keeps_its_folder_private(box: DeskBox) -> None:
    """Its sockets lie in it."""
    state: Path = box.services.layout.state

    assert 0o700 == state.stat().st_mode & 0o777
