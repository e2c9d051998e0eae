"""Which of a camera's frames are looked at: the next one to come, not one that has waited there."""

import threading

import numpy as np
import pytest
from factories import stamp

from appliance.app.search_answering import Answering
from appliance.app.search_index import FollowedIndex
from appliance.app.search_sources import SourceStates
from appliance.app.search_watching import CameraWatch, Lease
from appliance.errors import PeerGoneError
from appliance.frames import SharedFrame
from appliance.settings import SearchSettings
from appliance.store import CatalogueItem, SearchState
from appliance.values import FloatArray
from appliance.wire import Message
from appliance.wire.messages import FoundTold

LOOKS = 5


class Busy(Lease):
    """A camera that gives two frames more while one is looked at.

    Args:
        enough: Set after some looks.

    Attributes:
        asked: After which frame one was asked for, and which was the newest then.
    """

    def __init__(self, enough: threading.Event) -> None:
        super().__init__(Nobody(), "entrance")
        self.asked: list[tuple[int, int]] = []
        self._enough = enough
        self._number = -1

    @property
    def newest(self) -> int:
        """Its number."""
        return self._number

    def newer(self, sequence: int, wait_s: float) -> SharedFrame:
        """One that comes just now."""
        del wait_s
        self.asked.append((sequence, self._number))
        frame = SharedFrame(stamp(self._number + 1), np.zeros((48, 64, 3), np.uint8), b"")
        self._number += 3
        if len(self.asked) == LOOKS:
            self._enough.set()
        return frame


class Nobody:
    """There is nothing in the catalogue, and nobody to ask."""

    def items_by_id(self, items: object) -> dict[str, CatalogueItem]:
        """Those that there are."""
        raise AssertionError(f"nothing is looked up, nor {items}")

    def search_state(self) -> SearchState:
        """What is searched in."""
        raise AssertionError("nothing is looked up")

    def call(self, message: Message, *more: object, **others: object) -> None:
        """Ask and wait."""
        raise AssertionError(f"nobody is asked for {message.type}, {more}, {others}")


def test_the_next_frame_is_looked_at() -> None:
    """What came while it paused is passed over: it is up to a frame's time old, and so would the match be."""
    settings, enough = SearchSettings(look_fps=30, hold_s=10), threading.Event()
    camera = Busy(enough)

    def tell(found: FoundTold, features: FloatArray) -> None:
        raise AssertionError(f"nothing rested for so long: {found}, {features}")

    answering = Answering(settings, Nobody())
    CameraWatch(settings, "entrance", camera, Nobody(), answering, tell, SourceStates()).run(enough)

    assert LOOKS == len(camera.asked)
    assert all(after == newest for after, newest in camera.asked)


class Away(Answering):
    """There would be something to search in, and who describes pictures is away."""

    @property
    def trouble(self) -> None:
        """None that is known of."""
        return

    @property
    def current(self) -> FollowedIndex:
        """As if the models process were asked."""
        raise PeerGoneError("the models process does not answer")


def test_a_camera_whose_look_ups_fail_is_not_well_in_between() -> None:
    """It is told as lost until something was looked up, though frames come."""
    settings, states = SearchSettings(hold_s=0), SourceStates()
    camera = Busy(threading.Event())

    def tell(found: FoundTold, features: FloatArray) -> None:
        raise AssertionError(f"nothing can be looked up: {found}, {features}")

    watch = CameraWatch(settings, "entrance", camera, Nobody(), Away(settings, Nobody()), tell, states)
    with pytest.raises(PeerGoneError):
        watch.look()
    states.lost("camera", "entrance", "the models process does not answer")
    watch.look()

    assert ["lost"] == [each.state for each in states.told()]
