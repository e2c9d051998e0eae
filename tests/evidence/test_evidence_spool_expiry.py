"""The spool over time: what expires, and clocks that are wrong."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from captures import NOW, KeyPair, make_shot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spools import fill, store_until_refused

from appliance.clock import ManualClock
from appliance.errors import EvidenceError
from appliance.evidence import Spool, free_bytes
from appliance.evidence.expiry import Expiry
from appliance.evidence.spool_folder import SpoolFolder
from appliance.ids import seeded_ids
from appliance.settings import EvidenceSettings

DAY = timedelta(days=1)
MakeSpool = Callable[..., Spool]


def steady(spool: Spool, clock: ManualClock) -> None:
    """Let the clock run evenly for more than an hour from the first sweep."""
    spool.expire()
    clock.advance(3700)


def test_captures_expire_by_age(make_spool: MakeSpool, clock: ManualClock) -> None:
    """Those of expire_days or more go, oldest first; the others stay."""
    spool = make_spool(expire_days=2)
    old = fill(spool, 2, at=NOW - 3 * DAY)
    young = fill(spool, 2, at=NOW - DAY)
    steady(spool, clock)

    assert [] == [removed.id for removed in spool.expire()]
    assert sorted(young) == [entry.id for entry in spool.list()]
    assert set(old).isdisjoint(entry.id for entry in spool.list())


def test_the_sweep_says_what_went(make_spool: MakeSpool) -> None:
    """Ids and reasons, so that each can be logged."""
    spool = make_spool(expire_days=2)
    old = fill(spool, 2, at=NOW - 3 * DAY)
    fill(spool, 1)

    assert [(one, "expired") for one in old] == [(removed.id, removed.reason) for removed in spool.expire()]


def test_what_went_before_a_failure_is_said_by_the_next_sweep(
    make_spool: MakeSpool, clock: ManualClock, tmp_path: Path
) -> None:
    """The disk refuses one deletion: those before it are gone, and are not forgotten."""

    class Stubborn(SpoolFolder):
        keeps = ""

        def remove(self, capture: str) -> bool:
            if capture == self.keeps:
                raise EvidenceError("the disk refuses")
            return super().remove(capture)

    old = fill(make_spool(), 3, at=NOW - 40 * DAY)
    folder = Stubborn(tmp_path / "spool")
    expiry = Expiry(folder, EvidenceSettings(), clock, free_bytes)
    folder.keeps = old[1]
    with pytest.raises(EvidenceError):
        expiry.sweep(NOW)
    folder.keeps = ""

    assert old == [removed.id for removed in expiry.sweep(NOW)]
    assert () == expiry.sweep(NOW)


def test_a_sweep_keeps_a_tenth_of_the_cap_free(make_spool: MakeSpool) -> None:
    """The oldest go until then, and no more than needed."""
    spool = make_spool(max_mib=1)
    store_until_refused(spool)

    removed = make_spool(max_mib=1).expire(NOW)

    left = [entry.size_bytes for entry in spool.list()]
    assert removed
    assert sum(left) <= 0.9 * 1024 * 1024 < sum(left) + max(left) + 1000


def test_a_clock_that_jumps_ahead_does_not_empty_the_spool(make_spool: MakeSpool, clock: ManualClock) -> None:
    """A year ahead in one step: at most ten go, however often it sweeps, until it has held for an hour."""
    spool = make_spool()
    fill(spool, 25)
    steady(spool, clock)
    clock.set(wall=NOW + 365 * DAY, monotonic=clock.monotonic() + 60)
    for _ in range(50):
        spool.expire()
        clock.advance(60)

    assert 15 == len(spool.list())
    clock.advance(3600)
    spool.expire()
    assert () == spool.list()


def test_a_clock_that_jumps_ahead_and_back_has_cost_ten(make_spool: MakeSpool, clock: ManualClock) -> None:
    """Once the clock is right again, what is left is young again."""
    spool = make_spool()
    fill(spool, 25)
    steady(spool, clock)
    right = clock.wall()
    clock.set(wall=right + 365 * DAY, monotonic=clock.monotonic() + 1)
    spool.expire()
    clock.set(wall=right, monotonic=clock.monotonic() + 1)
    spool.expire()
    clock.advance(7200)

    assert () == spool.expire()
    assert 15 == len(spool.list())


def test_a_clock_that_was_not_set_deletes_nothing(make_spool: MakeSpool, clock: ManualClock) -> None:
    """In 1970 nothing is old, and nothing is from the future either."""
    spool = make_spool()
    ids = fill(spool, 2)
    clock.set(wall=datetime(1970, 1, 1, tzinfo=UTC), monotonic=0)
    steady(spool, clock)

    assert () == spool.expire()
    assert ids == [entry.id for entry in spool.list()]
    assert [NOW, NOW + timedelta(minutes=1)] == [entry.sealed_at for entry in spool.list()]


@pytest.mark.parametrize("wrong", [datetime(1970, 1, 1, 0, 1, tzinfo=UTC), NOW + 5000 * DAY])
def test_a_capture_sealed_by_a_wrong_clock_gets_its_days(
    make_spool: MakeSpool, clock: ManualClock, wrong: datetime
) -> None:
    """Sealed before the box knew the time: kept for expire_days from when it does, not less, not for ever."""
    spool = make_spool(expire_days=2)
    fill(spool, 1, at=wrong)
    steady(spool, clock)

    assert () == spool.expire()
    clock.advance(1.9 * 86400)
    assert () == spool.expire()
    clock.advance(0.2 * 86400)
    assert 1 == len(spool.expire())


@given(
    ages=st.lists(st.floats(0, 60), max_size=12),
    expire_days=st.floats(0.5, 60),
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_steady_sweep_leaves_exactly_the_young(
    ages: list[float],
    expire_days: float,
    key_pairs: dict[str, KeyPair],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """After a sweep with a steady clock every age is below the limit, and nothing younger went."""
    clock = ManualClock(NOW - timedelta(seconds=3700))
    chosen = EvidenceSettings(recipients=(key_pairs["age"].public,), expire_days=expire_days)
    folder = tmp_path_factory.mktemp("spool")
    spool = Spool(folder, chosen, clock, lambda *_: b"jpeg", ids=seeded_ids(1), free=lambda _: 1 << 40).open()
    spool.expire()
    clock.advance(3700)
    stored = [spool.store([make_shot(size=(4, 4))], {}, NOW - timedelta(days=age)) for age in ages]

    gone = {removed.id for removed in spool.expire()}

    left = {entry.id: entry.sealed_at for entry in spool.list()}
    assert {one.id for one in stored} == gone | set(left)
    assert gone.isdisjoint(left)
    # A file system may round times to a microsecond or so; half a millisecond either way is not promised.
    slack = timedelta(milliseconds=1)
    assert all(NOW - at < timedelta(days=expire_days) + slack for at in left.values())
    assert all(NOW - one.sealed_at > timedelta(days=expire_days) - slack for one in stored if one.id in gone)
