"""The process that searches, whole: real networks and real sockets, a camera whose picture is the test's."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from search_box import SearchBox, png
from search_items import Thing, before_camera, photographs

from appliance.errors import FeaturesError, FormError, ModelError, PhotoError, SearchError
from appliance.models.folder import ModelFolder
from appliance.search import features_message, read_features_message
from appliance.store import ItemEntry, NewPicture
from appliance.wire.failures import to_error, to_failure
from appliance.wire.messages import (
    CalibrateSearch,
    Done,
    FeaturizePicture,
    Found,
    HandFeatures,
    PictureFeaturized,
    RefeaturizeSearch,
    SearchCamera,
    SearchFeatures,
    SearchPicture,
)

pytestmark = pytest.mark.usefixtures("session")
MODEL = "efficientnet-lite0"


def things() -> dict[str, Thing]:
    """Photographs by their names."""
    return {each.id: each for each in photographs()}


THINGS = things()
KEPT = ("coffee", "chelsea", "rocket", "astronaut", "horse")
STRANGE = "motorcycle_left"


def held(name: str) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A frame with a thing held straight before the camera."""
    return before_camera(THINGS[name], 1, hardness=0.2)


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[SearchBox]:
    """A box whose catalogue is empty."""
    box = SearchBox(tmp_path)
    with box.describing():
        yield box
    box.close()


@pytest.fixture
def box(empty: SearchBox) -> SearchBox:
    """A box with five things in its catalogue."""
    for name in KEPT:
        empty.add(name, THINGS[name].bgr, f"The {name}")
    return empty


def test_what_is_in_the_catalogue_is_found_and_what_is_not_is_refused(box: SearchBox) -> None:
    """By a picture: with the item's words, and with what counted."""
    with box.searching():
        box.ready()
        found = box.like(held("coffee"), view="centre")
        strange = box.like(held(STRANGE), view="centre")

    assert found.known
    assert ("coffee", "The coffee", "https://shop.example/coffee") == (
        found.matches[0].item,
        found.matches[0].title,
        found.matches[0].link,
    )
    assert found.near is None
    assert found.searched == len(KEPT)
    assert ("picture", (152, 72, 488, 408)) == (found.source, found.box)
    assert (640, 480) == (found.width, found.height)
    assert not strange.known
    assert () == strange.matches
    assert strange.near is not None
    assert strange.near.score < strange.threshold


def test_an_item_held_still_is_looked_up_once(box: SearchBox) -> None:
    """Told on the newest matches, on the camera's view and on the topic; what is strange is refused."""
    with box.searching():
        box.ready()
        box.scene = held("chelsea")
        box.until(lambda: box.newest().found)
        first = box.newest()
        again = box.newest(after=first.number, wait_s=1.5)
        box.scene = held(STRANGE)
        box.until(lambda: not box.newest().last["camera/entrance"].known)
        strange = box.newest()
        sources = box.told().sources

    assert ["chelsea"] == [each.matches[0].item for each in first.found]
    assert ("camera", "entrance") == (first.found[0].source, first.found[0].name)
    assert () == again.found
    assert ["chelsea"] == [each.matches[0].item for each in strange.found]
    box.until(lambda: len(box.shown) > 1)
    shown = [each.words.rpartition(" ")[0] for each in box.shown if each.known]
    assert ["The chelsea"] == shown
    assert "nothing like it" in [each.words for each in box.shown]
    (published,) = box.published
    matches = json.loads(published.payload)["matches"]
    assert ("chelsea", "The chelsea", "https://shop.example/chelsea") == (
        *(matches[0]["id"], matches[0]["title"]),
        matches[0]["url"],
    )
    assert [("camera", "entrance", "watching")] == [(each.source, each.name, each.state) for each in sources]


def test_features_are_published_as_the_sample_did(tmp_path: Path) -> None:
    """Instead of matches, if the settings say so."""
    box = SearchBox(tmp_path, publish="features")
    with box.describing():
        box.add("coffee", THINGS["coffee"].bgr)
        with box.searching():
            box.ready()
            box.scene = held("coffee")
            box.until(lambda: box.published)
    box.close()

    assert (1280,) == read_features_message(box.published[0].payload).shape


def test_what_is_added_is_found_at_once_and_what_is_removed_no_more(box: SearchBox) -> None:
    """The index follows the catalogue, without being told."""
    with box.searching():
        box.ready()
        box.add("motorcycle", THINGS[STRANGE].bgr)
        found = box.like(held(STRANGE), view="centre")
        box.changes.remove("motorcycle")
        gone = box.like(held(STRANGE), view="centre")

    assert ["motorcycle"] == [each.item for each in found.matches]
    assert not gone.known


