"""What featurizers made of the catalogue's pictures, how an index in memory follows it, what is searched in.

Features are no pictures and rest in the clear, so that who searches needs no key. Several featurizers may
have features of the same pictures: one is searched while another's are being made. A follower asks with the
version of the page before, and learns what changed since and what is gone; who was away for too long, or
whose database is another one, is told to begin anew.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

import numpy as np
import structlog
from sqlalchemy import Connection, delete, func, select, update

from appliance.errors import FormError
from appliance.events import SearchChanged
from appliance.store.catalogue_checks import HALF, checked_threshold, packed
from appliance.store.catalogue_rows import CatalogueRows, changing, featurizer_number
from appliance.store.database import reading
from appliance.store.log import EventLog
from appliance.store.records import NewEvent
from appliance.store.search_records import FeaturePage, KeptFeaturizer, SearchState
from appliance.store.search_tables import (
    search_features,
    search_featurizers,
    search_pictures,
    search_removed,
    search_state,
)
from appliance.values import UNIT_WITHIN, FloatArray

AT_ONCE: Final = 1000
"""Features that one transaction writes or deletes at most, so that nobody waits long for the lock."""

_log = structlog.get_logger()


class CatalogueFeatures(EventLog):
    """Features of the catalogue's pictures, on top of the log that changes of what is searched in go to."""

    def catalogue_version(self) -> int:
        """Grows with every change of items, pictures, features or what is searched in; cheap to ask."""
        with reading(self._engine) as connection:
            return int(connection.execute(select(search_state.c.version)).scalar_one())

    def features_after(self, version: int, featurizer: str, limit: int = 2000) -> FeaturePage:
        """What changed of a featurizer's features since a version; a page of it.

        Damaged ones are left out, and told in the diagnostics.

        Args:
            version: Of the page before; 0: from the beginning.
            featurizer: Its name; of one that nobody knows there are none.
            limit: Changes at most, at least 1: a thousand of 1,280 numbers are 5 MB.
        """
        with reading(self._engine) as connection:
            newest = int(connection.execute(select(search_state.c.version)).scalar_one())
            known = select(search_featurizers).where(search_featurizers.c.name == featurizer)
            of = connection.execute(known).mappings().first()
            anew = version <= 0 or version > newest or (of is not None and version < of["floor"])
            since = 0 if anew else version
            if of is None or since == newest:
                return FeaturePage(newest, anew, (), (), _matrix([], 0), (), more=False)
            there, gone, last = _changes(connection, of["id"], since, limit)
        more = len(there) + len(gone) == limit
        numbers = of["numbers"] or 0
        sized = [row for row in there if len(row.vector) == 2 * numbers]
        features = _matrix([row.vector for row in sized], numbers)
        fit = np.abs(np.linalg.norm(features, axis=1) - 1) <= UNIT_WITHIN  # nor numbers that are none
        whole = [row for row, fits in zip(sized, fit, strict=True) if fits]
        if len(whole) < len(there):
            features = features[fit]
            _tell_damaged({row.picture for row in there} - {row.picture for row in whole})
        return FeaturePage(
            version=last if more else newest,
            anew=anew,
            pictures=tuple(row.picture for row in whole),
            items=tuple(row.item for row in whole),
            features=features,
            removed=tuple(row.picture for row in gone),
            more=more,
        )

    def pictures_without(self, featurizer: str, limit: int = 100, after: str = "") -> list[str]:
        """Ids of pictures that have no features of a featurizer, in the order of the ids; a page of them.

        Args:
            featurizer: Its name.
            limit: How many at most.
            after: The last one of the page before, so that one that cannot be read stops none; empty: none.
        """
        with reading(self._engine) as connection:
            number = featurizer_number(connection, featurizer)
            has = select(search_features.c.picture).where(
                search_features.c.featurizer == number, search_features.c.picture == search_pictures.c.id
            )
            wanted = select(search_pictures.c.id).where(search_pictures.c.id > after)
            if number is not None:
                wanted = wanted.where(~has.exists())
            found = connection.execute(wanted.order_by(search_pictures.c.id).limit(limit)).scalars()
            return list(found)

    def put_features(self, featurizer: str, features: Mapping[str, FloatArray]) -> int:
        """Keep features of pictures, in place of those that they have; how many were kept.

        Written by the thousand: of those, all or none. Pictures that are gone meanwhile are passed over.

        Args:
            featurizer: Its name.
            features: Picture → (n,) float32 of length 1; of one featurizer all have one n.

        Raises:
            FormError: Features or a name that cannot be.
            StoreError: Of the thousand under way nothing was kept.
        """
        vectors = {picture: packed(each) for picture, each in features.items()}
        pictures, kept = list(vectors), 0
        for first in range(0, len(pictures), AT_ONCE):
            part = pictures[first : first + AT_ONCE]
            with changing(self._writing()) as rows:
                wanted = select(search_pictures.c.id).where(search_pictures.c.id.in_(part))
                there = set(rows.connection.execute(wanted).scalars())
                rows.put_features(featurizer, {each: vectors[each] for each in part if each in there})
            kept += len(there)
        return kept

    def drop_features(self, featurizer: str) -> int:
        """Delete features of a featurizer, a thousand at most; how many went: fewer, no more are left.

        Whoever follows it begins anew.

        Raises:
            FormError: They are what is searched in, or are being made.
            StoreError: Of this call nothing was changed.
        """
        with changing(self._writing()) as rows:
            number = featurizer_number(rows.connection, featurizer)
            if number is None:
                return 0
            wanted = select(search_state.c.featurizer, search_state.c.next_featurizer)
            if number in tuple(rows.connection.execute(wanted).one()):
                raise FormError(
                    "these features are what is searched in, or will be",
                    fields={"featurizer": "search in another one's first"},
                )
            own = search_features.c.featurizer == number
            some = select(search_features.c.picture).where(own).limit(AT_ONCE)
            pictures = rows.connection.execute(some).scalars().all()
            rows.connection.execute(
                delete(search_features).where(own, search_features.c.picture.in_(pictures))
            )
            rows.connection.execute(delete(search_removed).where(search_removed.c.featurizer == number))
            rows.raise_floor(number, rows.version())
            if len(pictures) < AT_ONCE:
                rows.connection.execute(
                    update(search_featurizers)
                    .where(search_featurizers.c.id == number)
                    .values(numbers=None, threshold=None, calibrated_at=None, calibrated_version=None)
                )
            return len(pictures)

    def featurizers(self) -> list[KeptFeaturizer]:
        """All that the catalogue knows, by name."""
        many = (
            select(func.count())
            .select_from(search_features)
            .where(search_features.c.featurizer == search_featurizers.c.id)
            .scalar_subquery()
        )
        with reading(self._engine) as connection:
            rows = connection.execute(select(search_featurizers, many.label("pictures"))).mappings().all()
        found = [
            KeptFeaturizer(
                row["name"],
                row["numbers"],
                int(row["pictures"]),
                row["threshold"],
                row["calibrated_at"],
                row["calibrated_version"],
            )
            for row in rows
        ]
        return sorted(found, key=lambda each: each.name)

    def search_state(self) -> SearchState:
        """What is searched in, and how much; cheap to ask."""
        with reading(self._engine) as connection:
            state = connection.execute(select(search_state)).mappings().one()
            known = connection.execute(select(search_featurizers)).mappings().all()
        by_number: dict[int | None, Mapping[Any, Any]] = {row["id"]: row for row in known}
        active, coming = (by_number.get(state[name]) for name in ("featurizer", "next_featurizer"))
        return SearchState(
            version=state["version"],
            items=state["item_count"],
            pictures=state["picture_count"],
            featurizer=None if active is None else active["name"],
            next_featurizer=None if coming is None else coming["name"],
            threshold=None if active is None else active["threshold"],
            calibrated_at=None if active is None else active["calibrated_at"],
            calibrated_version=None if active is None else active["calibrated_version"],
        )

    def set_featurizer(self, featurizer: str) -> None:
        """Search in this one's features from now on; it is no longer the next one.

        In place of another one's it is an event, in the same transaction.

        Raises:
            FormError: It is no name of one.
        """
        with changing(self._writing()) as rows:
            number = rows.featurizer(featurizer)
            state = rows.connection.execute(select(search_state)).mappings().one()
            coming = None if state["next_featurizer"] == number else state["next_featurizer"]
            if (state["featurizer"], state["next_featurizer"]) != (number, coming):
                rows.connection.execute(
                    update(search_state).values(featurizer=number, next_featurizer=coming)
                )
                rows.version()
            if state["featurizer"] not in (None, number):
                self._tell_search(rows, "search_featurizer_changed", number, featurizer)

    def set_next_featurizer(self, featurizer: str | None) -> None:
        """Note whose features are being made, to be searched once all have them; None: nobody's.

        Raises:
            FormError: It is no name of one, or is the one that is searched in.
        """
        with changing(self._writing()) as rows:
            number = None if featurizer is None else rows.featurizer(featurizer)
            state = rows.connection.execute(select(search_state)).mappings().one()
            if number is not None and number == state["featurizer"]:
                raise FormError(
                    "these features are what is searched in", fields={"featurizer": "another one's name"}
                )
            if state["next_featurizer"] != number:
                rows.connection.execute(update(search_state).values(next_featurizer=number))
                rows.version()

    def set_threshold(self, featurizer: str, threshold: float | None) -> None:
        """Keep what a featurizer was calibrated to, with the time and the catalogue's version; and log it.

        Args:
            featurizer: Its name.
            threshold: Cosine, -1 to 1, below which a match is none; None: it is no longer calibrated, which
                is an event only if it was.

        Raises:
            FormError: A name or a threshold that cannot be.
        """
        value = None if threshold is None else checked_threshold(threshold)
        with changing(self._writing()) as rows:
            number = rows.featurizer(featurizer)
            own = search_featurizers.c.id == number
            had = rows.connection.execute(select(search_featurizers.c.threshold).where(own)).scalar()
            if value is None and had is None:
                return
            version = rows.version()
            at, of = (None, None) if value is None else (self._clock.wall(), version)
            rows.connection.execute(
                update(search_featurizers)
                .where(own)
                .values(threshold=value, calibrated_at=at, calibrated_version=of)
            )
            told = None if value is None else round(value, 4)
            self._tell_search(rows, "search_calibrated", number, featurizer, told)

    def _tell_search(
        self,
        rows: CatalogueRows,
        what: Literal["search_featurizer_changed", "search_calibrated"],
        number: int,
        featurizer: str,
        threshold: float | None = None,
    ) -> None:
        """Append it, in the transaction of the change."""
        own = search_features.c.featurizer == number
        many = rows.connection.execute(select(func.count()).select_from(search_features).where(own))
        said = SearchChanged(
            type=what, featurizer=featurizer, pictures=many.scalar_one(), threshold=threshold
        )
        self._append(rows.connection, [NewEvent(said)])


