"""The catalogue: items with their pictures, put, listed and removed, one for all devices of a database.

An item comes whole: its text, its pictures and what featurizers made of them in one transaction, so that
who is killed leaves it as it was or as it is to be. A picture is told by the hash of the bytes it came as,
so that importing again doubles none. Pictures rest sealed, each under a key of its own that goes with it.
Each change is an event in the same transaction, except of an import, which is one as a whole. What is
searched in is `catalogue_features`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, Literal

from sqlalchemy import Connection, delete, insert, select, update

from appliance.errors import FormError, UnknownItemError
from appliance.events import ItemChanged
from appliance.store.catalogue_checks import check_new, checked_entry, checked_pictures, folded, packed
from appliance.store.catalogue_rows import CatalogueRows, changing, featurizer_number
from appliance.store.changing import Changing
from appliance.store.database import reading
from appliance.store.records import NewEvent
from appliance.store.sealing import need, picture_row
from appliance.store.search_records import (
    MOST_ITEMS,
    MOST_PICTURES,
    MOST_PICTURES_OF_ITEM,
    CatalogueItem,
    ItemEntry,
    ItemPicture,
    NewPicture,
    PutOutcome,
)
from appliance.store.search_tables import (
    search_features,
    search_images,
    search_items,
    search_pictures,
    search_state,
)

_FIELDS: Final = ("title", "link", "price", "notes")
_MOST_WORDS: Final = 8
_PART: Final = 500


class Catalogue(Changing):
    """Items and their pictures."""

    def put_item(
        self,
        entry: ItemEntry,
        pictures: Iterable[NewPicture] = (),
        *,
        known: Collection[str] = (),
        replace_pictures: bool = False,
        new: bool = False,
        logged: bool = True,
    ) -> PutOutcome:
        """Keep an item, or change the one that has its id; whole, and durable when this returns.

        A picture that the item has already is not kept again; features that it lacked are.

        Args:
            entry: What the item says; it takes the place of all that it said.
            pictures: To be added to those it has.
            known: Hashes of pictures that it is to have besides, and that nobody described again, for it had
                them.
            replace_pictures: Those it has and that are not among `pictures` go.
            new: No item has its id.
            logged: What was changed is an event of its own; of an import only the whole is.

        Returns:
            `same` if there was nothing to write.

        Raises:
            FormError: An entry, picture or features that cannot be, too many, or it is there and was to be
                new; nothing was kept.
            UnknownItemError: A picture of `known` is gone; nothing was kept.
            StoreError: It could not be written, or pictures cannot be sealed, for this process has no key.
        """
        entry = checked_entry(entry)
        return self._put(
            entry.id, entry, pictures, known=known, replace=replace_pictures, only_new=new, logged=logged
        )

    def add_pictures(self, item: str, pictures: Iterable[NewPicture]) -> PutOutcome:
        """Add pictures to an item that is there, whatever it says by now; otherwise as `put_item`.

        Raises:
            UnknownItemError: There is no such item; nothing was kept.
            FormError: A picture or features that cannot be, or too many; nothing was kept.
            StoreError: As of `put_item`.
        """
        return self._put(item, None, pictures)

    def _put(
        self,
        item: str,
        entry: ItemEntry | None,
        pictures: Iterable[NewPicture],
        *,
        known: Collection[str] = (),
        replace: bool = False,
        only_new: bool = False,
        logged: bool = True,
    ) -> PutOutcome:
        """See `put_item`; without an entry the item has to be there, and says what it said."""
        fresh = checked_pictures(pictures)
        vectors = {
            sha256: {name: packed(features) for name, features in each.features.items()}
            for sha256, each in fresh.items()
        }
        now = self._clock.wall()
        with changing(self._writing()) as rows:
            there = rows.connection.execute(
                select(*(search_items.c[name] for name in _FIELDS)).where(search_items.c.id == item)
            ).first()
            if there is None and entry is None:
                raise _unknown()
            if only_new:
                check_new(item, there)
            had = _pictures_of(rows.connection, [item]).get(item, ())
            gone = [each.id for each in had if replace and each.sha256 not in fresh]
            ids = {each.sha256: each.id for each in had if each.id not in gone}
            new = [each for each in fresh.values() if each.sha256 not in ids]
            if not set(known) <= {*ids, *fresh}:
                raise _unknown("picture any more")
            _check_room(rows, added=there is None, had=len(ids), gone=len(gone), new=len(new))
            if there is None and entry is not None:
                version = rows.version()
                of_birth = {"id": item, "number": version, "version": version, "added_at": now}
                kept = {**_texts(entry), **of_birth, "changed_at": now}
                rows.connection.execute(insert(search_items).values(kept))
                rows.items += 1
            if gone:
                rows.take_pictures(gone)
            ids |= self._add_pictures(rows, item, new)
            put = _put_missing(rows, {ids[sha256]: each for sha256, each in vectors.items()})
            texts = {} if entry is None else _texts(entry)
            said = there is not None and any(getattr(there, name) != texts[name] for name in _FIELDS if texts)
            changed = bool(said or gone or new or put)
            if there is not None and changed:
                rows.connection.execute(
                    update(search_items)
                    .where(search_items.c.id == item)
                    .values(**texts, version=rows.version(), changed_at=now)
                )
            outcome: PutOutcome = "added" if there is None else "changed" if changed else "same"
            if logged and outcome != "same":
                self._tell_item(rows, "item_added" if outcome == "added" else "item_changed", item)
        if gone:
            self._scrub()
        return outcome

    def item(self, item: str) -> CatalogueItem:
        """One of them.

        Raises:
            UnknownItemError: There is none.
        """
        found = self.items_by_id([item])
        if item not in found:
            raise _unknown()
        return found[item]

    def items_by_id(self, items: Sequence[str]) -> dict[str, CatalogueItem]:
        """Those of these that there are."""
        found: dict[str, CatalogueItem] = {}
        with reading(self._engine) as connection:
            for first in range(0, len(items), _PART):
                wanted = search_items.c.id.in_(items[first : first + _PART])
                rows = connection.execute(select(search_items).where(wanted)).mappings().all()
                found |= {each.entry.id: each for each in _items(connection, rows)}
        return found

    def items(
        self, after: int | None = None, limit: int = 100, text: str = "", *, oldest_first: bool = False
    ) -> list[CatalogueItem]:
        """A page of them, the newest first.

        Args:
            after: Number of the last one of the page before; None: the first page.
            limit: How many at most.
            text: Those that have each of these words in id, title, price or notes; the first eight count.
            oldest_first: In the order in which they were added.
        """
        number = search_items.c.number
        wanted = select(search_items).order_by(number if oldest_first else number.desc()).limit(limit)
        if after is not None:
            wanted = wanted.where(number > after if oldest_first else number < after)
        for word in folded(text).split()[:_MOST_WORDS]:
            wanted = wanted.where(search_items.c.words.contains(word, autoescape=True))
        with reading(self._engine) as connection:
            return _items(connection, connection.execute(wanted).mappings().all())

    def item_count(self) -> int:
        """How many items there are; cheap to ask."""
        with reading(self._engine) as connection:
            return int(connection.execute(select(search_state.c.item_count)).scalar_one())

    def picture_count(self) -> int:
        """How many pictures there are; cheap to ask."""
        with reading(self._engine) as connection:
            return int(connection.execute(select(search_state.c.picture_count)).scalar_one())

    def picture_jpeg(self, picture: str) -> bytes:
        """A picture as it is shown, opened.

        Raises:
            UnknownItemError: There is none.
            StoreError: This process holds no key.
            VaultError: It does not open.
        """
        joined = search_pictures.join(search_images, search_images.c.picture == search_pictures.c.id)
        wanted = select(search_pictures.c.wrapped_key, search_images.c.sealed_jpeg).select_from(joined)
        with reading(self._engine) as connection:
            row = connection.execute(wanted.where(search_pictures.c.id == picture)).first()
        if row is None:
            raise _unknown("picture")
        seal = need(self._seal)
        return seal.open(row.wrapped_key, picture, row.sealed_jpeg, row=picture_row(picture))

    def remove_item(self, item: str) -> bool:
        """Delete an item with its pictures, and their keys for good.

        Returns:
            Whether nothing of it is left in the write-ahead log either; see `remove_subject`.

        Raises:
            UnknownItemError: There is none.
        """
        with changing(self._writing()) as rows:
            had = _pictures_of(rows.connection, [item]).get(item, ())
            rows.take_pictures([each.id for each in had])
            if not rows.connection.execute(delete(search_items).where(search_items.c.id == item)).rowcount:
                raise _unknown()
            rows.items -= 1
            rows.version()
            self._tell_item(rows, "item_removed", item)
        return self._scrub()

    def remove_picture(self, picture: str) -> bool:
        """Delete one picture and its key for good; its item stays.

        Returns:
            As of `remove_item`.

        Raises:
            UnknownItemError: There is none.
        """
        with changing(self._writing()) as rows:
            wanted = select(search_pictures.c.item).where(search_pictures.c.id == picture)
            item = rows.connection.execute(wanted).scalar()
            if item is None:
                raise _unknown("picture")
            rows.take_pictures([picture])
            rows.connection.execute(
                update(search_items)
                .where(search_items.c.id == item)
                .values(version=rows.version(), changed_at=self._clock.wall())
            )
            self._tell_item(rows, "item_changed", item)
        return self._scrub()

    def _tell_item(
        self, rows: CatalogueRows, what: Literal["item_added", "item_changed", "item_removed"], item: str
    ) -> None:
        """Append it, in the transaction of the change."""
        self._append(rows.connection, [NewEvent(ItemChanged(type=what, item=item))])

    def _add_pictures(self, rows: CatalogueRows, item: str, new: Sequence[NewPicture]) -> dict[str, str]:
        """Seal and keep pictures of an item that is there; the id of each by its sha256."""
        if not new:
            return {}
        seal, now = need(self._seal), self._clock.wall()
        kept: list[dict[str, Any]] = []
        images: list[dict[str, Any]] = []
        for each in new:
            picture = self._ids(now)
            key = seal.new_subject_key(picture)
            sealed = seal.seal(key, picture, each.jpeg, row=picture_row(picture))
            images.append({"picture": picture, "sealed_jpeg": sealed})
            kept.append(
                {
                    "id": picture,
                    "item": item,
                    "number": rows.version(),
                    "sha256": each.sha256,
                    "width_px": each.width_px,
                    "height_px": each.height_px,
                    "size_bytes": len(sealed),
                    "wrapped_key": key,
                }
            )
        rows.connection.execute(insert(search_pictures), kept)
        rows.connection.execute(insert(search_images), images)
        rows.pictures += len(new)
        return {each["sha256"]: each["id"] for each in kept}


def _check_room(rows: CatalogueRows, *, added: bool, had: int, gone: int, new: int) -> None:
    """Raises FormError: there would be too many."""
    if added and rows.items >= MOST_ITEMS:
        raise FormError(f"there are {MOST_ITEMS:,} items already", fields={"id": "remove one first"})
    if had + new > MOST_PICTURES_OF_ITEM:
        most = f"{MOST_PICTURES_OF_ITEM} at most"
        raise FormError("an item cannot have as many pictures", fields={"pictures": most})
    if new and rows.pictures - gone + new > MOST_PICTURES:
        raise FormError(
            f"there are {MOST_PICTURES:,} pictures already", fields={"pictures": "remove some first"}
        )


def _put_missing(rows: CatalogueRows, vectors: Mapping[str, Mapping[str, bytes]]) -> bool:
    """Keep the features (picture → featurizer → as they rest) that pictures do not have; whether any."""
    missing: dict[str, dict[str, bytes]] = {}
    for name in sorted({name for each in vectors.values() for name in each}):
        number = featurizer_number(rows.connection, name)
        wanted = select(search_features.c.picture).where(
            search_features.c.featurizer == number, search_features.c.picture.in_(list(vectors))
        )
        have = set() if number is None else set(rows.connection.execute(wanted).scalars())
        missing[name] = {
            picture: each[name] for picture, each in vectors.items() if name in each and picture not in have
        }
        rows.put_features(name, missing[name])
    return any(missing.values())


def _texts(entry: ItemEntry) -> dict[str, str]:
    said = {name: getattr(entry, name) for name in _FIELDS}
    return {**said, "words": folded(entry.id, entry.title, entry.price, entry.notes)}


def _pictures_of(connection: Connection, items: Sequence[str]) -> dict[str, tuple[ItemPicture, ...]]:
    names = ("id", "item", "sha256", "width_px", "height_px")
    wanted = select(*(search_pictures.c[name] for name in names)).where(search_pictures.c.item.in_(items))
    found: dict[str, tuple[ItemPicture, ...]] = {}
    for row in connection.execute(wanted.order_by(search_pictures.c.number)):
        found[row.item] = (*found.get(row.item, ()), ItemPicture(*row))
    return found


def _items(connection: Connection, rows: Sequence[Mapping[Any, Any]]) -> list[CatalogueItem]:
    pictures: dict[str, tuple[ItemPicture, ...]] = {}
    for first in range(0, len(rows), _PART):
        pictures |= _pictures_of(connection, [row["id"] for row in rows[first : first + _PART]])
    return [
        CatalogueItem(
            entry=ItemEntry(row["id"], *(row[name] for name in _FIELDS)),
            pictures=pictures.get(row["id"], ()),
            added_at=row["added_at"],
            changed_at=row["changed_at"],
            number=row["number"],
            version=row["version"],
        )
        for row in rows
    ]


def _unknown(what: str = "item") -> UnknownItemError:
    return UnknownItemError(f"there is no such {what}", hint="see the catalogue")
