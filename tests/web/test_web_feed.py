"""What happens reaches everybody who listens: once, in order, from where they left off."""

import contextlib
import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import stores
from flask import Response
from hypothesis import given
from hypothesis import strategies as st
from web_site import Site
from werkzeug.exceptions import ServiceUnavailable

from appliance.errors import AccessError
from appliance.permissions import Permission, Role
from appliance.store import NewEvent
from web import cookies, seats
from web.access import permission, public
from web.desk import Answered
from web.events_stream import event_stream, message
from web.feed import Feed
from web.seats import Seats
from web.streams import stream
from web.surroundings import EXTENSION


@pytest.fixture
def feed(site: Site) -> Iterator[Feed]:
    """A feed of the site's desk."""
    stopping = threading.Event()
    yield Feed(site.desk, stopping, wait_s=0.3)
    stopping.set()


def say(site: Site, times: int = 1) -> None:
    """Have something happen."""
    site.services.store.append_all([NewEvent(stores.OPENED)] * times)


class Ear(threading.Thread):
    """Listens in a thread of its own until it has heard enough.

    Attributes:
        heard: Positions of the events it heard, in order.
        listening: Set once it has its seat.
    """

    def __init__(self, feed: Feed, secret: str, *, enough: int, after: int | None = None) -> None:
        super().__init__(daemon=True)
        self.heard: list[int] = []
        self.listening = threading.Event()
        self.fault: Exception | None = None
        self._feed, self._secret, self._enough, self._after = feed, secret, enough, after

    def run(self) -> None:
        """Listen."""
        try:
            for batch in self._feed.listen(self._secret, after=self._after, every_s=0.05):
                self.listening.set()
                self.heard += [event["position"] for event in (batch or (0, ()))[1]]
                if len(self.heard) >= self._enough:
                    return
        except AccessError as error:
            self.fault = error
            self.listening.set()


def eventually(true: Callable[[], bool], within_s: float = 5.0) -> bool:
    """Whether something becomes true in time."""
    until = time.monotonic() + within_s
    while not true():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def test_everybody_hears_everything_once(site: Site, feed: Feed) -> None:
    """Forty listen; each hears each event, in order, and one question at a time is asked for all of them."""
    start = site.services.store.position()
    ears = [Ear(feed, site.secrets[Role.VIEWER], enough=6) for _ in range(40)]
    for ear in ears:
        ear.start()
    assert all(ear.listening.wait(10) for ear in ears)
    asked = len(site.desk.asked)
    for _ in range(3):
        say(site, 2)
        time.sleep(0.15)
    for ear in ears:
        ear.join(10)

    assert [list(range(start + 1, start + 7))] * 40 == [ear.heard for ear in ears]
    assert len(site.desk.asked) - asked < 40


def test_who_comes_back_misses_nothing(site: Site, feed: Feed) -> None:
    """Hundreds of events from the position they had, and then what is new."""
    start = site.services.store.position()
    say(site, 450)
    ear = Ear(feed, site.secrets[Role.VIEWER], enough=452, after=start)
    ear.start()
    assert ear.listening.wait(10)
    say(site, 2)
    ear.join(10)

    assert list(range(start + 1, start + 453)) == ear.heard


def test_nothing_falls_between_joining_and_listening(site: Site, feed: Feed) -> None:
    """While events come without a pause, whoever joins hears each from their first on."""
    over = threading.Event()

    def talk() -> None:
        while not over.is_set():
            say(site)

    talker = threading.Thread(target=talk)
    talker.start()
    ears = []
    for _ in range(10):
        ears.append(Ear(feed, site.secrets[Role.VIEWER], enough=20))
        ears[-1].start()
        time.sleep(0.03)
    for ear in ears:
        ear.join(15)
    over.set()
    talker.join()

    assert all(list(range(ear.heard[0], ear.heard[0] + len(ear.heard))) == ear.heard for ear in ears)
    assert all(len(ear.heard) >= 20 for ear in ears)


def test_nobody_listening_costs_nothing(site: Site, feed: Feed) -> None:
    """When the last one has gone the desk is left alone."""
    heard = feed.listen(site.secrets[Role.VIEWER], every_s=0.05)
    next(heard)
    heard.close()

    assert 0 == feed.listeners
    assert eventually(lambda: not any(each.name.startswith("feed-") for each in threading.enumerate()))
    asked = len(site.desk.asked)
    time.sleep(0.5)
    assert asked == len(site.desk.asked)


@pytest.mark.parametrize("role", [None, Role.SCREEN])
def test_who_may_not_hears_nothing(site: Site, feed: Feed, role: Role | None) -> None:
    """Nobody, and a screen: they may not read the log."""
    ear = Ear(feed, "" if role is None else site.secrets[role], enough=1)
    ear.start()
    ear.join(5)

    assert isinstance(ear.fault, AccessError)


