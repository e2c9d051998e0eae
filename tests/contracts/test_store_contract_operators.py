"""Operators, sessions, tokens, screens and codes, the same promises on SQLite and on PostgreSQL."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stores import NOON, OPENED, sql

from appliance.clock import ManualClock
from appliance.errors import DeniedError, FormError, NotSignedInError, StoreError, UnknownAccountError
from appliance.events import OperatorChanged, SignInThrottled
from appliance.permissions import GRANTED, Caller, Permission, Role
from appliance.store import NewEvent, Operator, OperatorState, Store
from appliance.store.codes import LASTS, MOST_ATTEMPTS, CodePurpose
from appliance.store.sessions import IDLE, LONGEST

MakeStore = Callable[..., Store]
NOBODY = "0190a3f2-0000-7000-8000-00000000000a"
TABLES = ("operators", "operator_sessions", "api_tokens", "screens", "one_time_codes", "events")


def admin(store: Store, login: str = "ann") -> Operator:
    """An admin with a password."""
    return store.add_operator(login, Role.ADMIN, password_hash="$argon2id$…")  # noqa: S106 - no password


def viewer(store: Store, login: str = "ben") -> Operator:
    """A viewer with a password."""
    return store.add_operator(login, Role.VIEWER, password_hash="$argon2id$…")  # noqa: S106 - no password


def types(store: Store) -> list[str]:
    """What was logged, by type."""
    return [event.type for event in store.events()]


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


# ---------------------------------------------------------------- sessions


def test_a_session_is_recognised_and_ends(make_store: MakeStore) -> None:
    """By its secret and nothing like it; ended, it is nobody's."""
    store = make_store()
    ann = admin(store)
    secret, session = store.open_session(ann.id)

    assert Caller("operator", ann.id, Role.ADMIN, GRANTED[Role.ADMIN], ann.id, session.id) == store.recognise(
        secret
    )
    for other in ("", "ods_", secret[:-1], secret + "x", secret.swapcase(), session.id, "ods_" + "x" * 5000):
        assert store.recognise(other) is None
    store.end_session(session.id, ann.id)
    assert store.recognise(secret) is None
    assert [] == store.sessions(ann.id)


def test_nobody_ends_somebody_elses_session(make_store: MakeStore) -> None:
    """Its id is not enough: it has to be one's own."""
    store = make_store()
    ann, ben = admin(store), viewer(store)
    secret, session = store.open_session(ann.id)
    with pytest.raises(UnknownAccountError):
        store.end_session(session.id, ben.id)

    assert store.recognise(secret)
    assert [session] == store.sessions(ann.id)
    assert [] == store.sessions(ben.id)


@pytest.mark.parametrize(
    ("steps", "alive"),
    [
        ([IDLE - timedelta(minutes=2)], True),
        ([IDLE], False),
        ([IDLE - timedelta(minutes=2)] * 3, True),
        ([timedelta(hours=11)] * 15, True),
        ([timedelta(hours=11)] * 16, False),
    ],
    ids=["nearly idle", "idle", "used", "nearly old", "old"],
)
def test_a_session_ends_by_itself(
    make_store: MakeStore, clock: ManualClock, steps: list[timedelta], *, alive: bool
) -> None:
    """After twelve hours without a call, and after seven days whatever happens."""
    store = make_store()
    secret, _ = store.open_session(admin(store).id)
    seen = None
    for step in steps:
        clock.advance(step.total_seconds())
        seen = store.recognise(secret)

    assert alive is (seen is not None)
    assert LONGEST == timedelta(days=7)


def test_what_has_run_out_is_swept_away(make_store: MakeStore, clock: ManualClock, address: str) -> None:
    """No hash of a session is kept for good: the next sign-in clears them."""
    store = make_store()
    ann = admin(store)
    for _ in range(3):
        store.open_session(ann.id)
    clock.advance(IDLE.total_seconds())
    _, session = store.open_session(ann.id)

    assert [(session.id,)] == sql(address, "SELECT id FROM operator_sessions")


def test_the_last_use_is_kept_to_the_minute(make_store: MakeStore, clock: ManualClock) -> None:
    """Calls within a minute write nothing: each would be a flush to the disk."""
    store = make_store()
    ann = admin(store)
    secret, _ = store.open_session(ann.id)
    used = []
    for _ in range(4):
        clock.advance(25)
        store.recognise(secret)
        used.append((store.sessions(ann.id)[0].used_at - NOON).total_seconds())

    assert [0, 0, 75, 75] == used


