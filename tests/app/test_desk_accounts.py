"""The first admin, signing in and out, and what everybody may do with their own account."""

import pytest
from argon2 import PasswordHasher
from desk_box import PASSWORD, WRONG, DeskBox, desk_box, identity, logged

from appliance.app.desk.operations import Desk
from appliance.app.desk.passwords import Passwords
from appliance.errors import DeniedError, FormError, NotSignedInError, UnknownAccountError
from appliance.permissions import Permission, Role
from appliance.services import Services
from appliance.settings import Settings
from appliance.wire import Client, Server
from appliance.wire.messages import AskDesk, DeskAnswered
from enroll.desk.process import open_desk

OTHER = "four other words to know"


# ---------------------------------------------------------------- the first admin


def test_the_first_admin_is_made_with_the_link(box: DeskBox) -> None:
    """Told that one is needed, made, signed in at once, and told that none is needed any more."""
    code = box.services.store.first_run_code()
    before = box.ask("first_run.state", code=code)
    made = box.ask("first_run.create_admin", code=code, name="ann@example.org", password=PASSWORD)

    assert {"needed": True, "code_good": True} == before
    assert {"needed": False, "code_good": False} == box.ask("first_run.state", code=code)
    assert ("ann@example.org", "admin") == (made["operator"]["name"], made["operator"]["role"])
    assert "ann@example.org" == box.ask("session.check", made["secret"])["name"]


@pytest.mark.parametrize(
    ("name", "password", "field"),
    [
        ("ann", "short", "password"),
        ("ann", "password1234", "password"),
        ("annabel.example", "Annabel.Example1", "password"),
        ("ann", "aaaaaaaaaaaaaaaa", "password"),
        ("ann", "abcdefghijklmnop", "password"),
        ("ann", "1234567890123456", "password"),
        ("ann", "x" * 257, "password"),
        ("a nn", PASSWORD, "name"),
        ("", PASSWORD, "name"),
    ],
)
def test_what_cannot_be_costs_no_code(box: DeskBox, name: str, password: str, field: str) -> None:
    """The field is named, what was typed is not repeated, and the link is good for another try."""
    code = box.services.store.first_run_code()
    with pytest.raises(FormError) as caught:
        box.ask("first_run.create_admin", code=code, name=name, password=password)

    assert [field] == list(caught.value.fields)
    assert not password or password not in str(caught.value) + str(caught.value.fields)
    assert box.ask("first_run.create_admin", code=code, name="ann", password=PASSWORD)["secret"]


@pytest.mark.parametrize(
    "password", [PASSWORD, "correcthorsebattery", "Tr0ub4dor&3-longer", "密码密码很长的一句话呢吧"]
)
def test_long_is_good_enough(box: DeskBox, password: str) -> None:
    """No rules about digits and signs; any script."""
    code = box.services.store.first_run_code()
    box.ask("first_run.create_admin", code=code, name="ann", password=password)

    assert box.ask("session.open", name="ANN", password=password)["secret"]


def test_without_the_link_there_is_no_first_admin(box: DeskBox) -> None:
    """Neither with a wrong code, nor with none, nor with the right one once somebody is there."""
    for code in ("", "0" * 26):
        with pytest.raises(NotSignedInError):
            box.ask("first_run.create_admin", code=code, name="eve", password=PASSWORD)
    code = box.services.store.first_run_code()
    box.first_admin()
    with pytest.raises(DeniedError):
        box.ask("first_run.create_admin", code=code, name="eve", password=PASSWORD)

    assert ["ann"] == [each.login for each in box.services.store.operators()]


# ---------------------------------------------------------------- signing in


def test_a_session_is_opened_and_closed(box: DeskBox) -> None:
    """With the right password; after signing out its secret is nobody's."""
    box.first_admin()
    opened = box.ask("session.open", name="ann", password=PASSWORD)
    check = box.ask("session.check", opened["secret"])

    assert ("operator", "ann", "admin", opened["operator"]["id"]) == (
        check["kind"],
        check["name"],
        check["role"],
        check["id"],
    )
    box.ask("session.close", opened["secret"])
    assert box.ask("session.check", opened["secret"]) is None
    assert box.ask("session.check") is None


@pytest.mark.parametrize(
    ("name", "password"), [("ann", WRONG), ("ann", ""), ("eve", PASSWORD), ("", ""), ("invited", PASSWORD)]
)
def test_whatever_is_wrong_is_said_the_same(box: DeskBox, name: str, password: str) -> None:
    """A name that is not there, one without a password yet, a wrong password: one sentence for all."""
    admin = box.first_admin()
    box.ask("operators.add", admin, name="invited", role="viewer")
    with pytest.raises(NotSignedInError) as caught:
        box.ask("session.open", name=name, password=password)

    assert "the name or the password is wrong" == caught.value.message


def test_an_unknown_name_is_worked_on_as_long(services: Services) -> None:
    """As much is hashed and verified for a name that is not there as for one that is, for the first, too."""

    class Counting(PasswordHasher):
        hashed = verified = 0

        def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
            self.hashed += 1
            return super().hash(password, salt=salt)

        def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # noqa: A002 - as it is called there
            self.verified += 1
            return super().verify(hash, password)

    hasher = Counting(time_cost=1, memory_cost=8, parallelism=1)
    with open_desk(Settings(), services, passwords=Passwords(hasher)) as desk:
        box = DeskBox(desk, services)
        box.first_admin()
        counts = []
        for name in ("eve", "ann", "eve"):
            before = hasher.hashed, hasher.verified
            with pytest.raises(NotSignedInError):
                box.ask("session.open", name=name, password=WRONG)
            counts.append((hasher.hashed - before[0], hasher.verified - before[1]))

    assert [(0, 1)] * 3 == counts


