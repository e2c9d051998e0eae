"""The catalogue, on both databases: items come whole and once; pictures rest sealed, and go for good."""

import multiprocessing
import os
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from catalogue_things import MODEL, OTHER, Follower, catalogue, jpeg, picture, thing
from seals import ToySeal
from sqlalchemy import Engine, event
from stores import OPENED, sql, store

from appliance.clock import ManualClock
from appliance.errors import FormError, StoreError, UnknownItemError, VaultError
from appliance.events import ItemChanged
from appliance.store import SEGMENT, ItemEntry, NewEvent, NewPicture, Store
from appliance.store.search_records import MOST_JPEG_BYTES, MOST_PICTURES_OF_ITEM

MakeStore = Callable[..., Store]


@pytest.fixture
def box(make_store: MakeStore) -> Store:
    """An open store."""
    return make_store()


def shas(*seeds: int) -> tuple[str, ...]:
    """Hashes of these pictures."""
    return tuple(picture(seed).sha256 for seed in seeds)


def test_an_item_comes_back_as_it_was_put(box: Store) -> None:
    """Every field, the pictures in their order, and their bytes."""
    entry = thing("cup-7", "Cup “blue”", link="https://example.org/?id=7&x", price="3,50 €", notes="a\nb")
    outcome = box.put_item(entry, [picture(2, MODEL), picture(1, MODEL)])
    found = box.item("cup-7")

    assert "added" == outcome
    assert entry == found.entry
    assert shas(2, 1) == tuple(each.sha256 for each in found.pictures)
    assert [jpeg(2), jpeg(1)] == [box.picture_jpeg(each.id) for each in found.pictures]
    assert {("cup-7", 64, 48)} == {(each.item, each.width_px, each.height_px) for each in found.pictures}
    assert (1, 2) == (box.item_count(), box.picture_count())


def test_importing_again_doubles_nothing(box: Store) -> None:
    """The same item with the same pictures is the one that is there, and no version is counted."""
    pictures = [picture(1, MODEL), picture(2, MODEL), picture(1, MODEL)]
    box.put_item(thing("a"), pictures)
    before = box.catalogue_version()
    again = box.put_item(thing("a"), pictures)

    assert "same" == again
    assert before == box.catalogue_version()
    assert {"a": shas(1, 2)} == catalogue(box)
    assert 2 == box.picture_count()


def test_one_picture_may_be_of_two_items(box: Store) -> None:
    """It is told by its hash within an item, and goes with one of them from that one alone."""
    for name in "ab":
        box.put_item(thing(name), [picture(1, MODEL)])
    box.remove_item("a")

    assert {"b": shas(1)} == catalogue(box)


def test_a_change_is_told(box: Store, clock: ManualClock) -> None:
    """Another text, another picture, features that it lacked: each is a change, and counts the version up."""
    box.put_item(thing("a"), [picture(1)])
    clock.advance(60)
    versions = [box.catalogue_version()]
    for entry, pictures in (
        (thing("a", "Another"), []),
        (thing("a", "Another"), [picture(2)]),
        (thing("a", "Another"), [picture(1, MODEL)]),
    ):
        assert "changed" == box.put_item(entry, pictures)
        versions.append(box.catalogue_version())
        assert versions[-1] == box.item("a").version
    found = box.item("a")

    assert versions == sorted(set(versions))
    assert 60 == (found.changed_at - found.added_at).total_seconds()
    assert {"a": shas(1, 2)} == catalogue(box)


def test_pictures_are_replaced_when_that_is_asked(box: Store) -> None:
    """What is not among the new ones goes; what is stays the picture that it was."""
    box.put_item(thing("a"), [picture(1, MODEL), picture(2, MODEL)])
    kept = box.item("a").pictures[1]
    box.put_item(thing("a"), [picture(3, MODEL), picture(2, MODEL)], replace_pictures=True)

    assert shas(2, 3) == tuple(each.sha256 for each in box.item("a").pictures)
    assert kept == box.item("a").pictures[0]
    assert 2 == box.picture_count()


