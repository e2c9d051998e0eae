"""The feed: whoever waits for the log is told soon, and nobody looks while nobody waits."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from desk_box import DeskBox, desk_box
from stores import OPENED, SHUT

from appliance.app.desk.feed import EVERY_S, Feed
from appliance.errors import FormError, NotSignedInError, StoreError
from appliance.services import Layout, Services, open_services
from appliance.settings import Settings

PATIENCE_S = 60.0


class Position:
    """A log's end that a test moves."""

    def __init__(self) -> None:
        self.now = 0
        self.broken = False

    def __call__(self) -> int:
        """The position of the newest event."""
        if self.broken:
            raise StoreError("locked")
        return self.now


@pytest.fixture
def position() -> Position:
    """An empty log."""
    return Position()


@pytest.fixture
def feed(position: Position) -> Iterator[Feed]:
    """A feed of it."""
    with Feed(position, every_s=0.01) as made:
        yield made


@pytest.fixture
def box(services: Services) -> Iterator[DeskBox]:
    """A desk after its first boot."""
    with desk_box(services) as made:
        yield made


def test_what_is_there_is_answered_at_once(feed: Feed, position: Position) -> None:
    """Without a look of the thread."""
    position.now = 7

    assert [7, 7] == [feed.wait(after, PATIENCE_S) for after in (0, 6)]
    assert 0 == feed.looks


def test_nothing_new_is_answered_when_the_time_is_over(feed: Feed, position: Position) -> None:
    """With the position as it was."""
    position.now = 7

    assert 7 == feed.wait(7, 0.03)
    assert 7 == feed.wait(7, 0)


def test_everybody_who_waits_is_told(feed: Feed, position: Position) -> None:
    """By one look, however many they are."""
    waiting = threading.Semaphore(0)

    def wait(_: int) -> int:
        waiting.release()
        return feed.wait(0, PATIENCE_S)

    with ThreadPoolExecutor(40) as pool:
        told = pool.map(wait, range(40))
        for _ in range(40):
            waiting.acquire()
        position.now = 3

        assert [3] * 40 == list(told)


def test_nobody_looks_while_nobody_waits(feed: Feed) -> None:
    """A page that is shut costs nothing."""
    feed.wait(0, 0.05)
    settled = feed.looks
    time.sleep(0.1)
    after = feed.looks

    assert settled > 0
    assert after - settled <= 1  # the look that was under way


def test_a_log_that_cannot_be_read_is_waited_for(feed: Feed, position: Position) -> None:
    """Whoever waits goes on waiting, and is told when it can."""
    with ThreadPoolExecutor(1) as pool:
        told = pool.submit(feed.wait, 0, PATIENCE_S)
        while not feed.looks:
            time.sleep(0.001)
        position.broken = True
        time.sleep(0.05)
        position.now, position.broken = 1, False

        assert 1 == told.result(PATIENCE_S)


def test_a_log_that_was_set_back_is_told_too(feed: Feed, position: Position) -> None:
    """Whoever asks for what comes after a position that is gone learns the present one."""
    position.now = 2

    assert 2 == feed.wait(5, 0.05)


def test_closing_answers_who_waits(position: Position) -> None:
    """A process that stops is not held up by its waiters."""
    feed = Feed(position, every_s=0.01)
    with ThreadPoolExecutor(1) as pool:
        with feed:
            told = pool.submit(feed.wait, 0, PATIENCE_S)
            while not feed.looks:
                time.sleep(0.001)

        assert 0 == told.result(1.0)


def test_an_event_of_another_process_is_told(box: DeskBox, services: Services, layout: Layout) -> None:
    """Its type, time and facts, with who did it; within the time between two looks and a little."""
    ann = box.first_admin()
    start = box.ask("feed.wait", ann)
    with (
        open_services(Settings(), Layout(layout.state)) as other,
        ThreadPoolExecutor(1) as pool,
    ):
        told = pool.submit(lambda: (box.ask("feed.wait", ann, after=start["position"]), time.monotonic()))
        time.sleep(3 * EVERY_S)
        began = time.monotonic()
        other.store.append(OPENED)
        answer, at = told.result(PATIENCE_S)
    print(f"an event reached who waited after {1000 * (at - began):.0f} ms")

    assert [] == start["events"]
    assert start["position"] + 1 == answer["position"]
    assert ["door_opened"] == [each["type"] for each in answer["events"]]
    assert {"fraction": 0.25, "by": None}.items() <= answer["events"][0]["event"].items()


def test_who_is_shut_out_while_waiting_hears_nothing(box: DeskBox, services: Services) -> None:
    """A session that ended in the meantime is not told what came after."""
    ann = box.first_admin()
    ben = box.admit(ann, "ben")
    start = box.ask("feed.wait", ben)["position"]
    with ThreadPoolExecutor(1) as pool:
        told = pool.submit(box.ask, "feed.wait", ben, after=start + 1)
        time.sleep(2 * EVERY_S)
        box.ask("operators.remove", ann, operator=box.ask("session.check", ben)["id"])
        services.store.append(OPENED)
        with pytest.raises(NotSignedInError):
            told.result(PATIENCE_S)


def test_types_are_chosen_and_long_gaps_come_in_parts(box: DeskBox, services: Services) -> None:
    """The position says how far the answer goes: asked again from there, nothing is missed or twice."""
    ann = box.first_admin()
    start = box.ask("feed.wait", ann)["position"]
    for _ in range(150):
        services.store.append(OPENED)
        services.store.append(SHUT)
    first = box.ask("feed.wait", ann, after=start, types=["door_shut"])
    second = box.ask("feed.wait", ann, after=first["position"], types=["door_shut"])
    positions = [each["position"] for part in (first, second) for each in part["events"]]

    assert 150 == len(positions) == len(set(positions))
    assert services.store.position() == second["position"]


@pytest.mark.parametrize("arguments", [{"after": -1}, {"timeout_s": 26}, {"timeout_s": float("nan")}])
def test_a_wait_that_cannot_be_is_refused(box: DeskBox, arguments: dict[str, float]) -> None:
    """Longer than connections live, or from before the beginning."""
    with pytest.raises(FormError):
        box.ask("feed.wait", box.first_admin(), **arguments)
