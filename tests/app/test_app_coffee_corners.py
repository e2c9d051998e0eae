"""Coffee corners and what they need: cups near hands, who agreed, whose last coffee was just now."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from appliance.app.coffee_corners import Agreed, CupFinder, coffee_rooms
from appliance.app.parts import read_policy
from appliance.clock import ManualClock
from appliance.errors import StoreError
from appliance.events import CoffeeTaken
from appliance.services import Layout, open_services
from appliance.settings import CoffeeSettings, Settings
from appliance.store import Consent
from appliance.values import Box, DetectedObject, ImageArray

FRAME = np.zeros((720, 1280, 3), np.uint8)


class ToyDetector:
    """Finds these things in whatever picture it is shown.

    Attributes:
        shapes: Of the pictures.
    """

    def __init__(self, *things: tuple[str, float, float]) -> None:
        self.things = things
        self.shapes: list[tuple[int, ...]] = []

    def detect(self, bgr: ImageArray) -> list[DetectedObject]:
        """See `ObjectDetector.detect`."""
        self.shapes.append(bgr.shape)
        return [DetectedObject(label, 1, score, Box(left, 100, 50, 40)) for label, score, left in self.things]


def test_cups_are_found_where_they_are_in_the_frame() -> None:
    """In the square before each face; what is no cup, or hardly one, is left out."""
    detector = ToyDetector(("cup", 0.9, 10), ("person", 0.9, 60), ("cup", 0.1, 120))
    found = CupFinder(detector, CoffeeSettings()).find(FRAME, [Box(600, 100, 100, 125)])

    assert [(250, 250, 3)] == detector.shapes
    assert [Box(525 + 10, 175 + 100, 50, 40)] == [each.box for each in found]


def test_a_cup_in_two_squares_is_one() -> None:
    """Two people side by side, each look showing the same cup."""
    detector = ToyDetector(("cup", 0.9, 10))
    finder = CupFinder(detector, CoffeeSettings())
    one = finder.find(FRAME, [Box(600, 100, 100, 125), Box(604, 100, 100, 125)])
    two = finder.find(FRAME, [Box(200, 100, 100, 125), Box(600, 100, 100, 125)])

    assert [1, 2] == [len(one), len(two)]


def test_a_face_at_the_edge_is_looked_at_as_far_as_there_is_picture() -> None:
    """Its square is moved into the frame; nobody's is empty."""
    detector = ToyDetector()
    CupFinder(detector, CoffeeSettings()).find(FRAME, [Box(1250, 690, 100, 125), Box(-50, -50, 900, 900)])

    assert [(250, 250, 3), (720, 1280, 3)] == detector.shapes


def test_while_it_is_not_known_nobody_agreed() -> None:
    """A consent that cannot be read counts for nothing, until it can be again."""
    stop, asked, away = threading.Event(), threading.Semaphore(0), threading.Event()

    def read() -> set[str]:
        asked.release()
        if away.is_set():
            raise StoreError("the database is away")
        return {"ann"}

    def is_asked_anew() -> None:
        """Wait until what was answered before is taken in."""
        while asked.acquire(blocking=False):
            pass
        for _ in range(2):
            assert asked.acquire(timeout=20)

    agreed = Agreed(read)
    first = agreed("ann")
    thread = threading.Thread(target=agreed.run, args=(stop,))
    thread.start()
    away.set()
    is_asked_anew()
    meanwhile = agreed("ann")
    away.clear()
    is_asked_anew()
    back = agreed("ann")
    stop.set()
    thread.join()

    assert [True, False, True] == [first, meanwhile, back]


def test_a_coffee_of_just_now_is_remembered_over_a_restart(tmp_path: Path) -> None:
    """Of the last five minutes; and visitors' numbers go on."""
    policy = read_policy(Settings())
    clock = ManualClock(datetime(2026, 1, 5, 9, 0, tzinfo=UTC))
    with open_services(Settings(), Layout(tmp_path / "state"), create=True, clock=clock) as services:
        agreed = Consent(("identify", "leaderboard"), "1", "paper")
        ann, ben = (services.store.add_subject(name, consent=agreed).id for name in ("Ann", "Ben"))
        now = clock.wall()
        services.store.append(CoffeeTaken(encounter="a", subject=ann), at=now - timedelta(minutes=4))
        services.store.append(CoffeeTaken(encounter="b", subject=ben), at=now - timedelta(minutes=6))
        services.store.append(CoffeeTaken(encounter="c", visitor=7), at=now - timedelta(minutes=1))
        finder = CupFinder(ToyDetector(), CoffeeSettings())
        rooms = coffee_rooms(
            CoffeeSettings(visitors=True),
            services,
            policy,
            finder,
            agreed=Agreed(lambda: services.store.agreed_to("leaderboard")),
        )

        assert [ann] == [each.who for each in rooms.before]
        assert rooms.visitors is not None
        assert 8 == rooms.visitors.took("d", (), 0.0)
        assert rooms.agreed(ann)
        assert not rooms.agreed("nobody")
