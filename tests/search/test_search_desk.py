"""The desk's operations of visual search, with the real network: the catalogue, looking into it, imports."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from captures import NOW
from desk_box import DeskBox, desk_box, identity
from hosted_functions import project
from search_box import SearchBox, png
from search_items import before_camera, photographs

from appliance.app.function_features import FunctionFeatures
from appliance.app.function_inferences import also_told
from appliance.deeplens.messages import FunctionMessage
from appliance.errors import (
    DeniedError,
    FormError,
    NotSignedInError,
    PeerGoneError,
    PhotoError,
    UnknownItemError,
)
from appliance.permissions import Permission
from appliance.wire import Message, Reply, Server
from appliance.wire.messages import Done, Found, FoundTold, HandFeatures, SearchCamera, SearchPicture

pytestmark = pytest.mark.usefixtures("session")
THINGS = {each.id: each for each in photographs()}
CUP = png(THINGS["coffee"].bgr)
NOTHING = FoundTold(
    at=NOW, source="picture", known=False, threshold=0.5, basis="default", featurizer="m:0", searched=0
)


@pytest.fixture
def box(tmp_path: Path) -> Iterator[SearchBox]:
    """A box that describes pictures, with an empty catalogue."""
    made = SearchBox(tmp_path)
    made.layout.settings_file.write_text("[search]\nenabled = true\n", encoding="utf-8")
    with made.describing():
        yield made
    made.close()


@pytest.fixture
def desk(box: SearchBox) -> Iterator[DeskBox]:
    """Its desk."""
    with desk_box(box.services) as made:
        yield made


def entry(item: str, **said: Any) -> dict[str, Any]:
    """What a form says."""
    return {"item": item, "title": f"The {item}", **said}


def test_an_item_is_added_seen_changed_and_removed(desk: DeskBox) -> None:
    """Each by who may, each in the log with who it was."""
    admin = desk.first_admin()
    viewer = desk.admit(admin, "ben")
    added = desk.ask("catalogue.put", admin, blob=CUP, **entry("cup", price="4.50 €"))
    same = desk.ask("catalogue.add_picture", admin, blob=CUP, item="cup")
    changed = desk.ask("catalogue.put", admin, **entry("cup", notes="Kitchen"))
    page = desk.ask("catalogue.items", viewer, text="kitchen")
    (picture,) = page["items"][0]["pictures"]
    jpeg = desk.answer("catalogue.picture", viewer, picture=picture["picture"]).blob
    with pytest.raises(FormError, match="already"):
        desk.ask("catalogue.put", admin, **entry("cup", new=True))
    with pytest.raises(DeniedError):
        desk.ask("catalogue.remove", viewer, item="cup")
    with pytest.raises(UnknownItemError):
        desk.ask("catalogue.remove_picture", admin, item="cup", picture="another")
    desk.ask("catalogue.remove_picture", admin, item="cup", picture=picture["picture"])
    desk.ask("catalogue.remove", admin, item="cup")

    assert ["added", "same", "changed"] == [each["outcome"] for each in (added, same, changed)]
    assert (1, None) == (page["count"], page["next"])
    assert jpeg.startswith(b"\xff\xd8")
    assert max(picture["width_px"], picture["height_px"]) == 512
    assert {"items": 0, "pictures": 0, "enabled": True} == desk.ask("catalogue.size", viewer)
    events = [each.event for each in desk.services.store.events() if each.type.startswith("item_")]
    assert ["item_added", "item_changed", "item_changed", "item_removed"] == [
        each.model_dump()["type"] for each in events if each is not None
    ]
    assert all(each is not None and each.by for each in events)


def test_a_file_that_is_no_picture_changes_nothing(desk: DeskBox) -> None:
    """It is said what is wrong with it."""
    admin = desk.first_admin()
    with pytest.raises(PhotoError):
        desk.ask("catalogue.put", admin, blob=b"no picture", **entry("cup"))
    with pytest.raises(FormError):
        desk.ask("catalogue.put", admin, **entry(" "))
    assert 0 == desk.ask("catalogue.items", admin)["count"]


def test_what_a_camera_shows_is_kept_by_who_may_look_through_it_alone(box: SearchBox, desk: DeskBox) -> None:
    """Changing the catalogue is not enough: its pictures would be a way to look."""
    admin = desk.first_admin()
    token = desk.token(admin, Permission.SEARCH, Permission.CATALOGUE)
    box.scene = before_camera(THINGS["chelsea"], 1, hardness=0.2)
    desk.ask("catalogue.put", token, blob=CUP, **entry("cup"))
    with pytest.raises(DeniedError):
        desk.ask("catalogue.put_shown", token, camera="entrance", view="all", **entry("cat"))
    with pytest.raises(DeniedError):
        desk.ask("catalogue.add_shown", token, camera="entrance", view="all", item="cup")

    (cup,) = desk.ask("catalogue.items", admin)["items"]
    assert 1 == len(cup["pictures"])


def test_a_thing_is_shown_to_the_camera_and_found(box: SearchBox, desk: DeskBox) -> None:
    """Added by camera, found by camera and by picture; the camera's picture is for who may look."""
    admin = desk.first_admin()
    token = desk.token(admin, Permission.SEARCH)
    box.scene = before_camera(THINGS["chelsea"], 1, hardness=0.2)
    desk.ask("catalogue.put_shown", admin, camera="entrance", **entry("cat"))
    desk.ask("catalogue.add_shown", admin, camera="entrance", item="cat", view="all")
    with box.searching():
        box.ready()
        seen = desk.answer("search.by_camera", admin, camera="entrance")
        unseen = desk.answer("search.by_camera", token, camera="entrance")
        found = desk.ask("search.by_picture", token, blob=png(THINGS["chelsea"].bgr), matches=1)
        box.until(lambda: desk.ask("search.newest", token, reader="a")["found"])
        again = desk.ask("search.newest", token, reader="a")
        another = desk.ask("search.newest", admin, reader="a")
        state = desk.ask("search.state", token)
        with pytest.raises(DeniedError):
            desk.ask("search.calibrate", token)
        with pytest.raises(FormError, match="no picture"):
            desk.ask("search.by_picture", token)

    assert "cat" == seen.result["matches"][0]["item"]
    assert seen.blob.startswith(b"\xff\xd8")
    assert b"" == unseen.blob
    assert ["cat"] == [each["item"] for each in found["matches"]]
    assert [] == again["found"]
    assert ["cat"] == [each["matches"][0]["item"] for each in another["found"]]
    assert (True, 2, "") == (state["there"], state["indexed"], state["trouble"])


