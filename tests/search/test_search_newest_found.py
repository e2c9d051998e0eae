"""What is told of the newest look-ups, and no more of what was removed since: against a real store."""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import stores
from catalogue_things import MODEL, picture, thing
from factories import START
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.app.search_newest import NewestFound
from appliance.errors import StoreError
from appliance.services import Layout, open_services
from appliance.settings import Settings
from appliance.store import CatalogueItem, Store, sqlite_url
from appliance.wire import Request
from appliance.wire.address import Peer
from appliance.wire.messages import AskNewest, FoundTold, MatchTold, NewestTold

STEPS = st.lists(
    st.tuples(st.sampled_from(["found", "remove", "read", "look"]), st.integers(0, 3), st.integers(1, 4)),
    max_size=30,
)


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Store]:
    """A store with a seal."""
    with stores.store(sqlite_url(tmp_path / "box.db")) as opened:
        yield opened


def match(store: Store, item: str) -> MatchTold:
    """As it is found; the item is put there if it is not."""
    if not store.items_by_id([item]):
        store.put_item(thing(item), [picture(len(item) + ord(item[-1]), MODEL)])
    return MatchTold(item=item, title=item, picture=store.item(item).pictures[0].id, score=0.9)


def told(name: str, *matches: MatchTold, near: MatchTold | None = None) -> FoundTold:
    """Something was looked up before a camera."""
    return FoundTold(
        at=START,
        source="camera",
        name=name,
        known=bool(matches),
        threshold=0.5,
        basis="default",
        matches=matches,
        near=near,
        featurizer=MODEL,
        searched=1,
    )


def ask(newest: NewestFound, **how: object) -> NewestTold:
    """What is told."""
    message = AskNewest.model_validate(how)
    return newest.ask(Request(message, b"", (), Peer(1, 1))).message


def test_who_follows_by_number_hears_of_every_look_up(box: Store) -> None:
    """Also that there was nothing like it; only matches are kept, and no more than there is room for."""
    newest, cup = NewestFound(2, box), match(box, "cup")
    for name, matches in (("a", [cup]), ("b", []), ("c", [cup]), ("d", [cup])):
        newest.put(told(name, *matches))

    assert [4, 3] == [each.number for each in ask(newest).found]
    assert [4] == [each.number for each in ask(newest, after=3).found]
    assert [4] == [each.number for each in ask(newest, limit=1).found]
    assert {"camera/a", "camera/b", "camera/c", "camera/d"} == set(ask(newest).last)
    newest.put(told("b"))
    after = ask(newest, after=4, wait_s=20)
    assert ((), 5) == (after.found, after.number)


def test_who_waits_is_let_go_at_the_end(box: Store) -> None:
    """However long they wanted to wait."""
    newest = NewestFound(2, box)
    found: list[NewestTold] = []
    waiting = threading.Thread(target=lambda: found.append(ask(newest, reader="page", wait_s=25)))
    waiting.start()
    newest.close()
    waiting.join(20)

    assert () == found[0].found


@given(STEPS)
@settings(max_examples=25, deadline=None)
def test_nothing_that_is_gone_is_told_and_nothing_twice(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int]]
) -> None:
    """A reader has each look-up that something is left of, in the end, and each once; others see them all."""
    with open_services(Settings(), Layout(tmp_path_factory.mktemp("newest") / "s"), create=True) as services:
        store, newest = services.store, NewestFound(50, services.store)
        found: dict[int, MatchTold] = {}
        read: list[int] = []
        left: list[int] = []
        for kind, item, count in steps:
            if kind == "found":
                one = match(store, f"item-{item}")
                found[newest.put(told(f"c{item}", one, near=one)).number] = one
            elif kind == "remove" and store.items_by_id([f"item-{item}"]):
                store.remove_item(f"item-{item}")
            elif kind == "read":
                read += [each.number for each in ask(newest, reader="wall", limit=count).found]
            there = {each.id for item in store.items() for each in item.pictures}
            left = [number for number, one in found.items() if one.picture in there]
            seen = ask(newest, limit=50)
            assert sorted(left, reverse=True) == [each.number for each in seen.found]
            assert {each.number for each in seen.last.values()} <= set(left)
        read += [each.number for each in ask(newest, reader="wall", limit=50).found]

        assert len(read) == len(set(read))
        assert set(left) <= set(read)


def test_the_nearest_that_is_gone_is_told_no_more(box: Store) -> None:
    """That there was nothing like it is, still."""
    newest, cup = NewestFound(9, box), match(box, "cup")
    newest.put(told("a", near=cup))
    before = ask(newest).last["camera/a"].near
    box.remove_item("cup")
    after = ask(newest).last["camera/a"]

    assert (cup, None, False) == (before, after.near, after.known)


class Away:
    """A store that cannot be read at times."""

    def __init__(self, store: Store) -> None:
        self.away = False
        self._store = store

    def catalogue_version(self) -> int:
        """As the store's."""
        return self._store.catalogue_version()

    def items_by_id(self, items: Sequence[str]) -> dict[str, CatalogueItem]:
        """As the store's, or not at all."""
        if self.away:
            raise StoreError("the database is away")
        return self._store.items_by_id(items)


def test_what_could_not_be_looked_after_is_not_told_and_not_lost(box: Store) -> None:
    """A reader hears of it the next time."""
    store = Away(box)
    newest = NewestFound(9, store)
    newest.put(told("a", match(box, "cup")))
    store.away = True
    for _ in range(2):
        with pytest.raises(StoreError):
            ask(newest, reader="wall")
    store.away = False

    assert [1] == [each.number for each in ask(newest, reader="wall").found]
    assert () == ask(newest, reader="wall").found


def test_a_reader_waits_though_only_what_is_gone_is_there(box: Store) -> None:
    """What comes then is told at once."""
    newest = NewestFound(9, box)
    cup, ball = match(box, "cup"), match(box, "ball")
    newest.put(told("a", cup))
    box.remove_item("cup")
    heard: list[NewestTold] = []
    waiting = threading.Thread(target=lambda: heard.append(ask(newest, reader="wall", wait_s=25)))
    waiting.start()
    waiting.join(0.3)
    waits = waiting.is_alive()
    newest.put(told("a", ball))
    waiting.join(60)

    assert waits
    assert [2] == [each.number for each in heard[0].found]