def test_a_hash_of_older_parameters_is_made_anew(services: Services) -> None:
    """At the next sign-in, and the session opens as ever."""
    with desk_box(services) as box:
        box.first_admin()
    before = services.store.kept_password("ann")
    stronger = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)
    with open_desk(Settings(), services, passwords=Passwords(stronger)) as desk:
        DeskBox(desk, services).ask("session.open", name="ann", password=PASSWORD)
        after = services.store.kept_password("ann")
        DeskBox(desk, services).ask("session.open", name="ann", password=PASSWORD)
        last = services.store.kept_password("ann")

    assert before is not None
    assert after is not None
    assert last is not None
    assert before.hash != after.hash == last.hash
    assert "m=16,t=2" in str(after.hash)


def test_on_a_box_the_hash_is_argon2id_as_rfc_9106_wants_it() -> None:
    """64 MiB, three passes, four lanes; and it is the password that it verifies."""
    passwords = Passwords()
    kept = passwords.hash(PASSWORD)

    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert [True, False, False] == [
        passwords.fits(kept, PASSWORD),
        passwords.fits(kept, WRONG),
        passwords.fits("no hash", PASSWORD),
    ]


# ---------------------------------------------------------------- one's own


def test_sessions_are_listed_and_ended(box: DeskBox) -> None:
    """One's own only, and which of them this is; somebody else's cannot be ended by its id."""
    ann = box.first_admin()
    ben = box.admit(ann, "ben")
    second = box.ask("session.open", name="ben", password=PASSWORD)["secret"]
    listed = box.ask("session.list", ben)
    other = next(each["id"] for each in listed if not each["this"])

    assert [False, True] == sorted(each["this"] for each in listed)
    with pytest.raises(UnknownAccountError):
        box.ask("session.end", ann, session=other)
    assert box.ask("session.check", second)
    box.ask("session.end", ben, session=other)
    assert box.ask("session.check", second) is None
    assert 1 == len(box.ask("session.list", ben))


def test_a_password_is_changed_by_who_knows_it(box: DeskBox) -> None:
    """The session it is done in goes on, others end; the old one is good no more. Who did it is logged."""
    ann = box.first_admin()
    second = box.ask("session.open", name="ann", password=PASSWORD)["secret"]
    with pytest.raises(FormError) as caught:
        box.ask("password.change", ann, old=WRONG, new=OTHER)
    with pytest.raises(FormError) as poor:
        box.ask("password.change", ann, old=PASSWORD, new="short")
    box.ask("password.change", ann, old=PASSWORD, new=OTHER)

    assert (["old"], ["new"]) == (list(caught.value.fields), list(poor.value.fields))
    assert [True, False] == [box.ask("session.check", each) is not None for each in (ann, second)]
    with pytest.raises(NotSignedInError):
        box.ask("session.open", name="ann", password=PASSWORD)
    assert box.ask("session.open", name="ann", password=OTHER)["secret"]
    assert ("password_changed", identity(box, ann)) == logged(box)[-1]


def test_another_password_says_what_becomes_of_tokens(box: DeskBox) -> None:
    """Changed by who knows it, tokens go on and are counted; set with a link, they end with the sessions."""
    ann = box.first_admin()
    token, _ = box.token(ann, Permission.LOG), box.token(ann, Permission.LIVE)
    gone = next(each["id"] for each in box.ask("tokens.list", ann) if each["scopes"] == ["live"])
    box.ask("tokens.revoke", ann, token=gone)
    changed = box.ask("password.change", ann, old=PASSWORD, new=OTHER)
    between = box.ask("session.check", token)
    code = box.services.store.password_code(identity(box, ann))
    box.ask("password.redeem", code=code, password=PASSWORD)

    assert {"tokens": 1} == changed
    assert between is not None
    assert [None, None] == [box.ask("session.check", each) for each in (ann, token)]


# ---------------------------------------------------------------- secrets


def test_no_secret_stands_in_an_argument_that_is_shown(box: DeskBox) -> None:
    """Passwords and codes are hidden where arguments are printed."""
    wanted = ("password", "code", "old", "new")
    shown = []
    for name, operation in box.desk.operations.items():
        for field, about in operation.arguments.model_fields.items():
            if field in wanted and about.annotation is not bool and "SecretStr" not in str(about.annotation):
                shown.append(f"{name} {field}")

    assert [] == shown


def test_over_the_socket_it_is_the_same(box: DeskBox, services: Services) -> None:
    """Results, refusals and their fields come back as they were."""
    path = services.layout.socket("desk")
    code = services.store.first_run_code()
    with Server(path, box.desk.handlers()):
        client = Client(path)
        with pytest.raises(FormError) as caught:
            client.call(
                AskDesk(
                    operation="first_run.create_admin",
                    arguments={"code": code, "name": "ann", "password": "short"},
                )
            )
        made = client.call(
            AskDesk(
                operation="first_run.create_admin",
                arguments={"code": code, "name": "ann", "password": PASSWORD},
            ),
            DeskAnswered,
        ).message.result
        who = client.call(
            AskDesk(operation="session.check", credential=made["secret"]), DeskAnswered
        ).message.result

    assert ["password"] == list(caught.value.fields)
    assert ("ann", Role.ADMIN) == (who["name"], Role(who["role"]))
    assert Permission.OPERATORS in who["permissions"]
    assert isinstance(box.desk, Desk)
