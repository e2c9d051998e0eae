"""What keeps index and catalogue alike: against a real store, and a models process that may fail."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from catalogue_things import NUMBERS, OTHER, picture, thing, unit
from stores import OPENED
from stores import store as opened

from appliance.app.search_answering import Answering
from appliance.app.search_calibrating import Calibrating
from appliance.app.search_upkeep import Upkeep
from appliance.app.search_work import WorkStates
from appliance.errors import PeerGoneError
from appliance.services import Layout, open_services
from appliance.settings import SearchSettings, Settings
from appliance.store import NewEvent, NewPicture, Store, sqlite_url
from appliance.wire import Message, Reply
from appliance.wire.messages import AskFeaturizer, FeaturizerTold, PictureFeaturized

MODEL = "efficientnet-lite0"
MINE = f"{MODEL}:0123456789ab"
LEFT = "left:aaaaaaaaaaaa"


class Describing:
    """A models process that describes as it is told to.

    Attributes:
        away: Nobody listens.
        deadly: Pictures' bytes that end it.
        file: The beginning of the network's hash.
    """

    def __init__(self, file: str = "0123456789ab") -> None:
        self.away = False
        self.deadly: set[bytes] = set()
        self.file = file

    def call(
        self, message: Message, expect: type[Any], *, blob: bytes = b"", timeout_s: float | None = None
    ) -> Reply[Any]:
        """Describe, or be gone."""
        del timeout_s
        if self.away or blob in self.deadly:
            raise PeerGoneError("nobody listens")
        if isinstance(message, AskFeaturizer):
            told: Message = FeaturizerTold(featurizer=f"{message.model}:{self.file}", numbers=NUMBERS)
        else:
            features = {f"{MODEL}:{self.file}": tuple(unit(1).tolist())}
            told = PictureFeaturized(width=9, height=9, box=(0, 0, 9, 9), features=features)
        assert isinstance(told, expect)
        return Reply(told)


class Kept:
    """The upkeep of one box.

    Attributes:
        models: Describes its pictures.
        answering: What is searched in.
        upkeep: It.
    """

    def __init__(self, store: Store, **how: Any) -> None:
        settings, works = SearchSettings(), WorkStates()
        self.models = Describing(**how)
        self.answering = Answering(settings, store)
        calibrating = Calibrating(settings, store, self.models, self.answering, works)
        self.upkeep = Upkeep(settings, store, self.models, self.answering, calibrating, works)

    def follow(self) -> None:
        """Until it searches: begun, and read."""
        self.upkeep.follow()
        self.upkeep.follow()

    def why(self) -> str:
        """It searches nothing; empty: it does."""
        trouble = self.answering.trouble
        return "" if trouble is None else trouble.message

    def gone(self) -> bool:
        """Work once; whether the models process was missed."""
        try:
            self.upkeep.work()
        except PeerGoneError:
            return True
        return False


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store of a box, with an empty catalogue."""
    with open_services(Settings(), Layout(tmp_path / "state"), create=True) as services:
        yield services.store


def bare(seed: int) -> NewPicture:
    """A picture that nobody has described."""
    return picture(seed)


def test_while_the_models_process_is_away_no_picture_is_to_blame(store: Store) -> None:
    """However often it is tried; once it is back, all are described."""
    box = Kept(store)
    box.follow()
    store.put_item(thing("cup"), [bare(seed) for seed in range(5)])
    box.models.away = True
    missed = [box.gone() for _ in range(6)]
    unreadable = box.upkeep.unreadable
    box.models.away = False

    assert [True] * 6 == missed
    assert 0 == unreadable
    assert not box.gone()
    assert [] == store.pictures_without(MINE)


def test_a_picture_that_ends_the_models_process_is_passed_over(store: Store) -> None:
    """The second time; the others are described."""
    box = Kept(store)
    box.follow()
    store.put_item(thing("cup"), [bare(seed) for seed in range(3)])
    box.models.deadly = {bare(1).jpeg}

    assert [True, False] == [box.gone(), box.gone()]
    assert 1 == box.upkeep.unreadable
    assert 1 == len(store.pictures_without(MINE))


def test_what_a_crash_left_of_old_features_goes(store: Store) -> None:
    """At the next start: all that is neither searched nor being made."""
    for name in (MINE, OTHER, LEFT):
        store.put_item(thing(name), [picture(seed, name) for seed in range(3)])
    store.set_featurizer(MINE)
    store.set_next_featurizer(OTHER)
    box = Kept(store)
    box.follow()
    box.upkeep.work()

    assert {MINE, OTHER} == {each.name for each in store.featurizers() if each.pictures}


def test_a_network_with_another_file_describes_its_own_catalogue_anew(store: Store) -> None:
    """Nobody has to ask for it on a box that has the catalogue for itself."""
    store.put_item(thing("cup"), [picture(1, MINE)])
    store.set_featurizer(MINE)
    box = Kept(store, file="bbbbbbbbbbbb")
    box.follow()
    box.upkeep.work()

    assert f"{MODEL}:bbbbbbbbbbbb" == store.search_state().featurizer


def test_two_boxes_with_different_files_do_not_undo_each_others_work(tmp_path: Path) -> None:
    """On one database: the second says why, until somebody lets it describe; then the first says why."""
    address = sqlite_url(tmp_path / "store.sqlite3")
    files = {"first": "aaaaaaaaaaaa", "second": "bbbbbbbbbbbb"}
    with opened(address, device="first") as one, opened(address, device="second", seed=2) as other:
        for each in (one, other):
            each.append_all([NewEvent(OPENED)])
        one.put_item(thing("cup"), [bare(1)])
        first, second = Kept(one, file=files["first"]), Kept(other, file=files["second"])
        searched = []
        for ask in (lambda: None, lambda: second.upkeep.refeaturize(None, None)):
            ask()
            for box in (first, second) * 3:
                box.follow()
                box.upkeep.work()
            featurizer = one.search_state().featurizer or ""
            searched.append((featurizer.partition(":")[2], first.why(), second.why()))

    said, none = "this box's network is efficientnet-lite0:", ""
    (before, here, there), (after, here_now, there_now) = searched
    assert (files["first"], none, files["second"], none) == (before, here, after, there_now)
    assert f"{said}{files['second']}" in there
    assert f"{said}{files['first']}" in here_now
