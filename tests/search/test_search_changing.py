"""Changes of the catalogue while a picture is described: what others did meanwhile is not undone."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from catalogue_things import MODEL, catalogue, jpeg, unit
from desk_box import DeskBox, desk_box

from appliance.app.catalogue_changing import CatalogueChanges
from appliance.errors import FormError, UnknownItemError
from appliance.services import Layout, Services, open_services
from appliance.settings import Settings
from appliance.store import ItemEntry, Store
from appliance.wire import Client, Reply, Request, Server
from appliance.wire.messages import FeaturizePicture, PictureFeaturized

CUP, HANDLE = b"a cup", b"its handle"


class Describing:
    """A models process that takes its time.

    Attributes:
        meanwhile: What somebody does while the next picture is described.
    """

    def __init__(self) -> None:
        self.meanwhile: Callable[[], object] = lambda: None

    def describe(self, _: Request[FeaturizePicture]) -> Reply[PictureFeaturized]:
        """As of any picture."""
        now, self.meanwhile = self.meanwhile, lambda: None
        now()
        features = {MODEL: tuple(float(each) for each in unit(1))}
        told = PictureFeaturized(
            width=64, height=48, box=(0, 0, 64, 48), width_px=64, height_px=48, features=features
        )
        return Reply(told, jpeg(1))


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    """Of a box with an empty catalogue."""
    with open_services(Settings(), Layout(tmp_path / "state"), create=True) as opened:
        yield opened


@pytest.fixture
def models(services: Services) -> Iterator[Describing]:
    """Who describes its pictures."""
    made = Describing()
    with Server(services.layout.socket("models"), {FeaturizePicture: made.describe}):
        yield made


@pytest.fixture
def desk(services: Services) -> Iterator[DeskBox]:
    """Its desk."""
    with desk_box(services) as made:
        yield made


def shas(*contents: bytes) -> tuple[str, ...]:
    """Hashes of these files."""
    return tuple(hashlib.sha256(each).hexdigest() for each in contents)


def test_a_picture_that_is_added_leaves_the_text_alone(
    services: Services, desk: DeskBox, models: Describing
) -> None:
    """Somebody changes the title while it is described."""
    admin, store = desk.first_admin(), services.store
    desk.ask("catalogue.put", admin, blob=CUP, item="cup", title="A cup")
    models.meanwhile = lambda: store.put_item(ItemEntry("cup", "A blue cup", price="4 €"))
    told = desk.ask("catalogue.add_picture", admin, blob=HANDLE, item="cup")

    assert ("changed", "A blue cup", "4 €") == (
        told["outcome"],
        *(told["item"][name] for name in ("title", "price")),
    )
    assert {"cup": shas(CUP, HANDLE)} == catalogue(store)


def test_an_item_that_is_removed_does_not_come_back_with_a_picture(
    services: Services, desk: DeskBox, models: Describing
) -> None:
    """Whoever adds one is told that it is gone."""
    admin, store = desk.first_admin(), services.store
    desk.ask("catalogue.put", admin, blob=CUP, item="cup", title="A cup")
    models.meanwhile = lambda: store.remove_item("cup")
    with pytest.raises(UnknownItemError):
        desk.ask("catalogue.add_picture", admin, blob=HANDLE, item="cup")

    assert {} == catalogue(store)


def test_an_item_that_is_to_be_new_takes_nobodys_place(
    services: Services, desk: DeskBox, models: Describing
) -> None:
    """Also of one that came while its picture was described."""
    admin, store = desk.first_admin(), services.store
    models.meanwhile = lambda: store.put_item(ItemEntry("cup", "Another cup", price="4 €"))
    with pytest.raises(FormError, match="already"):
        desk.ask("catalogue.put", admin, blob=CUP, item="cup", title="A cup", new=True)

    assert ItemEntry("cup", "Another cup", price="4 €") == store.item("cup").entry
    assert {"cup": ()} == catalogue(store)


def gone(store: Store) -> None:
    """The cup's first picture is removed."""
    store.remove_picture(store.item("cup").pictures[0].id)


@pytest.mark.parametrize("meanwhile", [gone, lambda store: store.remove_item("cup")])
def test_an_item_is_put_with_all_its_files(
    services: Services, models: Describing, meanwhile: Callable[[Store], object]
) -> None:
    """Also with those that it had when it was looked up, and has no more."""
    store = services.store
    changes = CatalogueChanges(store, Client(services.layout.socket("models")), "network")
    entry = ItemEntry("cup", "A cup")
    changes.put(entry, [CUP])
    models.meanwhile = lambda: meanwhile(store)
    changes.put(entry, [CUP, HANDLE])

    assert set(shas(CUP, HANDLE)) == set(catalogue(store)["cup"])
