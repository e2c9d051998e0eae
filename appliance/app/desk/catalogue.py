"""Operations of the catalogue of visual search: its items and their pictures, seen and changed.

Looking into it is in `search`, imports are in `catalogue_imports`. The models process decodes the pictures.
"""

from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from appliance.app.catalogue_changing import CatalogueChanges, Put
from appliance.app.desk.applying import Source
from appliance.app.desk.eyes import Eyes
from appliance.app.desk.operations import Answer, Arguments, Asked, Nothing, Operation
from appliance.app.desk.search import CAMERA, View
from appliance.app.desk.times import moment
from appliance.errors import DeniedError, FormError
from appliance.permissions import Caller, Permission
from appliance.services import Services
from appliance.store import CatalogueItem, ItemEntry, NewPicture
from appliance.store.catalogue_checks import check_new, tidy
from appliance.wire import Client
from appliance.wire.messages import FeaturizeFrame, FrameFeaturized

_Item = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(tidy)]
"""An item's id, however it is written: as it is kept."""
_PICTURE: Final = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
_SHOW_S: Final = 30.0


class ItemPage(Arguments):
    """A page of items, the newest first.

    Attributes:
        text: Those that have each of these words in id, title, price or notes.
        after: The `next` of the page before.
        limit: At most so many.
        oldest_first: The other way round.
    """

    text: str = Field(default="", max_length=200)
    after: int | None = Field(default=None, ge=0, lt=2**63)
    limit: int = Field(default=50, ge=1, le=200)
    oldest_first: bool = False


class WhichItem(Arguments):
    """Attributes: item: its id."""

    item: _Item


class WhichPicture(Arguments):
    """Attributes: picture: its id."""

    picture: str = _PICTURE


class ItemsPicture(Arguments):
    """Attributes: item: its id; picture: id of one of its pictures."""

    item: _Item
    picture: str = _PICTURE


class NewItem(Arguments):
    """An item, whole: what it says takes the place of all that it said; pictures are added.

    Attributes:
        item: Its id, 1 to 64 visible characters, not `.` or `..` alone.
        title: 1 to 200 visible characters.
        link: An address with http or https; may be empty.
        price: As it is to be shown; may be empty.
        notes: May be empty.
        view: What counts in the picture file that goes with it, if one does.
        replace_pictures: The pictures it has go, if a file goes with it.
        new: An item of this id is an error; otherwise it is changed.
    """

    item: Annotated[str, Field(max_length=200), AfterValidator(tidy)]
    title: str = Field(max_length=1000)
    link: str = Field(default="", max_length=4000)
    price: str = Field(default="", max_length=200)
    notes: str = Field(default="", max_length=4000)
    view: View = "all"
    replace_pictures: bool = False
    new: bool = False


class ShownItem(NewItem):
    """An item that is shown to a camera.

    Attributes:
        camera: Its id.
    """

    camera: str = Field(pattern=CAMERA)
    view: View = "centre"


class AddedPicture(Arguments):
    """Attributes: item: whose; view: what counts in the picture file that goes with it."""

    item: _Item
    view: View = "all"


class AddedFromCamera(Arguments):
    """Attributes: item: whose; camera: which shows it; view: what counts in its picture."""

    item: _Item
    camera: str = Field(pattern=CAMERA)
    view: View = "centre"


