"""The dispatch process as it runs: what is handed to it, and what is logged, is found and copied."""

import threading
import time
from pathlib import Path

from search_server import SearchServer
from stores import OPENED

from appliance.app.dispatching import run_dispatch
from appliance.app.sighting import Sightings
from appliance.clock import SystemClock
from appliance.services import Layout, Services, open_services
from appliance.settings import Settings
from appliance.store import MomentsWanted
from appliance.wire import Client


def settings(**index: object) -> Settings:
    """Nothing but the index."""
    return Settings.model_validate({"web": {"enabled": False}, "index": index})


def until(services: Services, many: int) -> int:
    """Wait until there are so many moments, some seconds at most; how many there are."""
    give_up = time.monotonic() + 20
    while services.store.moment_count() < many and time.monotonic() < give_up:
        time.sleep(0.02)
    return services.store.moment_count()


def test_what_is_seen_and_logged_is_found_and_copied(tmp_path: Path, search: SearchServer) -> None:
    """From the loop's side of the socket to the box's index and to the search service."""
    layout, clock = Layout(tmp_path / "state"), SystemClock()
    given = settings(opensearch={"url": search.url, "every_s": 1})
    stop = threading.Event()
    with open_services(given, layout, create=True) as services:
        process = threading.Thread(target=run_dispatch, args=(given, services, stop))
        process.start()
        try:
            client = Client(layout.socket("dispatch"))
            sightings = Sightings(client, "loop")
            sightings.add(clock.wall(), "entrance", {"dog": 0.97})
            services.store.append(OPENED)
            give_up = time.monotonic() + 20
            while sightings.waiting and time.monotonic() < give_up:
                sightings.hand_over()
            found = until(services, 2)
            while len(search.everything()) < 2 and time.monotonic() < give_up:
                time.sleep(0.02)
        finally:
            stop.set()
            process.join()
        (dog,) = services.store.moments_page(MomentsWanted(labels=("dog",)))

    assert 2 == found
    assert {"dog": 0.97} == dict(dog[1].labels)
    assert {"seen", "door_opened"} == {each["kind"] for each in search.everything().values()}


def test_what_is_switched_off_keeps_nothing(tmp_path: Path) -> None:
    """Without the index nothing is written, whoever hands something over."""
    given, layout, stop = settings(enabled=False), Layout(tmp_path / "state"), threading.Event()
    with open_services(given, layout, create=True) as services:
        services.store.append(OPENED)
        process = threading.Thread(target=run_dispatch, args=(given, services, stop))
        process.start()
        try:
            sightings = Sightings(Client(layout.socket("dispatch")), "loop")
            sightings.add(SystemClock().wall(), "entrance", {"dog": 0.97})
            give_up = time.monotonic() + 20
            while sightings.waiting and time.monotonic() < give_up:
                sightings.hand_over()
        finally:
            stop.set()
            process.join()

        assert 0 == services.store.moment_count() == sightings.waiting
