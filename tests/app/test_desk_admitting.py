"""Operators, tokens and screens: let in with a link or a code, listed, changed, ended."""

import pytest
from desk_box import PASSWORD, DeskBox, identity, logged

from appliance.clock import ManualClock
from appliance.errors import DeniedError, FormError, NotSignedInError

OTHER = "four other words to know"


def test_somebody_is_admitted_with_a_link(box: DeskBox) -> None:
    """It says whose it is; they choose a password and are signed in; every step says who did it."""
    ann = box.first_admin()
    added = box.ask("operators.add", ann, name="ben", role="viewer")
    whose = box.ask("password.link", code=added["code"])
    with pytest.raises(FormError):
        box.ask("password.redeem", code=added["code"], password="short")  # noqa: S106 - refused
    ben = box.ask("password.redeem", code=added["code"], password=PASSWORD)

    assert {"name": "ben"} == whose
    assert ("viewer", True) == (ben["operator"]["role"], ben["operator"]["has_password"])
    assert "viewer" == box.ask("session.check", ben["secret"])["role"]
    with pytest.raises(NotSignedInError):
        box.ask("password.redeem", code=added["code"], password=OTHER)
    by_ann, by_ben = identity(box, ann), identity(box, ben["secret"])
    assert [
        ("operator_added", by_ann),
        ("sign_in_link_made", by_ann),
        ("password_changed", by_ben),
    ] == logged(box)[-3:]


def test_operators_are_listed_changed_and_removed(box: DeskBox) -> None:
    """By an admin; a viewer made admin may at once what admins may, and removed may nothing."""
    ann = box.first_admin()
    ben = box.admit(ann, "ben")
    ids = {each["name"]: each["id"] for each in box.ask("operators.list", ann)}
    with pytest.raises(DeniedError):
        box.ask("operators.list", ben)
    box.ask("operators.change", ann, operator=ids["ben"], role="admin")

    assert [True, False] == [
        each["you"] for each in sorted(box.ask("operators.list", ann), key=lambda one: one["name"])
    ]
    assert 2 == len(box.ask("operators.list", ben))
    box.ask("operators.remove", ben, operator=ids["ann"])
    with pytest.raises(NotSignedInError):
        box.ask("operators.list", ann)
    with pytest.raises(DeniedError, match="last admin"):
        box.ask("operators.change", ben, operator=ids["ben"], disabled=True)
    assert ("operator_removed", ids["ben"]) == logged(box)[-1]


def test_a_lost_password_is_replaced_with_a_link(box: DeskBox) -> None:
    """Until the link is used the old one holds; then every session ends."""
    ann = box.first_admin()
    ben = box.admit(ann, "ben")
    code = box.ask("operators.reset", ann, operator=identity(box, ben))["code"]

    assert box.ask("session.check", ben)
    box.ask("password.redeem", code=code, password=OTHER)
    assert box.ask("session.check", ben) is None
    assert box.ask("session.open", name="ben", password=OTHER)["secret"]


def test_somebody_disabled_does_not_come_in_by_a_link(box: DeskBox) -> None:
    """Nor by a password."""
    ann = box.first_admin()
    ben = identity(box, box.admit(ann, "ben"))
    box.ask("operators.change", ann, operator=ben, disabled=True)
    code = box.ask("operators.reset", ann, operator=ben)["code"]
    with pytest.raises(DeniedError, match="may not sign in"):
        box.ask("password.redeem", code=code, password=OTHER)
    for password in (PASSWORD, OTHER):
        with pytest.raises(NotSignedInError):
            box.ask("session.open", name="ben", password=password)


def test_a_token_acts_for_its_operator_within_its_scopes(box: DeskBox) -> None:
    """It may what it was given, is named as the one who did it, and is nobody once revoked."""
    ann = box.first_admin()
    made = box.ask("tokens.create", ann, label="a script", scopes=["log"], lasts_days=1)
    check = box.ask("session.check", made["secret"])

    assert ("token", made["token"]["id"], ["log"]) == (check["kind"], check["id"], check["permissions"])
    assert box.ask("feed.wait", made["secret"])["position"] == box.services.store.position()
    with pytest.raises(DeniedError):
        box.ask("tokens.list", made["secret"])
    assert "secret" not in str(box.ask("tokens.list", ann))
    box.ask("tokens.revoke", ann, token=made["token"]["id"])
    with pytest.raises(NotSignedInError):
        box.ask("feed.wait", made["secret"])


def test_a_token_ends_when_it_was_said_to(box: DeskBox, clock: ManualClock) -> None:
    """After so many days."""
    ann = box.first_admin()
    token = box.ask("tokens.create", ann, label="x", scopes=["log"], lasts_days=2)["secret"]
    clock.advance(2 * 86400 - 1)

    assert box.ask("session.check", token)
    clock.advance(1)
    assert box.ask("session.check", token) is None


@pytest.mark.parametrize("scopes", [[], ["operators"], ["fly"], ["log", "account"]])
def test_scopes_that_cannot_be_are_refused(box: DeskBox, scopes: list[str]) -> None:
    """None, those of people, and those that there are not."""
    ann = box.first_admin()
    with pytest.raises(FormError) as caught:
        box.ask("tokens.create", ann, label="x", scopes=scopes)

    assert {"scopes"} == {field.partition(".")[0] for field in caught.value.fields}


def test_a_screen_is_paired_and_revoked(box: DeskBox) -> None:
    """By a code an admin made; it may what screens may and is known by its label."""
    ann = box.first_admin()
    code = box.ask("screens.begin_pairing", ann, label="Kitchen")
    paired = box.ask("screens.pair", code=code["code"])
    check = box.ask("session.check", paired["secret"])

    assert (600.0, "screen", "Kitchen", ["screen"]) == (
        code["lasts_s"],
        check["kind"],
        check["name"],
        check["permissions"],
    )
    with pytest.raises(NotSignedInError):
        box.ask("screens.pair", code=code["code"])
    box.ask("screens.revoke", ann, screen=paired["screen"]["id"])
    assert box.ask("session.check", paired["secret"]) is None
    assert [("screen_paired", identity(box, ann)), ("screen_revoked", identity(box, ann))] == logged(box)[-2:]
