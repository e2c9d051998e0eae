"""What hosted functions publish, looked up: whatever network is searched with by then."""

import threading
from collections.abc import Callable
from pathlib import Path

from catalogue_things import MODEL, OTHER, picture, thing, unit
from factories import START

from appliance.app.search_answering import Answering
from appliance.app.search_feeds import FunctionFeeds
from appliance.app.search_index import FollowedIndex
from appliance.app.search_sources import Kind, SourceStates
from appliance.search import features_message
from appliance.services import Layout, open_services
from appliance.settings import SearchSettings, Settings


def test_a_network_of_another_size_goes_on(tmp_path: Path) -> None:
    """Without a restart: what was held before says nothing of what is held now."""
    sizes = {MODEL: 1280, OTHER: 2048}
    at_s = 0.0
    with open_services(Settings(), Layout(tmp_path / "state"), create=True) as services:
        answering = Answering(SearchSettings(), services.store)
        feeds = FunctionFeeds(
            *(0.0, answering, lambda *_: None, SourceStates()), monotonic=lambda: at_s, wall=lambda: START
        )
        found = []
        for name, numbers in sizes.items():
            services.store.put_item(thing(name), [picture(1, name, numbers=numbers)])
            answering.search_in(FollowedIndex(services.store, name, numbers))
            message = features_message(unit(1, numbers))
            found += [feeds.take("resnet", message), feeds.take("resnet", message)]
            at_s += 1

    assert [True, False] * 2 == [each is not None for each in found]


class Switching(SourceStates):
    """In the middle of a look-up another network takes over."""

    def __init__(self, switch: Callable[[], None]) -> None:
        super().__init__()
        self._switch = switch

    def watching(self, source: Kind, name: str) -> None:
        """It does."""
        super().watching(source, name)
        self._switch()


def test_features_are_searched_among_those_of_their_own_network(tmp_path: Path) -> None:
    """Also if another one of as many numbers takes over meanwhile."""
    with open_services(Settings(), Layout(tmp_path / "state"), create=True) as services:
        answering = Answering(SearchSettings(), services.store)
        services.store.put_item(thing("cup"), [picture(1, MODEL, OTHER, numbers=1280)])
        before, after = (FollowedIndex(services.store, name, 1280) for name in (MODEL, OTHER))
        for each in (before, after):
            each.follow(threading.Event())
        answering.search_in(before)
        states = Switching(lambda: answering.search_in(after))
        feeds = FunctionFeeds(
            *(0.0, answering, lambda *_: None, states), monotonic=lambda: 0.0, wall=lambda: START
        )
        found = feeds.take("own", features_message(unit(1, 1280)))

    assert found is not None
    assert (MODEL, ["cup"]) == (found.featurizer, [each.item for each in found.matches])
    assert answering.current is after
