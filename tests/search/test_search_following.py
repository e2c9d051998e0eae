"""The index that follows the catalogue, against a real store."""

import threading
from pathlib import Path

import numpy as np
import pytest
from catalogue_things import MODEL, NUMBERS, OTHER, picture, rested, thing, unit
from factories import START
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.app.search_answering import Answering, Looked
from appliance.app.search_index import FollowedIndex
from appliance.app.search_sources import SourceStates
from appliance.errors import FeaturesError, SearchError
from appliance.services import Layout, open_services
from appliance.settings import SearchSettings, Settings
from appliance.store import NewPicture, Store

STOP = threading.Event()
CHANGES = st.lists(
    st.tuples(st.sampled_from(["put", "replace", "remove", "follow"]), st.integers(0, 3), st.integers(0, 5)),
    max_size=25,
)


def followed(store: Store, featurizer: str = MODEL) -> FollowedIndex:
    """An index of the short features of these tests."""
    return FollowedIndex(store, featurizer, NUMBERS)


@given(CHANGES)
@settings(max_examples=25, deadline=None)
def test_whatever_is_changed_the_index_is_the_catalogue(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[str, int, int]]
) -> None:
    """Followed or read anew, it has the pictures that the store has."""
    layout = Layout(tmp_path_factory.mktemp("following") / "state")
    with open_services(Settings(), layout, create=True) as services:
        store, index = services.store, followed(services.store)
        for kind, item, number in changes:
            name = f"item-{item}"
            if kind == "follow":
                index.follow(STOP)
            elif kind == "remove" and store.items_by_id([name]):
                store.remove_item(name)
            elif kind != "remove":
                replace = kind == "replace"
                store.put_item(thing(name), [picture(number, MODEL)], replace_pictures=replace)
        index.follow(STOP)
        fresh = followed(store)
        fresh.follow(STOP)

        kept = {each.entry.id: {p.id for p in each.pictures} for each in store.items()}
        for one in (index, fresh):
            assert one.loaded
            assert kept == {item: set(one.index.features(item)) for item in one.index.items()}


def test_the_old_index_answers_until_the_new_one_is_whole(tmp_path: Path) -> None:
    """Who has to read all anew changes nothing before it is read."""
    with open_services(Settings(), Layout(tmp_path / "state"), create=True) as services:
        store = services.store
        store.put_item(thing("cup"), [picture(1, MODEL)])
        index = followed(store)
        assert index.follow(STOP)
        assert not index.follow(STOP)
        before = index.index
        stopped = threading.Event()
        stopped.set()
        store.set_featurizer(OTHER)
        while store.drop_features(MODEL):
            pass
        index.follow(stopped)
        assert index.index is before
        assert 1 == len(index.index)
        index.follow(STOP)
        assert 0 == len(index.index)


def test_what_is_like_and_from_which_score_on(tmp_path: Path) -> None:
    """Settings, calibration, default: each says where the threshold comes from."""
    looked = Looked("picture", "", START)
    with open_services(Settings(), Layout(tmp_path / "state"), create=True) as services:
        store = services.store
        store.put_item(thing("cup", "A cup"), [picture(1, MODEL), picture(2, MODEL)])
        store.put_item(thing("book", "A book"), [picture(3, MODEL)])
        store.set_featurizer(MODEL)
        answering = Answering(SearchSettings(), store)
        with pytest.raises(SearchError, match="is being read"):
            answering.answer(unit(1), looked)
        index = followed(store)
        index.follow(STOP)
        answering.search_in(index)
        found = answering.answer(unit(1), looked)
        assert ("A cup", "default", 0.5, 2) == (
            found.matches[0].title,
            *(found.basis, found.threshold, found.searched),
        )
        assert pytest.approx(float(unit(1) @ rested(unit(1))), abs=1e-3) == found.matches[0].score
        with pytest.raises(FeaturesError, match="have 4 numbers"):
            answering.answer(np.full(4, 0.5, np.float32), looked)

        own = Answering(SearchSettings(threshold=1.0), store)
        own.search_in(index)
        strange = own.answer(unit(17), looked)
        assert ("settings", False, ()) == (strange.basis, strange.known, strange.matches)
        assert strange.near is not None

        store.set_threshold(MODEL, 0.25)
        again = Answering(SearchSettings(matches=1), store)
        again.search_in(index)
        assert (0.25, "catalogue") == again.threshold()
        assert 1 == len(again.answer(unit(1), looked).matches)
        again.search_in_none(SearchError("gone", hint="wait"))
        with pytest.raises(SearchError, match="gone"):
            again.answer(unit(1), looked)


def test_pictures_without_features_are_not_searched(tmp_path: Path) -> None:
    """Until somebody has described them."""
    with open_services(Settings(), Layout(tmp_path / "state"), create=True) as services:
        whole = picture(1, MODEL)
        bare = NewPicture(whole.sha256, whole.jpeg, whole.width_px, whole.height_px)
        services.store.put_item(thing("cup"), [bare])
        index = followed(services.store)
        index.follow(STOP)
        assert 0 == len(index.index)
        (missing,) = services.store.pictures_without(MODEL)
        services.store.put_features(MODEL, {missing: unit(1)})
        index.follow(STOP)
        assert 1 == len(index.index)


def test_functions_that_come_and_go_are_not_kept_for_ever() -> None:
    """The newest are told of."""
    states = SourceStates()
    states.watching("camera", "entrance")
    for number in range(200):
        states.looked_up("function", f"f{number:03}", START)
    states.unfit("function", "f199", "other numbers")

    told_of = states.told()
    assert ("camera", "entrance") == (told_of[0].source, told_of[0].name)
    assert len(told_of) < 70
    assert ("f199", "unfit", 1) == (told_of[-1].name, told_of[-1].state, told_of[-1].looked_up)