def test_another_password_ends_every_other_session(make_store: MakeStore) -> None:
    """And every link; the session it was changed in goes on, and tokens do."""
    store = make_store()
    ann = admin(store)
    (mine, session), (other, _) = store.open_session(ann.id), store.open_session(ann.id)
    token, _ = store.add_token(ann.id, "x", {Permission.LOG})
    code = store.password_code(ann.id)
    store.set_password(ann.id, "$other", keep_session=session.id)

    assert [True, False, True] == [store.recognise(each) is not None for each in (mine, other, token)]
    assert "$other" == store.kept_password_of(ann.id).hash
    with pytest.raises(NotSignedInError):
        store.operator_of_code(code)
    assert "password_changed" == types(store)[-1]


def test_a_newer_hash_of_the_same_password_ends_nothing(make_store: MakeStore) -> None:
    """Nor is it logged; and it does not overwrite a password that was changed meanwhile."""
    store = make_store()
    ann = admin(store)
    secret, _ = store.open_session(ann.id)
    store.refresh_hash(ann.id, old="$argon2id$…", new="$newer")
    store.refresh_hash(ann.id, old="$argon2id$…", new="$stale")

    assert "$newer" == store.kept_password_of(ann.id).hash
    assert store.recognise(secret)
    assert ["operator_added"] == types(store)


# ---------------------------------------------------------------- tokens


def test_a_token_may_what_it_was_given(make_store: MakeStore) -> None:
    """No more than that, and no more than its operator; its secret is told once."""
    store = make_store()
    ann = admin(store)
    secret, token = store.add_token(ann.id, "Home Assistant", {Permission.LOG, Permission.PEOPLE})
    caller = store.recognise(secret)

    assert secret.startswith("oda_")
    assert (
        Caller("token", token.id, Role.ADMIN, frozenset({Permission.LOG, Permission.PEOPLE}), ann.id)
        == caller
    )
    assert ("Home Assistant", ann.id, None) == (token.label, token.operator, token.revoked_at)
    assert [token.id] == [each.id for each in store.tokens()]
    assert secret not in str(store.tokens())
    assert "token_created" == types(store)[-1]


@pytest.mark.parametrize(
    "scopes", [set(), {Permission.ACCOUNT}, {Permission.OPERATORS, Permission.LOG}, {Permission.SCREEN}]
)
def test_a_token_never_lets_others_in(make_store: MakeStore, scopes: set[Permission]) -> None:
    """No scopes, or such as are for people who sign in, are refused."""
    store = make_store()
    ann = admin(store)
    with pytest.raises(FormError) as caught:
        store.add_token(ann.id, "x", scopes)

    assert (["scopes"], []) == (list(caught.value.fields), store.tokens())


def test_a_token_ends(make_store: MakeStore, clock: ManualClock) -> None:
    """When its time is over, and when it is revoked, which is logged once."""
    store = make_store()
    ann = admin(store)
    short, _ = store.add_token(ann.id, "x", {Permission.LOG}, expires_at=NOON + timedelta(hours=1))
    long, kept = store.add_token(ann.id, "y", {Permission.LOG})
    clock.advance(3600)

    assert [False, True] == [store.recognise(each) is not None for each in (short, long)]
    store.revoke_token(kept.id)
    store.revoke_token(kept.id)
    assert store.recognise(long) is None
    assert clock.wall() == store.token(kept.id).revoked_at
    assert 1 == types(store).count("token_revoked")
    with pytest.raises(FormError):
        store.add_token(ann.id, "z", {Permission.LOG}, expires_at=NOON)


@pytest.mark.parametrize("label", ["", " ", "x" * 65, "a\nb"])
def test_a_label_that_cannot_be_is_refused(make_store: MakeStore, label: str) -> None:
    """Of a token and of a screen alike."""
    store = make_store()
    ann = admin(store)
    for attempt in (
        lambda: store.add_token(ann.id, label, {Permission.LOG}),
        lambda: store.screen_code(label),
    ):
        with pytest.raises(FormError) as caught:
            attempt()

        assert ["label"] == list(caught.value.fields)


# ---------------------------------------------------------------- screens and codes


def test_a_screen_is_paired_once_by_its_code(make_store: MakeStore) -> None:
    """However it is typed; it may do what screens may, until it is revoked."""
    store = make_store()
    code = store.screen_code("Kitchen", made_by=NOBODY)
    secret, screen = store.pair_screen(code.lower().replace("-", "  "))

    assert Caller("screen", screen.id, Role.SCREEN, frozenset({Permission.SCREEN})) == store.recognise(secret)
    assert ("Kitchen", None) == (screen.label, screen.revoked_at)
    with pytest.raises(NotSignedInError):
        store.pair_screen(code)
    store.revoke_screen(screen.id)
    store.revoke_screen(screen.id)
    assert store.recognise(secret) is None
    assert [("screen_paired", NOBODY), ("screen_revoked", None)] == [
        (each.type, each.event.by) for each in store.events() if each.event is not None
    ]