def test_what_is_held_while_it_is_added_is_found(box: SearchBox) -> None:
    """There was nothing like it; it needs not be shown again. What was found is not told again."""
    with box.searching():
        box.ready()
        box.scene = held(STRANGE)
        box.until(lambda: box.newest().number)
        refused = box.newest()
        box.add("motorcycle", THINGS[STRANGE].bgr)
        box.until(lambda: box.newest().found)
        found = box.newest()
        box.add("page", THINGS["page"].bgr)
        after = box.newest(after=found.number, wait_s=1.5)

    assert [False] == [each.known for each in refused.last.values()]
    assert ["motorcycle"] == [each.matches[0].item for each in found.found]
    assert found.number == after.number


def test_each_reader_is_shown_a_match_once(box: SearchBox) -> None:
    """And who waits is told at once."""
    told: list[list[str]] = []
    with box.searching():
        box.ready()

        def wait() -> None:
            found = box.newest(reader="page", wait_s=20).found
            told.append([each.matches[0].item for each in found])

        thread = threading.Thread(target=wait)
        thread.start()
        box.scene = held("rocket")
        thread.join()
        assert () == box.newest(reader="page").found
        assert ["rocket"] == [each.matches[0].item for each in box.newest(reader="another").found]

    assert [["rocket"]] == told


def test_a_camera_is_asked(box: SearchBox) -> None:
    """With what counted as a JPEG; one that is not there is an error."""
    box.scene = held("horse")
    with box.searching():
        box.ready()
        found = box.ask(SearchCamera(camera="entrance"), Found).found
        with pytest.raises(Exception, match="no such camera"):
            box.ask(SearchCamera(camera="elsewhere"), Found)

    assert "horse" == found.matches[0].item
    assert 0 == found.number


def test_a_camera_that_comes_back(box: SearchBox) -> None:
    """It is told of as lost meanwhile, and what is searched is searched on."""
    box.lost = True
    with box.searching():
        box.ready()
        box.until(lambda: [each.state for each in box.told().sources] == ["lost"])
        assert box.like(held("coffee"), view="centre").known
        box.lost, box.scene = False, held("coffee")
        box.until(lambda: box.newest().found)


def test_a_functions_features_find_their_matches(box: SearchBox) -> None:
    """One thing once; those of another network are told of, and what is no such message as well."""
    described = box.models.call(
        FeaturizePicture(models=(MODEL,)), PictureFeaturized, blob=png(THINGS["coffee"].bgr)
    ).message.features
    payload = features_message(np.asarray(next(iter(described.values())), np.float32))
    with box.searching():
        box.ready()

        def hand(function: str, blob: bytes) -> None:
            box.ask(HandFeatures(function=function), Done, blob=blob)

        box.until(lambda: hand("featurizer", payload) or box.newest().found)
        hand("featurizer", payload)
        hand("resnet", json.dumps({"features": ",".join(["0.5"] * 2048)}).encode())
        hand("broken", b'{"features": "a,b"}')
        newest, sources = box.newest(), {each.name: each for each in box.told().sources}

    assert [("function", "featurizer", "coffee")] == [
        (each.source, each.name, each.matches[0].item) for each in newest.found
    ]
    assert ("watching", 1) == (sources["featurizer"].state, sources["featurizer"].looked_up)
    assert "unfit" == sources["resnet"].state
    assert "2048" in sources["resnet"].words
    assert "1280" in sources["resnet"].words
    assert "unfit" == sources["broken"].state
    assert not box.published  # a function publishes for itself


def test_features_are_looked_up_for_whoever_asks(box: SearchBox) -> None:
    """As if a picture had come, and told on no list; features that cannot be are an error of their own."""
    asked = FeaturizePicture(models=(MODEL,), view="centre")
    made = box.models.call(asked, PictureFeaturized, blob=png(held("coffee"))).message.features
    payload = features_message(7 * np.asarray(next(iter(made.values())), np.float32))
    with box.searching():
        box.ready()
        found = box.ask(SearchFeatures(matches=1), Found, blob=payload).found
        same = box.like(held("coffee"), view="centre", matches=1)
        with pytest.raises(FeaturesError, match="1280 are needed") as caught:
            box.ask(SearchFeatures(), Found, blob=json.dumps({"features": [0.5] * 2048}).encode())
        newest = box.newest()

    assert (found.source, found.box, found.width) == ("features", None, 0)
    assert [("coffee", same.matches[0].picture)] == [(each.item, each.picture) for each in found.matches]
    assert abs(found.matches[0].score - same.matches[0].score) < 1e-5
    assert "wrong_size" == caught.value.reason
    assert () == newest.found
    assert {"camera/entrance"} >= set(newest.last)  # its bare wall may have been looked up meanwhile


