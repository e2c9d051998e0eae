"""Signing in and out, passwords, links, operators, tokens and screens: what the desk does for the pages."""

from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher
from desk_box import PASSWORD, WRONG, DeskBox, desk_box

from appliance.app.desk.operations import Desk
from appliance.app.desk.passwords import Passwords
from appliance.app.desk.throttle import FREE
from appliance.clock import ManualClock
from appliance.errors import DeniedError, FormError, NotSignedInError, ThrottledError, UnknownAccountError
from appliance.permissions import Permission, Role
from appliance.services import Services
from appliance.settings import Settings
from appliance.wire import Client, Server
from appliance.wire.messages import AskDesk, DeskAnswered
from enroll.desk.process import open_desk

OTHER = "four other words to know"


@pytest.fixture
def box(services: Services) -> Iterator[DeskBox]:
    """A desk after its first boot: no operator yet."""
    with desk_box(services) as made:
        yield made


def logged(box: DeskBox) -> list[tuple[str, str | None]]:
    """What the log says, and who did it by the last of their id."""
    return [(each.type, each.event.by) for each in box.services.store.events() if each.event is not None]


def identity(box: DeskBox, secret: str) -> str:
    """Whose secret it is, by id."""
    return str(box.ask("session.check", secret)["id"])


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


# ---------------------------------------------------------------- guessing


def test_guessing_is_slowed_down_by_name(box: DeskBox, clock: ManualClock) -> None:
    """After five failures, from wherever; the right password waits as well, and then gets in."""
    box.first_admin()
    for number in range(FREE + 1):
        with pytest.raises(NotSignedInError):
            box.ask("session.open", name="ann", password=WRONG, client=f"198.51.100.{number}")
    with pytest.raises(ThrottledError) as caught:
        box.ask("session.open", name=" ANN ", password=PASSWORD, client="203.0.113.9")
    clock.advance(caught.value.wait_s)

    assert 0 < caught.value.wait_s <= 30
    assert box.ask("session.open", name="ann", password=PASSWORD)["secret"]
    assert 1 == [kind for kind, _ in logged(box)].count("sign_in_throttled")


def test_outsiders_do_not_lock_a_known_name_out(box: DeskBox, clock: ManualClock) -> None:
    """However many addresses guess at it, without pause: where it was signed in lately, it is taken again.

    From an address that is new to the name the guesses stand in the way, of all of them together.
    """
    box.first_admin()
    box.ask("session.open", name="ann", password=PASSWORD, client="203.0.113.9")
    taken, tried = [], 0
    for _ in range(30):
        for number in range(12):
            with pytest.raises((NotSignedInError, ThrottledError)) as caught:
                box.ask("session.open", name="ann", password=WRONG, client=f"198.51.100.{number}")
            tried += isinstance(caught.value, NotSignedInError)
        taken.append(box.ask("session.open", name="Ann", password=PASSWORD, client="203.0.113.9"))
        clock.advance(1.0)

    assert [True] * 30 == [bool(each["secret"]) for each in taken]
    assert tried < 12 * FREE


def test_a_familiar_address_is_slowed_down_by_its_own_failures(box: DeskBox) -> None:
    """Whoever sits beside somebody guesses no faster for it, even where others share the address."""
    box.first_admin()
    box.ask("session.open", name="ann", password=PASSWORD, client="203.0.113.9")
    said = []
    for _ in range(FREE + 2):
        with pytest.raises((NotSignedInError, ThrottledError)) as caught:
            box.ask("session.open", name="ann", password=WRONG, client="203.0.113.9")
        said.append(type(caught.value))

    assert [NotSignedInError] * (FREE + 1) + [ThrottledError] == said