def _changes(
    connection: Connection, featurizer: int, since: int, limit: int
) -> tuple[list[Any], list[Any], int]:
    """What is there and what is gone, the oldest changes of both together, and the version of the last."""
    features = (
        select(
            search_features.c.version,
            search_features.c.picture,
            search_pictures.c.item,
            search_features.c.vector,
        )
        .join(search_pictures, search_pictures.c.id == search_features.c.picture)
        .where(search_features.c.featurizer == featurizer, search_features.c.version > since)
        .order_by(search_features.c.version)
        .limit(limit)
    )
    removed = (
        select(search_removed.c.version, search_removed.c.picture)
        .where(search_removed.c.featurizer == featurizer, search_removed.c.version > since)
        .order_by(search_removed.c.version)
        .limit(limit)
    )
    there, gone = connection.execute(features).all(), connection.execute(removed).all()
    versions = sorted(row.version for row in (*there, *gone))[:limit]
    last = versions[-1] if versions else since
    return (
        [row for row in there if row.version <= last],
        [row for row in gone if row.version <= last],
        last,
    )


def _tell_damaged(pictures: set[str]) -> None:
    for picture in sorted(pictures):
        _log.error(
            "features_left_out",
            picture=picture,
            reason="they are damaged",
            hint="remove the item and add it again, or restore the backup",
        )


def _matrix(vectors: list[bytes], numbers: int) -> FloatArray:
    if not vectors:
        return np.zeros((0, numbers), np.float32)
    return np.frombuffer(b"".join(vectors), HALF).reshape(len(vectors), numbers).astype(np.float32)