def test_pictures_are_added_to_an_item_that_is_there(box: Store) -> None:
    """What it says stays, whoever changed it meanwhile; one that is gone does not come back."""
    box.put_item(thing("a"), [picture(1, MODEL)])
    box.put_item(thing("a", "Another", price="2 €"))
    outcomes = [box.add_pictures("a", [picture(each, MODEL)]) for each in (2, 2)]
    box.put_item(thing("b"))
    box.remove_item("b")
    before = box.search_state()
    with pytest.raises(UnknownItemError):
        box.add_pictures("b", [picture(3, MODEL)])

    assert ["changed", "same"] == outcomes
    assert thing("a", "Another", price="2 €") == box.item("a").entry
    assert {"a": shas(1, 2)} == catalogue(box)
    assert before == box.search_state()
    assert [*[("item_added", "a")], *[("item_changed", "a")] * 2] == recorded(box)[:3]


def test_what_an_item_is_known_to_have_is_looked_up_again(box: Store) -> None:
    """Whoever hands over no picture that it had is told, should that be gone; nothing is kept then."""
    box.put_item(thing("a"), [picture(1, MODEL), picture(2, MODEL)])
    for change in (lambda: box.remove_picture(box.item("a").pictures[0].id), lambda: box.remove_item("a")):
        known = shas(*range(1, 3))[-len(box.item("a").pictures) :]
        assert "same" == box.put_item(thing("a"), known=known)
        change()
        before = catalogue(box), box.search_state()
        with pytest.raises(UnknownItemError):
            box.put_item(thing("a", "Another"), [picture(3, MODEL)], known=known)
        assert before == (catalogue(box), box.search_state())

    assert "added" == box.put_item(thing("a"), [picture(1, MODEL)], known=shas(1))


def test_pages_leave_nothing_out(box: Store) -> None:
    """The newest first, or the oldest, and an item that goes meanwhile breaks no page."""
    names = [f"item {i}" for i in range(9)]
    for name in names:
        box.put_item(thing(name))
    first = box.items(limit=4)
    box.remove_item(first[-1].entry.id)
    rest = box.items(first[-1].number, 9)

    assert names[::-1] == [each.entry.id for each in (*first, *rest)]
    assert [name for name in names if name != "item 5"] == list(catalogue(box))
    assert [] == box.items(rest[-1].number, 9)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CUP", ["a", "b"]),
        ("cup blue", ["a"]),
        ("STRASSE", ["b"]),
        ("100%", ["c"]),
        ("%", ["c"]),
        ("_", []),
        ("7,50", ["a"]),
        ("' OR 1=1", []),
        ("https", []),
    ],
)
def test_items_are_found_by_their_words(box: Store, text: str, expected: list[str]) -> None:
    """Each word anywhere in id, title, price or notes, whatever its capitals; nothing in it acts."""
    box.put_item(thing("a", "Blue Cup", price="7,50", link="https://example.org"))
    box.put_item(thing("b", "cup", notes="from the Café\nin the Hauptstraße"))
    box.put_item(thing("c", "100% wool"))

    assert expected == [each.entry.id for each in box.items(text=text, oldest_first=True)]


