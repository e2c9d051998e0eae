"""Screens, codes and links that are good once, the same promises on SQLite and on PostgreSQL."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from store_operators import NOBODY, admin, viewer

from appliance.clock import ManualClock
from appliance.errors import DeniedError, FormError, NotSignedInError
from appliance.permissions import Caller, Permission, Role
from appliance.store import Store
from appliance.store.codes import LASTS, MOST_ATTEMPTS, CodePurpose

MakeStore = Callable[..., Store]


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
        CodePurpose.KEYPAD: (lambda: store.keypad_code("x", "front"), store.pair_keypad),
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
        CodePurpose.KEYPAD: lambda: store.keypad_code("x", "front"),
    }
    code = codes[purpose]()
    uses: dict[CodePurpose, Callable[[], object]] = {
        CodePurpose.FIRST_RUN: lambda: store.add_first_admin(code, "cem", "$"),
        CodePurpose.PASSWORD: lambda: store.set_password_by_code(code, "$"),
        CodePurpose.SCREEN: lambda: store.pair_screen(code),
        CodePurpose.KEYPAD: lambda: store.pair_keypad(code),
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
