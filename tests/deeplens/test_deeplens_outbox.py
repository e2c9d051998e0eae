"""What a function says never holds it up: the newest goes first out of the way of nobody."""

from collections.abc import Iterator

import pytest

from appliance.deeplens.guest import channel as channels
from appliance.deeplens.guest import messages as said
from appliance.deeplens.guest.channel import GuestChannel, HostChannel
from appliance.deeplens.guest.messages import MessageError
from appliance.deeplens.guest.outbox import Outbox


@pytest.fixture
def ends() -> Iterator[tuple[HostChannel, GuestChannel]]:
    """Both ends of a channel."""
    ours, theirs = channels.pair()
    host, guest = HostChannel(ours), GuestChannel(theirs)
    yield host, guest
    host.close()
    guest.close()


def heard(host: HostChannel, wait_s: float = 5.0) -> Iterator[said.GuestSaid]:
    """What the host hears until the last word."""
    while received := host.receive(wait_s=wait_s):
        yield received[0]
        if isinstance(received[0], said.Ended):
            return


def test_messages_arrive_in_order(ends: tuple[HostChannel, GuestChannel]) -> None:
    """With room, nothing is lost and nothing overtakes."""
    host, guest = ends
    outbox = Outbox(guest)
    outbox.start()
    for n in range(50):
        outbox.put(said.Publish("t", b"%d" % n))
    outbox.put(said.Ended("exited", ""))

    assert [*(said.Publish("t", b"%d" % n) for n in range(50)), said.Ended("exited", "")] == list(heard(host))


def test_the_oldest_published_gives_way_and_is_counted(ends: tuple[HostChannel, GuestChannel]) -> None:
    """Beyond its room only published messages are lost, the oldest first, and the host is told how many."""
    host, guest = ends
    outbox = Outbox(guest, room=4)
    outbox.put(said.Stream("create", "yard", 2))
    for n in range(10):
        outbox.put(said.Publish("t", b"%d" % n))
    outbox.put(said.Ended("exited", ""))
    outbox.start()

    assert [
        said.Dropped(8),
        said.Stream("create", "yard", 2),
        said.Publish("t", b"8"),
        said.Publish("t", b"9"),
        said.Ended("exited", ""),
    ] == list(heard(host))


def test_room_is_also_counted_in_bytes(ends: tuple[HostChannel, GuestChannel]) -> None:
    """Large payloads give way before they fill the memory."""
    host, guest = ends
    outbox = Outbox(guest, room_bytes=1000)
    for n in range(5):
        outbox.put(said.Publish("t", bytes([n]) * 400))
    outbox.put(said.Ended("exited", ""))
    outbox.start()
    published = [each for each in heard(host) if isinstance(each, said.Publish)]

    assert [said.Publish("t", bytes([n]) * 400) for n in (3, 4)] == published


def test_of_counts_only_the_newest_goes(ends: tuple[HostChannel, GuestChannel]) -> None:
    """A thousand frames taken while the host was busy are one message, one for each model."""
    host, guest = ends
    outbox = Outbox(guest)
    for n in range(1000):
        outbox.put(said.Taken(n, n + 1))
        outbox.put(said.Inferred("faces", n))
    outbox.put(said.Inferred("things", 7))
    outbox.put(said.Ended("exited", ""))
    outbox.start()

    assert [
        said.Taken(999, 1000),
        said.Inferred("faces", 999),
        said.Inferred("things", 7),
        said.Ended("exited", ""),
    ] == list(heard(host))


def test_whoever_says_something_does_not_wait_for_a_host_that_does_not_read(
    ends: tuple[HostChannel, GuestChannel],
) -> None:
    """Ten thousand messages to a host that reads none: every one is taken at once."""
    _, guest = ends
    outbox = Outbox(guest)
    outbox.start()
    for _ in range(10_000):
        outbox.put(said.Publish("t", b"x" * 1000))
    outbox.close(0.0)

    assert outbox._dropped >= 9000


def test_what_is_published_is_out_before_the_function_goes_on(ends: tuple[HostChannel, GuestChannel]) -> None:
    """It may end without a word the moment after."""
    host, guest = ends
    outbox = Outbox(guest)
    outbox.start()
    heard_at_once = []
    for n in range(50):
        outbox.put(said.Publish("t", b"%d" % n))
        heard_at_once.append(host.receive(wait_s=0))

    assert [(said.Publish("t", b"%d" % n), ()) for n in range(50)] == heard_at_once


def test_closing_sends_what_is_left(ends: tuple[HostChannel, GuestChannel]) -> None:
    """The last word goes out before the process ends."""
    host, guest = ends
    outbox = Outbox(guest)
    outbox.start()
    outbox.put(said.Ended("exited", ""))
    outbox.close(5.0)

    assert (said.Ended("exited", ""), ()) == host.receive(wait_s=0)


def test_a_host_that_is_gone_ends_nothing_else(ends: tuple[HostChannel, GuestChannel]) -> None:
    """Saying something to nobody raises nothing, and closing returns."""
    host, guest = ends
    host.close()
    outbox = Outbox(guest)
    outbox.start()
    for _ in range(100):
        outbox.put(said.Pong(1))
    outbox.close(5.0)

    outbox.put(said.Pong(2))


def test_what_does_not_fit_is_told_to_whoever_says_it(ends: tuple[HostChannel, GuestChannel]) -> None:
    """A topic that is too long is that caller's error, and the others' messages still go."""
    host, guest = ends
    outbox = Outbox(guest)
    outbox.start()
    with pytest.raises(MessageError):
        outbox.put(said.Publish("t" * 300, b""))
    outbox.put(said.Pong(1))

    assert (said.Pong(1), ()) == host.receive(wait_s=5)


def test_a_forked_child_sends_at_once_and_loses_what_finds_no_room(
    ends: tuple[HostChannel, GuestChannel],
) -> None:
    """It has no thread to send later; a host that does not read holds it up for a moment at most."""
    host, guest = ends
    outbox = Outbox(guest)
    outbox.forked()
    outbox.put(said.Pong(1))
    first = host.receive(wait_s=0)
    for _ in range(10):
        outbox.put(said.Publish("t", b"x" * 100_000))
    host.close()
    outbox.put(said.Pong(2))

    assert (said.Pong(1), ()) == first