@pytest.mark.parametrize(
    ("entry", "fields"),
    [
        (ItemEntry("", "x"), {"id"}),
        (ItemEntry("x" * 65, "x"), {"id"}),
        (ItemEntry("a\nb", "x"), {"id"}),
        (ItemEntry("a", "  "), {"title"}),
        (ItemEntry("a", "x" * 201), {"title"}),
        (ItemEntry("a", "\u202egnos"), {"title"}),
        (ItemEntry("a", "x\0"), {"title"}),
        (ItemEntry("a", "x", link="javascript:alert(1)"), {"link"}),
        (ItemEntry("a", "x", link="https://"), {"link"}),
        (ItemEntry("a", "x", link="https://[x"), {"link"}),
        (ItemEntry("a", "x", link="https://a.org/b c"), {"link"}),
        (ItemEntry("a", "x", link="https://a.org/" + "x" * 2000), {"link"}),
        (ItemEntry("a", "x", price="9" * 65, notes="x" * 2001), {"price", "notes"}),
    ],
)
def test_what_cannot_be_said_is_refused(box: Store, entry: ItemEntry, fields: set[str]) -> None:
    """Every field that cannot be is named, and nothing is kept."""
    with pytest.raises(FormError) as caught:
        box.put_item(entry)

    assert fields == set(caught.value.fields)
    assert 0 == box.item_count()


@pytest.mark.parametrize(
    "wrong",
    [
        NewPicture("no hash", jpeg(1), 64, 48),
        NewPicture("a" * 64, b"GIF89a", 64, 48),
        NewPicture("a" * 64, jpeg(1, MOST_JPEG_BYTES), 64, 48),
        NewPicture("a" * 64, jpeg(1), 0, 48),
        picture(2, "no name of one"),
    ],
)
def test_a_picture_that_cannot_be_keeps_its_whole_item_out(box: Store, wrong: NewPicture) -> None:
    """Neither the item nor its other pictures are there."""
    with pytest.raises(FormError):
        box.put_item(thing("a"), [picture(1, MODEL), wrong])

    assert (0, 0, {}) == (box.item_count(), box.picture_count(), catalogue(box))


def test_an_item_has_so_many_pictures(box: Store) -> None:
    """As many as it may, and not one more."""
    box.put_item(thing("a"), [picture(i) for i in range(MOST_PICTURES_OF_ITEM)])
    with pytest.raises(FormError):
        box.put_item(thing("a"), [picture(99)])

    assert "changed" == box.put_item(thing("a"), [picture(99)], replace_pictures=True)


def test_what_is_not_there_is_said(box: Store) -> None:
    """Asked for or removed."""
    box.put_item(thing("a"), [picture(1)])
    (kept,) = box.item("a").pictures
    box.remove_picture(kept.id)
    before = box.catalogue_version()
    for asked in (
        lambda: box.item("b"),
        lambda: box.remove_item("b"),
        lambda: box.remove_picture(kept.id),
        lambda: box.picture_jpeg(kept.id),
    ):
        with pytest.raises(UnknownItemError):
            asked()

    assert {} == box.items_by_id(["b"])
    assert before == box.catalogue_version()


def test_pictures_rest_sealed_each_in_its_place(box: Store, address: str) -> None:
    """Nothing of one is in the tables; one moved to another's place does not open."""
    box.put_item(thing("a"), [picture(1), picture(2)])
    one, other = box.item("a").pictures
    rows = sql(address, "SELECT sealed_jpeg FROM search_images")
    sql(
        address,
        "UPDATE search_images SET sealed_jpeg = (SELECT sealed_jpeg FROM search_images WHERE picture = :of) "
        "WHERE picture = :at",
        of=one.id,
        at=other.id,
    )

    assert all(jpeg(i)[3:19] not in bytes(row.sealed_jpeg) for row in rows for i in (1, 2))
    assert jpeg(1) == box.picture_jpeg(one.id)
    with pytest.raises(VaultError):
        box.picture_jpeg(other.id)


def test_devices_of_one_database_share_the_catalogue(make_store: MakeStore) -> None:
    """Under one device key each opens what another put; both change it."""
    one, other = make_store(), make_store(device="second", seed=2)
    one.put_item(thing("a"), [picture(1, MODEL)])
    other.put_item(thing("b"), [picture(2, MODEL)])
    (kept,) = one.item("b").pictures

    assert jpeg(2) == one.picture_jpeg(kept.id)
    assert one.catalogue_version() == other.catalogue_version()
    assert ["a", "b"] == list(catalogue(other))