def test_pictures_without_features_are_described_at_the_start(empty: SearchBox) -> None:
    """What a crash left, or a box without the network; a picture that cannot be read stops none."""
    made = empty.changes.picture(png(THINGS["coffee"].bgr))
    bare = NewPicture(made.sha256, made.jpeg, made.width_px, made.height_px)
    damaged = NewPicture("f" * 64, b"\xff\xd8\xff none", 4, 3)
    empty.services.store.put_item(ItemEntry("broken", "Broken"), [damaged])
    empty.services.store.put_item(ItemEntry("coffee", "Coffee"), [bare])
    with empty.searching():
        empty.until(lambda: empty.told().indexed)
        found, told = empty.like(held("coffee"), view="centre"), empty.told()

    assert ["coffee"] == [each.item for each in found.matches]
    assert 1 == told.unreadable


def test_another_network_takes_over_without_a_gap(tmp_path: Path) -> None:
    """Every look-up meanwhile finds; the old features go, the new ones are searched, and it is in the log."""
    own = {
        "id": "second",
        "file": str(ModelFolder().path(MODEL)),
        "colour": "BGR",
        "layout": "NHWC",
        "dtype": "uint8",
        "mean": [0, 0, 0],
        "spread": [1, 1, 1],
        "output": "features",
    }
    box = SearchBox(tmp_path, networks=[own], cameras=[])
    with box.describing():
        for name in KEPT:
            box.add(name, THINGS[name].bgr)
        with box.searching():
            box.ready()
            with pytest.raises(ModelError, match="no network"):
                box.ask(RefeaturizeSearch(model="third"), Done)
            with pytest.raises(FormError, match="already"):
                box.ask(RefeaturizeSearch(), Done)
            box.ask(RefeaturizeSearch(model="second", by="somebody"), Done)
            seen: list[str] = []
            while not (seen and seen[-1].startswith("second")):
                found = box.like(held("coffee"), view="centre")
                assert ["coffee"] == [each.item for each in found.matches]
                seen.append(found.featurizer)
            box.until(lambda: len(box.services.store.featurizers()) == 2 and not _left(box))
            box.add("motorcycle", THINGS[STRANGE].bgr)
            assert box.like(held(STRANGE), view="centre").known
    (changed,) = [each for each in box.events() if each["type"] == "search_featurizer_changed"]
    box.close()

    assert ("somebody", len(KEPT)) == (changed["by"], changed["pictures"])


def _left(box: SearchBox) -> int:
    """Features of the first network that are still kept."""
    return sum(each.pictures for each in box.services.store.featurizers() if each.name.startswith(MODEL))


def test_the_threshold_is_calibrated_when_asked(box: SearchBox) -> None:
    """Too few items keep the default, and it is said why; the settings' own is above all."""
    with box.searching():
        box.ready()
        box.ask(CalibrateSearch(by="somebody"), Done)
        box.until(lambda: box.told().explained)
        told = box.told()

    assert "default" == told.basis
    assert "too few" in told.explained


def test_what_cannot_be_searched_says_why(empty: SearchBox) -> None:
    """An empty catalogue finds nothing; a picture that is none is an error; so is a strange network."""
    with empty.searching():
        empty.ready()
        found = empty.like(held("coffee"))
        with pytest.raises(PhotoError, match="not a picture"):
            empty.ask(SearchPicture(), Found, blob=b"no picture")

    assert not found.known
    assert found.near is None
    assert 0 == found.searched


def test_while_nothing_is_read_it_is_said(tmp_path: Path) -> None:
    """Without a models process there is nothing to search with, and the process goes on."""
    box = SearchBox(tmp_path)
    with box.searching():
        box.until(lambda: box.told().trouble)
        with pytest.raises(SearchError):
            box.like(held("coffee"))
        with box.describing():
            box.add("coffee", THINGS["coffee"].bgr)
            box.ready()
            assert box.like(held("coffee"), view="centre").known
    box.close()


def test_features_of_another_length_travel_as_such_an_error() -> None:
    """Across a socket."""
    error = to_error(to_failure(FeaturesError("x", reason="wrong_size")))
    assert isinstance(error, FeaturesError)
    assert "wrong_size" == error.reason
