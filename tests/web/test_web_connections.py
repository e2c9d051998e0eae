"""Who holds a connection, and who has to give one up: no household takes the places of the others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.watch import MOST, MOST_OF_ONE, MOST_OF_OURS, Part, Watch


class Held:
    """A connection of a client with this address, that no network is needed for.

    Attributes:
        alive: Whether it was not cut.
    """

    def __init__(self, remote_addr: str | None, *, serving: bool = False) -> None:
        self.remote_addr = remote_addr
        self.serving = serving
        self.alive = True

    def cut(self) -> None:
        """End it."""
        self.alive = False


def crowd(watch: Watch, address: str, many: int, *, serving: bool = False) -> list[Held]:
    """So many connections of one address that want in; those that got in."""
    wanted = [Held(address, serving=serving) for _ in range(many)]
    return [each for each in wanted if watch.admit(each)]


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        ("198.51.100.7", "198.51.100.7", True),
        ("198.51.100.7", "::ffff:198.51.100.7", True),
        ("198.51.100.7", "198.51.100.8", False),
        ("2001:db8::1", "2001:db8::ffff:ffff:ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
    ],
)
def test_a_household_counts_as_one(first: str, second: str, together: bool) -> None:  # noqa: FBT001
    """Of IPv6 everybody in a /64, and an address of IPv4 whichever way it comes."""
    watch = Watch()
    crowd(watch, first, MOST_OF_ONE)

    assert together != watch.admit(Held(second))


def test_an_ipv6_host_with_all_its_addresses_fills_nothing() -> None:
    """Whatever addresses of its network it takes, it has the places of one."""
    watch = Watch()
    taken = sum(len(crowd(watch, f"2001:db8::{host:x}", 1)) for host in range(1, MOST + 1))

    assert MOST_OF_ONE == taken


def test_this_machine_is_counted_too() -> None:
    """It has a larger share, for tunnels end here; no local account fills the server."""
    watch = Watch()

    assert MOST_OF_OURS == len(crowd(watch, "127.0.0.1", MOST + 20))
    assert watch.admit(Held("198.51.100.7"))


def test_behind_a_proxy_it_is_not_counted() -> None:
    """All connections are the proxy's."""
    assert MOST == len(crowd(Watch(counted=False), "10.0.0.1", MOST + 20))


def full(*, serving: bool = False) -> tuple[Watch, list[Held]]:
    """A watch whose places are all taken by a few addresses."""
    watch, held = Watch(), list[Held]()
    for number in range(MOST // MOST_OF_ONE + 1):
        held += crowd(watch, f"203.0.113.{number}", min(MOST_OF_ONE, MOST - len(held)), serving=serving)
    return watch, held


def test_a_few_addresses_do_not_keep_others_out() -> None:
    """Who comes when all is taken gets a place of whoever holds most: the one that is idle longest."""
    watch, held = full()
    newcomer = Held("198.51.100.7")

    assert watch.admit(newcomer)
    assert [held[0]] == [each for each in held if not each.alive]
    assert newcomer.alive


def test_a_greedy_one_displaces_nobody() -> None:
    """Who would then hold more than the others is turned away."""
    watch, held = Watch(), list[Held]()
    for number in range(MOST // 40):
        held += crowd(watch, f"203.0.113.{number}", 40)

    assert not watch.admit(Held("203.0.113.0"))
    assert all(each.alive for each in held)


def test_who_is_served_keeps_the_place() -> None:
    """A stream is not cut for somebody who comes."""
    watch, held = full(serving=True)

    assert not watch.admit(Held("198.51.100.7"))
    assert all(each.alive for each in held)


@pytest.mark.parametrize("part", [Part.HEAD, Part.BODY])
def test_threads_do_not_wait_for_slow_clients_without_end(part: Part) -> None:
    """One more than may wait, and one is cut: of whoever has most, the longest under way."""
    watch = Watch(heads=3, bodies=3)
    slow, other, newcomer = crowd(watch, "203.0.113.1", 2), Held("203.0.113.2"), Held("198.51.100.7")
    watch.admit(other)
    watch.admit(newcomer)
    watch.expect(other, 10, part)
    for each in slow:
        watch.expect(each, 10, part)
    watch.expect(newcomer, 10, part)

    assert [False, True] == [each.alive for each in slow]
    assert other.alive
    assert newcomer.alive


def test_what_arrived_makes_room() -> None:
    """A head that is here counts no more, however long its answer takes."""
    watch = Watch(heads=1)
    quick, next_one = crowd(watch, "198.51.100.7", 2)
    watch.expect(quick, 10, Part.HEAD)
    watch.arrived(quick)
    watch.expect(next_one, 10, Part.HEAD)

    assert quick.alive
    assert next_one.alive


_ADDRESSES = ("198.51.100.7", "203.0.113.9", "2001:db8::1", "2001:db8:0:1::1", "127.0.0.1")
_STEP = st.tuples(st.sampled_from(["come", "go", "head", "body", "here"]), st.integers(0, 200))


@given(st.lists(_STEP, max_size=120))
def test_whatever_happens_the_last_to_come_is_not_the_one_cut(steps: list[tuple[str, int]]) -> None:
    """In any order of coming, speaking and going; and what is closed is forgotten."""
    watch, came = Watch(heads=2, bodies=2), list[Held]()
    for what, which in steps:
        here = [each for each in came if each.alive]
        if what == "come":
            came += crowd(watch, _ADDRESSES[which % len(_ADDRESSES)], 1)
        elif here:
            chosen = here[which % len(here)]
            watch.arrived(chosen)
            if what == "go":
                watch.forget(chosen)
                chosen.cut()
            elif what != "here":
                watch.expect(chosen, 10, Part(what))
                assert chosen.alive
    for each in came:
        watch.forget(each)

    assert MOST_OF_ONE == len(crowd(watch, "2001:db8::1", MOST_OF_ONE + 1))
