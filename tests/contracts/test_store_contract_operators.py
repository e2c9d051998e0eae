"""Operators and what is logged of them, the same promises on SQLite and on PostgreSQL."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from store_operators import NOBODY, admin, viewer
from stores import NOON, OPENED, sql, types

from appliance.clock import ManualClock
from appliance.errors import DeniedError, FormError, NotSignedInError, StoreError, UnknownAccountError
from appliance.events import OperatorChanged, SignInThrottled
from appliance.permissions import GRANTED, Permission, Role
from appliance.store import NewEvent, OperatorState, Store

MakeStore = Callable[..., Store]
TABLES = ("operators", "operator_sessions", "api_tokens", "screens", "one_time_codes", "events")


def paired(store: Store) -> tuple[str, str]:
    """A screen that was paired: what it presents, and its id."""
    secret, screen = store.pair_screen(store.screen_code("Kitchen"))
    return secret, screen.id


# ---------------------------------------------------------------- operators


def test_somebody_admitted_is_there(make_store: MakeStore, clock: ManualClock) -> None:
    """With role and state; logged by opaque id only."""
    store = make_store()
    ann = admin(store, "Ann@Example.org")
    clock.advance(1)
    ben = store.add_operator("ben", Role.VIEWER)

    assert ("Ann@Example.org", Role.ADMIN, OperatorState.ACTIVE, True) == (
        ann.login,
        ann.role,
        ann.state,
        ann.has_password,
    )
    assert ([ann, ben], False) == (store.operators(), ben.has_password)
    assert ["operator_added", "operator_added"] == types(store)
    assert "Ann" not in str(store.events())


def test_nothing_personal_and_no_secret_is_in_the_tables(make_store: MakeStore, address: str) -> None:
    """Not the name somebody signs in with, not a token's label, no secret and no code."""
    store = make_store()
    ann = admin(store, "zebedee")
    secrets = [
        store.open_session(ann.id)[0],
        store.add_token(ann.id, "Quuxly phone", {Permission.LOG})[0],
        paired(store)[0],
        store.screen_code("Hall"),
        store.password_code(ann.id),
    ]
    raw = "\0".join(
        bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)
        for table in TABLES
        for row in sql(address, f"SELECT * FROM {table}")  # noqa: S608 - names of ours
        for value in row
    )

    assert ann.id in raw
    for secret in (*secrets, "zebedee", "Quuxly"):
        assert secret not in raw
        assert secret.replace("-", "") not in raw


@pytest.mark.parametrize("login", ["", "  ", "a" * 65, "an n", "ann\n", "ann\u202e", "a\x00b"])
def test_a_login_that_cannot_be_is_refused(make_store: MakeStore, login: str) -> None:
    """Empty, endless, with spaces or with what cannot be seen; nothing is written."""
    store = make_store()
    if login.strip() == "ann":
        login = "an\nn"
    with pytest.raises(FormError) as caught:
        store.add_operator(login, Role.ADMIN)

    assert ["name"] == list(caught.value.fields)
    assert [] == store.operators()
    assert [] == types(store)


@pytest.mark.parametrize("same", ["ann", "ANN", " Ann ", "\uff21nn"])
def test_nobody_signs_in_as_somebody_else(make_store: MakeStore, same: str) -> None:
    """Capitals, spaces around it and wide letters do not make another name."""
    store = make_store()
    ann = admin(store)
    with pytest.raises(FormError, match="already"):
        store.add_operator(same, Role.VIEWER)

    assert [ann] == store.operators()
    kept = store.kept_password(same)
    assert kept is not None
    assert (ann, "$argon2id$…") == (kept.operator, kept.hash)


def test_a_screen_is_no_operator(make_store: MakeStore) -> None:
    """Neither made as one nor changed into one."""
    store = make_store()
    ann = admin(store)
    for attempt in (
        lambda: store.add_operator("tv", Role.SCREEN),
        lambda: store.change_operator(ann.id, role=Role.SCREEN),
    ):
        with pytest.raises(FormError) as caught:
            attempt()

        assert ["role"] == list(caught.value.fields)
    assert [Role.ADMIN] == [each.role for each in store.operators()]


