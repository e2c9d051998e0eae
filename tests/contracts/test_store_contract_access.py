"""Sessions and tokens, and who is let in by what, the same promises on SQLite and on PostgreSQL."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_operators import admin, viewer
from stores import NOON, sql, types

from appliance.clock import ManualClock
from appliance.errors import FormError, NotSignedInError, UnknownAccountError
from appliance.permissions import GRANTED, Caller, Permission, Role
from appliance.store import OperatorState, Store
from appliance.store.sessions import IDLE, LONGEST

MakeStore = Callable[..., Store]


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