def test_two_screens_may_be_paired_at_a_time(make_store: MakeStore) -> None:
    """A code does not void the one before."""
    store = make_store()
    codes = [store.screen_code(label) for label in ("Kitchen", "Hall")]

    assert ["Kitchen", "Hall"] == [store.pair_screen(code)[1].label for code in codes]


@pytest.mark.parametrize("purpose", list(CodePurpose))
def test_a_code_runs_out(make_store: MakeStore, clock: ManualClock, purpose: CodePurpose) -> None:
    """A moment before it is good, and from then on not."""
    store = make_store()
    uses: dict[CodePurpose, tuple[Callable[[], str], Callable[[str], object]]] = {
        CodePurpose.FIRST_RUN: (store.first_run_code, lambda code: store.add_first_admin(code, "cem", "$")),
        CodePurpose.PASSWORD: (
            lambda: store.password_code(store.operators()[0].id),
            lambda code: store.set_password_by_code(code, "$"),
        ),
        CodePurpose.SCREEN: (lambda: store.screen_code("x"), store.pair_screen),
    }
    make, use = uses[purpose]
    if purpose is CodePurpose.PASSWORD:
        admin(store)
    late = make()
    clock.advance(LASTS[purpose].total_seconds())
    with pytest.raises(NotSignedInError):
        use(late)
    good = make()
    clock.advance(LASTS[purpose].total_seconds() - 1)

    assert use(good)


@pytest.mark.parametrize("purpose", list(CodePurpose))
def test_a_code_is_good_for_its_purpose_only(make_store: MakeStore, purpose: CodePurpose) -> None:
    """Whatever else it is tried for, it opens nothing and stays good."""
    store = make_store()
    if purpose is not CodePurpose.FIRST_RUN:
        admin(store)
    codes = {
        CodePurpose.FIRST_RUN: store.first_run_code,
        CodePurpose.PASSWORD: lambda: store.password_code(store.operators()[0].id),
        CodePurpose.SCREEN: lambda: store.screen_code("x"),
    }
    code = codes[purpose]()
    uses: dict[CodePurpose, Callable[[], object]] = {
        CodePurpose.FIRST_RUN: lambda: store.add_first_admin(code, "cem", "$"),
        CodePurpose.PASSWORD: lambda: store.set_password_by_code(code, "$"),
        CodePurpose.SCREEN: lambda: store.pair_screen(code),
    }
    for other in set(CodePurpose) - {purpose}:
        with pytest.raises((NotSignedInError, DeniedError)):
            uses[other]()

    assert uses[purpose]()


def test_a_typed_code_stands_few_tries(make_store: MakeStore) -> None:
    """After twenty wrong ones it is void; up to then it is good."""
    store = make_store()
    codes = []
    for tries in (MOST_ATTEMPTS - 1, MOST_ATTEMPTS):
        codes.append(code := store.screen_code("x"))
        for number in range(tries):
            with pytest.raises(NotSignedInError):
                store.pair_screen(f"0000-{number:04}")
        if tries < MOST_ATTEMPTS:
            assert store.pair_screen(code)

    with pytest.raises(NotSignedInError):
        store.pair_screen(codes[-1])


def test_a_code_is_spent_once_by_whoever_comes_first(make_store: MakeStore) -> None:
    """Of several at once, from several processes, one gets in."""
    stores = [make_store(seed=seed) for seed in range(4)]
    code = stores[0].screen_code("x")
    together = threading.Barrier(4)

    def pair(number: int) -> bool:
        together.wait()
        try:
            return bool(stores[number].pair_screen(code))
        except NotSignedInError:
            return False

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(pair, range(4)))

    assert [False, False, False, True] == sorted(done)
    assert 1 == len(stores[0].screens())


def test_the_first_admin_is_made_once(make_store: MakeStore) -> None:
    """With the newest code only, and only while there is nobody; a name that cannot be costs no code."""
    store = make_store()
    old, code = store.first_run_code(), store.first_run_code()
    with pytest.raises(NotSignedInError):
        store.add_first_admin(old, "ann", "$")
    with pytest.raises(FormError):
        store.add_first_admin(code, "", "$")
    assert [False, True] == [store.first_run_code_is_good(each) for each in (old, code)]
    ann = store.add_first_admin(code, "ann", "$")

    assert (Role.ADMIN, True) == (ann.role, ann.has_password)
    assert store.has_operators()
    with pytest.raises(DeniedError):
        store.add_first_admin(code, "eve", "$")
    with pytest.raises(DeniedError):
        store.first_run_code()


