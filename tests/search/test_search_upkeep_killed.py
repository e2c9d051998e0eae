"""`kill -9` of the process that searches while it describes a catalogue anew, or calibrates.

At the next start either goes on, and at no time is there an index of two networks' features.

The process is the code that does the work in it, forked and killed before the so manieth statement that it
says to the database; the network is one in memory.
"""

import hashlib
import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from catalogue_things import NUMBERS, jpeg, picture, thing, unit
from sqlalchemy import Engine, event

from appliance.app.catalogue_calibrating import find_threshold
from appliance.app.search_answering import Answering
from appliance.app.search_calibrating import Calibrating
from appliance.app.search_upkeep import Upkeep
from appliance.app.search_work import WorkStates
from appliance.events import SearchChanged
from appliance.services import Layout, open_services
from appliance.settings import SearchSettings, Settings
from appliance.store import NewPicture, Store
from appliance.values import FloatArray
from appliance.wire import Message, Reply
from appliance.wire.messages import AskFeaturizer, FeaturizePicture, FeaturizerTold, PictureFeaturized

FIRST, SECOND = "efficientnet-lite0", "second"
ITEMS = 30
STEP = 7
"""Statements from one kill to the next: fewer than any change has that is to be whole."""


def named(model: str) -> str:
    """Its featurizer."""
    return f"{model}:0123456789ab"


def features(content: bytes, model: str) -> FloatArray:
    """What a network makes of a picture: nothing like what the other makes."""
    return unit(int(hashlib.sha256(content + model.encode()).hexdigest()[:8], 16))


def near(vector: FloatArray, seed: int) -> FloatArray:
    """A variation's."""
    turned = vector + 0.3 * unit(seed)
    return (turned / np.linalg.norm(turned)).astype(np.float32)


class Networks:
    """A models process with both networks."""

    def call(
        self, message: Message, expect: type[Any], *, blob: bytes = b"", timeout_s: float | None = None
    ) -> Reply[Any]:
        """Describe."""
        del timeout_s
        if isinstance(message, AskFeaturizer):
            told: Message = FeaturizerTold(featurizer=named(message.model), numbers=NUMBERS)
        else:
            assert isinstance(message, FeaturizePicture)
            made = {each: features(blob, each) for each in message.models}
            first = made[message.models[0]]
            varied = [near(first, seed) for seed in range(4)] if message.variations else []
            told = PictureFeaturized(
                width=9,
                height=9,
                box=(0, 0, 9, 9),
                features={named(name): tuple(each.tolist()) for name, each in made.items()},
                variations=tuple(tuple(each.tolist()) for each in varied),
            )
        assert isinstance(told, expect)
        return Reply(told)


class Process:
    """What the process that searches does with the catalogue.

    Attributes:
        store: Its own.
        answering: What is searched in.
        upkeep: Does the work.
    """

    def __init__(self, store: Store) -> None:
        settings, works, models = SearchSettings(), WorkStates(), Networks()
        self.store = store
        self.answering = Answering(settings, store)
        calibrating = Calibrating(settings, store, models, self.answering, works)
        self.upkeep = Upkeep(settings, store, models, self.answering, calibrating, works)
        self.upkeep.follow()
        self.upkeep.follow()

    def rest(self) -> None:
        """Work until there is nothing to do: twice, as only what rests is calibrated."""
        for _ in range(3):
            self.upkeep.follow()
            self.upkeep.work()

    def searched(self) -> str:
        """What is searched in: every picture, by features of that one network.

        Returns:
            The network.
        """
        current = self.answering.current
        index, network = current.index, current.model
        assert (ITEMS, ITEMS) == (index.item_count, len(index))
        for item in range(ITEMS):
            (kept,) = index.features(f"item-{item}").values()
            assert float(kept @ features(jpeg(item), network)) > 1 - 1e-3
        return network


def described_by_first(seed: int) -> NewPicture:
    """A picture as the catalogue has it."""
    bare = picture(seed)
    made = {named(FIRST): features(bare.jpeg, FIRST)}
    return NewPicture(bare.sha256, bare.jpeg, bare.width_px, bare.height_px, made)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory whose catalogue is described by the first network, and was never calibrated."""
    state = tmp_path_factory.mktemp("filled") / "state"
    with open_services(Settings(), Layout(state), create=True) as services:
        for number in range(ITEMS):
            services.store.put_item(thing(f"item-{number}"), [described_by_first(number)])
        services.store.set_featurizer(named(FIRST))
    return state


def work_and_die(state: Path, statement: int, wish: Callable[[Process], None]) -> None:
    """Work, and be killed before the so manieth statement or commit."""
    with open_services(Settings(), Layout(state)) as services:
        process = Process(services.store)
        wish(process)
        many = 0

        def count(*_: Any) -> None:
            nonlocal many
            if many == statement:
                os.kill(os.getpid(), signal.SIGKILL)
            many += 1

        event.listen(Engine, "before_cursor_execute", count)
        event.listen(Engine, "commit", count)
        process.rest()


def killed(filled: Path, folder: Path, wish: Callable[[Process], None]) -> Iterator[Path]:
    """State directories whose process was killed there, one after the other; the last one's was not."""
    statement = 0
    while True:
        state = folder / str(statement) / "state"
        shutil.copytree(filled, state, ignore=shutil.ignore_patterns("run"))
        fork = multiprocessing.get_context("fork")
        child = fork.Process(target=work_and_die, args=(state, statement, wish))
        child.start()
        child.join(60)
        assert child.exitcode in {0, -signal.SIGKILL}
        yield state
        if child.exitcode == 0:
            return
        statement += STEP