def test_somebody_removed_is_forgotten(make_store: MakeStore, address: str) -> None:
    """Name, key, password and label go, and whatever they were known by; an opaque id stays for the log."""
    store = make_store()
    admin(store)
    ben = viewer(store)
    session, _ = store.open_session(ben.id)
    token, kept = store.add_token(ben.id, "laptop", {Permission.LOG})
    code = store.password_code(ben.id)
    store.remove_operator(ben.id)

    assert [None, None] == [store.recognise(session), store.recognise(token)]
    assert (None, OperatorState.REMOVED) == (store.operator(ben.id).login, store.operator(ben.id).state)
    assert (None, None) == (store.token(kept.id).label, store.kept_password("ben"))
    assert [(None, None, None)] == sql(
        address,
        "SELECT wrapped_key, sealed_login, password_hash FROM operators WHERE id = :id",
        id=ben.id,
    )
    with pytest.raises(NotSignedInError):
        store.operator_of_code(code)
    with pytest.raises(UnknownAccountError):
        store.remove_operator(ben.id)
    assert "ben" == viewer(store).login
    assert "operator_removed" in types(store)


def test_somebody_disabled_is_out_at_once_and_may_come_back(make_store: MakeStore) -> None:
    """Sessions end, tokens are revoked, links are void; enabled again they sign in, with none of it back."""
    store = make_store()
    admin(store)
    ben = viewer(store)
    session, _ = store.open_session(ben.id)
    token, _ = store.add_token(ben.id, "laptop", {Permission.LOG})
    disabled = store.change_operator(ben.id, disabled=True)
    kept = store.kept_password("ben")

    assert OperatorState.DISABLED is disabled.state
    assert kept is not None
    assert kept.hash is None
    with pytest.raises(UnknownAccountError):
        store.open_session(ben.id)
    assert OperatorState.ACTIVE is store.change_operator(ben.id, disabled=False).state
    assert [None, None] == [store.recognise(session), store.recognise(token)]
    assert store.recognise(store.open_session(ben.id)[0])


def test_another_role_counts_from_the_next_call_on(make_store: MakeStore) -> None:
    """For sessions and tokens alike: nothing is remembered of the old one."""
    store = make_store()
    admin(store)
    cem = admin(store, "cem")
    session, _ = store.open_session(cem.id)
    token, _ = store.add_token(cem.id, "x", {Permission.LOG, Permission.SETTINGS})
    store.change_operator(cem.id, role=Role.VIEWER)
    by_session, by_token = store.recognise(session), store.recognise(token)

    assert by_session is not None
    assert by_token is not None
    assert (Role.VIEWER, GRANTED[Role.VIEWER]) == (by_session.role, by_session.permissions)
    assert {Permission.LOG} == by_token.permissions
    event = store.events()[-1].event
    assert isinstance(event, OperatorChanged)
    assert ("operator_changed", cem.id, "viewer", False) == (
        event.type,
        event.operator,
        event.role,
        event.disabled,
    )


def test_what_changes_nothing_is_not_logged(make_store: MakeStore) -> None:
    """The same role, or enabled who is."""
    store = make_store()
    ann = admin(store)
    store.change_operator(ann.id, role=Role.ADMIN, disabled=False)
    store.change_operator(ann.id)

    assert ["operator_added"] == types(store)


def test_the_last_admin_stays(make_store: MakeStore) -> None:
    """Not removed, not disabled, not made a viewer; an admin who never chose a password is no help."""
    store = make_store()
    ann = admin(store)
    viewer(store)
    store.add_operator("dora", Role.ADMIN)  # invited only
    for attempt in (
        lambda: store.remove_operator(ann.id),
        lambda: store.change_operator(ann.id, disabled=True),
        lambda: store.change_operator(ann.id, role=Role.VIEWER),
    ):
        with pytest.raises(DeniedError, match="last admin"):
            attempt()

    assert ann == store.operator(ann.id)
    admin(store, "eve")
    store.remove_operator(ann.id)
    assert OperatorState.REMOVED is store.operator(ann.id).state