def test_one_session_that_ends_does_not_end_the_others(site: Site, feed: Feed) -> None:
    """Though it is the one the desk was asked with."""
    first = site.admit("Vito", Role.VIEWER)
    ear_of_first = Ear(feed, first, enough=99)
    ear_of_first.start()
    assert ear_of_first.listening.wait(5)
    second = Ear(feed, site.secrets[Role.VIEWER], enough=1)
    second.start()
    assert second.listening.wait(5)
    site.desk.ask("session.close", {}, credential=first)
    ear_of_first.join(5)
    say(site)
    second.join(5)

    assert not ear_of_first.is_alive()
    assert 1 == len(second.heard)


def test_a_desk_that_restarts_is_waited_for(site: Site, feed: Feed) -> None:
    """Listeners stay, and hear what happened meanwhile."""
    ear = Ear(feed, site.secrets[Role.VIEWER], enough=1)
    ear.start()
    assert ear.listening.wait(5)
    site.desk.away = True
    time.sleep(0.5)
    say(site)
    site.desk.away = False
    ear.join(10)

    assert 1 == len(ear.heard)


class Flood:
    """A desk where so much happens that a listener who does not read falls behind."""

    def __init__(self) -> None:
        self.position = 0
        self.flows = threading.Event()

    def ask(
        self,
        operation: str,
        arguments: Mapping[str, Any],
        *,
        credential: str = "",
        blob: bytes = b"",
        timeout_s: float | None = None,
    ) -> Answered:
        """One more event with every question."""
        if arguments.get("after") is not None:
            self.flows.wait(0.05)
            self.position += self.flows.is_set()
        events = [{"position": self.position}] if "after" in arguments else []
        return Answered({"position": self.position, "events": events})


def test_who_does_not_read_is_let_go() -> None:
    """Memory is bounded: a listener that falls behind ends, and comes back from where they were."""
    stopping = threading.Event()
    desk = Flood()
    feed = Feed(desk, stopping)
    heard = feed.listen("x", every_s=0.05)
    next(heard)
    desk.flows.set()

    assert eventually(lambda: feed.listeners == 0)
    stopping.set()
    heard.close()


class Behind:
    """A desk whose channel is two events behind what a listener is told when they begin."""

    def ask(
        self,
        operation: str,
        arguments: Mapping[str, Any],
        *,
        credential: str = "",
        blob: bytes = b"",
        timeout_s: float | None = None,
    ) -> Answered:
        """The next event after the one asked with; at first the fifth to the channel, else the seventh."""
        if (after := arguments.get("after")) is not None:
            time.sleep(0.02)
            return Answered({"position": after + 1, "events": [{"position": after + 1}]})
        of_channel = threading.current_thread().name.startswith("feed-")
        return Answered({"position": 5 if of_channel else 7, "events": []})


def test_who_is_ahead_of_the_others_hears_nothing_twice() -> None:
    """What the channel says that they knew already is no news, and no log that was set back."""
    stopping = threading.Event()
    heard = Feed(Behind(), stopping).listen("x", every_s=5)
    batches = [batch for batch in itertools.islice(heard, 3) if batch is not None]
    stopping.set()
    heard.close()

    assert [8, 9, 10] == [event["position"] for _, events in batches for event in events]


def test_the_stream_of_events(site: Site) -> None:
    """As browsers get it: how soon to come back, each event, and then its number."""
    browser = site.client(Role.VIEWER)
    start = site.services.store.position()
    say(site)
    response = browser.get("/events", headers={"Last-Event-ID": str(start)}, buffered=False)
    chunks = response.iter_encoded()
    first, second = next(chunks).decode(), next(chunks).decode()
    response.close()

    assert ("text/event-stream", "no-store") == (response.mimetype, response.headers["Cache-Control"])
    assert first.startswith("retry: 2000\n")
    assert '"type":"door_opened"' in second
    assert second.endswith(f"id: {start + 1}\nevent: beat\ndata:\n\n")


def test_a_message_is_one_line() -> None:
    """Whatever stands in a value, it cannot end its message."""
    assert 'data: {"a":"x\\n\\ndata: y"}\n\n' == message("", {"a": "x\n\ndata: y"})


@pytest.mark.parametrize("number", ["", "x", "-1", "9" * 30, "²"])
def test_a_number_that_is_none_begins_now(site: Site, number: str) -> None:
    """Nonsense in the browser's header is no fault."""
    response = site.client(Role.VIEWER).get("/events", headers={"Last-Event-ID": number}, buffered=False)

    assert 200 == response.status_code
    response.close()