def test_two_first_admins_at_once_are_one(make_store: MakeStore) -> None:
    """Whoever has the link, once is once."""
    stores = [make_store(seed=seed) for seed in range(3)]
    code = stores[0].first_run_code()
    together = threading.Barrier(3)

    def first(number: int) -> bool:
        together.wait()
        try:
            return bool(stores[number].add_first_admin(code, f"name{number}", "$"))
        except (NotSignedInError, DeniedError):
            return False

    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(first, range(3)))

    assert [False, False, True] == sorted(done)
    assert 1 == len(stores[0].operators())


def test_a_link_sets_a_password_once(make_store: MakeStore) -> None:
    """It says whose it is, ends their sessions, and logs that it was made and that it was used, by whom."""
    store = make_store()
    ann, ben = admin(store), viewer(store)
    session, _ = store.open_session(ben.id)
    void = store.password_code(ben.id, made_by=ann.id)
    code = store.password_code(ben.id, made_by=ann.id)

    assert ben == store.operator_of_code(code)
    assert "$new" == store.kept_password_of(store.set_password_by_code(code, "$new").id).hash
    assert store.recognise(session) is None
    for spent in (void, code):
        with pytest.raises(NotSignedInError):
            store.set_password_by_code(spent, "$evil")
    made, changed = store.events()[-2:]
    assert made.event is not None
    assert changed.event is not None
    assert [("sign_in_link_made", ann.id), ("password_changed", ben.id)] == [
        (made.type, made.event.by),
        (changed.type, changed.event.by),
    ]


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


# ---------------------------------------------------------------- an algebra


class Expected:
    """What should be good by now, beside a store to which the same is done.

    Attributes:
        good: Secret → whose, and its id.
        ever: Every secret there was.
    """

    def __init__(self, store: Store, clock: ManualClock, people: list[str]) -> None:
        self.store, self.clock, self.people = store, clock, people
        self.good: dict[str, tuple[str, str]] = {}
        self.ever: set[str] = set()
        for person in people:
            self.disable(person, 0)
            self.enable(person, 0)

    def _keep(self, secret: str, person: str, key: str) -> None:
        self.good[secret] = person, key
        self.ever.add(secret)

    def _drop(self, person: str | None, prefix: str) -> None:
        self.good = {
            secret: kept
            for secret, kept in self.good.items()
            if person not in {None, kept[0]} or not secret.startswith(prefix)
        }

    def _one(self, person: str, which: int, prefix: str) -> str | None:
        own = [each for each, kept in self.good.items() if kept[0] == person and each.startswith(prefix)]
        return own[which % len(own)] if own else None

    def open(self, person: str, _: int) -> None:
        """A session, for who may sign in."""
        if self.store.operator(person).state is OperatorState.ACTIVE:
            secret, session = self.store.open_session(person)
            self._keep(secret, person, session.id)

    def token(self, person: str, _: int) -> None:
        """A token, likewise."""
        if self.store.operator(person).state is OperatorState.ACTIVE:
            secret, token = self.store.add_token(person, "x", {Permission.LOG})
            self._keep(secret, person, token.id)

    def end(self, person: str, which: int) -> None:
        """The end of one of their sessions."""
        if (secret := self._one(person, which, "ods_")) is not None:
            self.store.end_session(self.good.pop(secret)[1], person)

    def revoke(self, person: str, which: int) -> None:
        """The end of one of their tokens."""
        if (secret := self._one(person, which, "oda_")) is not None:
            self.store.revoke_token(self.good.pop(secret)[1])

    def password(self, person: str, _: int) -> None:
        """Another password: their sessions end."""
        self.store.set_password(person, "$")
        self._drop(person, "ods_")

    def disable(self, person: str, _: int) -> None:
        """Out: everything of theirs ends."""
        self.store.change_operator(person, disabled=True)
        self._drop(person, "od")

    def enable(self, person: str, _: int) -> None:
        """In again, and nothing comes back."""
        self.store.change_operator(person, disabled=False)

    def wait(self, _: str, __: int) -> None:
        """Half a day in which nobody calls: every session ends."""
        self.clock.advance(IDLE.total_seconds())
        self._drop(None, "ods_")


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["open", "end", "password", "disable", "enable", "token", "revoke", "wait"]),
        st.integers(0, 1),
        st.integers(0, 3),
    ),
    max_size=25,
)


def test_whoever_is_recognised_has_a_right_to_it(make_store: MakeStore, clock: ManualClock) -> None:
    """Whatever happens in whatever order: what is presented is good exactly if nothing has ended it since."""
    store = make_store()
    admin(store)
    people = [viewer(store, name).id for name in ("ben", "cem")]

    @given(STEPS)
    @settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def holds(steps: list[tuple[str, int, int]]) -> None:
        expected = Expected(store, clock, people)
        for what, who, which in steps:
            getattr(expected, what)(people[who], which)
            assert set(expected.good) == {each for each in expected.ever if store.recognise(each) is not None}

    holds()