@pytest.mark.parametrize("by", ["picture", "camera"])
def test_who_may_no_more_when_it_is_found_is_told_nothing(box: SearchBox, desk: DeskBox, by: str) -> None:
    """A look-up takes a while, in which a token may be revoked."""
    admin = desk.first_admin()
    token = desk.token(admin, Permission.SEARCH)
    said = {"picture": {"blob": CUP}, "camera": {"camera": "entrance"}}[by]

    def revoke(_: object) -> Reply[Found]:
        desk.ask("tokens.revoke", admin, token=identity(desk, token))
        return Reply(Found(found=NOTHING))

    with (
        Server(box.layout.socket("search"), {SearchPicture: revoke, SearchCamera: revoke}),
        pytest.raises(NotSignedInError),
    ):
        desk.ask(f"search.by_{by}", token, **said)


def test_where_nothing_searches_the_catalogue_goes_on(desk: DeskBox) -> None:
    """And it is said what to do."""
    admin = desk.first_admin()
    desk.ask("catalogue.put", admin, blob=CUP, **entry("cup"))
    with pytest.raises(PeerGoneError) as refused:
        desk.ask("search.by_picture", admin, blob=CUP)

    assert "search.enabled" in refused.value.hint
    assert {"there": False} == desk.ask("search.state", admin)
    assert not desk.ask("search.newest", admin)["there"]


def test_an_import_by_page_row_after_row(desk: DeskBox) -> None:
    """Good rows are kept, others told of with their numbers; sent again, all are the same."""
    admin = desk.first_admin()
    table = b"id,title,pictures\ncup,A cup,a.png;b.png\nbook,,\nbare,Bare,\nlost,Lost,c.png\n"
    cat = png(THINGS["chelsea"].bgr)

    def sent() -> dict[str, Any]:
        number = desk.ask("catalogue.import_begin", admin, blob=table, name="items.csv")["number"]
        rows = desk.ask("catalogue.import_rows", admin, number=number)["rows"]
        assert ["cup", "bare", "lost"] == [each["item"] for each in rows]
        send = {"number": number}
        half = desk.ask("catalogue.import_picture", admin, blob=CUP, index=0, path="a.png", **send)
        assert not half["row_done"]
        desk.ask("catalogue.import_picture", admin, blob=cat, index=0, path="b.png", **send)
        desk.ask("catalogue.import_picture", admin, index=2, **send)
        with pytest.raises(FormError, match="no such picture"):
            desk.ask("catalogue.import_picture", admin, blob=cat, index=3, path="d.png", **send)
        ended: dict[str, Any] = desk.ask(
            "catalogue.import_picture", admin, index=3, path="c.png", missing=True, **send
        )
        return ended

    first, second = sent(), sent()

    assert (4, 2, 2, True) == (first["rows"], first["added"], first["refused"], first["over"])
    assert {(3, "title"), (5, "pictures")} == {(each["row"], each["column"]) for each in first["faults"]}
    assert (0, 2, 2) == (second["added"], second["same"], second["refused"])
    assert 2 == len(desk.ask("catalogue.item", admin, item="cup")["pictures"])
    kinds = [each.type for each in desk.services.store.events() if each.type.startswith("item")]
    assert ["items_import_begun", "items_imported"] * 2 == kinds


class Noted:
    """Who searches, as far as it is handed features."""

    def __init__(self) -> None:
        self.handed: list[tuple[str, bytes]] = []

    def call(
        self, message: Message, answer: type[Done], *, blob: bytes = b"", timeout_s: float
    ) -> Reply[Done]:
        """Note it."""
        del timeout_s
        assert isinstance(message, HandFeatures)
        self.handed.append((message.function, blob))
        return Reply(answer())


def test_of_what_a_function_publishes_features_alone_are_handed_on() -> None:
    """The newest of each function; what it publishes elsewhere, or without features, is not."""
    noted, stop, passed = Noted(), threading.Event(), []
    features = FunctionFeatures(noted)
    speaks = project("featurizer")
    tell = also_told(lambda _, message: passed.append(message), features.hear)
    for topic, payload in (
        (speaks.infer_topic, b'{ "features": "1,2" }'),
        (speaks.infer_topic, b'{ "features": "3,4" }'),
        ("elsewhere", b'{ "features": "5,6" }'),
        (speaks.infer_topic, b'{"dog": 0.9}'),
    ):
        tell(speaks, FunctionMessage(1, NOW, topic, payload))
    thread = threading.Thread(target=features.run, args=(stop,))
    thread.start()
    for _ in range(600):
        if noted.handed:
            break
        stop.wait(0.1)
    stop.set()
    thread.join()

    assert 4 == len(passed)
    assert [("featurizer", b'{ "features": "3,4" }')] == noted.handed