def test_errors_of_the_desk_are_told_before_the_stream_begins(site: Site) -> None:
    """A stream that cannot begin is a fault with a status, not an endless silence."""

    @public
    def secret_events() -> Response:
        return event_stream("feed.wait", Permission.LOG)

    site.add_url_rule("/secret-events", view_func=secret_events)

    assert 401 == site.client().get("/secret-events", headers={"Accept": "application/json"}).status_code
    assert 0 == site.app.extensions[EXTENSION].feed.listeners


def test_a_stream_ends_with_the_right_to_read_it(site: Site) -> None:
    """Whoever is signed out elsewhere sees no more after the next look at their right."""
    clock = Seconds()
    secret = site.admit("Vito", Role.VIEWER)
    with site.app.test_request_context(headers={"Cookie": f"{cookies.SESSION}={secret}"}):
        response = stream((b"x" for _ in itertools.count()), "text/plain", Permission.LOG, seconds=clock)
    chunks = iter(response.response)
    before = next(chunks)
    clock.now += 60
    during = next(chunks)
    site.desk.ask("session.close", {}, credential=secret)
    clock.now += 60

    assert (b"x", b"x") == (before, during)
    assert [] == list(itertools.islice(chunks, 1))
    response.close()


def begun(site: Site, secret: str, *, screen: bool = False) -> Response:
    """One more stream of somebody.

    Raises:
        ServiceUnavailable: There is no seat.
    """
    cookie, needed = (cookies.SCREEN, Permission.SCREEN) if screen else (cookies.SESSION, Permission.LOG)

    @permission(needed)
    def view() -> None: ...

    address = f"/streams-of-{cookie.strip('_').lower()}"
    if address not in {rule.rule for rule in site.app.url_map.iter_rules()}:
        site.add_url_rule(address, address, view)
    headers = {"Cookie": f"{cookie}={secret}"}
    with site.app.test_request_context(address, headers=headers):
        return stream((b"x" for _ in range(1)), "text/plain", needed)


def test_one_viewer_takes_so_many_streams_and_no_more(site: Site) -> None:
    """The others still have theirs; a seat is free again when one of them ends."""
    greedy, other = site.secrets[Role.VIEWER], site.secrets[Role.ADMIN]
    with contextlib.ExitStack() as stack:
        held = [begun(site, greedy) for _ in range(seats.MOST_OF_ONE)]
        for each in held:
            stack.callback(each.close)
        with pytest.raises(ServiceUnavailable):
            begun(site, greedy)
        stack.callback(begun(site, other).close)
        held[0].close()
        stack.callback(begun(site, greedy).close)


def test_however_many_look_on_screens_go_on(site: Site) -> None:
    """Viewers together leave seats that only screens take, and all together leave threads for pages."""
    hall = site.secrets[Role.SCREEN]
    viewers = [site.admit(f"Vera{number}", Role.VIEWER) for number in range(seats.MOST // seats.MOST_OF_ONE)]
    with contextlib.ExitStack() as stack:
        taken = 0
        for secret in viewers:
            with contextlib.suppress(ServiceUnavailable):
                for _ in range(seats.MOST_OF_ONE):
                    stack.callback(begun(site, secret).close)
                    taken += 1

        assert seats.MOST - seats.FOR_SCREENS == taken
        for _ in range(seats.MOST_OF_ONE):
            stack.callback(begun(site, hall, screen=True).close)


_SOMEBODY = st.sampled_from([("ann", False), ("bob", False), ("hall", True), ("desk", True)])


@given(st.lists(st.tuples(_SOMEBODY, st.booleans()), max_size=150))
def test_seats_are_counted_right(steps: list[tuple[tuple[str, bool], bool]]) -> None:
    """In any order of coming and going nobody has more than one may have, and nothing is lost."""
    counted, have = Seats(), Counter[str]()
    for (who, screen), comes in steps:
        if comes and counted.take(who, screen=screen):
            have[who] += 1
        elif not comes and have[who]:
            counted.give_back(who)
            have[who] -= 1
    taken = sum(counted.take("eve", screen=False) for _ in range(seats.MOST))
    people = have["ann"] + have["bob"]

    assert max(have.values(), default=0) <= seats.MOST_OF_ONE
    assert min(seats.MOST_OF_ONE, seats.MOST - seats.FOR_SCREENS - people) == taken


def test_asking_for_the_head_of_a_stream_takes_no_seat(site: Site) -> None:
    """However often: what was begun for it is ended."""
    browser = site.client(Role.VIEWER)
    answers = []
    for _ in range(seats.MOST + 3):
        answer = browser.send("HEAD", "/events", buffered=False)
        answers.append(answer.status_code)
        answer.close()

    assert {200} == set(answers)
    assert 0 == site.app.extensions[EXTENSION].feed.listeners


class Seconds:
    """A monotonic clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Now."""
        return self.now
