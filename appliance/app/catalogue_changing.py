"""Changing the catalogue of visual search: pictures described by the models process, kept, and on record.

For whoever changes it, the desk as well as commands: what came as a file becomes what is kept here and
nowhere else. No picture is decoded in this process. Who may is settled before.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

import numpy as np

from appliance.errors import UnknownItemError
from appliance.store import ItemEntry, NewPicture, PutOutcome, Store
from appliance.store.catalogue_checks import check_new, checked_entry
from appliance.values import FloatArray
from appliance.wire import Message, Reply
from appliance.wire.messages import FeaturizePicture, FrameFeaturized, PictureFeaturized, SearchView

M = TypeVar("M", bound=Message)

_FEATURIZE_S: Final = 30.0
"""For one picture; 40 megapixels on a slow box, and the network opened for it."""


class Models(Protocol):
    """The models process; see `appliance.wire.Client`."""

    def call(
        self, message: Message, expect: type[M], *, blob: bytes = ..., timeout_s: float | None = ...
    ) -> Reply[M]:
        """Ask and wait."""


@dataclass(frozen=True, slots=True)
class Put:
    """What became of an item that was put.

    Attributes:
        outcome: What the store says.
        pictures: How many were described for it: those it had were not.
    """

    outcome: PutOutcome
    pictures: int


class CatalogueChanges:
    """Changes the catalogue.

    Args:
        store: With its keys.
        models: Describes pictures.
        model: The network that the settings want, for a catalogue that is searched by none yet.
    """

    def __init__(self, store: Store, models: Models, model: str) -> None:
        self._store = store
        self._models = models
        self._model = model

    def wanted_models(self) -> tuple[str, ...]:
        """The networks whose features a new picture needs: searched by now, and soon."""
        state = self._store.search_state()
        names = (state.featurizer, state.next_featurizer)
        known = [each.partition(":")[0] for each in names if each is not None]
        return tuple(dict.fromkeys(known or [self._model]))

    def picture(self, content: bytes, view: SearchView = "all", *, sha256: str = "") -> NewPicture:
        """A picture file as it is kept.

        Args:
            content: The file; several threads may ask at once.
            view: What counts in it.
            sha256: By which it is to be known; empty: by that of the file.

        Raises:
            PhotoError: It cannot be used as a picture.
            ModelError: The network is not installed.
            PeerGoneError: The models process is not there.
        """
        asked = FeaturizePicture(models=self.wanted_models(), view=view, jpeg=True)
        made = self._models.call(asked, PictureFeaturized, blob=content, timeout_s=_FEATURIZE_S)
        return _kept(made.message, made.blob, sha256 or hashlib.sha256(content).hexdigest())

    @staticmethod
    def of_frame(made: Reply[FrameFeaturized]) -> NewPicture:
        """A camera's frame, described with its JPEG, as it is kept."""
        return _kept(made.message, made.blob, hashlib.sha256(made.blob).hexdigest())

    def put(
        self,
        entry: ItemEntry,
        contents: Sequence[bytes] = (),
        *,
        view: SearchView = "all",
        replace_pictures: bool = False,
        new: bool = False,
    ) -> Put:
        """Keep an item with the pictures of these files; what it has already is not described again.

        Args:
            entry: What it says.
            contents: Picture files.
            view: What counts in them.
            replace_pictures: Other pictures that it has go.
            new: No item has its id.

        Raises:
            PhotoError: One cannot be used as a picture; nothing was kept.
            FormError: The item cannot be taken, or was to be new and is not; nothing was kept.
            ModelError: The network is not installed.
            PeerGoneError: The models process is not there.
        """
        entry = checked_entry(entry)
        by_hash = {hashlib.sha256(each).hexdigest(): each for each in contents}
        there = self._store.items_by_id([entry.id]).get(entry.id)
        if new:
            check_new(entry.id, there)  # before pictures are described; kept it is only if that still holds
        had = {each.sha256 for each in there.pictures} if there is not None else set()
        if replace_pictures and had - set(by_hash):
            had = set()  # those that stay have to be named with the others
        else:
            replace_pictures = False
        made = [self.picture(each, view) for sha256, each in by_hash.items() if sha256 not in had]
        try:
            known = had & set(by_hash)
            return self.put_made(entry, made, known=known, replace_pictures=replace_pictures, new=new)
        except UnknownItemError:  # one that it had was removed meanwhile
            made = [self.picture(each, view) for each in by_hash.values()]
            return self.put_made(entry, made, replace_pictures=replace_pictures)

    def put_made(
        self,
        entry: ItemEntry,
        pictures: Sequence[NewPicture],
        *,
        known: Collection[str] = (),
        replace_pictures: bool = False,
        new: bool = False,
    ) -> Put:
        """Keep an item with pictures that are described already; see `put`.

        Raises:
            UnknownItemError: It no longer has a picture of these hashes (`known`); nothing was kept.
            FormError: As of `put`.
        """
        outcome = self._store.put_item(
            entry, pictures, known=known, replace_pictures=replace_pictures, new=new
        )
        return Put(outcome, len(pictures))

    def add(self, item: str, contents: Sequence[bytes], view: SearchView = "all") -> Put:
        """Add picture files to an item; what that says meanwhile stays.

        Raises:
            UnknownItemError: There is no such item, or no more once they are described.
            PhotoError: One cannot be used as a picture; nothing was kept.
            FormError: The item has too many.
            ModelError: The network is not installed.
            PeerGoneError: The models process is not there.
        """
        by_hash = {hashlib.sha256(each).hexdigest(): each for each in contents}
        had = {each.sha256 for each in self._store.item(item).pictures}
        made = [self.picture(each, view) for sha256, each in by_hash.items() if sha256 not in had]
        return self.add_made(item, made) if made else Put("same", 0)

    def add_made(self, item: str, pictures: Sequence[NewPicture]) -> Put:
        """Add pictures that are described already; see `add`."""
        return Put(self._store.add_pictures(item, pictures), len(pictures))

    def remove(self, item: str) -> None:
        """Remove an item with its pictures.

        Raises:
            UnknownItemError: There is none.
        """
        self._store.remove_item(item)

    def remove_picture(self, item: str, picture: str) -> None:
        """Remove a picture of an item.

        Raises:
            UnknownItemError: There is no such item, or it has no such picture.
        """
        if all(each.id != picture for each in self._store.item(item).pictures):
            raise no_picture()
        self._store.remove_picture(picture)


def no_picture() -> UnknownItemError:
    """What is said of a picture that an item has not."""
    return UnknownItemError("the item has no such picture", hint="it may have been removed meanwhile")


def features_of(numbers: Mapping[str, Sequence[float]]) -> dict[str, FloatArray]:
    """Features as they came, by featurizer, as arrays: float32, (n,)."""
    return {name: np.asarray(each, np.float32) for name, each in numbers.items()}


def _kept(made: PictureFeaturized | FrameFeaturized, jpeg: bytes, sha256: str) -> NewPicture:
    return NewPicture(
        sha256=sha256,
        jpeg=jpeg,
        width_px=made.width_px,
        height_px=made.height_px,
        features=features_of(made.features),
    )