def changes(store: Store, what: str) -> list[SearchChanged]:
    """What the log says was changed of searching."""
    said = [each.event for each in store.events(types=(what,))]
    return [each for each in said if isinstance(each, SearchChanged)]


@pytest.mark.slow
def test_another_network_takes_over_though_it_is_killed(filled: Path, tmp_path: Path) -> None:
    """It goes on where it was; until all is described the old one is searched, then none of it is left."""
    before = []
    for state in killed(filled, tmp_path, lambda process: process.upkeep.refeaturize(SECOND, None)):
        with open_services(Settings(), Layout(state)) as services:
            store = services.store
            many = {each.name: each.pictures for each in store.featurizers()}.get(named(SECOND), 0)
            process = Process(store)
            before.append((process.searched(), many))
            process.rest()
            assert SECOND == process.searched()
            assert SECOND == Process(store).searched()
            left = {each.name: each.pictures for each in store.featurizers() if each.pictures}
            assert {named(SECOND): ITEMS} == left
            (changed,) = changes(store, "search_featurizer_changed")
            assert (named(SECOND), ITEMS) == (changed.featurizer, changed.pictures)

    print(f"killed {len(before) - 1} times, with {before}")
    assert (FIRST, 0) == before[0]
    assert any(name == FIRST and 0 < many < ITEMS for name, many in before)
    assert any(name == SECOND for name, _ in before[:-1])
    assert [name for name, _ in before] == sorted((name for name, _ in before), key=[FIRST, SECOND].index)


def test_a_calibration_that_is_killed_is_begun_again(filled: Path, tmp_path: Path) -> None:
    """By itself; the threshold and its line in the log are there together or not at all, and once."""
    there = []
    for state in killed(filled, tmp_path, lambda _: None):
        with open_services(Settings(), Layout(state)) as services:
            store = services.store
            there.append(store.search_state().threshold is not None)
            assert there[-1] == bool(changes(store, "search_calibrated"))
            process = Process(store)
            assert FIRST == process.searched()
            process.rest()
            (said,) = changes(store, "search_calibrated")
            threshold = store.search_state().threshold
            assert threshold is not None
            assert (named(FIRST), ITEMS, round(threshold, 4)) == (
                said.featurizer,
                said.pictures,
                said.threshold,
            )

    print(f"killed {len(there) - 1} times")
    assert not there[0]
    assert there[-1]
    assert there == sorted(there)


@pytest.fixture
def store(filled: Path, tmp_path: Path) -> Iterator[Store]:
    """Of a box of its own with that catalogue."""
    state = tmp_path / "state"
    shutil.copytree(filled, state, ignore=shutil.ignore_patterns("run"))
    with open_services(Settings(), Layout(state)) as services:
        yield services.store


def test_too_few_items_that_are_left_have_the_default_again(store: Store) -> None:
    """A threshold of what was removed goes, on record and once, and a larger catalogue gets its own."""
    process = Process(store)
    process.rest()
    before = Answering(SearchSettings(), store)
    before.search_in(process.answering.current)
    bases = [before.threshold()[1]]
    for number in range(11):
        store.remove_item(f"item-{number}")
    process.rest()
    process.rest()
    state_after = store.search_state()
    after = Answering(SearchSettings(), store)
    after.search_in(process.answering.current)
    bases.append(after.threshold()[1])
    said = [each.threshold is None for each in changes(store, "search_calibrated")]

    assert ["catalogue", "default"] == bases
    assert (None, None) == (state_after.threshold, state_after.calibrated_version)
    assert [False, True] == said


def test_a_threshold_stays_while_there_are_enough_items(store: Store) -> None:
    """Whoever asks for rarer matches than so few items can tell loses nothing."""
    process = Process(store)
    process.rest()
    before = store.search_state().threshold
    index = process.answering.current.index
    found = find_threshold(store, index, Networks(), named(FIRST), 0.0001)

    assert before is not None
    assert "default" == found.basis
    assert before == store.search_state().threshold


def test_a_box_that_lags_behind_lets_no_threshold_go(store: Store) -> None:
    """Another one calibrated what is not in this one's index yet."""
    for number in range(11):
        store.remove_item(f"item-{number}")
    behind = Process(store)
    for number in range(11):
        store.put_item(thing(f"item-{number}"), [described_by_first(number)])
    ahead = Process(store)
    ahead.rest()
    threshold = store.search_state().threshold
    behind.upkeep.work()
    behind.upkeep.work()

    assert threshold is not None
    assert threshold == store.search_state().threshold