def test_who_has_no_key_lists_and_follows_but_keeps_no_picture(make_store: MakeStore) -> None:
    """Text and features need none; a picture does."""
    box, keyless = make_store(), make_store(sealed=False)
    box.put_item(thing("a"), [picture(1, MODEL)])
    follower = Follower(keyless)
    follower.read()
    with pytest.raises(StoreError, match="device key"):
        keyless.put_item(thing("b"), [picture(2)])
    with pytest.raises(StoreError, match="device key"):
        keyless.picture_jpeg(box.item("a").pictures[0].id)

    assert "changed" == keyless.put_item(thing("a", "Another"), [picture(1, MODEL)])
    assert ["a"] == list(catalogue(keyless))
    assert 1 == len(follower.known)


def test_keys_are_wrapped_anew_with_the_others(make_store: MakeStore) -> None:
    """Every picture's, and afterwards the new key opens them."""
    old, new = ToySeal("old"), ToySeal("new")
    box = make_store(seal=old)
    box.put_item(thing("a"), [picture(1), picture(2)])

    def anew(whose: str, wrapped: bytes) -> bytes:
        return new._seal(new._secret, whose, old._open(old._secret, whose, wrapped, "key"), "key")

    steps = list(box.rewrap(anew))
    opened = make_store(seal=new)

    assert [(2, 2)] == steps
    assert [jpeg(1), jpeg(2)] == [opened.picture_jpeg(each.id) for each in opened.item("a").pictures]


def test_a_key_that_opens_no_more_names_its_item(box: Store) -> None:
    """Who changes the device key is told what to remove; then it goes on."""
    box.put_item(thing("cup-7"), [picture(1)])

    def never(whose: str, wrapped: bytes) -> bytes:
        raise VaultError(f"the key at subjects/{whose}/wrapped_key opens neither: {len(wrapped)} bytes")

    with pytest.raises(VaultError, match="opens neither") as caught:
        list(box.rewrap(never))
    box.remove_item("cup-7")

    assert "cup-7" in caught.value.hint
    assert [] == list(box.rewrap(never))


def test_what_is_removed_is_in_no_byte_of_the_files(box: Store, address: str) -> None:
    """Neither a picture's key nor what it sealed is in database or write-ahead log, nor in an old copy."""
    if not address.startswith("sqlite"):
        pytest.skip("the files are the server's")
    database = Path(address.removeprefix("sqlite:///"))
    box.put_item(thing("a"), [picture(1, MODEL)])
    box.put_item(thing("b"), [picture(2, MODEL)])
    copy = database.with_name(f"{database.name}.revision-0010")
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    secrets = [
        bytes(value)
        for row in sql(
            address,
            "SELECT wrapped_key, sealed_jpeg, vector FROM search_pictures p JOIN search_images i "
            "ON i.picture = p.id JOIN search_features f ON f.picture = p.id WHERE p.item = 'a'",
        )
        for value in row
    ]

    def on_disk(secret: bytes) -> bool:
        return any(secret in path.read_bytes() for path in database.parent.iterdir())

    assert [True] * 3 == [on_disk(secret) for secret in secrets]
    assert box.remove_item("a")
    assert [False] * 3 == [on_disk(secret) for secret in secrets]
    with store(f"sqlite:///{copy}") as old:
        (left,) = old.item("b").pictures
        assert jpeg(2) == old.picture_jpeg(left.id)


