"""A change of the catalogue within one transaction: versions given out, features put, pictures taken away.

Whoever changes anything holds the lock of the one row that counts, from the first to the last: so versions
become visible in their order, and who reads what is newer than the newest they saw misses nothing. Each row
that is followed has a version of its own, so that a page of changes may end anywhere.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final

from sqlalchemy import Connection, delete, func, insert, select, update

from appliance.errors import FormError
from appliance.store.catalogue_checks import checked_featurizer
from appliance.store.search_tables import (
    search_features,
    search_featurizers,
    search_images,
    search_items,
    search_pictures,
    search_removed,
    search_state,
)

REMEMBERED: Final = 100_000
"""Versions for which it is remembered what was removed; who is further behind reads all anew."""
_PART: Final = 500
"""Ids in one statement: both databases take many more."""
_ITEM_BYTES: Final = 600
_PICTURE_BYTES: Final = 1000  # its rows and indexes, and what its last pages leave empty
_FEATURES_BYTES: Final = 1600


class CatalogueRows:
    """The catalogue under its lock.

    Attributes:
        connection: Of the transaction.
        items: How many there are; whoever adds or takes away counts here.
        pictures: Likewise; `take_pictures` counts for itself.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        row = connection.execute(select(search_state).with_for_update()).mappings().one()
        self._before = (int(row["version"]), int(row["item_count"]), int(row["picture_count"]))
        self._version, self.items, self.pictures = self._before

    def version(self) -> int:
        """The next one, for one row."""
        self._version += 1
        return self._version

    def keep(self) -> None:
        """Write how far it came; and forget what was removed long ago."""
        after = (self._version, self.items, self.pictures)
        if after == self._before:
            return
        self.connection.execute(
            update(search_state).values(
                version=self._version, item_count=self.items, picture_count=self.pictures
            )
        )
        old = search_removed.c.version <= self._version - REMEMBERED
        wanted = select(search_removed.c.featurizer, func.max(search_removed.c.version)).where(old)
        for featurizer, newest in self.connection.execute(wanted.group_by(search_removed.c.featurizer)).all():
            self.connection.execute(
                delete(search_removed).where(search_removed.c.featurizer == featurizer, old)
            )
            self.raise_floor(featurizer, newest)

    def featurizer(self, name: str) -> int:
        """The number of a featurizer, which it is given if it is new.

        Raises:
            FormError: It is no name of one.
        """
        number = featurizer_number(self.connection, name)
        if number is None:
            fresh = {"name": checked_featurizer(name), "floor": 0}
            done = self.connection.execute(insert(search_featurizers).values(fresh))
            (number,) = done.inserted_primary_key or (0,)
        return int(number)

    def raise_floor(self, featurizer: int, version: int) -> None:
        """Let whoever is not as far as that begin anew."""
        self.connection.execute(
            update(search_featurizers)
            .where(search_featurizers.c.id == featurizer, search_featurizers.c.floor < version)
            .values(floor=version)
        )

    def put_features(self, featurizer: str, vectors: Mapping[str, bytes]) -> None:
        """Keep the features of pictures that are there, in place of those that they have.

        Args:
            featurizer: Its name.
            vectors: Picture → as they rest.

        Raises:
            FormError: As many numbers as the others of this featurizer have they have not.
        """
        if not vectors:
            return
        number = self.featurizer(featurizer)
        self._check_numbers(number, featurizer, vectors)
        for part in _parts(list(vectors)):
            self.connection.execute(
                delete(search_features).where(
                    search_features.c.featurizer == number, search_features.c.picture.in_(part)
                )
            )
        self.connection.execute(
            insert(search_features),
            [
                {"featurizer": number, "picture": picture, "version": self.version(), "vector": vector}
                for picture, vector in vectors.items()
            ],
        )

    def take_pictures(self, pictures: Sequence[str]) -> None:
        """Delete pictures with their keys and features, and remember for who follows that they are gone."""
        for part in _parts(pictures):
            had = self.connection.execute(
                select(search_features.c.featurizer, search_features.c.picture)
                .where(search_features.c.picture.in_(part))
                .order_by(search_features.c.featurizer, search_features.c.picture)
            ).all()
            if had:
                self.connection.execute(
                    insert(search_removed),
                    [{"featurizer": of, "version": self.version(), "picture": each} for of, each in had],
                )
            # In this order, though the database would follow: on a large one each is looked for once.
            self.connection.execute(delete(search_features).where(search_features.c.picture.in_(part)))
            self.connection.execute(delete(search_images).where(search_images.c.picture.in_(part)))
            self.connection.execute(delete(search_pictures).where(search_pictures.c.id.in_(part)))
        self.pictures -= len(pictures)

    def _check_numbers(self, number: int, name: str, vectors: Mapping[str, bytes]) -> None:
        own = search_featurizers.c.id == number
        wanted = self.connection.execute(select(search_featurizers.c.numbers).where(own)).scalar()
        sizes = {len(vector) // 2 for vector in vectors.values()}
        if wanted is None and len(sizes) == 1:
            self.connection.execute(update(search_featurizers).where(own).values(numbers=sizes.pop()))
        elif sizes != {wanted}:
            said = ", ".join(str(each) for each in sorted(sizes))
            raise FormError(
                f"features of {name} have {wanted or 'one number of'} numbers, and not {said}",
                fields={"features": f"{wanted or min(sizes)} numbers"},
                hint="they come of another model: make them with this one",
            )


@contextmanager
def changing(transaction: AbstractContextManager[Connection]) -> Iterator[CatalogueRows]:
    """A transaction that has the catalogue for itself, and commits at the end of the block.

    Whoever also appends to the log does so within it, after this lock: nobody takes the two the other way
    round, so that no two wait for each other.

    Raises:
        StoreError: Nothing was changed.
    """
    with transaction as connection:
        rows = CatalogueRows(connection)
        yield rows
        rows.keep()


def featurizer_number(connection: Connection, name: str) -> int | None:
    """The number under which a featurizer is kept; None: it is not."""
    wanted = select(search_featurizers.c.id).where(search_featurizers.c.name == name)
    number: int | None = connection.execute(wanted).scalar()
    return number


def catalogue_bytes(connection: Connection) -> int:
    """About how much of a SQLite database is the catalogue; 0 on PostgreSQL, as with `moments_bytes`.

    Reads neither pictures nor features.
    """
    if connection.dialect.name != "sqlite":
        return 0
    state = connection.execute(select(search_state)).mappings().one()
    sealed = connection.execute(select(func.coalesce(func.sum(search_pictures.c.size_bytes), 0))).scalar_one()
    features: Any = (
        select(search_featurizers.c.numbers, func.count(search_features.c.picture))
        .join(search_features, search_features.c.featurizer == search_featurizers.c.id)
        .group_by(search_featurizers.c.id)
    )
    vectors = sum(
        many * (2 * (numbers or 0) + _FEATURES_BYTES) for numbers, many in connection.execute(features)
    )
    texts = func.length(search_items.c.words) + func.length(search_items.c.notes)
    written = connection.execute(select(func.coalesce(func.sum(texts), 0))).scalar_one()
    rows = state["item_count"] * _ITEM_BYTES + state["picture_count"] * _PICTURE_BYTES
    return int(sealed + vectors + written + rows)


def _parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(ids), _PART):
        yield ids[first : first + _PART]
