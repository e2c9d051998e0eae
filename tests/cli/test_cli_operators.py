"""`appliance operators`: the admin on the box lets the first one in, and whoever lost their password."""

import json
from pathlib import Path

import pytest
from commands import Ended, call

from appliance.permissions import Role
from appliance.services import Layout, open_services
from appliance.settings import Settings


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A box after its first boot."""
    state = tmp_path / "state"
    with open_services(Settings(), Layout(state), create=True):
        return state


def operators(state: Path, *words: object) -> Ended:
    """The command on that box."""
    return call("--state", state, "operators", *words)


def admit(state: Path, *names: str) -> None:
    """Admins with passwords."""
    with open_services(Settings(), Layout(state)) as services:
        for name in names:
            services.store.add_operator(name, Role.ADMIN, password_hash="$")  # noqa: S106 - no password


def test_the_first_link_makes_an_admin(state: Path) -> None:
    """Alone on standard output; the code in it works, once."""
    done = operators(state, "link")
    url, _, code = done.out.strip().partition("#")

    assert (0, "https://127.0.0.1:8443/first-run") == (done.code, url)
    with open_services(Settings(), Layout(state)) as services:
        assert services.store.add_first_admin(code, "ann", "$").login == "ann"


@pytest.mark.parametrize("words", [["link"], ["link", "ANN"]])
def test_a_link_is_for_who_lost_the_password(state: Path, words: list[str]) -> None:
    """By name, or for the only one there is; it is logged that it was made."""
    admit(state, "ann")
    done = operators(state, *words)
    url, _, code = done.out.strip().partition("#")

    assert (0, "https://127.0.0.1:8443/password") == (done.code, url)
    with open_services(Settings(), Layout(state)) as services:
        assert "ann" == services.store.set_password_by_code(code, "$other").login
        assert ["operator_added", "sign_in_link_made", "password_changed"] == [
            event.type for event in services.store.events()
        ]


@pytest.mark.parametrize(
    ("words", "message"),
    [(["link"], "there are several operators"), (["link", "eve"], "nobody signs in as that")],
)
def test_who_is_meant_has_to_be_clear(state: Path, words: list[str], message: str) -> None:
    """Else it says so in one sentence, and no link is made."""
    admit(state, "ann", "ben")

    assert (6, message) == operators(state, *words).refusal


def test_operators_are_listed(state: Path) -> None:
    """For people and as JSON; where there is nobody, with what to do."""
    empty = operators(state, "list")
    admit(state, "ann")
    listed, rows = operators(state, "list"), json.loads(operators(state, "list", "--json").out)

    assert "appliance operators link" in empty.out
    assert "admin   active    ann" in listed.out
    assert [("ann", "admin", "active", True)] == [
        (row["login"], row["role"], row["state"], row["has_password"]) for row in rows
    ]
    assert "$" not in listed.out