def test_pictures_do_not_push_out_the_log(box: Store) -> None:
    """The size that the log is held to is its own: the catalogue takes none of it."""
    box.append_all([NewEvent(OPENED)] * (2 * SEGMENT + 1))
    most = box.database_bytes()
    for i in range(40):
        large = NewPicture(picture(i).sha256, jpeg(i, 20_000 + 97 * i), 64, 48, picture(i, MODEL).features)
        box.put_item(thing(str(i), notes="x" * 500), [large], logged=False)

    assert [] == box.old_segments(before=None, max_bytes=most)
    assert [] != box.old_segments(before=None, max_bytes=most // 4)


def put_and_die(address: str, name: str, statement: int) -> None:
    """Put an item and end as by a power cut before the so manieth statement or commit of it."""
    with store(address, seed=os.getpid()) as box:
        many = 0

        def count(*_: Any) -> None:
            nonlocal many
            if many == statement:
                os.kill(os.getpid(), signal.SIGKILL)
            many += 1

        event.listen(Engine, "before_cursor_execute", count)
        event.listen(Engine, "commit", count)
        box.put_item(thing(name), [picture(1, MODEL, OTHER), picture(2, MODEL)])


def test_killed_while_an_item_is_put_it_is_whole_or_not_there(box: Store, address: str) -> None:
    """Before any statement and before the commit; putting it again completes it, and doubles nothing.

    Nor is there an item without its line in the log, or a line without its item.
    """
    killed = 0
    while True:
        name = f"item {killed}"
        child = multiprocessing.get_context("fork").Process(target=put_and_die, args=(address, name, killed))
        child.start()
        child.join(60)
        if child.exitcode == 0:
            break
        assert -signal.SIGKILL == child.exitcode
        killed += 1
        assert name not in catalogue(box)
        assert "added" == box.put_item(thing(name), [picture(1, MODEL, OTHER), picture(2, MODEL)])
    follower = Follower(box)
    follower.read()

    assert killed > 8
    assert dict.fromkeys([f"item {i}" for i in range(killed + 1)], shas(1, 2)) == catalogue(box)
    assert (killed + 1, 2 * killed + 2) == (box.item_count(), box.picture_count())
    assert 2 * killed + 2 == len(follower.known)
    assert [] == box.pictures_without(MODEL)
    assert [("item_added", name) for name in catalogue(box)] == recorded(box)


def recorded(box: Store) -> list[tuple[str, str]]:
    """What the log says of items, the oldest first."""
    said = [each.event for each in box.events()]
    return [(each.type, each.item) for each in said if isinstance(each, ItemChanged)]


def test_each_change_of_an_item_is_on_record(box: Store) -> None:
    """With who did it; what changes nothing is not, nor is each item of an import."""
    with box.acting("somebody"):
        box.put_item(thing("a"), [picture(1, MODEL), picture(2, MODEL)])
        box.put_item(thing(" a "), [picture(1, MODEL)])
        box.put_item(thing("a", "Another"))
        box.remove_picture(box.item("a").pictures[0].id)
        box.put_item(thing("b"), logged=False)
        box.remove_item("a")
    said = [each.event.by for each in box.events() if isinstance(each.event, ItemChanged)]

    assert [("item_added", "a"), *[("item_changed", "a")] * 2, ("item_removed", "a")] == recorded(box)
    assert ["somebody"] * 4 == said


def test_what_cannot_be_put_on_record_is_not_done(make_store: MakeStore) -> None:
    """Who has no key cannot sign where a segment of the log ends, and so changes nothing there."""
    box, keyless = make_store(), make_store(sealed=False, seed=2)
    box.put_item(thing("a"), [picture(1, MODEL)])
    box.set_featurizer(MODEL)
    box.append_all([NewEvent(OPENED)] * (SEGMENT - 1 - len(box.events())))
    (kept,), before = box.item("a").pictures, (catalogue(box), box.search_state())
    for change in (
        lambda: keyless.put_item(thing("a", "Another")),
        lambda: keyless.put_item(thing("b")),
        lambda: keyless.remove_item("a"),
        lambda: keyless.remove_picture(kept.id),
        lambda: keyless.set_featurizer(OTHER),
        lambda: keyless.set_threshold(MODEL, 0.5),
    ):
        with pytest.raises(StoreError, match="device key"):
            change()

    assert before == (catalogue(box), box.search_state())
    assert "A thing" == box.item("a").entry.title
    assert "changed" == box.put_item(thing("a", "Another"))