class Catalogue:
    """Shows the catalogue and changes it.

    Args:
        services: The store, and where the models process listens.
        source: The settings.
        eyes: Asks the models process of cameras.
    """

    def __init__(self, services: Services, source: Source, eyes: Eyes) -> None:
        self._store = services.store
        self._models = Client(services.layout.socket("models"))
        self._source = source
        self._eyes = eyes

    def operations(self) -> list[Operation[Any]]:
        """All of them."""
        see, change = Permission.SEARCH, Permission.CATALOGUE
        return [
            Operation("catalogue.items", ItemPage, see, self.items),
            Operation("catalogue.item", WhichItem, see, self.item),
            Operation("catalogue.picture", WhichPicture, see, self.picture),
            Operation("catalogue.size", Nothing, see, self.size),
            Operation("catalogue.put", NewItem, change, self.put, waits=True),
            Operation("catalogue.put_shown", ShownItem, change, self.put_shown, waits=True),
            Operation("catalogue.add_picture", AddedPicture, change, self.add_picture, waits=True),
            Operation("catalogue.add_shown", AddedFromCamera, change, self.add_shown, waits=True),
            Operation("catalogue.remove", WhichItem, change, self.remove),
            Operation("catalogue.remove_picture", ItemsPicture, change, self.remove_picture),
        ]

    def items(self, asked: Asked[ItemPage]) -> Answer:
        """A page of items: `{items, next, count}`; an item as `told_item`, `count` how many there are in all.

        `next` goes in `after`; null at the end.
        """
        given = asked.arguments
        found = self._store.items(given.after, given.limit + 1, given.text, oldest_first=given.oldest_first)
        page = found[: given.limit]
        return Answer(
            {
                "items": [told_item(each) for each in page],
                "next": page[-1].number if len(found) > len(page) else None,
                "count": self._store.item_count(),
            }
        )

    def item(self, asked: Asked[WhichItem]) -> Answer:
        """One item, as `told_item`.

        Raises:
            UnknownItemError: There is none.
        """
        return Answer(told_item(self._store.item(asked.arguments.item)))

    def picture(self, asked: Asked[WhichPicture]) -> Answer:
        """A picture, a JPEG in the blob.

        Raises:
            UnknownItemError: There is none.
        """
        return Answer(blob=self._store.picture_jpeg(asked.arguments.picture))

    def size(self, asked: Asked[Nothing]) -> Answer:
        """How much there is, whether or not it is searched: `{items, pictures, enabled}`."""
        del asked
        state, enabled = self._store.search_state(), self._source.running().search.enabled
        return Answer({"items": state.items, "pictures": state.pictures, "enabled": enabled})

    def put(self, asked: Asked[NewItem]) -> Answer:
        """Add an item or change it, with a picture file or without: `{outcome, item}`.

        `outcome` is `added`, `changed` or `same`; `item` is `told_item`.

        Raises:
            FormError: It cannot be taken so, or is there already and was to be new.
            PhotoError: The file cannot be used as a picture.
            ModelError: The network is not installed.
            PeerGoneError: The models process is not there.
        """
        given = asked.arguments
        contents = [asked.blob] if asked.blob else []
        replace = given.replace_pictures and bool(contents)
        done = self._changes().put(
            _entry(given), contents, view=given.view, replace_pictures=replace, new=given.new
        )
        return self._told(given.item, done)

    def put_shown(self, asked: Asked[ShownItem]) -> Answer:
        """Add an item or change it, with the picture that a camera takes now; see `put`.

        Raises:
            DeniedError: They may not look through cameras.
            CameraLostError: There is no such camera, or it gives nothing.
            FormError: It cannot be taken so.
        """
        given = asked.arguments
        _check_may_look(asked.who)
        if given.new:
            check_new(given.item, self._store.items_by_id([given.item]).get(given.item))
        shown = self._shown(given.camera, given.view)
        done = self._changes().put_made(
            _entry(given), [shown], replace_pictures=given.replace_pictures, new=given.new
        )
        return self._told(given.item, done)

    def add_picture(self, asked: Asked[AddedPicture]) -> Answer:
        """Add a picture file to an item: `{outcome, item}`; `same` if it has that picture already.

        Raises:
            UnknownItemError: There is no such item.
            PhotoError: It cannot be used as a picture.
            FormError: No picture came along, or there are too many.
        """
        given = asked.arguments
        if not asked.blob:
            raise FormError("no picture came along", fields={"picture": "choose one"})
        return self._told(given.item, self._changes().add(given.item, [asked.blob], given.view))

    def add_shown(self, asked: Asked[AddedFromCamera]) -> Answer:
        """Add to an item the picture that a camera takes now; see `add_picture`.

        Raises:
            DeniedError: They may not look through cameras.
            UnknownItemError: There is no such item.
            CameraLostError: There is no such camera, or it gives nothing.
        """
        given = asked.arguments
        _check_may_look(asked.who)
        self._store.item(given.item)
        shown = self._shown(given.camera, given.view)
        return self._told(given.item, self._changes().add_made(given.item, [shown]))

    def remove(self, asked: Asked[WhichItem]) -> Answer:
        """Remove an item with its pictures.

        Raises:
            UnknownItemError: There is none.
        """
        self._changes().remove(asked.arguments.item)
        return Answer()

    def remove_picture(self, asked: Asked[ItemsPicture]) -> Answer:
        """Remove a picture of an item; the item as `told_item` is left.

        Raises:
            UnknownItemError: There is no such item, or it has no such picture.
        """
        given = asked.arguments
        self._changes().remove_picture(given.item, given.picture)
        return Answer(told_item(self._store.item(given.item)))

    def _changes(self) -> CatalogueChanges:
        return CatalogueChanges(self._store, self._models, self._source.running().search.model)

    def _shown(self, camera: str, view: View) -> NewPicture:
        """What a camera shows now, described."""
        changes = self._changes()
        asked = FeaturizeFrame(models=changes.wanted_models(), view=view, jpeg=True)
        made = self._eyes.look(camera, asked, FrameFeaturized, timeout_s=_SHOW_S)
        return changes.of_frame(made)

    def _told(self, item: str, done: Put) -> Answer:
        return Answer({"outcome": done.outcome, "item": told_item(self._store.item(item))})


def told_item(item: CatalogueItem) -> dict[str, Any]:
    """An item as JSON values.

    `{item, title, link, price, notes, pictures: [{picture, sha256, width_px, height_px}], added_at,
    changed_at}`,
    pictures in the order in which they came.
    """
    entry = item.entry
    return {
        "item": entry.id,
        "title": entry.title,
        "link": entry.link,
        "price": entry.price,
        "notes": entry.notes,
        "pictures": [
            {
                "picture": each.id,
                "sha256": each.sha256,
                "width_px": each.width_px,
                "height_px": each.height_px,
            }
            for each in item.pictures
        ],
        "added_at": moment(item.added_at),
        "changed_at": moment(item.changed_at),
    }


def _check_may_look(who: Caller) -> None:
    """What a camera shows is kept, and shown to everybody who may search, by who may look through it alone.

    Raises:
        DeniedError: They may not.
    """
    if not who.may(Permission.LIVE):
        raise DeniedError("you may not look through cameras", hint="send a picture, or ask an admin")


def _entry(given: NewItem) -> ItemEntry:
    return ItemEntry(given.item, given.title, given.link, given.price, given.notes)