def test_two_admins_do_not_remove_each_other_at_once(make_store: MakeStore) -> None:
    """Of two that try, from two processes, one succeeds."""
    stores = [make_store(seed=1), make_store(seed=2)]
    both = [admin(stores[0]), admin(stores[0], "cem")]
    together = threading.Barrier(2)

    def remove(number: int) -> bool:
        together.wait()
        try:
            return stores[number].remove_operator(both[1 - number].id) is not None
        except (DeniedError, UnknownAccountError):
            return False

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(remove, range(2)))

    assert [False, True] == sorted(done)
    assert 1 == len(stores[0].operators())


def test_two_do_not_take_one_name_at_once(make_store: MakeStore) -> None:
    """Of several that are added with one name, one is."""
    stores = [make_store(seed=seed) for seed in range(3)]
    together = threading.Barrier(3)

    def add(number: int) -> bool:
        together.wait()
        try:
            return viewer(stores[number]).login == "ben"
        except FormError:
            return False

    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(add, range(3)))

    assert [False, False, True] == sorted(done)
    assert ["ben"] == [each.login for each in stores[0].operators()]


def test_nobody_can_be_changed_who_is_not_there(make_store: MakeStore) -> None:
    """Whatever is tried with an id that is nobody's; nothing is logged."""
    store = make_store()
    for attempt in (
        lambda: store.operator(NOBODY),
        lambda: store.change_operator(NOBODY, disabled=True),
        lambda: store.remove_operator(NOBODY),
        lambda: store.set_password(NOBODY, "x"),
        lambda: store.kept_password_of(NOBODY),
        lambda: store.password_code(NOBODY),
        lambda: store.open_session(NOBODY),
        lambda: store.end_session(NOBODY, NOBODY),
        lambda: store.add_token(NOBODY, "x", {Permission.LOG}),
        lambda: store.revoke_token(NOBODY),
        lambda: store.revoke_screen(NOBODY),
        lambda: store.screen(NOBODY),
    ):
        with pytest.raises(UnknownAccountError):
            attempt()

    assert [] == types(store)


def test_without_the_key_nobody_is_admitted(make_store: MakeStore) -> None:
    """A process that holds none neither adds nor reads a name; it recognises a secret all the same."""
    keyed, keyless = make_store(), make_store(sealed=False, seed=2)
    ann = admin(keyed)
    session, _ = keyed.open_session(ann.id)
    with pytest.raises(StoreError, match="device key"):
        viewer(keyless)

    assert [None] == [each.login for each in keyless.operators()]
    assert keyless.kept_password("ann") is None
    assert keyless.recognise(session) == keyed.recognise(session)


# ---------------------------------------------------------------- who did it


def test_what_somebody_does_says_who(make_store: MakeStore) -> None:
    """Within the block, in this thread; an event that names somebody keeps them; the chain verifies."""
    store = make_store()
    before = store.append(OPENED)
    with store.acting("ann"):
        with store.acting("ben"):
            inner = store.append(OPENED)
        kept = store.append(OPENED.model_copy(update={"by": "cem"}))
        with ThreadPoolExecutor(1) as pool:
            elsewhere = pool.submit(store.append, OPENED).result()
        with pytest.raises(ValueError, match="without a zone"), store.acting("eve"):
            store.append(OPENED, at=NOON.replace(tzinfo=None))
        outer = store.append_all([NewEvent(OPENED)])[0]
    after = store.append(OPENED)
    stored = (before, inner, kept, elsewhere, outer, after)

    assert [None, "ben", "cem", None, "ann", None] == [each.event.by for each in stored if each.event]
    assert list(stored) == store.events()
    assert 6 == store.verify().last


def test_an_event_from_before_still_verifies(make_store: MakeStore, address: str) -> None:
    """A body without the field is read as nobody's; its hash is that of what is written."""
    store = make_store()
    store.append(SignInThrottled(scope="address"))
    (body,) = sql(address, "SELECT body FROM events")[0]

    assert '"by":null' in body
    assert 1 == store.verify().last