def test_a_password_chosen_with_a_link_makes_its_address_familiar(box: DeskBox) -> None:
    """A link is as good as a password: whoever used it is not held up by others' guesses afterwards."""
    admin = box.first_admin()
    code = box.ask("operators.add", admin, name="ben", role="viewer")["code"]
    box.ask("password.redeem", code=code, password=PASSWORD, client="203.0.113.9")
    for number in range(FREE + 1):
        with pytest.raises(NotSignedInError):
            box.ask("session.open", name="ben", password=WRONG, client=f"198.51.100.{number}")

    with pytest.raises(ThrottledError):
        box.ask("session.open", name="ben", password=PASSWORD, client="192.0.2.1")
    assert box.ask("session.open", name="ben", password=PASSWORD, client="203.0.113.9")["secret"]


def test_guesses_from_outside_do_not_stand_in_the_way_of_another_password(box: DeskBox) -> None:
    """Whoever is signed in changes theirs meanwhile."""
    ann = box.first_admin()
    for number in range(FREE + 1):
        with pytest.raises(NotSignedInError):
            box.ask("session.open", name="ann", password=WRONG, client=f"198.51.100.{number}")
    box.ask("password.change", ann, old=PASSWORD, new=OTHER)

    assert "password_changed" == logged(box)[-1][0]


def test_guessing_is_slowed_down_by_address(box: DeskBox) -> None:
    """Whatever names are tried from there; somebody elsewhere is not held up."""
    box.first_admin()
    for number in range(FREE + 1):
        with pytest.raises(NotSignedInError):
            box.ask("session.open", name=f"name{number}", password=WRONG, client="198.51.100.7")
    with pytest.raises(ThrottledError):
        box.ask("session.open", name="ann", password=PASSWORD, client="198.51.100.7")

    assert box.ask("session.open", name="ann", password=PASSWORD, client="203.0.113.9")["secret"]
    (event,) = [each.event for each in box.services.store.events() if each.type == "sign_in_throttled"]
    assert "198.51.100" not in str(event)


@pytest.mark.parametrize("operation", ["screens.pair", "password.redeem", "first_run.create_admin"])
def test_guessing_codes_is_slowed_down(box: DeskBox, operation: str) -> None:
    """From one address, by all of them together."""
    rest = {
        "screens.pair": {},
        "password.redeem": {"password": PASSWORD},
        "first_run.create_admin": {"name": "eve", "password": PASSWORD},
    }[operation]
    for number in range(FREE + 1):
        with pytest.raises(NotSignedInError):
            box.ask(operation, code=f"{number:08}", client="198.51.100.7", **rest)
    with pytest.raises(ThrottledError):
        box.ask("screens.pair", code="12345678", client="198.51.100.7")

    assert ["sign_in_throttled"] == [kind for kind, _ in logged(box)]


def test_who_gets_it_right_is_not_counted(box: DeskBox) -> None:
    """A whole office behind one address may sign in, and pair its screens."""
    admin = box.first_admin()
    for _ in range(3 * FREE):
        box.ask("session.open", name="ann", password=PASSWORD, client="198.51.100.7")
        box.ask(
            "screens.pair",
            code=box.ask("screens.begin_pairing", admin, label="TV")["code"],
            client="198.51.100.7",
        )

    assert "sign_in_throttled" not in [kind for kind, _ in logged(box)]


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


def test_guessing_the_current_password_is_slowed_down(box: DeskBox) -> None:
    """Whoever sits down at an open browser has few tries."""
    ann = box.first_admin()
    for _ in range(FREE + 1):
        with pytest.raises(FormError):
            box.ask("password.change", ann, old=WRONG, new=OTHER)
    with pytest.raises(ThrottledError):
        box.ask("password.change", ann, old=PASSWORD, new=OTHER)


# ---------------------------------------------------------------- others


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


# ---------------------------------------------------------------- tokens and screens


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


# ---------------------------------------------------------------- secrets


def test_no_secret_stands_in_an_argument_that_is_shown(box: DeskBox) -> None:
    """Passwords and codes are hidden where arguments are printed."""
    wanted = ("password", "code", "old", "new")
    shown = []
    for name, operation in box.desk.operations.items():
        for field, about in operation.arguments.model_fields.items():
            if field in wanted and "SecretStr" not in str(about.annotation):
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
